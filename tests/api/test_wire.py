"""Wire to model and back: nothing that the service says is lost, and nothing that it may say breaks a reader."""

import contextlib
import functools
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.api.fields import ShapeError, WireObject
from reconciler.api.wire import (
    read_calendars,
    read_connection,
    read_connections,
    read_event,
    read_providers,
    read_schedule,
    read_sync,
    sync_to_wire,
)
from reconciler.model.live import Calendar, ConnectionList, Event, LiveConnection, Provider, Schedule
from reconciler.model.sync import Arm, CalendarRef, Direction, SyncConfig
from tests.api import strategies as some
from tests.support.profiles import examples


def received(value: object) -> WireObject:
    """`value` as it comes out of JSON text."""
    return WireObject(json.loads(json.dumps(value)))


@examples(40, profile="tests")
@given(st.lists(some.providers, max_size=3))
def test_providers_survive(providers: list[Provider]) -> None:
    """Providers are read whole, unknown enum values and fields included."""
    assert read_providers(received({"providers": [some.provider_json(each) for each in providers]})) == tuple(providers)


@examples(40, profile="tests")
@given(st.lists(some.connections, max_size=3), st.lists(some.ids, max_size=2))
def test_connections_survive(connections: list[LiveConnection], failed: list[str]) -> None:
    """Connections are read whole, with the providers that failed."""
    answer = {"connections": [some.connection_json(each) for each in connections], "failedProviderIds": failed}
    assert read_connections(received(answer)) == ConnectionList(tuple(connections), tuple(failed))


@examples(40, profile="tests")
@given(st.lists(some.connections, min_size=1, max_size=3), st.lists(st.integers(0, 2), min_size=4, max_size=8))
def test_connections_that_are_configured_alike_are_read_as_if_alone(
    connections: list[LiveConnection], order: list[int]
) -> None:
    """A list in which sync configs repeat is read as each of its connections is, with what is not known of each."""
    spread = [connections[number % len(connections)] for number in order]
    listed = [some.connection_json(each) for each in spread]
    for number, fields in enumerate(listed):
        if number % 2 and isinstance(fields["syncConfig"], dict):
            fields["syncConfig"] = {"since": number, **fields["syncConfig"]}
    alone = tuple(read_connection(received({"connection": fields})) for fields in listed)
    assert read_connections(received({"connections": listed})).connections == alone


@given(some.connections)
def test_null_is_as_good_as_missing(live: LiveConnection) -> None:
    """A field that is null and one that is not there read the same."""
    bare = {name: value for name, value in some.connection_json(live).items() if value is not None}
    assert read_connection(received({"connection": bare})) == live


@examples(30, profile="tests")
@given(st.lists(some.calendars, max_size=3), some.schedules, some.events)
def test_calendars_schedules_and_events_survive(calendars: list[Calendar], schedule: Schedule, event: Event) -> None:
    """So are calendars, schedules and events."""
    answer = {"calendars": [some.calendar_json(each) for each in calendars]}
    assert read_calendars(received(answer)) == tuple(calendars)
    assert read_schedule(received(some.schedule_json(schedule))) == schedule
    assert read_event(received(some.event_json(event))) == event


@given(some.sync_configs)
def test_a_sync_config_survives_being_sent(sync: SyncConfig) -> None:
    """What is sent, read again, is what was meant; a direction that says nothing is not sent."""
    imports, exports = (None if way == Direction() else way for way in (sync.imports, sync.exports))
    meaning = SyncConfig(imports, exports, sync.unknown)
    sent = sync_to_wire(sync)
    assert read_sync(received(sent)) == meaning
    assert all(way and None not in way.values() for way in sent.values() if isinstance(way, dict))


UNKNOWN_PARTS: list[dict[str, object]] = [
    {"syncToCalendar": {"enabled": True, "dedicatedCalendar": {"colour": 3}, "includeBufferTime": True}},
    {"listEventFromCalendars": {"enabled": False, "calendars": {"calendars": [{"id": "b", "x": [None, {"y": 0.1}]}]}}},
    {"listEventFromCalendars": {"calendars": {"mode": "\ud800", "calendars": [{"id": "a", "name": "A", "": {}}]}}},
    {"listEventFromCalendars": {"primaryCalendar": {"a": {"b": 1}}}, "syncToCalendar": {"pace": {}}, "": [1, [2]]},
]


@pytest.mark.parametrize("part", UNKNOWN_PARTS)
def test_what_is_not_known_is_sent_back_untouched(part: dict[str, object]) -> None:
    """Fields that nobody here knows, wherever they are, go back as they came."""
    assert sync_to_wire(read_sync(received(part))) == part


