"""The text formats of the contract: GUIDs, RFC 3339 times, web addresses."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from urllib.parse import urlsplit

_GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)
_WEB_TEXT = re.compile(r"[!#$%&'()*+,\-./0-9:;=?@A-Z\[\]_a-z~]{1,2048}")
_HOST = re.compile(r"[0-9a-z.-]+|\[[0-9a-f:.]+\]")

_FIRST, _LAST = -62_135_596_800, 253_402_300_799
"""0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z, in seconds since the epoch."""


def is_guid(text: str) -> bool:
    """Whether `text` is a GUID, of any version, in any case."""
    return _GUID.fullmatch(text) is not None


def instant(text: str) -> float | None:
    """Seconds since the epoch of an RFC 3339 date-time (section 5.6), None where `text` isn't one."""
    if _INSTANT.fullmatch(text) is None:
        return None
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC).timestamp()
    except (ValueError, OverflowError):
        return None


def rfc3339(seconds: int) -> str:
    """The RFC 3339 text, in UTC, of seconds since the epoch; of the first or last moment that has one, at most."""
    return datetime.fromtimestamp(min(max(seconds, _FIRST), _LAST), UTC).isoformat().replace("+00:00", "Z")


def web_origin(text: str) -> str | None:
    """`scheme://host[:port]` of an http(s) URL, None where `text` isn't one (RFC 3986; already percent-encoded)."""
    if _WEB_TEXT.fullmatch(text) is None:
        return None
    try:
        url = urlsplit(text)
        host, port = url.hostname, url.port
    except ValueError:
        return None
    if url.scheme not in {"http", "https"} or not host or "@" in url.netloc:
        return None
    shown = f"[{host}]" if ":" in host else host
    if _HOST.fullmatch(shown) is None:
        return None
    return f"{url.scheme}://{shown}" + ("" if port is None else f":{port}")
