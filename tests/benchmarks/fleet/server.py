"""A server that answers for a fleet from memory, in a process of its own, so that it is never what is measured.

    python -m tests.benchmarks.fleet.server CONNECTIONS SITES BY_CREDENTIALS SECONDS

Answers as the sandbox does, at a fraction of its cost, and each request after so many SECONDS. With 1 for
BY_CREDENTIALS all connections are by credentials, with 0 some. Prints its port; ends when its standard input does.
`POST /-/begin/NAME` lays the state of `Live.NAME` anew and sets the count of requests to zero; `GET /-/count` tells
`[requests, the most of one site]`.
"""

from __future__ import annotations

import asyncio
import itertools
import re
import sys
import time
from email.utils import formatdate

from tests.benchmarks.fleet.answers import SiteAnswers, encoded
from tests.benchmarks.fleet.worlds import KEY, Fleet, Live, site_id

_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)\r\n", re.IGNORECASE)
_SITE = re.compile(rb"\r\nwix-site-id: *([^\r]+)\r\n", re.IGNORECASE)
_KEY = re.compile(rb"\r\nauthorization: *([^\r]+)\r\n", re.IGNORECASE)
_CONSISTENT = re.compile(rb"\r\nx-wix-consistent: *([^\r]+)\r\n", re.IGNORECASE)
_REASON = {200: b"OK", 401: b"Unauthorized", 403: b"Forbidden", 404: b"Not Found"}


class Service:
    """All sites of a fleet, and which way they stand now."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._clean: dict[Live, dict[str, SiteAnswers]] = {}
        self._sites: dict[str, SiteAnswers] = {}
        self._live = Live.AGREEING
        self._numbers = itertools.count(10**17)
        self._writes = itertools.count()

    def begin(self, live: Live) -> None:
        """Stand as told; what was made before is used again, unless something was written to it."""
        if live not in self._clean:
            fleet = self._fleet
            self._clean[live] = {site_id(site): SiteAnswers(fleet, site, live) for site in range(fleet.sites)}
        self._live, self._sites = live, self._clean[live]
        for site in self._sites.values():
            site.requests = 0

    def respond(self, verb: str, target: str, head: bytes, body: bytes) -> bytes:
        """The whole response to one request."""
        path, _, query = target.partition("?")
        if path.startswith("/-/"):
            return _response(200, self._control(path), b"")
        status, text, written = self._asked(verb, path, query, head, body)
        extra = b"x-wix-request-id: %d.%d\r\n" % (time.time(), next(self._numbers))
        echoed = _CONSISTENT.search(head)
        if written:
            self._clean.pop(self._live, None)
            extra += b"x-wix-consistent: write-%d\r\n" % next(self._writes)
        elif echoed:
            extra += b"x-wix-consistent: %b\r\n" % echoed[1]
        return _response(status, text, extra)

    def _control(self, path: str) -> bytes:
        if path.startswith("/-/begin/"):
            self.begin(Live[path.removeprefix("/-/begin/")])
        counts = [site.requests for site in self._sites.values()]
        return encoded([sum(counts), max(counts)])

    def _asked(self, verb: str, path: str, query: str, head: bytes, body: bytes) -> tuple[int, bytes, bool]:
        key, named = _KEY.search(head), _SITE.search(head)
        if key is None or named is None or key[1].decode() != KEY:
            return (
                401,
                _refusal("The Authorization header holds no valid key or token; send it without `Bearer`"),
                False,
            )
        site = self._sites.get(named[1].decode())
        if site is None:
            return 403, _refusal("The API key doesn't open this site"), False
        site.requests += 1
        found = site.answer(verb, path, query, body)
        return (404, _refusal("Not Found"), False) if found is None else (200, *found)


class Conversation(asyncio.Protocol):
    """One connection, kept alive."""

    def __init__(self, service: Service, latency: float) -> None:
        self._service = service
        self._latency = latency
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Someone has come."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every request that has come whole."""
        self._received += data
        while (end := self._received.find(_END)) >= 0:
            head = self._received[: end + 2]
            length = _LENGTH.search(head)
            begin = end + len(_END)
            finish = begin + (int(length[1]) if length else 0)
            if len(self._received) < finish:
                return
            body, self._received = self._received[begin:finish], self._received[finish:]
            verb, target, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
            response = self._service.respond(verb, target, head, body)
            if self._latency:
                asyncio.get_running_loop().call_later(self._latency, self._transport.write, response)
            else:
                self._transport.write(response)


def _response(status: int, body: bytes, extra: bytes) -> bytes:
    lines = b"HTTP/1.1 %d %b\r\ndate: %b\r\ncontent-length: %d\r\n%b\r\n" % (
        status,
        _REASON[status],
        formatdate(usegmt=True).encode(),
        len(body),
        b"content-type: application/json",
    )
    return lines + extra + b"\r\n" + body


def _refusal(message: str) -> bytes:
    return encoded({"message": message, "details": {}})


async def serve(fleet: Fleet, latency: float) -> None:
    """Answer until the standard input ends, each request `latency` seconds after it came."""
    loop = asyncio.get_running_loop()
    service = Service(fleet)
    service.begin(Live.AGREEING)
    server = await loop.create_server(lambda: Conversation(service, latency), "127.0.0.1", 0)
    async with server:
        print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201 -- how it is told
        await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    count, sites, by_credentials, seconds = sys.argv[1:]
    asyncio.run(serve(Fleet(int(count), int(sites), by_credentials=by_credentials == "1"), float(seconds)))
