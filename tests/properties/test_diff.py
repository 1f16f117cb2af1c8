"""Sync configs compared and sent, on their own: no difference where there is none, none that lasts, no other change."""

from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.sync import EXPORTS, IMPORTS, Arm, CalendarRef, Direction, SyncConfig
from reconciler.planning.diff import diff, directions, managed
from reconciler.planning.overlay import Deviation, deviation, managed_part, overlaid
from tests.support.profiles import examples

_UNKNOWN = ("", '{"includeBufferTime": false}', '{"pace": {"a": [1]}}')
_IDS = ("a68yu6", "__proto__", "Work", "work", "0")
_IGNORABLE = (
    "syncConfig",
    *(path for direction in (IMPORTS, EXPORTS) for path in (direction, f"{direction}.enabled")),
    f"{IMPORTS}.primaryCalendar",
    f"{IMPORTS}.calendars",
    f"{EXPORTS}.primaryCalendar",
    f"{EXPORTS}.dedicatedCalendar",
)


@st.composite
def _calendars(draw: st.DrawFn) -> tuple[CalendarRef, ...]:
    ids = draw(st.lists(st.sampled_from(_IDS), unique=True))
    return tuple(CalendarRef(id_, draw(st.sampled_from((None, "Work", "Birthdays")))) for id_ in ids)


@st.composite
def _directions(draw: st.DrawFn, arms: tuple[Arm, ...], unknown: tuple[str, ...]) -> Direction:
    arm = draw(st.none() | st.sampled_from(arms))
    calendars = draw(_calendars()) if arm is Arm.CALENDARS else ()
    return Direction(draw(st.none() | st.booleans()), arm, calendars, draw(st.sampled_from(unknown)))


def configs(unknown: tuple[str, ...] = ("",)) -> st.SearchStrategy[SyncConfig]:
    """Sync configs, desired or live, in whole or in part, with one of the `unknown` rests."""
    return st.builds(
        SyncConfig,
        st.none() | _directions((Arm.PRIMARY, Arm.CALENDARS), unknown),
        st.none() | _directions((Arm.PRIMARY, Arm.DEDICATED), unknown),
        st.sampled_from(unknown),
    )


def _merged(live: Direction | None, sent: Direction | None) -> Direction | None:
    """What a service that merges has of a direction after an update: what was sent over what stood."""
    if live is None or sent is None:
        return sent or live
    chosen = live if sent.arm is None else sent
    enabled = live.enabled if sent.enabled is None else sent.enabled
    return Direction(enabled, chosen.arm, chosen.calendars, sent.unknown or live.unknown)


def _retold(draw: st.DataObject, direction: Direction | None) -> Direction | None:
    """The same direction as the service may answer it: calendars in any order, names left out."""
    if direction is None or direction.arm is not Arm.CALENDARS:
        return direction
    calendars = draw.draw(st.permutations(direction.calendars))
    bare = tuple(CalendarRef(ref.id, draw.draw(st.sampled_from((None, ref.name)))) for ref in calendars)
    return Direction(direction.enabled, direction.arm, bare)


@examples(60)
@given(config=configs())
def test_nothing_differs_from_itself(config: SyncConfig) -> None:
    """diff(x, x) is empty."""
    assert diff(config, config) == ()


@examples(60)
@given(desired=configs(), live=configs(), data=st.data())
def test_nothing_differs_once_the_service_stored_what_was_sent(
    desired: SyncConfig, live: SyncConfig, data: st.DataObject
) -> None:
    """An update is enough: what is stored then differs in nothing, however the service tells it."""
    sent = overlaid(managed_part(desired, live), live)
    stored = SyncConfig(_retold(data, sent.imports), _retold(data, sent.exports))
    assert diff(desired, stored) == ()


@examples(100)
@given(desired=configs(), live=configs(_UNKNOWN))
def test_merging_and_replacing_come_to_the_same(desired: SyncConfig, live: SyncConfig) -> None:
    """What is sent is what a service that merges has afterwards, too."""
    sent = overlaid(managed_part(desired, live), live)
    merged = SyncConfig(
        _merged(live.imports, sent.imports), _merged(live.exports, sent.exports), sent.unknown or live.unknown
    )
    assert merged == sent


@examples(100)
@given(desired=configs(), live=configs(_UNKNOWN))
def test_an_update_changes_nothing_that_is_not_managed(desired: SyncConfig, live: SyncConfig) -> None:
    """No field of a direction that is not managed is another, and no field that nobody here knows."""
    managed_fields = managed_part(desired, live)
    sent = overlaid(managed_fields, live)
    assert sent.unknown == live.unknown
    for (_, wanted, before), after in zip(directions(managed_fields, live), (sent.imports, sent.exports), strict=True):
        if wanted is None:
            assert after == before
        elif before is not None and after is not None:
            assert after.unknown == before.unknown
            assert wanted.arm is not None or (after.arm, after.calendars) == (before.arm, before.calendars)
            assert wanted.enabled is not None or after.enabled == before.enabled


@examples(60)
@given(desired=configs(), live=configs(_UNKNOWN))
def test_an_answer_as_sent_deviates_in_nothing(desired: SyncConfig, live: SyncConfig) -> None:
    """Sending it once more is no change either."""
    sent = overlaid(managed_part(desired, live), live)
    assert deviation(managed_part(desired, live), sent, sent) == Deviation()
    assert overlaid(managed_part(desired, sent), sent) == sent


@examples(60)
@given(desired=configs(), live=configs())
def test_what_matters_is_seen(desired: SyncConfig, live: SyncConfig) -> None:
    """A direction switched otherwise, or that works with other calendars or another alternative, differs."""
    paths = {change.path for change in diff(desired, live)}
    for path, some_wanted, some_had in directions(desired, live):
        wanted, have = some_wanted or Direction(), some_had or Direction()
        works = bool(have.enabled) if wanted.enabled is None else wanted.enabled
        switched = wanted.enabled is not None and wanted.enabled != bool(have.enabled)
        assert (f"{path}.enabled" in paths) == switched
        sets = {ref.id for ref in wanted.calendars}, {ref.id for ref in have.calendars}
        otherwise = wanted.arm is not None and (wanted.arm is not have.arm or sets[0] != sets[1])
        assert any(p.startswith(path) and p != f"{path}.enabled" for p in paths) == (works and otherwise)


@examples(60)
@given(desired=configs(), live=configs(), ignored=st.lists(st.sampled_from(_IGNORABLE), unique=True))
def test_what_is_ignored_never_differs(desired: SyncConfig, live: SyncConfig, ignored: list[str]) -> None:
    """No change names a field that ignoreChanges names, nor one below it, nor the other alternative of it."""
    changes = diff(managed(desired, tuple(ignored)), live)
    for change in changes:
        assert not any(change.path == path or change.path.startswith(f"{path}.") for path in ignored)
