"""A server on loopback that speaks as a test says, where no real mail server would."""

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.support.timeouts import TIMEOUT


@dataclass
class Conversation:
    """One connection, as the server sees it."""

    line: socket.socket

    def say(self, *lines: str) -> None:
        """Send lines."""
        self.line.sendall("".join(f"{line}\r\n" for line in lines).encode())

    def hear(self) -> str:
        """The next line, or nothing where there is none."""
        heard = b""
        while not heard.endswith(b"\n") and (byte := self.line.recv(1)):
            heard += byte
        return heard.decode().rstrip()

    def greet(self, *extensions: str) -> None:
        """Say hello, and what this server knows."""
        self.say("220 mail.example")
        self.hear()
        self.say(*(f"250-{each}" for each in ("mail.example", *extensions)), "250 HELP")

    def take_until_data(self) -> None:
        """Agree to everything until a message is about to come."""
        while not self.hear().startswith("DATA"):
            self.say("250 OK")
        self.say("354 go ahead")

    def cut(self) -> None:
        """Reset the connection."""
        self.line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.line.close()


@dataclass
class ScriptedServer:
    """Where the server is, and how many have come."""

    port: int
    connections: int = 0


@contextmanager
def scripted_smtp(talk: Callable[[Conversation], None]) -> Iterator[ScriptedServer]:
    """A server that has `talk` with whoever comes, one after the other; a line that is lost ends it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        found = ScriptedServer(listener.getsockname()[1])
        ended = threading.Event()

        def serve() -> None:
            while not ended.is_set():
                try:
                    line, _ = listener.accept()
                except OSError:
                    return
                with line:
                    if ended.is_set():
                        return
                    found.connections += 1
                    line.settimeout(TIMEOUT)
                    with contextlib.suppress(OSError):
                        talk(Conversation(line))

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield found
        finally:
            ended.set()
            with contextlib.suppress(OSError), socket.create_connection(listener.getsockname()):
                thread.join()
