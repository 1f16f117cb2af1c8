"""What each reading method sends, and what it makes of the answer."""

from urllib.parse import unquote

import pytest

from reconciler.errors import UsageError
from reconciler.model.live import Calendar, ConnectionList, LiveConnection
from reconciler.model.sync import SyncConfig
from tests.api.conftest import OpenSession
from tests.support.builders.api import API_KEY, SITE_ID, run
from tests.support.servers.scripted import Asked, Reply, Scripted

BASE = "/bookings/v2/external-calendars"
CONNECTION = {"id": "c1", "providerId": "p1", "scheduleId": "s1", "status": "SYNCED", "calendarType": "I_CAL"}
LIVE = LiveConnection("c1", "p1", "I_CAL", "s1", None, "SYNCED", None, SyncConfig())


def only(server: Scripted) -> Asked:
    """The one request that arrived."""
    (asked,) = server.asked
    return asked


def test_list_providers_sends_the_key_and_reads_features(server: Scripted, opened: OpenSession) -> None:
    """ListProviders authenticates by key and site id, and its features are typed."""
    features = {
        "connectMethods": ["OAUTH", "CARRIER_PIGEON"],
        "updateSyncConfig": True,
        "listEventFromCalendars": "SPECIFIC_CALENDARS",
        "syncToCalendar": "DEDICATED_CALENDAR",
        "new": [1],
    }
    server.script(
        Reply({"providers": [{"id": "p1", "name": "Google", "calendarType": "GOOGLE", "features": features}]})
    )

    async def story() -> None:
        async with opened() as session:
            (provider,) = await session.reader().list_providers()
            assert (provider.id, provider.name, provider.calendar_type) == ("p1", "Google", "GOOGLE")
            assert provider.features.connect_methods == ("OAUTH", "CARRIER_PIGEON")
            assert provider.features.update_sync_config
            assert provider.extra == (("features.new", "[1]"),)
            assert session.requests == 1

    run(story())
    asked = only(server)
    assert (asked.verb, asked.path, asked.query) == ("GET", f"{BASE}/providers", ())
    assert asked.headers["authorization"] == API_KEY
    assert asked.headers["wix-site-id"] == SITE_ID


def test_list_connections_asks_for_partial_answers(server: Scripted, opened: OpenSession) -> None:
    """ListConnections repeats the key of arrays, always tolerates failed providers, and names them."""
    server.script(Reply({"connections": [CONNECTION], "failedProviderIds": ["p2"]}))

    async def story() -> None:
        async with opened() as session:
            assert await session.reader().list_connections(["s1", "s 2&"]) == ConnectionList((LIVE,), ("p2",))

    run(story())
    expected = (("scheduleIds", "s1"), ("scheduleIds", "s 2&"), ("partialFailure", "true"))
    assert (only(server).path, only(server).query) == (f"{BASE}/connections", expected)


def test_list_connections_of_many_schedules_fits_into_addresses(server: Scripted, opened: OpenSession) -> None:
    """Hundreds of schedule ids are asked for in portions, and a connection is listed once."""
    server.otherwise = lambda: Reply({"connections": [CONNECTION], "failedProviderIds": ["p2"]})

    async def story() -> None:
        async with opened() as session:
            ids = [f"s{number}" for number in range(250)]
            assert await session.reader().list_connections(ids + ids) == ConnectionList((LIVE,), ("p2",))

    run(story())
    portions = [[value for name, value in asked.query if name == "scheduleIds"] for asked in server.asked]
    assert [len(portion) for portion in portions] == [100, 100, 50]
    assert len({each for portion in portions for each in portion}) == 250


@pytest.mark.parametrize("connection_id", ["a/b", "a/../../providers", "a?b#c", "%2e%2e", "a b", "é", "...", "x" * 900])
def test_a_connection_id_stays_one_segment(connection_id: str, server: Scripted, opened: OpenSession) -> None:
    """Whatever an id holds, it arrives as one segment of the path and means itself."""
    server.otherwise = lambda: Reply({"connection": CONNECTION, "calendars": []})

    async def story() -> None:
        async with opened() as session:
            await session.reader().get_connection(connection_id)
            await session.writer().disconnect(connection_id)

    run(story())
    for asked, tail in zip(server.asked, ("", "/disconnect"), strict=True):
        segment = asked.path.removeprefix(f"{BASE}/connections/").removesuffix(tail)
        assert "/" not in segment
        assert unquote(segment) == connection_id


@pytest.mark.parametrize("connection_id", ["", ".", "..", "x" * 5000, "\udcff"])
def test_an_id_that_no_path_can_hold_is_refused(connection_id: str, server: Scripted, opened: OpenSession) -> None:
    """Ids that would name another place are refused before anything is sent."""

    async def story() -> None:
        async with opened() as session:
            with pytest.raises(UsageError, match="extcal connections"):
                await session.writer().disconnect(connection_id)

    run(story())
    assert server.asked == []


def test_values_that_no_request_can_hold_are_refused(server: Scripted, opened: OpenSession) -> None:
    """Text that is no text, or too long for an address, is a clear error and sends nothing."""

    async def story() -> None:
        async with opened() as session:
            for wrong in ("\udcff", "x" * 100_000):
                with pytest.raises(UsageError, match="ListConnections: the values given"):
                    await session.reader().list_connections([wrong])

    run(story())
    assert server.asked == []


def test_list_calendars(server: Scripted, opened: OpenSession) -> None:
    """ListCalendars reads ids and names, a missing name being empty."""
    server.script(Reply({"calendars": [{"id": "a", "name": "Work"}, {"id": "b", "name": None, "colour": "red"}]}))

    async def story() -> None:
        async with opened() as session:
            expected = (Calendar("a", "Work"), Calendar("b", "", (("colour", '"red"'),)))
            assert await session.reader().list_calendars("c1") == expected

    run(story())
    assert (only(server).verb, only(server).path) == ("GET", f"{BASE}/connections/c1/calendars")


def test_query_schedules_without_a_filter(server: Scripted, opened: OpenSession) -> None:
    """Without external ids every active schedule is asked for."""
    server.script(Reply({"schedules": []}))

    async def story() -> None:
        async with opened() as session:
            assert await session.reader().query_schedules() == ()

    run(story())
    assert only(server).json() == {"query": {"cursorPaging": {"limit": 50}}}
