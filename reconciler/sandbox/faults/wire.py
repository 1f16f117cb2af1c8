"""Breaks off the connection under an answer after a number of bytes, and resets it."""

from __future__ import annotations

import asyncio
import fcntl
import socket
import struct
import termios
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from uvicorn.config import Config
    from uvicorn.server import ServerState

WIRE = "wire"
"""Where a request's `scope["state"]` holds its `Wire`."""

_DELIVERY_SECONDS = 5.0
_POLL_SECONDS = 0.002
_AT_ONCE = struct.pack("ii", 1, 0)


class Wire(asyncio.Transport):
    """The transport of one connection, as the server sees it.

    It does nothing more until it is cut or reset.

    From then on it looks closed to the server, which therefore neither closes it nor answers another request on it.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        super().__init__()
        self._transport = transport
        self._left: int | None = None
        self.lost = asyncio.Event()

    def cut_after(self, length: int) -> None:
        """Let no more than the next `length` bytes through; `reset` comes next."""
        self._left = length

    async def reset(self) -> None:
        """Reset the connection (RST), once what was written before is delivered, and see it go."""
        if self._left is None:
            self._left = 0
        deadline = time.monotonic() + _DELIVERY_SECONDS
        while not self.lost.is_set() and self._undelivered() and time.monotonic() < deadline:  # noqa: ASYNC110 -- the kernel tells nobody when it has delivered
            await asyncio.sleep(_POLL_SECONDS)
        with suppress(OSError):  # closed already
            self.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        self._transport.abort()
        await self.lost.wait()

    def _undelivered(self) -> int:
        """The bytes that a reset would lose: those still here, and those not acknowledged."""
        pending = self._transport.get_write_buffer_size()
        with suppress(OSError):  # not every system tells; what it has is on loopback, and as good as there
            answer = fcntl.ioctl(self.get_extra_info("socket"), termios.TIOCOUTQ, b"\0" * 4)
            pending += int(struct.unpack("i", answer)[0])
        return pending

    def write(self, data: bytes | bytearray | memoryview[int]) -> None:
        """Send, as far as it may go through."""
        if self._left is not None:
            data = memoryview(data)[: self._left]
            self._left -= len(data)
        if data:
            self._transport.write(data)

    def is_closing(self) -> bool:
        """Whether nothing more is to be sent."""
        return self._left is not None or self._transport.is_closing()

    def close(self) -> None:
        """Close in good order, unless a reset is on its way."""
        if self._left is None:
            self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        self._transport.abort()

    def get_extra_info(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 -- as asyncio has it
        """What is known of the connection."""
        return self._transport.get_extra_info(name, default)

    def pause_reading(self) -> None:
        """Read nothing for now."""
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Read on."""
        self._transport.resume_reading()

    def get_write_buffer_size(self) -> int:
        """The bytes that wait to be sent."""
        return self._transport.get_write_buffer_size()


class WiredProtocol(H11Protocol):
    """The server's HTTP/1.1, which hands each request the wire that it came over."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._wire: Wire | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn narrows it
        """A client is there."""
        self._wire = Wire(transport)
        self.app_state = {**self.app_state, WIRE: self._wire}
        super().connection_made(self._wire)

    def send_400_response(self, msg: str) -> None:
        """Say that what came is not HTTP.

        Once an answer went out there is nothing left but to close.
        """
        if self.conn.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            super().send_400_response(msg)
        else:
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        super().connection_lost(exc)
        if self._wire is not None:
            self._wire.lost.set()