def test_what_is_not_known_goes_with_what_it_belongs_to() -> None:
    """Fields of an alternative that is no longer chosen, or of a calendar, go when that goes."""
    listed: dict[str, object] = {
        "mode": "m",
        "calendars": [{"id": "a", "colour": "red"}, {"id": "b", "colour": "blue"}],
    }
    live = read_sync(received({"listEventFromCalendars": {"enabled": True, "calendars": listed, "since": 5}}))
    assert live.imports is not None
    fewer = replace(live, imports=replace(live.imports, calendars=(CalendarRef("b"),)))
    assert sync_to_wire(fewer)["listEventFromCalendars"] == {
        "enabled": True,
        "calendars": {"mode": "m", "calendars": [{"id": "b", "colour": "blue"}]},
        "since": 5,
    }
    primary = replace(live, imports=replace(live.imports, arm=Arm.PRIMARY, calendars=()))
    assert sync_to_wire(primary)["listEventFromCalendars"] == {"enabled": True, "primaryCalendar": {}, "since": 5}


NESTED = functools.reduce(lambda inner, _: [inner], range(40), list[object]())


@pytest.mark.parametrize(
    ("unknown", "message"),
    [
        ({"deep": NESTED}, "nested at most 32 levels"),
        ({"much": "x" * 70_000}, "at most 64 KiB of unknown fields"),
        ({"endless": float("inf")}, "numbers that JSON can hold"),
    ],
)
def test_what_is_not_known_and_can_not_be_sent_back_is_refused(unknown: dict[str, object], message: str) -> None:
    """It would be lost when the sync config is sent."""
    with pytest.raises(ShapeError, match=message):
        read_sync(received({"syncToCalendar": unknown}))


def test_an_empty_object_is_a_connection_without_a_sync_config() -> None:
    """All that may be missing may be missing."""
    live = read_connection(received({"connection": {"id": "c1"}}))
    assert (live.status, live.account, live.sync) == ("UNDEFINED", None, SyncConfig())
    bare = read_connection(received({"connection": {"id": "c1", "syncConfig": {"syncToCalendar": {}}}}))
    assert bare.sync == SyncConfig(exports=Direction())


def test_unknown_fields_within_are_kept_by_their_path() -> None:
    """New fields deep inside a connection are kept, too."""
    calendar = {"id": "a", "colour": "red"}
    sync = {"listEventFromCalendars": {"calendars": {"calendars": [calendar]}, "since": 5}, "pace": None}
    live = read_connection(received({"connection": {"id": "c1", "syncConfig": sync}}))
    kept = '{"calendars": {"calendars": [{"colour": "red", "id": "a"}]}, "since": 5}'
    assert live.sync.imports == Direction(arm=Arm.CALENDARS, calendars=(CalendarRef("a"),), unknown=kept)
    assert live.extra == (
        ("syncConfig.listEventFromCalendars.calendars.calendars[0].colour", '"red"'),
        ("syncConfig.listEventFromCalendars.since", "5"),
    )


def test_halves_of_characters_can_be_shown() -> None:
    """A text that was cut inside a character is still text."""
    event = {"start": "a", "end": "b", "title": "Lunch \ud83c", "new\ud800": 1}
    read = read_event(received(event))
    assert read.title is not None
    assert read.title.encode().decode().startswith("Lunch ")
    assert all(name.encode() for name, _ in read.extra)


@pytest.mark.parametrize(
    ("sync", "message"),
    [
        ([], r"^connection.syncConfig: expected an object, found a list$"),
        (
            {"syncToCalendar": {"enabled": "no"}},
            r"^connection.syncConfig.syncToCalendar.enabled: expected true or false",
        ),
        (
            {"syncToCalendar": {"primaryCalendar": {}, "dedicatedCalendar": {}}},
            r"syncToCalendar: expected one of primaryCalendar and dedicatedCalendar, found both$",
        ),
        (
            {"listEventFromCalendars": {"calendars": [{"id": "a"}]}},
            r"listEventFromCalendars.calendars: expected an object, found a list$",
        ),
        (
            {"listEventFromCalendars": {"calendars": {"calendars": [{}]}}},
            r"calendars.calendars\[0\]: expected a calendar's id or name, found neither$",
        ),
    ],
)
def test_sync_configs_that_break_the_contract(sync: object, message: str) -> None:
    """A wrong shape is named by its path."""
    with pytest.raises(ShapeError, match=message):
        read_connection(received({"connection": {"id": "c1", "syncConfig": sync}}))


