"""Names of accounts and calendars as names of files, whatever they hold, and back.

`lee@harbor-dental.example` stays readable; what could leave the folder, hide, or mean something to a shell or a file
system is percent-encoded (`/` becomes `%2F`, a leading dot `%2E`).
"""

from __future__ import annotations

from urllib.parse import quote, unquote

SUFFIX = ".ics"
MAX_NAME = 200
"""The most bytes of an encoded name: file systems take 255, and the suffix and a temporary name must fit."""

_READABLE = "@+ ,'()=-_.~"


def file_name(name: str) -> str | None:
    """`name` as the name of a file without suffix; None where it is empty or too long for one."""
    encoded = quote(name, safe=_READABLE)
    if encoded.startswith((".", "~", "-", " ")):
        encoded = f"%{ord(encoded[0]):02X}{encoded[1:]}"
    return encoded if 0 < len(encoded) <= MAX_NAME else None


def plain_name(encoded: str) -> str:
    """The inverse of `file_name`; a name that a person gave a file is taken as it is."""
    plain = unquote(encoded, errors="replace")
    return plain if file_name(plain) == encoded else encoded
