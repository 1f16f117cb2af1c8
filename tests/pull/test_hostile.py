"""Whatever the service tells: names that hold YAML, comments, control or bidi characters end up harmless."""

import tempfile
import unicodedata
from dataclasses import replace
from pathlib import Path

import yaml
from hypothesis import given
from hypothesis import strategies as st

from reconciler.manifests import load
from reconciler.model.live import LiveConnection, Provider, Schedule
from reconciler.model.sync import CalendarRef, SyncConfig
from reconciler.pull.yaml_emit import comment, is_declarable, scalar
from tests.pull.hostile_names import TEXTS
from tests.pull.live import (
    APPLE,
    DEDICATED,
    KIM,
    LEE,
    OFF,
    PATEL,
    PROVIDERS,
    ROTA,
    actions,
    chosen,
    live,
    observed,
    pull,
)
from tests.support.profiles import examples


@examples(100)
@given(text=TEXTS)
def test_a_scalar_means_its_text_in_every_place(text: str) -> None:
    """What a manifest can hold at all is read back unchanged, in block and in flow style, by any YAML reader."""
    if not is_declarable(text, 1000):
        return
    written = scalar(text)
    assert all(character.isprintable() for character in written)
    document = f"a: {written}  # c\nb: {{k: {written}, l: [{written}, {written}]}}\nc:\n  - {written}\n"
    wanted = {"a": text, "b": {"k": text, "l": [text, text]}, "c": [text]}
    assert yaml.safe_load(document) == wanted


@examples(100)
@given(text=TEXTS)
def test_a_comment_is_one_harmless_line(text: str) -> None:
    """Nothing in a comment ends it, hides in it, or speaks to a tool that reads comments."""
    shown = comment(text)
    assert all(character.isprintable() for character in shown)
    assert not any(unicodedata.category(character) in {"Cc", "Cf", "Zl", "Zp"} for character in shown)
    assert ":" not in shown or shown.startswith('"')
    assert yaml.safe_load(f"a: b  # {shown}\n") == {"a": "b"}


@st.composite
def _connections(draw: st.DrawFn) -> tuple[LiveConnection, ...]:
    found = []
    for schedule in draw(st.lists(st.sampled_from((LEE, PATEL, KIM)), unique=True)):
        provider = draw(st.sampled_from((APPLE, ROTA)))
        refs = st.builds(CalendarRef, id=TEXTS.filter(bool), name=st.none() | TEXTS)
        names = draw(st.lists(refs, min_size=1, max_size=4, unique_by=lambda ref: ref.id))
        sync = SyncConfig(chosen(*names), draw(st.sampled_from((OFF, DEDICATED))))
        found.append(
            live(
                schedule,
                provider,
                sync=sync,
                status=draw(st.sampled_from(("SYNCED", "SYNCED", "ERROR"))),
                error_reason=draw(st.none() | TEXTS),
                account=draw(
                    st.sampled_from((f"{schedule[-1]}@b.example", None)) | TEXTS.map(lambda t: f"{t}@b.example")
                ),
            )
        )
    return tuple(found)


@examples(20)
@given(connections=_connections(), names=st.tuples(TEXTS, TEXTS, TEXTS), rota=TEXTS, more=TEXTS)
def test_hostile_names_make_no_other_manifests(
    connections: tuple[LiveConnection, ...], names: tuple[str, str, str], rota: str, more: str
) -> None:
    """Whatever things are called, what is pulled loads, plans as no change, and is the same when pulled again."""
    providers = (*PROVIDERS[:-1], _called(rota))
    schedules = tuple(Schedule(id_, name, None, "ACTIVE") for id_, name in zip((LEE, PATEL, KIM), names, strict=True))
    seen = observed(*connections, providers=providers, schedules=schedules)
    known = {one.id: {ref.id or "": more for ref in (one.sync.imports or OFF).calendars} for one in connections}
    seen = replace(seen, calendar_names=known)
    with tempfile.TemporaryDirectory(prefix="extcal-hostile-") as name:
        folder = Path(name) / "manifests"
        done = pull(folder, seen)
        assert all(" is left out: " in text for text in done.pull.failures)
        written = [path.read_text(encoding="utf-8") for path in folder.rglob("*.yaml")]
        assert all(line.isprintable() for text in written for line in text.split("\n"))
        left_out = [one for one in connections if any(f"[{one.id}] is left out" in w for w in done.pull.failures)]
        desired = load([folder])
        assert len(desired.connections) == len(connections) - len(left_out)
        assert len(desired.sites) == 1
        for one in desired.connections:
            called = next(schedule.name for schedule in schedules if schedule.id == one.schedule.value)
            assert one.schedule.name == (called if is_declarable(called, 500) else None)
        found = actions(folder, seen)
        broken = {one.id for one in connections if one.status == "ERROR"}
        assert set(found.values()) <= {"noop", "unmanaged"} | ({"reconnect"} if broken else set())
        assert pull(folder, seen).changed == []


def _address(local: str) -> str:
    return f"{local}@harbor-dental.example"


def _called(name: str) -> Provider:
    return Provider(ROTA.id, name, ROTA.calendar_type, ROTA.features)