def test_unknown_fields_of_absurd_depth_are_refused() -> None:
    """An unknown field nested beyond what can be kept is a wrong shape, not a crash."""
    value: dict[str, object] | list[object] = []
    for level in range(31):
        value = {"more": value} if level % 2 else [value]
    assert WireObject({"new": value}).extra()
    for levels in (1, 900, 100_000):
        for _ in range(levels):
            value = [value]
        with pytest.raises(ShapeError, match="objects nested at most 32 levels, found more"):
            WireObject({"new": value}).extra()


@pytest.mark.parametrize("field", ["id", "name"])
def test_texts_of_absurd_length_are_refused(field: str) -> None:
    """Ids have hundreds of characters; a text as long as an answer would be searched, kept and shown as a whole."""
    answer = {"calendars": [{"id": "c1", "name": "Work"} | {field: "é" * 4096}]}
    assert read_calendars(received(answer))
    answer["calendars"][0][field] += "é"
    with pytest.raises(ShapeError, match=rf"^calendars\[0\].{field}: expected at most 4096 characters, found more$"):
        read_calendars(received(answer))


@pytest.mark.parametrize("field", ["id", "externalAccountEmail", "errorReason", "userId", "status"])
def test_texts_of_absurd_length_are_refused_in_a_list(field: str) -> None:
    """Connections as they almost always come are bounded alike."""
    whole = {
        "id": "c1", "providerId": "p", "calendarType": "GOOGLE", "scheduleId": "s", "status": "SYNCED",
        "syncConfig": {"listEventFromCalendars": {"enabled": True}, "syncToCalendar": {"enabled": False}},
    }  # fmt: skip
    with pytest.raises(ShapeError, match=rf"{field}: expected at most 4096 characters, found more"):
        read_connections(received({"connections": [whole | {field: "x" * 4097}]}))


def test_unknown_fields_of_absurd_size_are_refused() -> None:
    """In one field or in many, by their names or by what they hold."""
    for fields in ({"new": "x" * 65_536}, {f"new{n}": "x" * 100 for n in range(700)}, {"x" * 65_536: 1}):
        with pytest.raises(
            ShapeError, match=r"^calendars\[0\]: expected at most 64 KiB of unknown fields, found more$"
        ):
            read_calendars(received({"calendars": [{"id": "c1", **fields}]}))


readers = st.sampled_from(
    [read_providers, read_connections, read_connection, read_calendars, read_event, read_schedule]
)
known = st.sampled_from(
    [
        "id", "name", "providers", "connections", "connection", "calendars", "features", "syncConfig", "enabled",
        "listEventFromCalendars", "syncToCalendar", "primaryCalendar", "failedProviderIds", "connectMethods", "start",
    ]
)  # fmt: skip
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(known, inner, max_size=5),
    max_leaves=20,
)


@examples(60, profile="tests")
@given(readers, st.dictionaries(known, anything, max_size=5))
def test_no_answer_breaks_a_reader(read: object, answer: object) -> None:
    """Whatever comes is either read or called a wrong shape."""
    assert callable(read)
    with contextlib.suppress(ShapeError):
        read(WireObject(answer))


def test_ids_and_accounts_are_made_comparable_as_they_come() -> None:
    """GUIDs are in lower case, however they came; an account equals its other spellings, and is shown as it came."""
    usual = {"id": "c1", "calendarType": "I_CAL", "status": "SYNCED", "syncConfig": {}}
    guid = "3e47ec65-2975-447c-a7ed-75041e850d5e"
    spelt = [(guid, "lee@b\u00fccher.example"), (guid.upper(), "LEE@xn--bcher-kva.example")]
    for rest in (usual, usual | {"unheardOf": 1}):
        one, two = [
            read_connections(
                received(
                    {
                        "connections": [rest | {"providerId": id_, "scheduleId": id_, "externalAccountEmail": account}],
                        "failedProviderIds": [id_],
                    }
                )
            )
            for id_, account in spelt
        ]
        assert one == two
        assert str(two.connections[0].account) == "LEE@xn--bcher-kva.example"


def test_an_id_that_is_no_guid_is_kept_to_the_letter() -> None:
    """What is sent back must be the id that the service gave: only in GUIDs does case mean nothing."""
    (provider,) = read_providers(received({"providers": [{"id": "Opaque-XyZ"}]}))
    assert provider.id == "Opaque-XyZ"
    row = {"id": "Conn-A", "providerId": "Opaque-XyZ", "scheduleId": "Sched-A"}
    connection = read_connection(received({"connection": row}))
    assert (connection.id, connection.provider_id, connection.schedule_id) == ("Conn-A", "Opaque-XyZ", "Sched-A")
    assert read_schedule(received({"id": "Sched-A"})).id == "Sched-A"
