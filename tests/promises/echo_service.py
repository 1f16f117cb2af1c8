"""A service that stands before a sandbox, fails as it is told, and repeats secrets in every form while it does."""

import base64
import html
import json
import socket
import socketserver
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import ClassVar
from urllib.parse import quote, quote_plus

from tests.promises.canaries import API_KEY, CANARIES, TOKEN
from tests.support.cli.worlds import HARBOR
from tests.support.timeouts import TIMEOUT

TOKEN_PATH = "/oauth2/token"
# What a client that wants TLS begins with (RFC 8446, 5.1).
_TLS = b"\x16"


@dataclass(frozen=True)
class Asked:
    """A request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def writes(self) -> bool:
        """Whether it changes something."""
        return self.method != "GET" and not self.path.startswith(("/calendar/", TOKEN_PATH))


@dataclass(frozen=True)
class Answer:
    """An answer in bytes, so that it may be anything; `reset` breaks the connection off instead."""

    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, bytes], ...] = ()
    reason: bytes = b"Because"
    reset: bool = False
    missing: int = 0

    def raw(self) -> bytes:
        """What goes over the wire; `missing` bytes of the body never do."""
        head = [b"HTTP/1.1 %d %s" % (self.status, self.reason), b"Content-Length: %d" % len(self.body)]
        head += [name.encode() + b": " + value for name, value in self.headers]
        return b"\r\n".join([*head, b"Connection: close", b"", self.body[: len(self.body) - self.missing]])


@dataclass
class Front:
    """The service: `failing` gives the answer to a request, or None where the sandbox shall answer it."""

    url: str = ""
    failing: Callable[[Asked], Answer | None] = field(default=lambda _asked: None)
    asked: list[Asked] = field(default_factory=list)

    @property
    def heard(self) -> list[str]:
        """The canaries that it was told, or has given out."""
        told = [asked.body.decode() + asked.headers.get("authorization", "") for asked in self.asked]
        return [secret for secret in CANARIES.values() if any(_holds(text, secret) for text in told)]


def _holds(text: str, secret: str) -> bool:
    return secret in text or json.dumps(secret)[1:-1] in text


def forms(secret: str) -> list[str]:
    """A secret in every form that an echo usually has."""
    raw = secret.encode()
    percent = [quote(secret), quote(secret, safe=""), quote_plus(secret), quote(secret, safe="!~*'()")]
    padded = [bytes(before) + raw for before in range(3)]
    encoded = [encode(each).decode() for each in padded for encode in (base64.b64encode, base64.urlsafe_b64encode)]
    markup = [html.escape(secret), html.escape(secret, quote=False), html.escape(secret).replace("&#x27;", "&#39;")]
    escaped = [json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]]
    return [
        secret,
        *percent,
        *(form.lower() for form in percent if secret.islower()),
        *encoded,
        base64.b64encode(b"extcal:" + raw).decode(),
        *markup,
        *(form.encode("ascii", "xmlcharrefreplace").decode() for form in markup),
        *escaped,
        *(form.replace("/", "\\/").replace("<", "\\u003c").replace("&", "\\u0026") for form in escaped),
        raw.hex(),
        raw.hex().upper(),
    ]


@contextmanager
def fronting(endpoint: str) -> Iterator[Front]:
    """A front before the sandbox at `endpoint`, whose key is the canary, for the length of a block."""
    front = Front()
    host = endpoint.removeprefix("http://")

    def forwarded(asked: Asked) -> Answer:
        if asked.path == TOKEN_PATH:
            return Answer(body=json.dumps({"access_token": TOKEN, "expires_in": 3600}).encode())
        kept = {"authorization": API_KEY, "wix-site-id": HARBOR}
        with closing(HTTPConnection(host, timeout=TIMEOUT)) as sandbox:
            sandbox.request(asked.method, asked.path, asked.body, kept)
            answer = sandbox.getresponse()
            return Answer(answer.status, answer.read())

    class Handler(socketserver.StreamRequestHandler):
        timeout: ClassVar[float | None] = 20

        def handle(self) -> None:
            try:
                self._answer()
            except (ConnectionError, TimeoutError):
                return

        def _answer(self) -> None:
            first = self.rfile.read(1)
            if first == _TLS:
                return
            words = (first + self.rfile.readline()).decode("latin-1").split()
            if len(words) != 3:
                return
            headers = {}
            while line := self.rfile.readline().decode("latin-1").strip():
                name, _, value = line.partition(":")
                headers[name.lower()] = value.strip()
            asked = Asked(words[0], words[1], headers, self.rfile.read(int(headers.get("content-length", "0"))))
            front.asked.append(asked)
            answer = front.failing(asked) or forwarded(asked)
            if answer.reset:
                self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            else:
                self.wfile.write(answer.raw())

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        request_queue_size = 64

    server = Server(("127.0.0.1", 0), Handler)
    front.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield front
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
