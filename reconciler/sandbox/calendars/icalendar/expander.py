"""Has worker processes expand calendars, and does without one that doesn't answer in time."""

from __future__ import annotations

import hashlib
import json
import os
import selectors
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import reconciler
from reconciler.sandbox.calendars.icalendar.instances import Instance
from reconciler.sandbox.calendars.recent import Recent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.sandbox.calendars.icalendar.instances import TimeRange

WORKER = "reconciler.sandbox.calendars.icalendar.worker"
WORKERS = 2
GRACE_SECONDS = 2.0
"""How long after the time that it was given a worker may answer, before it is killed; starting takes some of it."""

_CALENDAR_SHARE = 4 / 9
"""The most that one calendar may take of an operation's time which others wait for."""

_MAX_KEPT = 32 * 1024 * 1024
"""How long the lines of all cached answers may be together; in memory an answer takes a few times as much."""

_CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ExpansionRequest:
    """A calendar and the range of time that is asked about.

    `zone` is the one of floating times.

    `owner` is the address of the account: what it has declined keeps nobody busy. `enough` instances answer it; the
    rest of the range is asked for in another request.
    """

    content: bytes
    zone: str
    time_range: TimeRange
    owner: str = ""
    enough: int = 2000


@dataclass(frozen=True, slots=True)
class ExpansionAnswer:
    """The instances that start before `until`, in order, and what could not be read, in words."""

    until: float
    instances: tuple[Instance, ...]
    faults: tuple[str, ...]


