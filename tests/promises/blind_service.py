"""A service that hides connections: it lists fewer than there are, as one does to a key that may not see them."""

import json
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

from tests.promises.rehearsal import NO_TLS
from tests.support.servers.http import Handler, served

_LIST = "/bookings/v2/external-calendars/connections"
_PASSED = ("authorization", "wix-site-id", "content-type")


@dataclass
class Blind:
    """The service at `url`: `hidden` are the ids of the connections that it does not list, None is all of them.

    `disconnected` are the ids of which a disconnect was asked, whatever came of it. `arriving` is told the path of each
    request before it is passed on.
    """

    url: str = ""
    hidden: Collection[str] | None = ()
    disconnected: list[str] = field(default_factory=list)
    arriving: Callable[[str], None] = lambda _path: None

    def listed(self, body: bytes) -> bytes:
        """The answer to ListConnections with what is hidden left out."""
        answer = json.loads(body)
        seen = [] if self.hidden is None else [c for c in answer["connections"] if c["id"] not in self.hidden]
        return json.dumps({**answer, "connections": seen}).encode()


@contextmanager
def blinding(endpoint: str) -> Iterator[Blind]:
    """A service before the one at `endpoint`, for the length of a block."""
    blind = Blind()
    client = httpx.Client(trust_env=False, verify=NO_TLS)

    class Script(Handler):
        def respond(self) -> None:
            body = self.content()
            kept = {name: self.headers[name] for name in _PASSED if name in self.headers}
            path = self.path.partition("?")[0]
            blind.arriving(path)
            if path.endswith("/disconnect"):
                blind.disconnected.append(path.split("/")[-2])
            answer = client.request(self.command, endpoint + self.path, content=body, headers=kept)
            content = answer.content
            if (self.command, path, answer.status_code) == ("GET", _LIST, httpx.codes.OK):
                content = blind.listed(content)
            self.send_response(answer.status_code)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    with client, served(Script) as blind.url:
        yield blind
