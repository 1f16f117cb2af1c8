"""Taking secrets out of text, in every form that an echo may give them, at a cost that grows with the text alone.

A *needle* is a secret in one form: as it is, made fit to be shown, in base64, in hexadecimal. A *view* of a text is
what it says when its escapes are decoded, once or several times, since messages are put into messages. Needles are
looked for in each view; where one is found, that place is traced back to the text and masked there.
"""

import base64
import html
import math
import re
import sys
import unicodedata
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from reconciler.api.text import fit

MASK = "[secret]"
SHORTEST = 6
"""What has fewer characters is no secret: masking it would tell it, since every letter of it would be missing."""

_HEAD = 4
_FEW = 64
_SHORTEST_SPELLING = _SHORTEST_NEEDLE = 4
_SHORTEST_MIDDLE = 6
_DEEPEST = 4
# Percent-encoding (RFC 3986, 2.1); backslashes, each of which is doubled wherever a text is put into another, and
# what they begin in JSON (RFC 8259, 7) and Python; references in HTML (13.1.4). No part of it is tried twice.
_ESCAPE = re.compile(
    rb"%(?P<percent>[0-9a-fA-F]{2})"
    rb"|\\++(?:u(?P<high>[dD][89abAB][0-9a-fA-F]{2})\\++u(?P<low>[dD][c-fC-F][0-9a-fA-F]{2})"
    rb"|u(?P<unit>[0-9a-fA-F]{4})|x(?P<byte>[0-9a-fA-F]{2}))?"
    rb"|&(?:#0*(?P<decimal>[0-9]{1,7})|#[xX]0*(?P<hexadecimal>[0-9a-fA-F]{1,6})|(?P<name>[a-zA-Z][a-zA-Z0-9]{1,31}));?"
)
_MARKS = (b"%", b"\\", b"&")
_ESCAPED = b"\"'/"

_Span = tuple[int, int]


class Redactor:
    """Knows secrets and replaces them; holds them in memory and shows them nowhere."""

    def __init__(self) -> None:
        self._secrets: set[str] = set()
        # By their first bytes: thousands of passwords must not cost a search each in every message.
        self._needles: defaultdict[bytes, set[bytes]] = defaultdict(set)
        self._count = 0

    def copy(self) -> "Redactor":
        """Another one that knows the same secrets."""
        other = Redactor()
        other._secrets |= self._secrets
        other._needles.update((head, set(needles)) for head, needles in self._needles.items())
        other._count = self._count
        return other

    def learn(self, secret: str) -> None:
        """Replace `secret` from now on; one that is too short to be one is left as it is."""
        if len(secret) < SHORTEST or secret in self._secrets:
            return
        self._secrets.add(secret)
        for needle in _needles(secret):
            self._needles[needle[:_HEAD]].add(needle)
        self._count = sum(map(len, self._needles.values()))

    def redact(self, text: str) -> str:
        """`text` with every known secret, plain or encoded, in capitals or not, replaced by `[secret]`."""
        if not self._secrets:
            return text
        raw = text.encode("utf-8", "surrogatepass")
        view: _View | None = _View(raw)
        spans: list[_Span] = []
        for _ in range(_DEEPEST + 1):
            if view is None:
                break
            spans += map(view.traced, self._within(view.data.lower()))
            view = view.decoded()
        return _masked(raw, spans) if spans else text

    def _within(self, data: bytes) -> Iterator[_Span]:
        """Where needles stand in lower-case data."""
        if self._count <= _FEW:
            for needle in (needle for needles in self._needles.values() for needle in needles):
                yield from _joined(_places(needle, data))
            return
        for at in range(len(data) - _HEAD + 1):
            for needle in self._needles.get(data[at : at + _HEAD], ()):
                if data.startswith(needle, at):
                    yield at, at + len(needle)


@dataclass(frozen=True, slots=True)
class _View:
    """Bytes, and how they came of those of the view `before`: in pieces, each of which is an escape or stands as it is.

    `starts` are the places at which the pieces begin, `origins` those where they began before, `plain` whether a piece
    was no escape.
    """

    data: bytes
    before: "_View | None" = None
    starts: list[int] = field(default_factory=list)
    origins: list[int] = field(default_factory=list)
    plain: list[bool] = field(default_factory=list)

    def decoded(self) -> "_View | None":
        """What it says when its escapes are decoded, a plus sign being a blank; None where it has none."""
        data = self.data.replace(b"+", b" ")
        view = _View(b"", self)
        parts: list[bytes] = []
        done = length = 0

        def add(part: bytes, origin: int, *, plain: bool) -> None:
            nonlocal length
            view.starts.append(length)
            view.origins.append(origin)
            view.plain.append(plain)
            parts.append(part)
            length += len(part)

        for escape in _escapes(data):
            meaning = _meaning(escape)
            if meaning is not None:
                add(data[done : escape.start()], done, plain=True)
                add(meaning, escape.start(), plain=False)
                done = escape.end()
        if not parts and data == self.data:
            return None
        add(data[done:], done, plain=True)
        return _View(b"".join(parts), self, view.starts, view.origins, view.plain)

    def traced(self, span: _Span) -> _Span:
        """The place in the text that a place in this view came of."""
        start, end = span
        if self.before is None:
            return span
        first, last = bisect_right(self.starts, start) - 1, bisect_right(self.starts, end - 1) - 1
        into = start - self.starts[first]
        origin = self.origins[first] + (into if self.plain[first] else 0)
        if first and self.plain[first] and self.starts[first - 1] == start and self.data[start] in _ESCAPED:
            # The backslash goes with the quote that it was put before.
            origin = self.origins[first - 1]
        past = self.origins[last] + end - self.starts[last] if self.plain[last] else self.origins[last + 1]
        return self.before.traced((origin, past))


