"""ListEvents: which calendars, which range, in which order, page by page."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from reconciler.sandbox.contract import ErrorReason, Status
from reconciler.sandbox.seed import harbor_dental
from reconciler.sandbox.sync_config import Import, SyncConfig
from reconciler.sandbox.world import (
    Account,
    Calendar,
    CalendarEvent,
    ExistingConnection,
    Frequency,
    Provider,
    Recurrence,
    Schedule,
    Site,
    World,
)
from tests.support.sandbox.api import LEE, PATEL, Json, client, code_of, faults_of
from tests.support.sandbox.clock import NOON

if TYPE_CHECKING:
    from reconciler.sandbox.server import RunningSandbox
    from tests.support.sandbox.api import Api

SITE = harbor_dental(NOON).sites[0]
PROVIDER = Provider("e58e2ae6-8651-41ab-907d-063e056d30f9", "google", "Google", calendar_type="GOOGLE")
DAY = {"from": "2026-03-02T00:00:00Z", "to": "2026-03-03T00:00:00Z"}
OWNER = "1ed6243b-f5e3-49e0-b7d5-5d051c8f20f4"


def at(text: str) -> datetime:
    """A moment of March 2026: day, hour and minute in UTC."""
    return datetime.strptime(f"2026-03-{text}", "%Y-%m-%d %H:%M").replace(tzinfo=UTC)


def timed(title: str, start: str, end: str, recurrence: Recurrence | None = None) -> CalendarEvent:
    """An event that has hours."""
    return CalendarEvent(title, at(start), at(end), recurrence=recurrence)


def world_of(
    *events: CalendarEvent,
    second: tuple[CalendarEvent, ...] = (),
    **changed: Any,  # noqa: ANN401 -- fields by name
) -> World:
    """A site with one connection, whose account has the calendars Main (the primary one) and Second."""
    calendars = (Calendar("main", "Main", events), Calendar("second", "Second", second))
    connection = replace(ExistingConnection(PROVIDER.id, LEE, "lee@harbor-dental.example", id="one"), **changed)
    site = Site(
        id=SITE.id,
        name="Harbor Dental",
        schedules=(Schedule(LEE, "Dr. Lee", owner_id=OWNER, owner_name="Dana Lee"), Schedule(PATEL, "Dr. Patel")),
        providers=(PROVIDER,),
        connections=(connection,),
    )
    return World((site,), (Account("google", "lee@harbor-dental.example", calendars=calendars),))


def listed(api: Api, **params: object) -> list[Json]:
    """The events of one page of a day, with personal fields."""
    answer = api.get("/events", DAY | {"fieldsets": "OWN_PI"} | params)
    assert answer.status_code == 200, answer.text
    events: list[Json] = answer.json()["events"]
    return events


def titles(api: Api, **params: object) -> list[str]:
    """Their titles."""
    return [event["title"] for event in listed(api, **params)]


def test_an_event_without_and_with_personal_fields(sandbox: RunningSandbox, api: Api) -> None:
    """NO_PI is the default; OWN_PI adds the title and the names."""
    sandbox.replace_world(world_of(timed("Supplier call", "02 09:00", "02 09:30")))
    public = {
        "scheduleId": LEE,
        "calendarType": "GOOGLE",
        "start": "2026-03-02T09:00:00Z",
        "end": "2026-03-02T09:30:00Z",
        "allDay": False,
        "scheduleOwnerId": OWNER,
    }
    personal = {"calendarName": "Main", "title": "Supplier call", "scheduleOwnerName": "Dana Lee"}
    assert api.get("/events", DAY).json() == {
        "events": [public],
        "pagingMetadata": {"count": 1, "cursors": {}, "hasNext": False},
        "failedProviderIds": [],
    }
    assert api.get("/events", DAY | {"fieldsets": "NO_PI"}).json()["events"] == [public]
    assert listed(api) == [public | personal]


def test_what_overlaps_an_edge_is_included_and_what_touches_it_is_not(sandbox: RunningSandbox, api: Api) -> None:
    """The end of an event is exclusive, and so is the end of the range; all is sorted by start."""
    sandbox.replace_world(
        world_of(
            timed("ends at from", "01 23:00", "02 00:00"),
            timed("over to", "02 23:00", "03 01:00"),
            timed("starts at to", "03 00:00", "03 01:00"),
            timed("no length", "02 00:00", "02 00:00"),
            timed("over from", "01 23:00", "02 00:01"),
            timed("over both", "01 01:00", "04 01:00"),
        )
    )
    assert titles(api) == ["over both", "over from", "no length", "over to"]


def test_times_may_have_any_offset(sandbox: RunningSandbox, api: Api) -> None:
    """RFC 3339 offsets and fractions are understood."""
    sandbox.replace_world(world_of(timed("late", "02 23:30", "02 23:45")))
    assert titles(api, **{"from": "2026-03-03T01:20:00.5+02:00", "to": "2026-03-02t18:45:00-05:00"}) == ["late"]
    assert titles(api, **{"from": "2026-03-03T01:45:00+02:00"}) == []


def test_recurring_events_are_expanded(sandbox: RunningSandbox, api: Api) -> None:
    """Daily and weekly ones, from long ago, up to their end; each instance as long as the first."""
    sandbox.replace_world(
        world_of(
            timed("daily", "01 08:00", "01 08:15", Recurrence(Frequency.DAILY)),
            timed("fortnightly", "01 10:00", "01 11:00", Recurrence(Frequency.WEEKLY, interval=2)),
            timed("until", "01 09:00", "01 10:00", Recurrence(Frequency.DAILY, until=at("03 09:00"))),
        )
    )
    events = listed(api, to="2026-03-05T00:00:00Z", **{"from": "2026-03-01T00:00:00Z"})
    assert [(event["title"], event["start"][8:16]) for event in events] == [
        ("daily", "01T08:00"),
        ("until", "01T09:00"),
        ("fortnightly", "01T10:00"),
        ("daily", "02T08:00"),
        ("until", "02T09:00"),
        ("daily", "03T08:00"),
        ("until", "03T09:00"),
        ("daily", "04T08:00"),
    ]
    later = listed(api, **{"from": "2126-03-10T00:00:00Z", "to": "2126-03-11T00:00:00Z"})
    assert [(event["title"], event["end"]) for event in later] == [("daily", "2126-03-10T08:15:00Z")]


def test_a_range_without_end_is_answered_at_once(sandbox: RunningSandbox, api: Api) -> None:
    """Eight thousand years of a daily event cost one page; what it repeats doesn't hide what happens once."""
    moon = CalendarEvent("moon", datetime(9990, 1, 1, tzinfo=UTC), datetime(9990, 1, 2, tzinfo=UTC), all_day=True)
    sandbox.replace_world(world_of(timed("daily", "01 23:30", "02 00:15", Recurrence(Frequency.DAILY)), moon))
    forever = {"from": "2026-03-01T00:00:00Z", "to": "9999-12-31T23:59:59Z"}
    assert titles(api, **forever) == ["daily"] * 100
    assert titles(api, allDay="true", **forever) == ["moon"]


