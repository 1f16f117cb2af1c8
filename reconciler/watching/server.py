"""Serves figures and health on a port: a few pages, and nothing that can be changed.

On loopback a request must mean this server, which keeps web pages out (DNS rebinding): any page in a browser may have
the name of its own site point at 127.0.0.1, and could then read what is served there. Its requests name that site
(`Host`), so only loopback names, and what we were told to listen on, are answered. Elsewhere any name is: whoever
scrapes or probes asks by an address or a service's name that we can't know, and the port says nothing that is for one
reader alone. Sources: RFC 9110, 7.2 and 15.5.20; RFC 9112, 3.2.
"""

import ipaddress
import re
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus

from reconciler.errors import ExtcalError
from reconciler.http_server import BoundedHandler, BoundedServer, in_thread
from reconciler.watching.figures import ProbeResult

TEXT = "text/plain; charset=utf-8"
_AUTHORITY = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[^\[\]:@/?#\s]+?)\.?(?::(?P<port>[0-9]{1,5}))?", re.IGNORECASE)
_HTTP_PORT = 80


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen: a host, by name or number, and a port; 0 is a free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class MonitoringPage:
    """What is answered."""

    body: bytes
    content_type: str = TEXT
    status: HTTPStatus = HTTPStatus.OK

    @classmethod
    def of(cls, result: ProbeResult) -> "MonitoringPage":
        """The answer to a probe."""
        status = HTTPStatus.OK if result.yes else HTTPStatus.SERVICE_UNAVAILABLE
        return cls(f"{result.why}\n".encode(), status=status)


MonitoringPages = Mapping[str, Callable[[], MonitoringPage]]
"""What makes the page of a path; it is called in another thread."""


@contextmanager
def serve_pages(address: Address, pages: MonitoringPages) -> Iterator[Address]:
    """Serve for the length of the block, in threads; yields where.

    Raises ExtcalError where that can't be.
    """
    try:
        server = _MonitoringServer(address, pages)
    except OSError as error:
        why = error.strerror or error
        raise ExtcalError(f"can't listen on {address}: {why}; choose another address: --listen HOST:PORT") from error
    with in_thread(server, "extcal-watch"):
        yield server.at


class _MonitoringServer(BoundedServer):
    def __init__(self, address: Address, pages: MonitoringPages) -> None:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        self.address_family = found[0][0]
        self.pages = pages
        super().__init__((address.host, address.port), _MonitoringHandler)
        self.at = Address(address.host, self.server_port)
        self.on_loopback = is_loopback(self.server_name)

    def server_bind(self) -> None:
        """Bind, without the look-up of our own name that the library makes, which may take long."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]


class _MonitoringHandler(BoundedHandler):
    server: _MonitoringServer  # type: ignore[mutable-override] # only that server makes it

    def refuse(self, status: HTTPStatus) -> None:
        """Refuse in a line."""
        self._show(MonitoringPage(f"{status.phrase}\n".encode(), status=status))

    def get(self) -> None:
        """Show a page to whoever means this server."""
        make, at, refused = self.server.pages.get(self.path.partition("?")[0]), self.server.at, None
        if self.server.on_loopback:
            refused = refusal(self.headers.get_all("host", []), self.request_version, at)
        if refused is HTTPStatus.MISDIRECTED_REQUEST:
            self._show(MonitoringPage(f"{refused.phrase}: ask for {at}\n".encode(), status=refused))
        elif refused is not None:
            self.refuse(refused)
        elif make is None:
            self.refuse(HTTPStatus.NOT_FOUND)
        else:
            self._show(make())

    def _show(self, page: MonitoringPage) -> None:
        headers = {
            "content-type": page.content_type,
            "cache-control": "no-store",
            "x-content-type-options": "nosniff",
        }
        self.answer(page.status, headers, page.body)


def refusal(hosts: list[str], version: str, at: Address) -> HTTPStatus | None:
    """Refuse a request that does not mean the server on the loopback address `at`, or None.

    `hosts` are its fields `Host`, `version` is what it says of HTTP. Only programs older than HTTP/1.1 send none.
    """
    if not hosts and version in {"HTTP/0.9", "HTTP/1.0"}:
        return None
    said = _AUTHORITY.fullmatch(hosts[0].strip()) if len(hosts) == 1 else None
    if said is None:
        return HTTPStatus.BAD_REQUEST
    name = said["name"].strip("[]").lower()
    if int(said["port"] or _HTTP_PORT) == at.port and (name in {"localhost", at.host.lower()} or is_loopback(name)):
        return None
    return HTTPStatus.MISDIRECTED_REQUEST


def is_loopback(address: str) -> bool:
    """Whether an address is this machine's own; a name is not."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    return (getattr(found, "ipv4_mapped", None) or found).is_loopback
