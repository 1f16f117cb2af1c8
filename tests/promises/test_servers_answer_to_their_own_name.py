"""On loopback no web page reaches a server under a name that it has made point there (DNS rebinding)."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import httpx
import pytest

from reconciler.sandbox.seed import SITE_ID
from reconciler.sandbox.server import RunningSandbox
from reconciler.watching.server import Address, MonitoringPage, refusal, serve_pages
from tests.support.timeouts import TIMEOUT

_PAGES = {path: lambda: MonitoringPage(b"fine") for path in ("/metrics", "/healthz", "/readyz")}
_PROVIDERS = "/bookings/v2/external-calendars/providers"


@dataclass(frozen=True)
class Server:
    """A server on a loopback port, a path of it, and the fields with which the path is answered."""

    port: int
    path: str
    fields: str = ""

    def status(self, *hosts: str, version: str = "1.1", path: str | None = None, more: str = "") -> int:
        """The status that a request gets; PORT in it is the server's."""
        return self.answer(*hosts, version=version, path=path, more=more)[0]

    def answer(self, *hosts: str, version: str = "1.1", path: str | None = None, more: str = "") -> tuple[int, str]:
        """The status, and all that is answered."""
        lines = [f"GET {path or self.path} HTTP/{version}", *(f"Host: {host}" for host in hosts), "Connection: close"]
        request = "\r\n".join([*lines, f"{self.fields}{more}", ""]).replace("PORT", str(self.port))
        with socket.create_connection(("127.0.0.1", self.port), timeout=TIMEOUT) as connection:
            connection.sendall(request.encode())
            found = b""
            while chunk := connection.recv(65536):
                found += chunk
        return int(found.split()[1]), found.decode()


@pytest.fixture(params=["/metrics", "/healthz", "/readyz", "sandbox"])
def server(request: pytest.FixtureRequest, sandbox: RunningSandbox) -> Iterator[Server]:
    """A page of watch, or a method of the sandbox's API with its key."""
    with ExitStack() as stack:
        if request.param == "sandbox":
            fields = f"Authorization: {sandbox.api_key}\r\nwix-site-id: {SITE_ID}\r\n"
            yield Server(int(sandbox.endpoint.rpartition(":")[2]), _PROVIDERS, fields)
        else:
            at = stack.enter_context(serve_pages(Address("127.0.0.1", 0), _PAGES))
            yield Server(at.port, request.param)


@pytest.mark.parametrize(
    "host", ["127.0.0.1:PORT", "localhost:PORT", "LocalHost:PORT", "localhost.:PORT", "[::1]:PORT", "127.8.8.8:PORT"]
)
def test_a_loopback_name_is_answered(server: Server, host: str) -> None:
    """In any case, with the dot of a full name, by number of either version."""
    assert server.status(host) == 200


@pytest.mark.parametrize(
    "host",
    [
        "rebound.example:PORT",
        "rebound.example",
        "rebound.example.:PORT",
        "127.0.0.1.rebound.example:PORT",
        "localhost.rebound.example:PORT",
        "rebound-localhost:PORT",
        "0.0.0.0:PORT",
        "192.0.2.7:PORT",
        "[2001:db8::7]:PORT",
        "localhost",
        "localhost:1",
        "127.0.0.1:99999",
    ],
)
def test_another_name_is_misdirected(server: Server, host: str) -> None:
    """421 (RFC 9110, 15.5.20) and a line that says what to ask for, whatever a proxy's field says."""
    for more in ("", "X-Forwarded-Host: localhost:PORT\r\n", "Forwarded: host=localhost\r\n"):
        status, found = server.answer(host, more=more)
        assert status == 421
        assert f"ask for {'http://' if server.fields else ''}127.0.0.1:{server.port}" in found
        assert "rebound" not in found


@pytest.mark.parametrize("hosts", [(), ("localhost:PORT",) * 2, ("localhost:PORT", "rebound.example:PORT")])
def test_a_request_names_one_host(server: Server, hosts: tuple[str, ...]) -> None:
    """None, or two, are no request of HTTP/1.1 (RFC 9112, 3.2)."""
    assert server.status(*hosts) == 400


@pytest.mark.parametrize("host", ["", " ", "x@localhost:PORT", "localhost:PORT/", "[::1:PORT", "local host:PORT"])
def test_what_is_no_host_is_refused(server: Server, host: str) -> None:
    """It never counts as ours."""
    assert server.status(host) in {400, 421}


def test_an_old_program_need_not_name_one(server: Server) -> None:
    """HTTP/1.0 knows no Host, and no browser speaks it; one that is named counts all the same."""
    assert server.status(version="1.0") == 200
    assert server.status("rebound.example:PORT", version="1.0") == 421


def test_a_whole_url_in_the_place_of_a_path_opens_nothing(server: Server) -> None:
    """A name in the request line doesn't count in the place of Host."""
    assert server.status("localhost:PORT", path=f"http://rebound.example:PORT{server.path}") == 404
    assert server.status("rebound.example:PORT", path=f"http://localhost:PORT{server.path}") == 421


def test_a_forwarding_field_misleads_nobody(server: Server) -> None:
    """Who asks for a loopback name is answered."""
    assert server.status("localhost:PORT", more="X-Forwarded-Host: rebound.example\r\n") == 200


@pytest.mark.parametrize("path", _PAGES)
def test_beyond_loopback_any_name_is_answered(path: str) -> None:
    """Prometheus and the kubelet ask by an address, others by a service's name that watch can't know."""
    with serve_pages(Address("0.0.0.0", 0), _PAGES) as at:  # noqa: S104 - what is tried
        for host in ("10.1.2.3:9464", "extcal-watch.calendars.svc:9464", "localhost:PORT"):
            assert Server(at.port, path).status(host) == 200


@pytest.mark.parametrize("host", ["::1", "localhost"])
def test_what_is_listened_on_is_answered(host: str) -> None:
    """As `--listen` writes it, and nothing beside."""
    with serve_pages(Address(host, 0), _PAGES) as at, httpx.Client(trust_env=False, timeout=TIMEOUT) as client:
        assert client.get(f"http://{at}/metrics").text == "fine"
        assert client.get(f"http://{at}/metrics", headers={"host": f"rebound.example:{at.port}"}).status_code == 421
    named = Address("Front-Desk.example", 9464)
    assert refusal(["front-desk.example:9464"], "HTTP/1.1", named) is None
    assert refusal(["localhost"], "HTTP/1.1", Address("127.0.0.1", 80)) is None


def test_the_consent_page_is_answered_by_no_rebound_name(sandbox: RunningSandbox) -> None:
    """Origin and Host agree where a name was rebound: it is Host that must be ours."""
    port = sandbox.endpoint.rpartition(":")[2]
    rebound = f"rebound.example:{port}"
    with httpx.Client(base_url=sandbox.endpoint, trust_env=False, timeout=TIMEOUT) as client:
        sent = {"host": rebound, "origin": f"http://{rebound}", "sec-fetch-site": "same-origin"}
        assert client.post("/consent/any", data={"decision": "allow"}, headers=sent).status_code == 421
        assert client.get("/consent/any", headers={"host": rebound}).status_code == 421