def test_all_day_events_can_be_asked_for_or_left_out(sandbox: RunningSandbox, api: Api) -> None:
    """`allDay=true` lists them only, `false` the others only."""
    birthday = CalendarEvent("birthday", at("02 00:00"), at("03 00:00"), all_day=True)
    sandbox.replace_world(world_of(birthday, timed("call", "02 09:00", "02 10:00")))
    assert titles(api) == ["birthday", "call"]
    assert titles(api, allDay="true") == ["birthday"]
    assert titles(api, allDay="false") == ["call"]


@pytest.mark.parametrize(
    ("imports", "expected"),
    [
        (Import(enabled=True, primary=True), ["main"]),
        (Import(enabled=True), ["main"]),
        (Import(enabled=True, calendars=("second",)), ["second"]),
        (Import(enabled=True, calendars=("second", "main")), ["main", "second"]),
        (Import(enabled=True, calendars=()), []),
        (Import(enabled=False, primary=True), []),
    ],
)
def test_events_come_from_the_chosen_calendars(
    sandbox: RunningSandbox, api: Api, imports: Import, expected: list[str]
) -> None:
    """The primary calendar is the first one; nothing comes where importing is off."""
    sandbox.replace_world(
        world_of(
            timed("main", "02 09:00", "02 10:00"),
            second=(timed("second", "02 09:00", "02 10:00"),),
            sync_config=SyncConfig(imports=imports),
        )
    )
    assert titles(api) == expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (Status.SYNCED, ["call"]),
        (Status.UNDEFINED, ["call"]),
        (Status.CONNECTED, ["call"]),
        (Status.DISCONNECTED, []),
        (Status.ERROR, []),
    ],
)
def test_events_come_from_working_connections(
    sandbox: RunningSandbox, api: Api, status: Status, expected: list[str]
) -> None:
    """A disconnected or broken connection imports nothing."""
    reason = ErrorReason.TOKEN_REVOKED if status == Status.ERROR else None
    sandbox.replace_world(world_of(timed("call", "02 09:00", "02 10:00"), status=status, error_reason=reason))
    assert titles(api) == expected


