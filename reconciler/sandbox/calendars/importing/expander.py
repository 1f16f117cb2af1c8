"""Asks worker processes what a calendar comes to, and does without one that doesn't answer in time."""

from __future__ import annotations

import hashlib
import json
import os
import selectors
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

import reconciler
from reconciler.sandbox.calendars.importing.instances import Instance

WORKER = "reconciler.sandbox.calendars.importing.worker"
MAX_WORKERS = 2
ANSWER_SECONDS = 25.0
"""How long a worker may take, starting included; it bounds itself to less, but one that hangs is killed."""

_KEPT_ANSWERS = 64
_KEPT_VERDICTS = 1000
_CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Asked:
    """A calendar and a range: times in seconds since the epoch, `zone` the one of floating times."""

    content: bytes
    zone: str
    start: float
    end: float
    all_day: bool | None


@dataclass(frozen=True, slots=True)
class Answered:
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

    def close(self, *, kill: bool) -> None:
        """End the process: by closing its input, or at once."""
        with self._process:
            if kill:
                self._process.kill()


class Expander:
    """Shares a few workers among threads; remembers answers, and which series of a calendar took too long."""

    def __init__(self) -> None:
        self._slots = threading.BoundedSemaphore(MAX_WORKERS)
        self._lock = threading.Lock()
        self._idle: list[_Worker] = []
        self._closed = False
        self._answers: OrderedDict[tuple[object, ...], Answered] = OrderedDict()
        self._given_up: OrderedDict[tuple[str, str], dict[int, str]] = OrderedDict()

    def expand(self, asked: Asked) -> Answered:
        """What the calendar comes to; where it can't be read at all, that is the answer's one fault."""
        digest = hashlib.sha256(asked.content).hexdigest()
        key = (digest, asked.zone, asked.start, asked.end, asked.all_day)
        with self._lock:
            if key in self._answers:
                self._answers.move_to_end(key)
                return self._answers[key]
            verdicts = dict(self._given_up.get((digest, asked.zone), {}))
        answered = self._ask(asked, digest, verdicts)
        with self._lock:
            self._answers[key] = answered
            while len(self._answers) > _KEPT_ANSWERS:
                self._answers.popitem(last=False)
            if verdicts:
                self._given_up[digest, asked.zone] = self._given_up.get((digest, asked.zone), {}) | verdicts
            while len(self._given_up) > _KEPT_VERDICTS:
                self._given_up.popitem(last=False)
        return answered

    def close(self) -> None:
        """End the workers; who asks afterwards gets no answer."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.close(kill=False)

    def _ask(self, asked: Asked, digest: str, verdicts: dict[int, str]) -> Answered:
        head = {
            "digest": digest,
            "zone": asked.zone,
            "start": asked.start,
            "end": asked.end,
            "all_day": asked.all_day,
            "skipped": json.dumps(list(verdicts)),
            "size": len(asked.content),
        }
        line = self._line(json.dumps(head).encode() + b"\n" + asked.content)
        if line is None:
            fault = f"reading it takes more than {ANSWER_SECONDS:g} s or too much memory; all of it is left out"
            return Answered(asked.end, (), (fault,))
        said = json.loads(line)
        known = tuple(verdicts.values())
        numbers, reasons = said["given_up"], said["reasons"]
        verdicts.update(zip(numbers, reasons, strict=True))
        instances = tuple(Instance(*fields) for fields in said["instances"])
        return Answered(float(said["until"]), instances, (*said["faults"], *known, *reasons))

    def _line(self, request: bytes) -> bytes | None:
        with self._slots:
            with self._lock:
                if self._closed:
                    return None
                worker = self._idle.pop() if self._idle else None
            worker = worker or _Worker()
            line: bytes | None = None
            try:
                line = worker.ask(request, ANSWER_SECONDS)
            finally:
                with self._lock:
                    keep = line is not None and not self._closed
                    if keep:
                        self._idle.append(worker)
                if not keep:
                    worker.close(kill=True)
            return line
