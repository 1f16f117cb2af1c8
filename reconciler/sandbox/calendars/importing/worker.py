"""The process in which calendars are read and expanded: whatever they hold, it can be cut short or killed.

A request is a line of JSON and then as many bytes of a calendar as it says; the answer is a line of JSON. The process
ends when its input does. Started by `reconciler.sandbox.calendars.importing.expander`.
"""

from __future__ import annotations

import contextlib
import json
import resource
import sys
import warnings
from collections import OrderedDict
from dataclasses import astuple
from typing import TYPE_CHECKING, BinaryIO

from reconciler.sandbox.calendars.importing.expansion import Limits, expand
from reconciler.sandbox.calendars.importing.series import Contents, read

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_MEMORY = 1024**3
"""How many bytes of memory the process may take (where the system lets it be bounded)."""

_READ_SECONDS = 8.0
_KEPT = 8


class _Reader:
    """Answers requests; keeps the latest calendars, since one is mostly asked about again."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[object, object], Contents] = OrderedDict()

    def answer(self, asked: Mapping[str, object], content: bytes) -> dict[str, object]:
        """What a calendar comes to in the range that is asked about."""
        contents = self._contents((asked["digest"], asked["zone"]), content)
        done = expand(
            contents.series,
            float(str(asked["start"])),
            float(str(asked["end"])),
            all_day=None if asked["all_day"] is None else bool(asked["all_day"]),
            skipped=json.loads(str(asked["skipped"])),
            limits=Limits(),
        )
        return {
            "until": done.until,
            "instances": [astuple(instance) for instance in done.instances],
            "faults": [*contents.faults, *done.faults],
            "given_up": done.given_up,
            "reasons": done.reasons,
        }

    def _contents(self, key: tuple[object, object], content: bytes) -> Contents:
        if key in self._kept:
            self._kept.move_to_end(key)
        else:
            self._kept[key] = read(content, str(key[1]), _READ_SECONDS)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return self._kept[key]


def work(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until there are no more."""
    reader = _Reader()
    while line := requests.readline():
        asked = json.loads(line)
        answer = reader.answer(asked, requests.read(int(asked["size"])))
        answers.write(json.dumps(answer).encode() + b"\n")
        answers.flush()


def main() -> None:
    """Work on standard input and output, within the bounds of memory."""
    warnings.simplefilter("ignore")
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, resource.RLIM_INFINITY))
    work(sys.stdin.buffer, sys.stdout.buffer)


if __name__ == "__main__":
    main()
