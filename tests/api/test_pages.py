"""Cursors: followed to the end, and never for ever."""

import pytest

from reconciler.api.client import EventQuery
from reconciler.api.pages import CursorPage, follow
from reconciler.errors import MalformedAnswerError
from reconciler.model.live import LiveConnection, Schedule
from reconciler.model.sync import SyncConfig
from tests.api.conftest import OpenSession
from tests.support.builders.api import run
from tests.support.servers.scripted import Reply, Scripted

BASE = "/bookings/v2/external-calendars"
CONNECTION = {"id": "c1", "providerId": "p1", "scheduleId": "s1", "status": "SYNCED", "calendarType": "I_CAL"}
LIVE = LiveConnection("c1", "p1", "I_CAL", "s1", None, "SYNCED", None, SyncConfig())


def test_list_events_follows_pages(server: Scripted, opened: OpenSession) -> None:
    """ListEvents sends every parameter, then only the cursor, and gathers pages and failed providers."""
    event = {
        "scheduleId": "s1",
        "calendarType": "GOOGLE",
        "start": "2026-03-02T09:00:00Z",
        "end": "2026-03-02T10:00:00Z",
    }
    paging = {"count": 1, "cursors": {"next": "n=1&2"}, "hasNext": True}
    server.script(
        Reply(
            {
                "events": [event | {"title": "Dentist", "allDay": False}],
                "pagingMetadata": paging,
                "failedProviderIds": ["p2"],
            }
        ),
        Reply({"events": [event | {"allDay": True}], "pagingMetadata": {"hasNext": False, "cursors": {"next": "x"}}}),
    )
    query = EventQuery(
        "2026-03-02T00:00:00Z", "2026-03-03T00:00:00+01:00", ("s1", "s2"), ("u1",), all_day=False, private=True
    )

    async def story() -> None:
        async with opened() as session:
            found = await session.reader().list_events(query)
            assert [(each.title, each.all_day) for each in found.events] == [("Dentist", False), (None, True)]
            assert found.failed_provider_ids == ("p2",)

    run(story())
    rest = (("cursorPaging.limit", "1000"), ("fieldsets", "OWN_PI"), ("partialFailure", "true"))
    first, second = server.asked
    assert first.path == f"{BASE}/events"
    assert first.query == (
        ("from", "2026-03-02T00:00:00Z"),
        ("to", "2026-03-03T00:00:00+01:00"),
        ("scheduleIds", "s1"),
        ("scheduleIds", "s2"),
        ("userIds", "u1"),
        ("allDay", "false"),
        *rest,
    )
    assert second.query == (("cursorPaging.cursor", "n=1&2"), *rest)


def test_query_schedules_by_external_id(server: Scripted, opened: OpenSession) -> None:
    """The schedules query filters by external ids and follows its cursor."""
    schedule = {
        "id": "s1",
        "name": "Dr. Lee",
        "externalId": "e1",
        "status": "ACTIVE",
        "timeZone": "Europe/Berlin",
        "appId": "a",
    }
    server.script(
        Reply({"schedules": [schedule], "pagingMetadata": {"cursors": {"next": "2"}}}),
        Reply({"schedules": [{"id": "s2"}], "pagingMetadata": {"cursors": {"next": ""}}}),
    )

    async def story() -> None:
        async with opened() as session:
            assert await session.reader().query_schedules(["e1", "e2", "e1"]) == (
                Schedule("s1", "Dr. Lee", "e1", "ACTIVE", "Europe/Berlin", "a"),
                Schedule("s2", "", None, "ACTIVE"),
            )

    run(story())
    assert {(asked.verb, asked.path) for asked in server.asked} == {("POST", "/calendar/v3/schedules/query")}
    assert [asked.json() for asked in server.asked] == [
        {"query": {"cursorPaging": {"limit": 50}, "filter": {"externalId": {"$in": ["e1", "e2"]}}}},
        {"query": {"cursorPaging": {"limit": 50, "cursor": "2"}}},
    ]


@pytest.mark.parametrize(
    ("external_ids", "app_ids", "expected"),
    [
        ((), ("a",), {"appId": {"$eq": "a"}}),
        ((), ("a", "b"), {"appId": {"$in": ["a", "b"]}}),
        (("e1",), ("a",), {"externalId": {"$in": ["e1"]}, "appId": {"$eq": "a"}}),
    ],
)
def test_query_schedules_by_app(
    server: Scripted,
    opened: OpenSession,
    external_ids: tuple[str, ...],
    app_ids: tuple[str, ...],
    expected: dict[str, object],
) -> None:
    """The schedules query filters by apps; a page that follows is asked for by its cursor alone."""
    more = {"schedules": [], "pagingMetadata": {"hasNext": True, "cursors": {"next": "2"}}}
    server.script(Reply(more), Reply({"schedules": [{"id": "s1", "appId": ""}]}))

    async def story() -> None:
        async with opened() as session:
            (found,) = await session.reader().query_schedules(external_ids, app_ids)
            assert found.app_id is None

    run(story())
    assert [asked.json() for asked in server.asked] == [
        {"query": {"cursorPaging": {"limit": 50}, "filter": expected}},
        {"query": {"cursorPaging": {"limit": 50, "cursor": "2"}}},
    ]


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"hasNext": True, "cursors": {"next": "same"}}, "a cursor was repeated"),
        ({"hasNext": True}, "pagingMetadata.cursors: expected an object, found nothing"),
        ({"hasNext": True, "cursors": {"next": ""}}, "pagingMetadata.cursors.next: expected text"),
        ({"hasNext": True, "cursors": {"next": "x" * 10_000}}, "a cursor of 10000 characters"),
    ],
)
def test_pages_that_never_end_are_an_error(
    metadata: object, message: str, server: Scripted, opened: OpenSession
) -> None:
    """A cursor that repeats, is missing or is monstrous ends in an error, not in a loop or in silence."""
    server.otherwise = lambda: Reply({"schedules": [], "pagingMetadata": metadata})

    async def story() -> None:
        async with opened() as session:
            with pytest.raises(MalformedAnswerError, match=message):
                await session.reader().query_schedules()

    run(story())
    assert len(server.asked) <= 2


def test_endless_new_cursors_are_followed_for_a_thousand_pages() -> None:
    """Pages that always name one more are given up after a thousand."""
    asked: list[str | None] = []

    async def fetch(cursor: str | None) -> CursorPage[str]:
        asked.append(cursor)
        return CursorPage((), str(len(asked)))

    with pytest.raises(MalformedAnswerError, match="more than 1000 pages"):
        run(follow(fetch, "QuerySchedules"))
    assert len(asked) == 1000


@pytest.mark.soak
def test_endless_new_cursors_are_bounded(server: Scripted, opened: OpenSession) -> None:
    """A service that always has one more page is given up after a thousand."""
    server.otherwise = lambda: Reply({"pagingMetadata": {"cursors": {"next": str(len(server.asked))}}})

    async def story() -> None:
        async with opened() as session:
            with pytest.raises(MalformedAnswerError, match="more than 1000 pages"):
                await session.reader().query_schedules()

    run(story())
    assert len(server.asked) == 1000
