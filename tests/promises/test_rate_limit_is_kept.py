"""Promise: at most 190 requests in any 60 seconds for a site, also by several processes on one machine.

And where the service limits the rate itself, with whatever Retry-After, the wait is bounded and told.
"""

import asyncio
import email.utils
import fcntl
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.api.clock import SystemClock, nobody
from reconciler.api.rate_limit import RateLimiter
from reconciler.machine import FileLedger, Machine, ledger
from reconciler.model.traffic import Rate
from reconciler.sandbox.faults import WRITES, Answer, Fault, Faults
from tests.promises.hammer import RATE
from tests.support.builders.api import SITE_ID, FakeClock, run
from tests.support.cli.command import Extcal
from tests.support.cli.worlds import PASSWORD_ENV, connection, site, world
from tests.support.profiles import examples
from tests.support.servers.scripted import Reply, Scripted, serving
from tests.support.timeouts import TIMEOUT, until

_ROOT = Path(__file__).parents[2]
_WINDOW = 60.0


def most_in_a_window(moments: Sequence[float], seconds: float) -> int:
    """The referee: the most that happened within any span of so many seconds."""
    ordered = sorted(moments)
    return max((sum(first <= moment < first + seconds for moment in ordered) for first in ordered), default=0)


@dataclass(frozen=True)
class Step:
    """What a run does next: pause, then send one more, or be told by the service to rest for `rest` seconds."""

    pause: float
    rest: float | None


_STEPS = st.builds(Step, st.floats(0, 40), st.none() | st.none() | st.none() | st.floats(0, 60))
_RUNS = st.lists(st.lists(_STEPS, max_size=14), min_size=1, max_size=4)


@examples(30)
@given(most=st.integers(1, 8), runs=_RUNS)
def test_runs_on_one_machine_keep_the_rate_together(most: int, runs: list[list[Step]]) -> None:
    """However many runs count in one ledger, whenever they ask: no window holds too many, and a rest is everyone's."""
    clock = FakeClock()
    went: list[float] = []
    rests: list[tuple[float, float]] = []

    async def one(limiter: RateLimiter, steps: list[Step]) -> None:
        for step in steps:
            await clock.sleep(step.pause)
            if step.rest is None:
                await limiter.turn()
                went.append(clock.monotonic())
            else:
                limiter.hold(step.rest)
                rests.append((clock.monotonic(), clock.monotonic() + step.rest))

    async def story(state: str) -> None:
        sites = [Machine(Path(state), "a service").site(SITE_ID) for _ in runs]
        limiters = [RateLimiter(Rate(most, _WINDOW), clock, nobody, each.ledger) for each in sites]
        await asyncio.gather(*(one(limiter, steps) for limiter, steps in zip(limiters, runs, strict=True)))

    with tempfile.TemporaryDirectory() as state:
        run(story(state))
    assert len(went) == sum(step.rest is None for steps in runs for step in steps)
    assert most_in_a_window(went, _WINDOW - 1e-6) <= most
    assert not [moment for moment in went for begun, over in rests if begun < moment < over - 1e-6]


def _torn(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2 + 3)


def _taken_away(path: Path) -> None:
    if path.is_dir():
        path.rmdir()
    else:
        path.unlink(missing_ok=True)


def _a_folder(path: Path) -> None:
    _taken_away(path)
    path.mkdir()


def _elsewhere(path: Path) -> None:
    _taken_away(path)
    path.symlink_to("/dev/null")


def _not_there(path: Path) -> None:
    """The folder's place is taken by a file."""
    shutil.rmtree(path.parent, ignore_errors=True)
    path.parent.write_bytes(b"")


def _random(data: bytes) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_bytes(data)

    return write


def _times(moments: list[float]) -> Callable[[Path], None]:
    return _random(b"".join(map(ledger._TIME.pack, moments)))


_DAMAGES = st.sampled_from([_torn, _taken_away, _a_folder, _elsewhere, _not_there]) | st.one_of(
    st.binary(max_size=200).map(_random), st.lists(st.floats(width=64), max_size=12).map(_times)
)


