"""What a client sends, bounded in size and time: slow and endless senders end by themselves."""

import io
import socket
import time

_MOST_BYTES = 16 * 1024
_SECONDS = 10.0


class TooLongError(Exception):
    """A head larger than any browser's."""


class Head(io.RawIOBase):
    """What a client sends, up to a size and a moment."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._left = _MOST_BYTES
        self._until = time.monotonic() + _SECONDS

    def readable(self) -> bool:
        """It is only read."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override] # what BufferedReader hands over
        """Read some; raises TimeoutError after the moment, and TooLongError beyond the size."""
        if self._left <= 0:
            raise TooLongError
        self._connection.settimeout(max(0.001, self._until - time.monotonic()))
        count = self._connection.recv_into(buffer[: self._left])
        self._left -= count
        return count