class _Worker:
    """One process; not to be used by two threads at once."""

    def __init__(self) -> None:
        root = str(Path(reconciler.__file__).parents[1])
        path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
        self._process = subprocess.Popen(  # noqa: S603 -- our own module, by the interpreter that runs us
            # Modules are not looked for in the working folder (-P): it may be anybody's checkout.
            [sys.executable, "-P", "-m", WORKER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={k: v for k, v in os.environ.items() if not k.startswith("EXTCAL_")} | {"PYTHONPATH": path},
            bufsize=0,
            # Ctrl-C is for the sandbox, which then closes the worker.
            start_new_session=True,
        )

    def ask(self, request: bytes, seconds: float) -> bytes | None:
        """The answer's line; None where the worker died, or didn't answer in time."""
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise TypeError("the worker's streams are pipes")
        deadline = time.monotonic() + seconds
        answer = bytearray()
        unsent = memoryview(request)
        with selectors.DefaultSelector() as selector:
            os.set_blocking(stdin.fileno(), False)
            selector.register(stdin, selectors.EVENT_WRITE)
            selector.register(stdout, selectors.EVENT_READ)
            while not answer.endswith(b"\n"):
                ready = selector.select(max(0.0, deadline - time.monotonic()))
                if not ready:
                    return None
                for key, _ in ready:
                    if key.fileobj is stdin:
                        try:
                            unsent = unsent[os.write(stdin.fileno(), unsent[:_CHUNK]) :]
                        except BrokenPipeError:
                            return None
                        if not unsent:
                            selector.unregister(stdin)
                    elif chunk := os.read(stdout.fileno(), _CHUNK):
                        answer += chunk
                    else:
                        return None
        return bytes(answer)

    @property
    def ended(self) -> bool:
        """Whether the process has ended, by whomever."""
        return self._process.poll() is not None

    def close(self, *, kill: bool) -> None:
        """End the process: by closing its input, or at once."""
        with self._process:
            if kill:
                self._process.kill()


class _Slot:
    """A worker that is started when it is needed, and started anew after it was killed.

    For one thread at a time.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._worker: _Worker | None = None
        self._closed = False

    def ask(self, head: Mapping[str, object], content: bytes, seconds: float) -> bytes | None:
        """The answer's line; None where there is none in time.

        The worker learns how much time is left once the questions before this one are answered.
        """
        over_at = time.monotonic() + seconds
        if not self._lock.acquire(timeout=max(0.0, seconds)):
            return None
        try:
            if self._closed:
                return None
            worker = self._usable()
            self._worker = None
            line: bytes | None = None
            try:
                left = over_at - time.monotonic()
                request = json.dumps({**head, "seconds": left, "size": len(content)}).encode() + b"\n" + content
                line = worker.ask(request, left + GRACE_SECONDS)
            finally:
                if line is None:
                    worker.close(kill=True)
                else:
                    self._worker = worker
            return line
        finally:
            self._lock.release()

    def _usable(self) -> _Worker:
        """The worker, or a new one in the place of one that ended since its last answer."""
        if self._worker is not None and self._worker.ended:
            self._worker.close(kill=True)
            self._worker = None
        return self._worker or _Worker()

    def close(self) -> None:
        """End the process; who asks afterwards gets no answer."""
        with self._lock:
            self._closed = True
            worker, self._worker = self._worker, None
        if worker is not None:
            worker.close(kill=False)


class Expander:
    """Shares a few workers among threads, and remembers whole answers.

    A calendar always is the same worker's, which keeps what it has read of it. `seconds` are those of an operation.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._slots = [_Slot() for _ in range(WORKERS)]
        self._answers: Recent[tuple[ExpansionAnswer, int]] = Recent(_MAX_KEPT, lambda kept: kept[1] + 1024)

    def expand(self, request: ExpansionRequest, seconds: float | None = None) -> ExpansionAnswer:
        """What the calendar comes to.

        What can't be read of it in that many seconds is among the answer's faults.

        Unless they are given, it may take those of a whole operation.
        """
        seconds = self._seconds if seconds is None else seconds
        digest = _digest(request)
        key = (digest, request.zone, request.time_range, request.owner, request.enough)
        kept = self._answers.get(key)
        if kept is not None:
            return kept[0]
        if seconds <= 0:
            return ExpansionAnswer(request.time_range.end, (), ("there was no time to read it; all of it is left out",))
        line = self._answer_line(request, digest, seconds)
        if line is None:
            fault = f"reading it takes more than {seconds:.1f} s or too much memory; all of it is left out"
            return ExpansionAnswer(request.time_range.end, (), (fault,))
        answered = json.loads(line)
        instances = tuple(Instance(*fields) for fields in answered["instances"])
        answer = ExpansionAnswer(float(answered["until"]), instances, tuple(answered["faults"]))
        if answered["complete"]:
            self._answers.put(key, (answer, len(line)))
            return answer
        # What there was no time for would be asked for again and again.
        return ExpansionAnswer(request.time_range.end, instances, answer.faults)

    def expand_all(self, every: Sequence[ExpansionRequest], seconds: float) -> list[ExpansionAnswer]:
        """What each calendar comes to, in this order.

        All of them in that many seconds, none in most of them.

        The smallest are read first, so that a large one costs no others their time.
        """
        over_at = time.monotonic() + seconds
        at_most = self._seconds * _CALENDAR_SHARE
        answers: dict[int, ExpansionAnswer] = {}

        def work(slot: int) -> None:
            numbers = [number for number, request in enumerate(every) if _digest(request)[0] % WORKERS == slot]
            numbers.sort(key=lambda number: len(every[number].content))
            for number in numbers:
                left = over_at - time.monotonic()
                seconds = left if number == numbers[-1] else min(left, at_most)
                answers[number] = self.expand(every[number], seconds)

        with ThreadPoolExecutor(WORKERS) as threads:
            list(threads.map(work, range(WORKERS)))
        return [answers[number] for number in range(len(every))]

    def close(self) -> None:
        """End the workers; who asks afterwards gets no answer."""
        for slot in self._slots:
            slot.close()

    def _answer_line(self, request: ExpansionRequest, digest: bytes, seconds: float) -> bytes | None:
        """The worker's answer, a line of JSON; None where there is none in time."""
        head = {
            "digest": digest.hex(),
            "zone": request.zone,
            "owner": request.owner,
            "start": request.time_range.start,
            "end": request.time_range.end,
            "all_day": request.time_range.all_day,
            "enough": request.enough,
        }
        return self._slots[digest[0] % WORKERS].ask(head, request.content, seconds)


def _digest(request: ExpansionRequest) -> bytes:
    return hashlib.sha256(request.content).digest()
