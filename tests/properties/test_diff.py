"""The comparison of sync configs, on its own: no difference where there is none, and none that lasts."""

from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.sync import EXPORTS, IMPORTS, Arm, CalendarRef, Direction, SyncConfig
from reconciler.planning.diff import diff, directions, managed, to_send
from tests.support.profiles import examples

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
def _directions(draw: st.DrawFn, arms: tuple[Arm, ...]) -> Direction:
    arm = draw(st.none() | st.sampled_from(arms))
    calendars = draw(_calendars()) if arm is Arm.CALENDARS else ()
    return Direction(draw(st.none() | st.booleans()), arm, calendars)


def configs() -> st.SearchStrategy[SyncConfig]:
    """Sync configs, desired or live, in whole or in part."""
    return st.builds(
        SyncConfig,
        st.none() | _directions((Arm.PRIMARY, Arm.CALENDARS)),
        st.none() | _directions((Arm.PRIMARY, Arm.DEDICATED)),
    )


def _stored(live: Direction | None, sent: Direction | None) -> Direction | None:
    """What the service has of a direction after an update: what was sent over what stood."""
    if sent is None:
        return live
    live = live or Direction()
    chosen = live if sent.arm is None else sent
    return Direction(live.enabled if sent.enabled is None else sent.enabled, chosen.arm, chosen.calendars)


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
    sent = to_send(desired, diff(desired, live))
    stored = SyncConfig(
        _retold(data, _stored(live.imports, sent.imports)), _retold(data, _stored(live.exports, sent.exports))
    )
    assert diff(desired, stored) == ()


@examples(60)
@given(desired=configs(), live=configs())
def test_what_does_not_differ_is_not_sent(desired: SyncConfig, live: SyncConfig) -> None:
    """A direction in which nothing differs is left out of the update."""
    sent = to_send(desired, diff(desired, live))
    for path, wanted, _ in directions(desired, live):
        only = SyncConfig(imports=wanted) if path == IMPORTS else SyncConfig(exports=wanted)
        differs = diff(only, live) != ()
        assert ((sent.imports if path == IMPORTS else sent.exports) is not None) == differs


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
