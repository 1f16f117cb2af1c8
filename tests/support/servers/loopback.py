"""A real HTTP server on loopback that answers JSON, or loses its answer."""

import json
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.support.servers.http import Handler, served

Fields = dict[str, object]
Answer = tuple[int, Fields]
"""A status and a body."""


@contextmanager
def answering(answer: Callable[[str, str, Fields], Answer | None]) -> Iterator[str]:
    """The address of a server whose answers `answer` gives to a path, query and body; None resets the connection."""

    class Script(Handler):
        def respond(self) -> None:
            path, _, query = self.path.partition("?")
            sent = self.content()
            answered = answer(path, query, json.loads(sent or b"{}"))
            if answered is None:
                self.close_connection = True
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return
            body = json.dumps(answered[1]).encode()
            self.send_response(answered[0])
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with served(Script) as url:
        yield url
