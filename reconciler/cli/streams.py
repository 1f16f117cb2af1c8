"""The standard streams as a caller may leave them: closed, full, or with nobody at the other end."""

import io
import os
import sys
from contextlib import suppress
from typing import TextIO

_LAST = 2


def attach() -> bool:
    """Put nothing in the place of closed standard streams; whether stdout was open.

    Else the next file that is opened would get the number of a closed one, and with it whatever is written there.
    """
    while (number := os.open(os.devnull, os.O_RDWR)) <= _LAST:
        pass
    os.close(number)
    had_stdout = sys.stdout is not None
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - a descriptor, for good
    if not had_stdout:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - as above
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - as above
    return had_stdout


def encode_stdout() -> None:
    """Write UTF-8 where no terminal reads, whatever the locale, as JSON must be; a terminal gets what it can show."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding=None if sys.stdout.isatty() else "utf-8", errors="backslashreplace")


def silence(stream: TextIO) -> None:
    """Let what is left of a stream that can't be written go nowhere; Python would fail once more with it on exit."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def settle() -> None:
    """Write out what is left, and let what can't be written go nowhere; raises what kept stdout from being written."""
    try:
        sys.stderr.flush()
    except (OSError, ValueError):
        silence(sys.stderr)
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        silence(sys.stdout)
        raise
