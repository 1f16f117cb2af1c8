"""Whatever changes on the live side, pulling again brings the manifests in line and leaves people's words alone."""

import re
import tempfile
from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.live import LiveConnection
from reconciler.model.sync import Arm, Direction, SyncConfig
from tests.pull.live import (
    APPLE,
    DEDICATED,
    GOOGLE,
    HOME,
    KIM,
    LEE,
    OFF,
    PATEL,
    PRIMARY,
    SCHOOL,
    WORK,
    Done,
    actions,
    chosen,
    live,
    observed,
    pull,
)
from tests.support.profiles import examples

_SLOTS = [(schedule, provider) for schedule in (LEE, PATEL, KIM) for provider in (APPLE, GOOGLE)]
_CALENDARS = st.lists(st.sampled_from((WORK, HOME, SCHOOL)), min_size=1, unique=True)
_IMPORTS = st.sampled_from((OFF, PRIMARY, PRIMARY)) | _CALENDARS.map(lambda refs: chosen(*refs))
_EXPORTS = st.sampled_from((OFF, OFF, DEDICATED, Direction(enabled=True, arm=Arm.PRIMARY)))
_SYNCS = st.builds(SyncConfig, _IMPORTS, _EXPORTS)


@st.composite
def _lives(draw: st.DrawFn) -> tuple[LiveConnection, ...]:
    slots = draw(st.lists(st.sampled_from(_SLOTS), unique=True))
    return tuple(live(schedule, provider, sync=draw(_SYNCS)) for schedule, provider in slots)


def _annotated(folder: Path) -> set[str]:
    """Comment every line of every manifest, beside it or above it; returns the comments that must stay.

    Those beside calendars may go with them.
    """
    staying: set[str] = set()
    for path in sorted(folder.rglob("*.yaml")):
        lines: list[str] = []
        for number, line in enumerate(path.read_text().splitlines()):
            note = f"# {path.stem} {number}"
            beside = re.fullmatch(r"[^#]*[^#\s-][^#]*", line) is not None
            lines += [f"{line}   {note}"] if beside else [note, line]
            if not re.match(r" +(- |calendars:)", line):
                staying.add(note)
        path.write_text("\n".join(lines) + "\n")
    return staying


def _pulled(folder: Path, connections: tuple[LiveConnection, ...]) -> Done:
    """Pull, and assert that the folder then means what is live and that another pull changes nothing."""
    seen = observed(*connections)
    done = pull(folder, seen)
    assert not done.pull.failures
    found = actions(folder, seen)
    gone = sum("declared but not connected" in warning for warning in done.pull.warnings)
    assert len([kind for kind in found.values() if kind == "connect"]) == gone
    assert set(found.values()) <= {"noop", "connect"}
    assert len(found) == len(connections) + gone
    assert pull(folder, seen).changed == []
    return done


@examples(15)
@given(first=_lives(), second=_lives(), third=_lives())
def test_pulling_again_follows_the_live_state_and_keeps_comments(
    first: tuple[LiveConnection, ...], second: tuple[LiveConnection, ...], third: tuple[LiveConnection, ...]
) -> None:
    """After any change of what is live, the manifests mean it, and no comment of theirs is lost."""
    with tempfile.TemporaryDirectory(prefix="extcal-drift-") as name:
        folder = Path(name) / "manifests"
        _pulled(folder, first)
        staying = _annotated(folder)
        _pulled(folder, second)
        _pulled(folder, third)
        text = "\n".join(path.read_text() for path in folder.rglob("*.yaml"))
        assert staying <= set(re.findall(r"# [a-z-]+ \d+$", text, re.MULTILINE))


@examples(8)
@given(connections=_lives(), ending=st.sampled_from(("\n", "\r\n")), after=_lives())
def test_files_keep_their_line_breaks(
    connections: tuple[LiveConnection, ...], ending: str, after: tuple[LiveConnection, ...]
) -> None:
    """Files of another system are edited in its ways."""
    with tempfile.TemporaryDirectory(prefix="extcal-drift-") as name:
        folder = Path(name) / "manifests"
        _pulled(folder, connections)
        for path in folder.rglob("*.yaml"):
            path.write_bytes(path.read_text().replace("\n", ending).encode())
        for changed in _pulled(folder, after).saved.updated:
            breaks = set(re.findall("\r?\n", (folder / changed).read_bytes().decode()))
            assert breaks == {ending}


@examples(8)
@given(connections=_lives(), status=st.sampled_from(("CONNECTED", "UNDEFINED", "SYNC_IN_PROGRESS", "PAUSED")))
def test_any_healthy_status_is_as_good_as_another(connections: tuple[LiveConnection, ...], status: str) -> None:
    """How far a connection has synced is no matter of manifests."""
    with tempfile.TemporaryDirectory(prefix="extcal-drift-") as name:
        folder = Path(name) / "manifests"
        _pulled(folder, connections)
        assert _pulled(folder, tuple(replace(one, status=status) for one in connections)).changed == []