def test_events_of_schedules_and_users(sandbox: RunningSandbox, api: Api) -> None:
    """`scheduleIds` and `userIds` narrow the answer, together too."""
    sandbox.replace_world(world_of(timed("call", "02 09:00", "02 10:00")))
    assert titles(api, scheduleIds=[LEE, PATEL]) == ["call"]
    assert titles(api, scheduleIds=[PATEL]) == []
    assert titles(api, userIds=[OWNER.upper()]) == ["call"]
    assert titles(api, userIds=[PATEL]) == []
    assert titles(api, userIds=[OWNER], scheduleIds=[PATEL]) == []


def test_paging_walks_through_everything_once(sandbox: RunningSandbox, api: Api) -> None:
    """Pages of any size add up to the whole, keep its order, and carry the first call's filters."""
    events = [timed(f"single {n}", "02 09:00", "02 10:00") for n in range(5)]
    daily = timed("daily", "01 23:00", "02 01:00", Recurrence(Frequency.DAILY, until=at("09 00:00")))
    all_day = CalendarEvent("day", at("02 00:00"), at("03 00:00"), all_day=True)
    sandbox.replace_world(world_of(daily, all_day, *events))
    span = {"from": "2026-03-02T00:00:00Z", "to": "2026-03-10T00:00:00Z"}
    whole = listed(api, allDay="false", **span)
    assert len(whole) == 5 + 8
    for limit in (1, 2, 3, 12, 13, 1000):
        pages = []
        params: dict[str, object] = {**span, "allDay": "false", "fieldsets": "OWN_PI"}
        while True:
            answer = api.get("/events", params | {"cursorPaging.limit": limit}).json()
            pages.append(answer["events"])
            metadata = answer["pagingMetadata"]
            assert metadata["count"] == len(answer["events"]) <= limit
            assert metadata["hasNext"] == ("next" in metadata["cursors"])
            if not metadata["hasNext"]:
                break
            params = {"cursorPaging.cursor": metadata["cursors"]["next"]}
        assert [event for page in pages for event in page] == whole


def test_a_cursor_stands_still_while_events_are_added(sandbox: RunningSandbox, api: Api) -> None:
    """Another connection's events from before the cursor don't repeat what was seen."""
    world = harbor_dental(NOON)
    sandbox.replace_world(world)
    api.connect()
    span = {"from": "2026-03-01T00:00:00Z", "to": "2026-03-08T00:00:00Z", "cursorPaging.limit": 5}
    first = api.get("/events", span).json()
    api.connect(scheduleId=PATEL)
    cursor = {"cursorPaging.cursor": first["pagingMetadata"]["cursors"]["next"], "cursorPaging.limit": 1000}
    rest = api.get("/events", cursor).json()
    assert all(event["start"] >= first["events"][-1]["start"] for event in rest["events"])
    assert not [event for event in rest["events"] if event in first["events"]]


