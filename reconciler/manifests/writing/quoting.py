"""Text from the service as YAML scalars and comments that mean exactly it, or show it harmlessly."""

import re
from typing import Final

from reconciler.manifests.scalars import resolve

GUID: Final = re.compile(r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}")
NAME: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,126}[A-Za-z0-9])?")

_PLAIN = re.compile(r"[^\W\d_]([\w .@+/-]*[\w.@+/-])?")
_PLAIN_COMMENT = re.compile(r"[\w .,'&()@+-]+")
# Words that YAML 1.1 takes for booleans; other tools that read the files may.
_BOOLEANS = frozenset({"y", "n", "yes", "no", "on", "off"})
# What no manifest may hold, not even escaped.
_REFUSED = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")
_ESCAPES = {'"': '\\"', "\\": "\\\\"}
_IN_A_BYTE, _IN_TWO = 0xFF, 0xFFFF
_LONGEST_COMMENT = 80


def statable(text: str, longest: int) -> bool:
    """Whether a manifest can hold the text: it isn't empty nor too long, and without control characters."""
    return 0 < len(text) <= longest and not _REFUSED.search(text)


def scalar(text: str) -> str:
    """A statable text as a YAML scalar for any place: plain where that is safe, else in double quotes."""
    if GUID.fullmatch(text):
        return text
    plain = _PLAIN.fullmatch(text) and text.isprintable() and text.casefold() not in _BOOLEANS
    if plain and resolve(text) == text:
        return text
    return f'"{"".join(map(_escaped, text))}"'


def comment(text: str) -> str:
    """A text as it can stand in a comment: one line, nothing invisible, and in quotes if a tool could act on it."""
    words = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    if len(words) > _LONGEST_COMMENT:
        words = words[: _LONGEST_COMMENT - 1] + "…"
    return words if _PLAIN_COMMENT.fullmatch(words) else scalar(words)


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    code = ord(character)
    if code <= _IN_A_BYTE:
        return f"\\x{code:02X}"
    return f"\\u{code:04X}" if code <= _IN_TWO else f"\\U{code:08X}"
