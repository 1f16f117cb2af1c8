"""Cuts an iCalendar stream into calendars, components and lines (RFC 5545, 3.1 and 3.4).

What they say is not read. Any bytes will do: what doesn't fit is reported as a fault and skipped, so that the rest can
be used.

Terms: a logical line is one with its folds undone. A place is a byte offset, so that one component can be replaced and
every other byte of a file stays as its owner wrote it.

Steps: logical lines are taken one by one. A BEGIN line opens a component and an END line closes it, on a stack of
names; where the two don't match, a fault is noted and the stack is cut back to where it fits.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

MAX_FAULTS = 20
"""How many faults of one stream are told apart; the rest is counted."""

MAX_DEPTH = 16
"""How deep components may lie within each other; RFC 5545 needs three levels."""

_OUTERMOST = frozenset({"VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY", "VTIMEZONE"})
"""Components that lie right in a calendar; one that begins elsewhere shows that an end is missing."""

_WITHIN = frozenset({"VALARM", "STANDARD", "DAYLIGHT"})
"""Components that lie within those. What lies in one that nobody knows (RFC 5545, 3.6) is its own business."""

_LINES_A_STEP = 1000
_MAX_KIND = 64
_FOLD = re.compile(rb"\r?\n[ \t]")
_BLANK = re.compile(rb"[\r\n]+(?![ \t])")
_LINE = re.compile(rb"[^\n]*(?:\n[ \t][^\n]*)*(?:\n|\Z)")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class IcsComponent:
    """A component right in a calendar, say a VEVENT: `content[start:end]`.

    `lines` are its own properties, unfolded; those of components within it are left out.
    """

    kind: str
    start: int
    end: int
    lines: tuple[bytes, ...]

    def value(self, name: str) -> bytes | None:
        """The value of the first property with this name, as it stands; None where there is none."""
        return next((line_value(line) for line in self.lines if line_name(line) == name), None)


@dataclass(slots=True)
class IcsCalendar:
    """A VCALENDAR: its properties, its components, and where its END line begins, if any."""

    lines: list[bytes] = field(default_factory=list)
    components: list[IcsComponent] = field(default_factory=list)
    end_line: int | None = None


@dataclass(frozen=True, slots=True)
class IcsStream:
    """What a stream holds, and what is wrong with how it is put together."""

    calendars: tuple[IcsCalendar, ...]
    faults: tuple[str, ...]


def line_name(line: bytes) -> str:
    """The name of the property on an unfolded line, in upper case."""
    end = min((place for place in (line.find(b":"), line.find(b";")) if place >= 0), default=len(line))
    return line[:end].decode("ascii", "replace").strip().upper()


def line_value(line: bytes) -> bytes:
    """The value on an unfolded line: what follows the first colon that no quotes enclose."""
    quoted = False
    for place, char in enumerate(line):
        if char == ord('"'):
            quoted = not quoted
        elif char == ord(":") and not quoted:
            return line[place + 1 :]
    return b""


def _kind(line: bytes) -> str:
    """Which component a line begins or ends.

    None that is known has a name half as long as what is kept.
    """
    return line_value(line[:_MAX_KIND]).strip().decode("ascii", "replace").upper()


def cut(content: bytes) -> IcsStream:
    """The calendars of a stream. Takes time in proportion to its length, whatever it holds."""
    steps = cutting(content)
    while True:
        try:
            next(steps)
        except StopIteration as done:
            stream: IcsStream = done.value
            return stream


def cutting(content: bytes) -> Generator[None, None, IcsStream]:
    """`cut` in steps, for whom it may take too long at once."""
    cutter = _Cutter()
    for number, (start, end, line) in enumerate(_logical_lines(content)):
        cutter.take(start, end, line)
        if number % _LINES_A_STEP == 0:
            yield
    return cutter.finish(len(content))


def _logical_lines(content: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Each line with its place, folds undone.

    Lines may end as RFC 5545 says, or with a line feed alone.
    """
    position = 0
    while position < len(content):
        if content.startswith(_BYTE_ORDER_MARK, position):  # each of the files that a stream was put together from
            position += len(_BYTE_ORDER_MARK)
            continue
        if blank := _BLANK.match(content, position):
            position = blank.end()
            continue
        found = _LINE.match(content, position)
        end = len(content) if found is None else found.end()
        line = content[position:end]
        yield position, end, (_FOLD.sub(b"", line) if b"\n " in line or b"\n\t" in line else line).rstrip(b"\r\n")
        position = end


