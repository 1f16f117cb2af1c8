"""Why the external calendars can't be had, as people may read it: inert, not long, and without a password."""

from __future__ import annotations

import base64
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from reconciler.sandbox.calendars.errors import CalendarError
    from reconciler.sandbox.calendars.protocol import Login

_MAX_REASON = 500


def inert(text: str) -> str:
    """`text` with nothing in it that could move a terminal's cursor."""
    return "".join(char if char.isprintable() else "?" for char in text)


def reason(error: CalendarError | str, login: Login) -> str:
    """What an error says, or a fault in words; a server may have put into its answer whatever it was sent."""
    said = str(error)
    # Servers, and we too, change the case of what is a name rather than a text.
    if any(spelling.casefold() in said.casefold() for spelling in _spellings(login)):
        said = "the server's answer repeats the password, and is not shown"
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