@examples(30)
@given(most=st.integers(1, 6), steps=st.lists(st.tuples(st.floats(0, 30), st.none() | _DAMAGES), max_size=30))
def test_a_broken_ledger_costs_nothing_but_the_company(
    most: int, steps: list[tuple[float, Callable[[Path], None] | None]]
) -> None:
    """Torn, overwritten, replaced or removed in use: no crash, no endless wait, and never too many of this process."""
    clock = FakeClock()
    went: list[float] = []
    waited: list[float] = []

    async def story(state: str) -> None:
        place = Machine(Path(state), "a service").site(SITE_ID)
        limiter = RateLimiter(Rate(most, _WINDOW), clock, lambda wait, _why: waited.append(wait), place.ledger)
        for pause, damage in steps:
            await clock.sleep(pause)
            if damage is not None:
                # What was damaged before may be past this damage.
                with suppress(OSError):
                    damage(place.path / "requests")
            await limiter.turn()
            went.append(clock.monotonic())

    with tempfile.TemporaryDirectory() as state:
        run(story(state))
    assert len(went) == len(steps)
    assert most_in_a_window(went, _WINDOW - 1e-6) <= most
    assert max(waited, default=0) <= 120


def test_entries_of_before_a_restart_of_the_machine_hold_nobody_up(tmp_path: Path) -> None:
    """The monotonic clock begins anew with the machine: what is from the future is of before, a rest likewise."""
    place = Machine(tmp_path, "a service").site(SITE_ID)
    before = FakeClock()
    before.elapsed = 50_000.0
    for _ in range(190):
        assert place.ledger.take(before.monotonic, 190, _WINDOW) == 0
    place.ledger.hold(before.monotonic, 60, _WINDOW)
    assert place.ledger.take(before.monotonic, 190, _WINDOW) == 60
    after = FakeClock()
    assert [place.ledger.take(after.monotonic, 190, _WINDOW) for _ in range(190)] == [0] * 190
    assert place.ledger.take(after.monotonic, 190, _WINDOW) == _WINDOW


