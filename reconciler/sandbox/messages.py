"""Makes messages about external calendars fit for people, and logs each warning once.

They are inert, not long, and hold no password.
"""

from __future__ import annotations

import base64
import logging
import threading
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from reconciler.sandbox.calendars.errors import CalendarError
    from reconciler.sandbox.calendars.protocol import Login

_MAX_REASON = 500
_MAX_TOLD = 10_000

_log = logging.getLogger(__name__)


def inert(text: str) -> str:
    """`text` with nothing in it that could move a terminal's cursor."""
    return "".join(char if char.isprintable() else "?" for char in text)


def reason(error: CalendarError | str, login: Login) -> str:
    """What an error says, or a fault in words.

    A server may have put into its answer whatever it was sent.
    """
    said = str(error)
    # Servers, and we too, change the case of what is a name rather than a text.
    if any(spelling.casefold() in said.casefold() for spelling in _spellings(login)):
        said = "the server's answer contains the password, so it is not shown"
    said = inert(said)
    return said if len(said) <= _MAX_REASON else f"{said[: _MAX_REASON - 1]}…"


def _spellings(login: Login) -> set[str]:
    """How the password may stand in a text."""
    password = login.password
    if not password:
        return set()
    basic = base64.b64encode(f"{login.email}:{password}".encode("utf-8", "replace")).decode()
    quoted = {quote(password, safe="", errors="replace"), quote_plus(password, errors="replace")}
    return {password, repr(password)[1:-1], escape(password), basic, quote(basic, safe=""), *quoted}


class WarningLog:
    """Logs warnings, each of them once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._told: set[str] = set()

    def warn(self, warning: str) -> None:
        """Log a warning that wasn't logged yet, made inert, with where it comes from."""
        with self._lock:
            if warning in self._told:
                return
            if len(self._told) >= _MAX_TOLD:
                self._told.clear()
            self._told.add(warning)
        _log.warning("sandbox: %s", inert(warning))