@pytest.mark.parametrize("spoilt", ["nonsense", "a", "ä", "====", "{next}x", "x{next}"])
def test_a_cursor_that_was_not_given_is_refused(sandbox: RunningSandbox, api: Api, spoilt: str) -> None:
    """Also one that was changed, and one of another method."""
    sandbox.replace_world(world_of(*(timed("call", "02 09:00", "02 10:00") for _ in range(3))))
    given = api.get("/events", DAY | {"cursorPaging.limit": 1}).json()["pagingMetadata"]["cursors"]["next"]
    answer = api.get("/events", {"cursorPaging.cursor": spoilt.replace("{next}", given)})
    assert faults_of(answer) == {"cursorPaging.cursor": "FORMAT"}
    query = {"query": {"cursorPaging": {"cursor": given}}}
    assert faults_of(api.http.post("/calendar/v3/schedules/query", json=query)) == {"cursorPaging.cursor": "FORMAT"}


@pytest.mark.parametrize(
    ("params", "faults"),
    [
        ({"from": "", "to": ""}, {"from": "REQUIRED_FIELD", "to": "REQUIRED_FIELD"}),
        ({"from": "2026-03-02"}, {"from": "FORMAT"}),
        ({"from": "2026-03-02T00:00:00"}, {"from": "FORMAT"}),
        ({"from": "2026-02-30T00:00:00Z"}, {"from": "FORMAT"}),
        ({"from": "2026-03-02T24:30:00Z"}, {"from": "FORMAT"}),
        ({"from": "0001-01-01T00:00:00+14:00"}, {"from": "FORMAT"}),
        ({"to": "9999-12-31T23:59:59-14:00"}, {"to": "FORMAT"}),
        ({"to": DAY["from"]}, {"to": "OTHER"}),
        ({"cursorPaging.limit": 1001}, {"cursorPaging.limit": "MAX"}),
        ({"cursorPaging.limit": 0}, {"cursorPaging.limit": "MIN"}),
        ({"cursorPaging.limit": "ten"}, {"cursorPaging.limit": "FORMAT"}),
        ({"scheduleIds": [LEE] * 101}, {"scheduleIds": "MAX_SIZE"}),
        ({"userIds": [LEE] * 101}, {"userIds": "MAX_SIZE"}),
        ({"userIds": "me"}, {"userIds[0]": "FORMAT"}),
        ({"allDay": "1"}, {"allDay": "FORMAT"}),
        ({"fieldsets": "ALL"}, {"fieldsets[0]": "INVALID_ENUM_VALUE"}),
    ],
)
def test_a_query_at_fault(api: Api, params: dict[str, object], faults: dict[str, str]) -> None:
    """Each fault is named."""
    assert faults_of(api.get("/events", DAY | params)) == faults


def test_events_of_a_provider_that_is_down(sandbox: RunningSandbox, api: Api) -> None:
    """503, or the provider's name where a partial answer is welcome."""
    sandbox.replace_world(world_of(timed("call", "02 09:00", "02 10:00")))
    sandbox.set_provider_down(PROVIDER.id, down=True)
    assert code_of(api.get("/events", DAY)) == (503, None)
    partial = api.get("/events", DAY | {"partialFailure": "true"}).json()
    assert (partial["events"], partial["failedProviderIds"]) == ([], [PROVIDER.id])


def test_the_seeded_world_has_dozens_of_events(api: Api) -> None:
    """Around the first day, with recurring and all-day ones among them."""
    api.connect()
    span = {"from": (NOON - timedelta(days=14)).isoformat(), "to": (NOON + timedelta(days=14)).isoformat()}
    events = listed(api, **span)
    assert len(events) >= 36
    assert {event["allDay"] for event in events} == {True, False}
    assert len({event["title"] for event in events}) < len(events)
    assert events == sorted(events, key=lambda event: event["start"])


def test_a_cursor_of_another_site_is_refused(sandbox: RunningSandbox, api: Api) -> None:
    """A cursor is good on the site that it was given for."""
    world = world_of(*(timed("call", "02 09:00", "02 10:00") for _ in range(3)))
    other = Site(id="198bb946-7233-4796-8338-edb9ab204a82", name="Pier Optics")
    sandbox.replace_world(replace(world, sites=(*world.sites, other)))
    cursor = api.get("/events", DAY | {"cursorPaging.limit": 1}).json()["pagingMetadata"]["cursors"]["next"]
    with client(sandbox.endpoint, sandbox.api_key, other.id) as http:
        answer = type(api)(http).get("/events", {"cursorPaging.cursor": cursor})
    assert faults_of(answer) == {"cursorPaging.cursor": "FORMAT"}