class _Cutter:
    """Takes line by line.

    `_open` are the names of the components that are open, the outermost first. A component without a calendar around it
    (`_bare`) is given one of its own.
    """

    def __init__(self) -> None:
        self._calendars: list[IcsCalendar] = []
        self._open: list[str] = []
        self._begun = 0
        self._lines: list[bytes] = []
        self._faults: list[str] = []
        self._more_faults = 0
        self._outside = False
        self._bare = False
        self._too_deep = 0

    def take(self, start: int, end: int, line: bytes) -> None:
        head = line[:6].upper()
        if head.startswith(b"BEGIN:"):
            self._begin(_kind(line), start)
        elif head.startswith(b"END:"):
            self._end(_kind(line), start, end)
        elif not line.strip():
            return
        elif not self._open:
            self._outside = True
        elif self._too_deep:
            return
        elif len(self._open) == 1:
            self._calendars[-1].lines.append(line)
        elif len(self._open) == 2:  # noqa: PLR2004 -- a calendar and a component in it
            self._lines.append(line)

    def finish(self, length: int) -> IcsStream:
        if self._open:
            self._fault(f"the file ends within {self._open[-1]}, at byte {length}")
        if self._outside:
            self._fault("there is text outside of BEGIN:VCALENDAR and END:VCALENDAR")
        if not self._calendars:
            self._fault("there is no BEGIN:VCALENDAR")
        if self._more_faults:
            self._faults.append(f"and {self._more_faults} more faults of this kind")
        return IcsStream(tuple(self._calendars), tuple(self._faults))

    def _begin(self, kind: str, start: int) -> None:
        if kind == "VCALENDAR" and self._open:
            self._fault(f"{kind} begins at byte {start} while another is open")
            self._open.clear()
            self._too_deep = 0
        if len(self._open) == MAX_DEPTH:
            self._too_deep += 1
            return
        if kind in _OUTERMOST and len(self._open) > 1 and (_OUTERMOST | _WITHIN).issuperset(self._open[1:]):
            self._fault(f"{kind} begins at byte {start} while {self._open[-1]} is open")
            del self._open[1:]
        if not self._open:
            self._calendars.append(IcsCalendar())
            self._bare = kind != "VCALENDAR"
            if self._bare:
                self._outside = True
                self._open.append("VCALENDAR")
        if len(self._open) == 1:
            self._begun, self._lines = start, []
        self._open.append(kind)

    def _end(self, kind: str, start: int, end: int) -> None:
        if self._too_deep:
            self._too_deep -= 1
            return
        if kind not in self._open:
            if self._open:
                self._fault(f"END:{kind} at byte {start} ends nothing")
            return
        if self._open[-1] != kind:
            self._fault(f"END:{kind} at byte {start} comes while {self._open[-1]} is open")
            while self._open.pop() != kind:
                pass
            return
        self._open.pop()
        if len(self._open) == 1:
            self._calendars[-1].components.append(IcsComponent(kind, self._begun, end, tuple(self._lines)))
            if self._bare:
                self._open.clear()
        elif not self._open:
            self._calendars[-1].end_line = start

    def _fault(self, text: str) -> None:
        if len(self._faults) < MAX_FAULTS:
            self._faults.append(text)
        else:
            self._more_faults += 1
