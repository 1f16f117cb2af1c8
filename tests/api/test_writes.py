"""What each writing method sends, and what all requests carry."""

import json

import pytest

from reconciler.api.call import Call
from reconciler.api.session import SiteSession
from reconciler.errors import MalformedAnswerError
from reconciler.model.live import LiveConnection
from reconciler.model.sync import Arm, CalendarRef, Direction, SyncConfig
from tests.api.conftest import OpenSession
from tests.support.builders.api import PASSWORD, PASSWORD_REF, key_site, run, secrets
from tests.support.servers.scripted import Asked, Reply, Scripted

BASE = "/bookings/v2/external-calendars"
CONNECTION = {"id": "c1", "providerId": "p1", "scheduleId": "s1", "status": "SYNCED", "calendarType": "I_CAL"}
LIVE = LiveConnection("c1", "p1", "I_CAL", "s1", None, "SYNCED", None, SyncConfig())


def only(server: Scripted) -> Asked:
    """The one request that arrived."""
    (asked,) = server.asked
    return asked


def test_connect_by_oauth(server: Scripted, opened: OpenSession) -> None:
    """ConnectByOAuth sends the three ids and answers the link."""
    server.script(Reply({"oauthUrl": "https://accounts.example/consent?id=1"}))

    async def story() -> None:
        async with opened() as session:
            link = await session.writer().connect_by_oauth("p1", "s1", "https://harbor-dental.example/done")
            assert link == "https://accounts.example/consent?id=1"

    run(story())
    assert (only(server).verb, only(server).path) == ("POST", f"{BASE}/connections:connectByOAuth")
    assert only(server).json() == {
        "providerId": "p1",
        "scheduleId": "s1",
        "redirectUrl": "https://harbor-dental.example/done",
    }


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "file:///etc/passwd", "https://", "https://a.example/\n", "https://[x"]
)
def test_a_consent_link_that_is_no_web_address_is_refused(link: str, server: Scripted, opened: OpenSession) -> None:
    """A link that a browser should not be sent to is an error, and the link is not shown."""
    server.script(Reply({"oauthUrl": link}))

    async def story() -> None:
        async with opened() as session:
            with pytest.raises(MalformedAnswerError, match="oauthUrl: expected an http or https link") as caught:
                await session.writer().connect_by_oauth("p1", "s1", "https://harbor-dental.example/done")
            assert link not in str(caught.value)

    run(story())


def test_connect_by_credentials_sends_the_secret_itself(server: Scripted, opened: OpenSession) -> None:
    """ConnectByCredentials resolves the reference and sends the password whole."""
    server.script(Reply({"connection": CONNECTION | {"externalAccountEmail": "lee@harbor-dental.example"}}))

    async def story() -> None:
        async with opened() as session:
            live = await session.writer().connect_by_credentials("p1", "s1", "lee@harbor-dental.example", PASSWORD_REF)
            assert str(live.account) == "lee@harbor-dental.example"

    run(story())
    assert (only(server).verb, only(server).path) == ("POST", f"{BASE}/connections:connectByCredentials")
    assert only(server).headers["content-type"] == "application/json"
    assert only(server).json() == {
        "providerId": "p1",
        "scheduleId": "s1",
        "email": "lee@harbor-dental.example",
        "password": PASSWORD,
    }


def test_update_sync_config_sends_only_what_is_given(server: Scripted, opened: OpenSession) -> None:
    """UpdateSyncConfig sends the fields that are not None and nothing else."""
    server.script(Reply({"connection": CONNECTION}))
    imports = Direction(arm=Arm.CALENDARS, calendars=(CalendarRef("a", "Work"), CalendarRef("b")))

    async def story() -> None:
        async with opened() as session:
            assert await session.writer().update_sync_config("c1", SyncConfig(imports=imports)) == LIVE

    run(story())
    assert (only(server).verb, only(server).path) == ("PATCH", f"{BASE}/connections/c1/sync-config")
    assert only(server).json() == {
        "connectionId": "c1",
        "syncConfig": {
            "listEventFromCalendars": {"calendars": {"calendars": [{"id": "a", "name": "Work"}, {"id": "b"}]}}
        },
    }


def test_disconnect(server: Scripted, opened: OpenSession) -> None:
    """Disconnect answers the connection as it is afterwards."""
    server.script(Reply({"connection": CONNECTION | {"status": "DISCONNECTED"}}))

    async def story() -> None:
        async with opened() as session:
            assert (await session.writer().disconnect("c1")).status == "DISCONNECTED"

    run(story())
    assert (only(server).verb, only(server).path) == ("POST", f"{BASE}/connections/c1/disconnect")


def test_the_consistency_token_is_carried_between_reader_and_writer(server: Scripted, opened: OpenSession) -> None:
    """What an answer carries in x-wix-consistent goes out with the next requests, until a newer one comes."""
    connection = {"connection": CONNECTION}
    server.script(
        Reply({}),
        Reply(connection, headers={"x-wix-consistent": "one"}),
        Reply({}, headers={"x-wix-consistent": "two", "Set-Cookie": "a=b"}),
        Reply({}, headers={"x-wix-consistent": "x" * 5000}),
        Reply({}),
    )

    async def story() -> None:
        async with opened() as session:
            reader, writer = session.reader(), session.writer()
            await reader.list_connections()
            await writer.disconnect("c1")
            for _ in range(3):
                await reader.list_connections()

    run(story())
    assert [asked.headers.get("x-wix-consistent") for asked in server.asked] == [None, None, "one", "two", "two"]
    assert not any("cookie" in asked.headers for asked in server.asked)


def test_an_endpoint_below_a_path_works(server: Scripted) -> None:
    """An endpoint with a path is where all methods are looked for."""
    server.otherwise = lambda: Reply({"connection": CONNECTION})

    async def story() -> None:
        async with SiteSession(key_site(), endpoint=f"{server.url}/gate/way/", secrets=secrets()) as session:
            await session.reader().list_providers()
            await session.writer().disconnect("c1")

    run(story())
    assert [asked.path for asked in server.asked] == [
        f"/gate/way{BASE}/providers",
        f"/gate/way{BASE}/connections/c1/disconnect",
    ]


def test_a_request_holds_no_secret_in_its_repr() -> None:
    """A call can be shown while debugging without showing its body."""
    assert "hunter2" not in repr(Call("M", "POST", "/", body=json.dumps({"password": "hunter2"})))