def test_a_process_that_was_suspended_while_it_counted_does_not_hold_others_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ledger that is not let go of is given up, and the process counts for itself."""
    monkeypatch.setattr(ledger, "LOCK_SECONDS", 0.1)
    path = tmp_path / "requests"
    clock = FakeClock()
    limiter = RateLimiter(Rate(2, _WINDOW), clock, nobody, FileLedger(path, lambda: None))
    run(limiter.turn())
    with path.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        run(limiter.turn())
    run(limiter.turn())
    assert clock.monotonic() == _WINDOW


def test_processes_keep_the_rate_together_even_where_one_is_killed(tmp_path: Path) -> None:
    """Three processes on one ledger, one of them killed in the midst: never are too many let through at a time."""
    with serving() as server, ExitStack() as stack:
        server.otherwise = lambda: Reply({"connections": []})
        processes = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-m", "tests.promises.hammer", server.url, str(tmp_path), calls],
                    cwd=_ROOT,
                    stdout=subprocess.PIPE,
                    encoding="ascii",
                )
            )
            for calls in ("6", "6", "400")
        ]
        until(lambda: len(server.asked) > RATE.requests)
        processes[2].kill()
        written = [process.communicate(timeout=TIMEOUT)[0] for process in processes]
        assert [process.returncode for process in processes] == [0, 0, -9]
    turns = [float(line) for text in written for line in text.split()]
    assert most_in_a_window(turns, RATE.seconds - 1e-6) <= RATE.requests
    assert RATE.requests < len(server.asked) <= len(turns)
    # One that is asked again takes another turn.
    assert all(len(text.split()) >= 6 for text in written[:2])


@dataclass
class Limiting:
    """The command before a service that limits the rate; no wait takes time, and all are noted."""

    extcal: Extcal
    server: Scripted
    slept: list[float]

    def answer(self, *, times: int | None, retry_after: str | float | None) -> None:
        """Answer 429 so many times, or always, and then that there is nothing; a number is seconds from now."""
        text = http_date(retry_after) if isinstance(retry_after, float) else retry_after
        limited = Reply(status=429, headers={} if text is None else {"Retry-After": text})
        self.server.script(*[limited] * (times or 0))
        self.server.otherwise = lambda: limited if times is None else Reply({"providers": [], "connections": []})


@pytest.fixture
def limiting(extcal: Extcal, monkeypatch: pytest.MonkeyPatch) -> Iterator[Limiting]:
    """The command, with the manifest of a site, before a service of its own."""
    slept: list[float] = []
    monotonic = SystemClock.monotonic

    async def sleep(_clock: SystemClock, seconds: float) -> None:
        slept.append(seconds)
        await asyncio.sleep(0)

    monkeypatch.setattr(SystemClock, "sleep", sleep)
    monkeypatch.setattr(SystemClock, "monotonic", lambda clock: monotonic(clock) + sum(slept))
    extcal.env |= PASSWORD_ENV
    extcal.write(site())
    with serving() as server:
        extcal.env["EXTCAL_ENDPOINT"] = server.url
        yield Limiting(extcal, server, slept)


def http_date(seconds: float) -> str:
    """A moment so many seconds from now, as HTTP writes it."""
    return email.utils.formatdate(time.time() + seconds, usegmt=True)


@pytest.mark.parametrize(
    ("retry_after", "longest", "told"),
    [
        (None, 2.0, "try again in a minute"),
        ("-30", 2.0, "try again in a minute"),
        ("soon", 2.0, "try again in a minute"),
        ("0", 0.5, "try again in a minute"),
        ("30", 30.5, "try again in 30 s"),
        (-90.0, 0.5, "try again in a minute"),
    ],
)
def test_a_limit_that_stays_ends_in_a_message(
    limiting: Limiting, retry_after: str | float | None, longest: float, told: str
) -> None:
    """Whatever Retry-After says, after four tries for each of two calls the plan fails, and says when to come back."""
    limiting.answer(times=None, retry_after=retry_after)
    ran = limiting.extcal("plan", "manifests")
    assert ran.code == 1
    assert "HTTP 429: the service gave no explanation (Too Many Requests); " in ran.err
    assert f"other programs share the site's rate limit; {told}" in ran.err
    assert len(limiting.server.asked) <= 8
    assert max(limiting.slept) <= longest
    assert sum(limiting.slept) <= 8 * longest


@pytest.mark.parametrize("retry_after", ["61", "3600", "9" * 400, 7200.0, 1e11])
def test_a_wait_beyond_a_minute_is_left_to_the_user(limiting: Limiting, retry_after: str | float) -> None:
    """A Retry-After that nobody wants to wait for ends the run at once; the message says how long it is."""
    limiting.answer(times=None, retry_after=retry_after)
    ran = limiting.extcal("plan", "manifests")
    assert ran.code == 1
    assert re.search(r"share the site's rate limit; try again in \d+ s", ran.err)
    assert limiting.slept == []
    assert len(limiting.server.asked) <= 2


@pytest.mark.parametrize(("retry_after", "least", "most"), [("7", 7, 7.5), (45.0, 20, 45.5), ("60", 60, 60.5)])
def test_a_wait_that_is_asked_for_is_kept_and_told(
    limiting: Limiting, retry_after: str | float, least: float, most: float
) -> None:
    """Once limited, the whole site rests for as long as was asked, says so on stderr, and then goes on."""
    limiting.answer(times=1, retry_after=retry_after)
    ran = limiting.extcal("plan", "manifests")
    assert (ran.code, len(limiting.server.asked)) == (0, 3)
    assert least <= max(limiting.slept) <= most
    assert re.search(r"^waiting \d+ s: List\w+: the service limits the rate$", ran.err, re.MULTILINE)


def test_what_is_refused_for_its_rate_while_applying_is_sent_again(limiting: Limiting) -> None:
    """A write that was limited was not carried out: it goes again when it may, and waits are told while it is done."""
    extcal = limiting.extcal
    extcal.on(world())
    extcal.sandbox.inject(Faults((Fault(Answer(429, headers=(("Retry-After", "3"),)), on=WRITES, times=1),)))
    try:
        extcal.write(site(), connection(0))
        ran = extcal("apply", "manifests", "--auto-approve", "--endpoint", extcal.sandbox.endpoint)
    finally:
        extcal.sandbox.inject(None)
    assert ran.code == 0, ran.err
    assert "waiting 3 s: ConnectByCredentials: the service limits the rate" in ran.err
    assert [request.status for request in extcal.writes if "connectByCredentials" in request.path] == [429, 200]


def test_a_run_knows_what_others_on_the_machine_have_sent(tmp_path: Path) -> None:
    """What one limiter has counted, and the rest that it was asked for, another one of the site tells too."""
    clock = FakeClock()
    one, other = (
        RateLimiter(Rate(2, _WINDOW), clock, nobody, Machine(tmp_path, "a service").site(SITE_ID).ledger)
        for _ in range(2)
    )
    run(one.turn())
    sent = clock.monotonic()
    one.hold(7)
    assert other.counted() == (sent + 7, (sent,))
