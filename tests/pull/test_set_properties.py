"""Whatever sets and rosters look like and whatever changes on the live side: they follow it, and all else stays."""

import random
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.live import Calendar, LiveConnection, Schedule
from reconciler.model.sync import Arm, CalendarRef, Direction, SyncConfig
from reconciler.pull.values import PulledSite
from tests.pull.live import (
    DEDICATED,
    HOME,
    OFF,
    PRIMARY,
    SCHOOL,
    WORK,
    actions,
    chosen,
    live,
    observed,
    pin,
    pull,
    site,
)
from tests.pull.set_texts import (
    PEOPLE,
    ROSTER,
    SLOTS,
    Member,
    Written,
    line_breaks,
    without_cells,
    without_entries,
    without_last_column,
    write,
)
from tests.support.profiles import examples

CALENDARS = (WORK, HOME, SCHOOL)
_LISTS = st.lists(st.sampled_from(CALENDARS), min_size=1, unique=True)
_IMPORTS = st.sampled_from((OFF, PRIMARY, PRIMARY)) | _LISTS.map(lambda refs: chosen(*refs))
_EXPORTS = st.sampled_from((OFF, OFF, DEDICATED, Direction(enabled=True, arm=Arm.PRIMARY)))
_SYNCS = st.builds(SyncConfig, _IMPORTS, _EXPORTS)
_NAMED = st.lists(
    st.sampled_from(CALENDARS).flatmap(
        lambda ref: st.sampled_from((ref, CalendarRef(ref.id, None), CalendarRef(None, ref.name)))
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda ref: next(
        one.id for one in CALENDARS if ref in {one, CalendarRef(one.id), CalendarRef(None, one.name)}
    ),
)
_OWN_IMPORTS = (
    st.sampled_from((None, OFF, PRIMARY, Direction(enabled=True), Direction(arm=Arm.PRIMARY)))
    | _NAMED.map(lambda refs: chosen(*refs))
    | _NAMED.map(lambda refs: Direction(arm=Arm.CALENDARS, calendars=tuple(refs)))
)
_OWN = st.builds(SyncConfig, _OWN_IMPORTS, st.sampled_from((None, OFF, DEDICATED, Direction(enabled=True))))
_TEMPLATES = st.sampled_from(
    (None, None, SyncConfig(None, OFF), SyncConfig(Direction(enabled=True), None), SyncConfig(PRIMARY, DEDICATED))
)


@st.composite
def _members(draw: st.DrawFn, ways: tuple[str, ...] = ("id",)) -> list[Member]:
    slots = draw(st.lists(st.sampled_from(SLOTS), min_size=1, unique=True))
    return [
        Member(
            schedule,
            provider,
            draw(st.none() | _OWN.filter(lambda sync: sync != SyncConfig())),
            draw(st.sampled_from((None, None, "busy-times-only"))),
            draw(st.sampled_from(ways)),
        )
        for schedule, provider in slots
    ]


def _seen(members: list[Member], syncs: list[SyncConfig]) -> PulledSite:
    connections: list[LiveConnection] = [
        live(member.schedule, member.provider, sync=sync) for member, sync in zip(members, syncs, strict=True)
    ]
    listed = tuple(Calendar(ref.id or "", ref.name or "") for ref in CALENDARS)
    schedules = tuple(Schedule(id_, name, external, "ACTIVE") for id_, (_, name, external) in PEOPLE.items())
    calendars = {one.id: listed for one in connections}
    return observed(*connections, of=site("harbor"), schedules=schedules, calendars=calendars)


@examples(20)
@given(
    members=_members(),
    template=_TEMPLATES,
    chance=st.randoms(use_true_random=False),
    data=st.data(),
)
def test_sets_follow_the_live_state_and_all_else_stays(
    members: list[Member], template: SyncConfig | None, chance: random.Random, data: st.DataObject
) -> None:
    """Pulled again the plan is empty, but for rows that their template contradicts; only what differed has changed."""
    with tempfile.TemporaryDirectory(prefix="extcal-sets-") as name:
        made = write(Path(name) / "manifests", members, template, chance)
        for _ in range(3):
            seen = _seen(members, [data.draw(_SYNCS) for _ in members])
            before, differing = made.texts, _differing(made, seen)
            done = pull(made.folder, seen)
            assert done.saved.failures == []
            helpless = _differing(made, seen)
            assert helpless <= {one.name for one in made.rows}
            assert len(done.pull.failures) == len(helpless)
            assert all("in its set's template wins over any policy" in failure for failure in done.pull.failures)
            assert not helpless or template is not None
            _check_bytes(before, made, differing)
            assert pull(made.folder, seen).changed == []


def _differing(made: Written, seen: PulledSite) -> set[str]:
    return {address.partition("/")[2] for address, kind in actions(made.folder, seen).items() if kind != "noop"}


def _check_bytes(before: dict[str, bytes], made: Written, differing: set[str]) -> None:
    """Nothing has changed but entries that differed and cells of rows that did; new policies are added at the end."""
    after = made.texts
    edited = [number for number, one in enumerate(made.entries) if one.name in differing]
    assert without_entries(before["all.yaml"], edited) == without_entries(after["all.yaml"], edited)
    if made.rows:
        rows = {one.name for one in made.rows} & differing
        first, second = before[ROSTER], after[ROSTER]
        if b"sync_policy" in second and b"sync_policy" not in first:
            assert rows
            assert without_last_column(second) == first
        else:
            assert without_cells(first, "sync_policy", rows) == without_cells(second, "sync_policy", rows)
    # A row's own policy may have got other calendars.
    kept = iter(after.get("policies.yaml", b"").splitlines())
    assert all(line in kept for line in before.get("policies.yaml", b"").splitlines() if _is_kept(line))
    breaks = line_breaks(before)
    assert {name: found for name, found in line_breaks(after).items() if name in breaks} == breaks


def _is_kept(line: bytes) -> bool:
    """Whether a line of a policy is not about its sync config."""
    return line.startswith((b"#", b"metadata", b"kind"))


@examples(20)
@given(
    members=_members(("id", "name", "externalId")),
    template=_TEMPLATES,
    chance=st.randoms(use_true_random=False),
    data=st.data(),
)
def test_sets_are_pinned_and_all_else_stays(
    members: list[Member], template: SyncConfig | None, chance: random.Random, data: st.DataObject
) -> None:
    """The plan stays the same, pinned again nothing changes, and all that was written is still there, in its order."""
    with tempfile.TemporaryDirectory(prefix="extcal-sets-") as name:
        made = write(Path(name) / "manifests", members, template, chance)
        seen = _seen(members, [data.draw(_SYNCS) for _ in members])
        before, plan = made.texts, actions(made.folder, seen)
        (found,), pinned = pin(made.folder, seen)
        assert (pinned.unwritten, found.faults, found.remarks) == ([], [], [])
        assert actions(made.folder, seen) == plan
        after = made.texts
        for path, content in before.items():
            kept = iter(after[path])
            assert all(byte in kept for byte in content)
        assert sum(count.schedules for count in pinned.counts.values()) == sum(one.by != "id" for one in members)
        assert line_breaks(after) == line_breaks(before)
        assert pin(made.folder, seen)[1].files == {}


@examples(20)
@given(
    members=_members(),
    template=_TEMPLATES,
    chance=st.randoms(use_true_random=False),
    data=st.data(),
)
def test_what_drifted_and_what_is_new_at_once(
    members: list[Member], template: SyncConfig | None, chance: random.Random, data: st.DataObject
) -> None:
    """Rows and entries are edited and added by one pull; all that a roster held is still there, in its order."""
    with tempfile.TemporaryDirectory(prefix="extcal-sets-") as name:
        declared = [one for one in members if data.draw(st.booleans())] or members[:1]
        made = write(Path(name) / "manifests", declared, template, chance)
        seen = _seen(members, [data.draw(_SYNCS) for _ in members])
        before = made.texts.get(ROSTER, b"")
        done = pull(made.folder, seen)
        assert done.saved.failures == []
        assert all("in its set's template wins over any policy" in failure for failure in done.pull.failures)
        assert len(_differing(made, seen)) == len(done.pull.failures)
        assert len(actions(made.folder, seen)) == len(members)
        assert pull(made.folder, seen).changed == []
        if b"sync_policy" not in before:
            after = iter(made.texts.get(ROSTER, b""))
            assert all(byte in after for byte in before)
