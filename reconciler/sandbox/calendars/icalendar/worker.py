"""Reads and expands calendars in a process that can be killed, whatever they hold.

A request is a line of JSON and then as many bytes of a calendar as it says; the answer is a line of JSON. The process
ends when its input does. Started by `reconciler.sandbox.calendars.icalendar.expander`.
"""

from __future__ import annotations

import contextlib
import json
import resource
import sys
import time
from dataclasses import astuple
from typing import TYPE_CHECKING, BinaryIO

from reconciler.sandbox.calendars.icalendar.expansion import Limits, expand
from reconciler.sandbox.calendars.icalendar.instances import TimeRange
from reconciler.sandbox.calendars.icalendar.parser import CalendarParser
from reconciler.sandbox.calendars.recent import Recent

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

MAX_MEMORY = 1024**3
"""How many bytes of memory the process may take (where the system lets it be bounded)."""

MAX_FAULTS = 1000
"""How many faults of a calendar are told apart; the rest is counted."""

_MAX_KEPT = 24 * 1024 * 1024
"""Of the calendars' bytes; what was read of them takes many times as much."""


class _Responder:
    """Answers requests; keeps the latest calendars, since they are mostly asked about again."""

    def __init__(self) -> None:
        self._kept: Recent[tuple[CalendarParser, int]] = Recent(_MAX_KEPT, lambda kept: kept[1])

    def answer(self, asked: Mapping[str, Any], content: bytes) -> dict[str, object]:
        """What a calendar comes to in the range that is asked about."""
        over_at = time.monotonic() + asked["seconds"]
        reader = self._reader((asked["digest"], asked["zone"], asked["owner"]), content)
        if not reader.go_on(over_at):
            # Next time it goes on from here.
            fault = "there was no time to read it; all of it is left out"
            return {"until": asked["end"], "instances": [], "faults": [fault], "complete": False}
        contents = reader.contents
        done = expand(
            contents.series,
            TimeRange(asked["start"], asked["end"], asked["all_day"]),
            over_at=over_at,
            limits=Limits(enough=asked["enough"]),
        )
        return {
            "until": done.until,
            "instances": [astuple(instance) for instance in done.instances],
            "faults": _first([*contents.faults, *done.faults]),
            "complete": done.complete,
        }

    def _reader(self, key: tuple[str, str, str], content: bytes) -> CalendarParser:
        kept = self._kept.get(key)
        if kept is None:
            kept = CalendarParser(content, key[1], key[2]), len(content) + 1024
            self._kept.put(key, kept)
        return kept[0]


def _first(faults: list[str]) -> list[str]:
    """As many faults as anybody reads, and how many more there are."""
    more = len(faults) - MAX_FAULTS
    return faults if more <= 0 else [*faults[:MAX_FAULTS], f"and {more} more faults of this kind"]


def work(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until there are no more."""
    responder = _Responder()
    while line := requests.readline():
        asked = json.loads(line)
        answer = responder.answer(asked, requests.read(int(asked["size"])))
        answers.write(json.dumps(answer).encode() + b"\n")
        answers.flush()


def main() -> None:
    """Work on standard input and output, within the bounds of memory."""
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, resource.RLIM_INFINITY))
    work(sys.stdin.buffer, sys.stdout.buffer)


if __name__ == "__main__":
    main()