def _escapes(data: bytes) -> Iterator[re.Match[bytes]]:
    """What looks like an escape, in order; a search for each mark takes a tenth of the time of one for all of them."""
    ahead = {mark: data.find(mark) for mark in _MARKS}
    done = 0
    while places := [at for at in ahead.values() if at >= 0]:
        at = min(places)
        escape = _ESCAPE.match(data, at)
        if escape is not None:
            yield escape
        done = at + 1 if escape is None else escape.end()
        ahead = {mark: data.find(mark, done) if 0 <= at < done else at for mark, at in ahead.items()}


def _meaning(escape: re.Match[bytes]) -> bytes | None:
    """What an escape stands for; None where it only looks like one."""
    digits = escape[escape.lastgroup] if escape.lastgroup else b""
    match escape.lastgroup:
        case None:
            return b""
        case "percent" | "byte":
            return bytes.fromhex(digits.decode())
        case "low":
            code = 0x10000 + ((int(escape["high"], 16) - 0xD800) << 10) + int(digits, 16) - 0xDC00
        case "name":
            name = escape[0].decode()
            meaning = html.unescape(name)
            return None if meaning == name else meaning.encode()
        case kind:
            code = int(digits, 10 if kind == "decimal" else 16)
    return chr(code).encode("utf-8", "surrogatepass") if code <= sys.maxunicode else None


def _places(needle: bytes, data: bytes) -> Iterator[_Span]:
    at = data.find(needle)
    while at >= 0:
        yield at, at + len(needle)
        at = data.find(needle, at + 1)


def _joined(spans: Iterable[_Span]) -> Iterator[_Span]:
    """Places by where they begin; those that overlap are one, those side by side are two."""
    start = end = 0
    for begins, ends in spans:
        if begins >= end:
            if end:
                yield start, end
            start = begins
        end = max(end, ends)
    if end:
        yield start, end


def _masked(raw: bytes, spans: Iterable[_Span]) -> str:
    parts: list[bytes] = []
    done = 0
    for start, end in _joined(sorted(spans)):
        parts += (raw[done:start], MASK.encode())
        done = end
    return b"".join((*parts, raw[done:])).decode("utf-8", "surrogatepass")


def _needles(secret: str) -> set[bytes]:
    """The forms of a secret, in lower case, each also as a view of it shows it."""
    plain = {text.encode() for text in _spellings(secret)} | _digits(secret.encode())
    found = {form.lower() for each in plain for form in (each, _settled(each))}
    return {needle for needle in found if len(needle) >= _SHORTEST_NEEDLE}


def _settled(raw: bytes) -> bytes:
    """What is left when nothing is to be decoded any more."""
    view = _View(raw)
    for _ in range(_DEEPEST):
        after = view.decoded()
        if after is None:
            break
        view = after
    return view.data


def _spellings(secret: str) -> set[str]:
    """The secret, and what making a text fit to be shown, or ASCII, leaves of it, unless that is next to nothing."""
    seen = "".join(character for character in secret if unicodedata.category(character) != "Cf")
    ascii_only = {secret.encode("ascii", errors).decode() for errors in ("ignore", "replace")}
    return {secret} | {text for text in {fit(secret), seen} | ascii_only if len(text) >= _SHORTEST_SPELLING}


def _digits(raw: bytes) -> set[bytes]:
    """In hexadecimal; in base64 (RFC 4648, 4 and 5) by itself, and behind something else, as in `user:password`."""
    forms = {raw.hex().encode()}
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        alone = encode(raw)
        forms |= {alone, alone.rstrip(b"=")}
        for before in range(3):
            # Those characters that no neighbour has a bit in.
            first, end = math.ceil(before * 8 / 6), (before + len(raw)) * 8 // 6
            middle = encode(bytes(before) + raw)[first:end]
            if len(middle) >= _SHORTEST_MIDDLE:
                forms.add(middle)
    return forms
