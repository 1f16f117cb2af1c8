"""A view is what a text says when its escapes are decoded, or what is seen of it when it is drawn.

Each view knows the way back to the text that it was made of.
"""

import html
import re
import sys
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from reconciler.text import unseen

# Percent-encoding (RFC 3986, 2.1); backslashes, each of which is doubled wherever a text is put into another, and
# what they begin in JSON (RFC 8259, 7) and Python; references in HTML (13.1.4). No part of it is tried twice.
_ESCAPE = re.compile(
    rb"%(?P<percent>[0-9a-fA-F]{2})"
    rb"|\\++(?:u(?P<high>[dD][89abAB][0-9a-fA-F]{2})\\++u(?P<low>[dD][c-fC-F][0-9a-fA-F]{2})"
    rb"|u(?P<unit>[0-9a-fA-F]{4})|U(?P<wide>[0-9a-fA-F]{8})|x(?P<byte>[0-9a-fA-F]{2}))?"
    rb"|&(?:#0*(?P<decimal>[0-9]{1,7})|#[xX]0*(?P<hexadecimal>[0-9a-fA-F]{1,6})|(?P<name>[a-zA-Z][a-zA-Z0-9]{1,31}));?"
)
_MARKS = (b"%", b"\\", b"&")
# Of what controls are written as in JSON, Python and C. A backslash may also stand there for nothing, as before quotes.
_BREAK = re.compile(rb"\\++[0abefnrtv]")
_CONTROLS = bytes((*range(32), 127))
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]+")
_CONTROL_OR_BLANK = re.compile(rb"[\x00-\x20\x7f]+")
_ESCAPED = b"\"'/"

Span = tuple[int, int]
"""A place in bytes: where it begins, and where it ends."""


@dataclass(frozen=True, slots=True)
class View:
    """Bytes, and how they came of those of the view `before`: in pieces, each of which is an escape or stands as it is.

    `starts` are the places at which the pieces begin, `origins` those where they began before, `plain` whether a piece
    was no escape.
    """

    data: bytes
    before: "View | None" = None
    starts: list[int] = field(default_factory=list)
    origins: list[int] = field(default_factory=list)
    plain: list[bool] = field(default_factory=list)

    def decoded(self) -> "View | None":
        """What it says when its escapes are decoded, a plus sign being a blank; None where it has none."""
        data = self.data.replace(b"+", b" ")
        meanings = ((*escape.span(), meaning) for escape in _escapes(data) if (meaning := _meaning(escape)) is not None)
        return self._with(data, meanings)

    def drawn(self, *, blanks: bool) -> "View | None":
        """What is left without characters that may be shown as nothing; None where it has none of them.

        Where `blanks` are among them, so are all that may be shown as one.
        """
        return self._with(self.data, ((*place, b"") for place in _undrawn(self.data, blanks=blanks)))

    def unbroken(self) -> "View | None":
        """What is left without escapes of line ends and their like, such as JSON has; None where it has none."""
        if b"\\" not in self.data:
            return None
        return self._with(self.data, ((*escape.span(), b"") for escape in _BREAK.finditer(self.data)))

    def _with(self, data: bytes, pieces: Iterable[tuple[int, int, bytes]]) -> "View | None":
        """The data, with pieces of it replaced; None where that leaves it as this view has it."""
        view = View(b"", self)
        parts: list[bytes] = []
        done = length = 0

        def add(part: bytes, origin: int, *, plain: bool) -> None:
            nonlocal length
            view.starts.append(length)
            view.origins.append(origin)
            view.plain.append(plain)
            parts.append(part)
            length += len(part)

        for start, end, meaning in pieces:
            add(data[done:start], done, plain=True)
            add(meaning, start, plain=False)
            done = end
        if not parts and data == self.data:
            return None
        add(data[done:], done, plain=True)
        return View(b"".join(parts), self, view.starts, view.origins, view.plain)

    def traced(self, span: Span) -> Span:
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


def _undrawn(data: bytes, *, blanks: bool) -> Iterator[Span]:
    """Where characters stand that may be shown as nothing, and blanks where that matters and there is more than one."""
    if data.isascii():
        # Almost all texts end here.
        if len(data.translate(None, _CONTROLS)) < len(data) or (blanks and b"  " in data):
            yield from (found.span() for found in (_CONTROL_OR_BLANK if blanks else _CONTROL).finditer(data))
        return
    # What is not UTF-8, halves of characters included, is taken for halves.
    text = data.decode("utf-8", "surrogateescape")
    done = place = 0
    for start, end in unseen(text, blanks=blanks):
        place += len(text[done:start].encode("utf-8", "surrogateescape"))
        after = place + len(text[start:end].encode("utf-8", "surrogateescape"))
        yield place, after
        done, place = end, after
