"""Whatever is live of however many people, and whatever they are called: every layout says it, now and later."""

import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from reconciler.manifests import load
from reconciler.model.live import LiveConnection
from reconciler.model.sync import Direction, SyncConfig
from reconciler.pull.names import slug
from reconciler.pull.values import BY_SIZE, PullOptions
from tests.pull.hostile_names import TEXTS
from tests.pull.live import (
    APPLE,
    AS_DOCUMENTS,
    AS_ROSTERS,
    AS_SETS,
    DEDICATED,
    GOOGLE,
    HOME,
    OFF,
    PRIMARY,
    ROTA,
    WORK,
    actions,
    chosen,
    pull,
)
from tests.pull.staff import person, staffed
from tests.support.profiles import examples

_LAYOUTS = st.sampled_from((BY_SIZE, AS_DOCUMENTS, AS_SETS, AS_ROSTERS))
_IMPORTS = st.sampled_from((OFF, PRIMARY, PRIMARY, Direction(enabled=True), chosen(WORK), chosen(WORK, HOME)))
_EXPORTS = st.sampled_from((OFF, OFF, DEDICATED, Direction(enabled=True)))
_PROVIDERS = st.sampled_from((GOOGLE, GOOGLE, GOOGLE, APPLE, ROTA))


@st.composite
def _people(draw: st.DrawFn, most: int, first: int = 0) -> list[LiveConnection]:
    """So many people at most, some with two connections, each in its way or all alike."""
    alike = draw(st.booleans())
    usual = SyncConfig(draw(_IMPORTS), draw(_EXPORTS))
    found = []
    for number in range(first, first + draw(st.integers(0, most))):
        sync = usual if alike and draw(st.integers(0, 5)) else SyncConfig(draw(_IMPORTS), draw(_EXPORTS))
        found.append(person(number, draw(_PROVIDERS), sync))
        if not draw(st.integers(0, 8)):
            found.append(person(number, APPLE, sync, id=f"second-{number}", account=found[-1].account))
            if found[-2].provider_id == APPLE.id:
                found.pop()
    return found


@examples(30)
@given(
    people=_people(36),
    later=_people(5, first=100),
    names=st.lists(TEXTS, min_size=1, max_size=8),
    layouts=st.tuples(_LAYOUTS, _LAYOUTS),
)
def test_every_layout_says_what_is_live(
    people: list[LiveConnection],
    later: list[LiveConnection],
    names: list[str],
    layouts: tuple[PullOptions, PullOptions],
) -> None:
    """Planning finds nothing to do, pulling again changes nothing, and names say who is meant, each once."""
    with tempfile.TemporaryDirectory(prefix="extcal-layouts-") as place:
        folder = Path(place) / "manifests"
        for lives, options in zip((people, [*people, *later]), layouts, strict=True):
            seen = staffed(lives, lambda number: names[number % len(names)])
            before = {path: path.read_bytes() for path in folder.rglob("*.*")}
            done = pull(folder, seen, options=options)
            assert done.pull.failures == ()
            assert list(actions(folder, seen).values()) == ["noop"] * len(lives)
            assert pull(folder, seen, options=options).changed == []
            assert pull(folder, seen).changed == []
            declared = load([folder]).connections
            assert len({one.address.casefold() for one in declared}) == len(declared)
            assert len({one.password for one in declared if one.password}) == sum(1 for one in declared if one.password)
            # What is there stays in its place: what is new comes below it.
            assert all(_is_kept(path, content) for path, content in before.items())
        for one in load([folder]).connections:
            called = slug(names[int(one.schedule.value[-4:]) % len(names)]) if one.schedule.value else ""
            assert one.name.startswith(called)


def _is_kept(path: Path, content: bytes) -> bool:
    """Whether every line of a file is still there, in order."""
    lines = iter(path.read_bytes().splitlines())
    return all(line in lines for line in content.splitlines())
