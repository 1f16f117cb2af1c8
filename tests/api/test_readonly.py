"""A reader can't write: not by its type, and not by what is built on its transport."""

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.api.call import Call
from reconciler.api.client import Reader, Writer
from reconciler.api.readonly import ReadOnlyTransport
from reconciler.errors import MutationRefusedError
from tests.api.conftest import OpenSession
from tests.support.builders.api import run
from tests.support.servers.scripted import Reply, Scripted

BASE = "/bookings/v2/external-calendars"
ALLOWED = [
    ("GET", f"{BASE}/providers"),
    ("GET", f"{BASE}/connections?partialFailure=true"),
    ("GET", f"{BASE}/connections/c%2F1?connectionId=c%2F1"),
    ("GET", f"{BASE}/connections/c1/calendars"),
    ("GET", f"{BASE}/events?from=x"),
    ("POST", "/calendar/v3/schedules/query"),
    ("POST", "/oauth2/token"),
]
REFUSED = [
    ("POST", f"{BASE}/connections:connectByOAuth"),
    ("POST", f"{BASE}/connections:connectByCredentials"),
    ("PATCH", f"{BASE}/connections/c1/sync-config"),
    ("POST", f"{BASE}/connections/c1/disconnect"),
    ("GET", f"{BASE}/connections/c1/disconnect"),
    ("GET", f"{BASE}/connections/"),
    ("GET", f"{BASE}/connections/c1/calendars/x"),
    ("GET", f"{BASE}/connections:connectByOAuth"),
    ("GET", "/"),
    ("GET", f"/x{BASE}/providers"),
    ("GET", "/oauth2/token"),
    ("DELETE", f"{BASE}/connections/c1"),
    ("PUT", f"{BASE}/connections/c1"),
    ("get", f"{BASE}/connections/c1"),
    ("POST", "/calendar/v3/schedules"),
    ("POST", "/oauth2/token/../../calendar/v3/schedules"),
]


async def send(verb: str, url: str, endpoint: str) -> list[str]:
    """What a transport below saw of one request sent through a reader's."""
    seen: list[str] = []

    def below(request: httpx.Request) -> httpx.Response:
        seen.append(f"{request.method} {request.url.raw_path.decode()}")
        return httpx.Response(200)

    async with ReadOnlyTransport(httpx.MockTransport(below), endpoint) as transport:
        await transport.handle_async_request(httpx.Request(verb, url))
    return seen


@pytest.mark.parametrize("prefix", ["", "/gate/way"])
@pytest.mark.parametrize(("verb", "path"), ALLOWED)
def test_reads_pass(verb: str, path: str, prefix: str) -> None:
    """Every read method's request goes through untouched."""
    endpoint = f"https://api.example{prefix}"
    assert run(send(verb, endpoint + path, endpoint)) == [f"{verb} {prefix}{path}"]


@pytest.mark.parametrize(("verb", "path"), REFUSED)
def test_everything_else_is_refused(verb: str, path: str) -> None:
    """What is not on the list is refused, reads of other paths included."""
    # The request line as it is written: httpx would make "get" upper case.
    request = httpx.Request(verb, f"https://api.example{path}")
    request.method = verb

    async def story() -> None:
        def below(request: httpx.Request) -> httpx.Response:
            pytest.fail(f"{request.method} was sent")

        with pytest.raises(MutationRefusedError, match="nothing was sent"):
            await ReadOnlyTransport(httpx.MockTransport(below), "https://api.example").handle_async_request(request)

    run(story())


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        (f"https://evil.example{BASE}/providers", "https://api.example"),
        (f"http://api.example{BASE}/providers", "https://api.example"),
        (f"https://api.example:444{BASE}/providers", "https://api.example"),
        (f"https://api.example/other{BASE}/providers", "https://api.example/gate"),
        (f"https://api.example{BASE}/providers", "https://api.example/gate"),
    ],
)
def test_other_places_are_refused(url: str, endpoint: str) -> None:
    """The same path anywhere but at the endpoint is refused."""
    with pytest.raises(MutationRefusedError):
        run(send("GET", url, endpoint))


@given(st.sampled_from(["POST", "PATCH", "PUT", "DELETE"]), st.text("abc/%2F.:?", max_size=30))
def test_no_writing_verb_gets_past(verb: str, path: str) -> None:
    """No request that could write passes, whatever path is made up."""
    with pytest.raises(MutationRefusedError):
        run(send(verb, f"https://api.example{BASE}/connections/{path}", "https://api.example"))


def test_a_reader_has_no_writing_methods() -> None:
    """By its type a reader can only read."""
    writing = {"connect_by_oauth", "connect_by_credentials", "update_sync_config", "disconnect"}
    assert not writing & set(dir(Reader))
    assert writing <= set(dir(Writer))


def test_a_write_through_a_readers_own_client_is_refused(server: Scripted, opened: OpenSession) -> None:
    """Even a writer that is put upon a reader's exchange sends nothing."""
    server.otherwise = lambda: Reply({"connection": {"id": "c1"}})

    async def story() -> None:
        async with opened() as session:
            exchange = session.reader()._exchange  # reaching around the type is what is tried here
            call = Call("Disconnect", "POST", f"{BASE}/connections/c1/disconnect", writes=True)
            with pytest.raises(MutationRefusedError, match="may not send POST"):
                await exchange.call(call, lambda answer: answer)

    run(story())
    assert server.asked == []
