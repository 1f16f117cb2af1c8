"""Progress: a live line for people, plain lines now and then for logs, nothing with --quiet and nothing in results."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from reconciler.cli.console import Console
from reconciler.cli.progress import Progress, Reading
from reconciler.model.traffic import SiteTraffic
from reconciler.sandbox.contract import Operation
from reconciler.sandbox.faults import Answer, Fault, Faults
from tests.support.cli.command import Extcal
from tests.support.cli.terminal import terminal
from tests.support.cli.worlds import BUSY, PASSWORD_ENV, connection, harbor, site, world


class Watch:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Seconds since some moment."""
        return self.now


@pytest.fixture
def work(extcal: Extcal) -> Extcal:
    """The command, with two connects to do."""
    extcal.env |= PASSWORD_ENV
    extcal.write(site(), connection(0, more=BUSY), connection(1, more=BUSY))
    return extcal


@contextmanager
def resting(extcal: Extcal) -> Iterator[None]:
    """Let the service ask for a rest of three seconds, once, before it connects anything."""
    rest = Answer(429, headers=(("Retry-After", "3"),))
    extcal.sandbox.inject(Faults((Fault(rest, on={Operation.CONNECT_BY_CREDENTIALS}, times=1),)))
    try:
        yield
    finally:
        extcal.sandbox.inject(None)


def test_a_terminal_shows_each_phase_and_leaves_nothing_behind(work: Extcal) -> None:
    """Sites read and actions ended are counted on one line, which the result takes the place of."""
    with terminal(work, "apply", "manifests", "--auto-approve") as at:
        assert at.ended() == 0
    assert "\r\x1b[Kreading sites: 1 of 1; harbor" in at.seen
    assert "\r\x1b[Kactions ended: 2 of 2; done connect harbor/staff-" in at.seen
    report = at.seen.rpartition("\r\x1b[K")[2]
    assert report.startswith(("done", "\x1b[32mdone"))
    assert report.endswith("Applied: 2 done.\n")


@pytest.mark.parametrize("colours", ["", "1"])
def test_an_error_takes_the_place_of_the_line(work: Extcal, colours: str) -> None:
    """What ends a command after sites were read stands on a line of its own, without colours, too."""
    with terminal(work, "plan", "manifests", "--out", "nowhere/x.plan", env={"NO_COLOR": colours}) as at:
        assert at.ended() == 1
    error = at.seen.rpartition("\r\x1b[K")[2]
    assert error.startswith("error: nowhere/x.plan: " if colours else "\x1b[31m\x1b[1merror:"), at.seen


def test_quiet_shows_none(work: Extcal) -> None:
    """Who wants results only gets no progress, on a terminal either."""
    with terminal(work, "apply", "manifests", "--auto-approve", "--quiet") as at:
        assert at.ended() == 0
    assert "Applied: 2 done." in at.seen
    assert "reading sites" not in at.seen
    assert "\x1b[K" not in at.seen


def test_a_short_run_leaves_nothing_in_a_log(work: Extcal) -> None:
    """Where nobody watches, a run of a moment is not talked about."""
    assert work("apply", "manifests", "--auto-approve").err == ""


def test_a_log_gets_a_line_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    """Every quarter of a minute at most: how far it is and how long it may take; the last step is not told at once."""
    watch = Watch()
    progress = Progress(Console(quiet=False), "reading sites", 100, watch)
    for _ in range(99):
        watch.now += 1
        progress.step("harbor")
    assert capsys.readouterr().err.splitlines() == [
        "reading sites: 15 of 100, about 85 s left",
        "reading sites: 30 of 100, about 70 s left",
        "reading sites: 45 of 100, about 55 s left",
        "reading sites: 60 of 100, about 40 s left",
        "reading sites: 75 of 100, about 25 s left",
        "reading sites: 90 of 100, about 10 s left",
    ]


def test_a_long_rest_is_told_in_minutes(capsys: pytest.CaptureFixture[str]) -> None:
    """Seconds are no help where it takes longer."""
    watch = Watch()
    progress = Progress(Console(quiet=False), "actions ended", 1000, watch)
    for _ in range(4):
        watch.now += 5
        progress.step()
    assert capsys.readouterr().err == "actions ended: 3 of 1000, about 83 min left\n"


def test_the_rest_is_what_its_estimate_says(capsys: pytest.CaptureFixture[str]) -> None:
    """Where there is a better estimate than the pace so far, that one is told, from the first line on."""
    watch = Watch()
    progress = Progress(Console(quiet=False), "actions ended", 300, watch, lambda: 180.0)
    watch.now += 15
    progress.step()
    assert capsys.readouterr().err == "actions ended: 1 of 300, about 3 min left\n"


def test_a_plan_that_takes_long_says_so(extcal: Extcal) -> None:
    """More requests than a site may be asked in a minute are told with the plan, and before anybody is asked."""
    extcal.env |= PASSWORD_ENV
    extcal.write(site(), *(connection(number, more=BUSY) for number in range(300)))
    told = "applying it takes about 3 min: about 600 requests, at most 190 in 60 s to a site"
    assert extcal("plan", "manifests").err == f"{told}\n"
    asked = extcal("apply", "manifests")
    assert asked.code == 64
    assert told in asked.err
    assert extcal("plan", "manifests", "--quiet").err == ""


def test_a_plan_that_is_soon_carried_out_says_nothing(work: Extcal) -> None:
    """Of seconds nobody needs to know beforehand."""
    assert work("plan", "manifests").err == ""


def test_a_site_with_much_to_look_up_says_how_long_that_takes(capsys: pytest.CaptureFixture[str]) -> None:
    """Lists of calendars that don't fit into a minute are told once they are known; fewer are asked for in silence."""
    watch = Watch()
    reading = Reading(Console(quiet=False), watch)
    reading.foresee("harbor", 180, SiteTraffic(2, (watch.now, watch.now)))
    assert capsys.readouterr().err == ""
    reading.foresee("harbor", 300, SiteTraffic(2, (watch.now, watch.now)))
    assert capsys.readouterr().err == "reading harbor: 300 requests more, about 60 s at 190 requests in 60 s\n"


def test_a_site_that_takes_long_is_reckoned_with_until_it_is_read(capsys: pytest.CaptureFixture[str]) -> None:
    """The pace of many small sites says nothing of one whose calendars must wait for the rate limit."""
    watch = Watch()
    reading = Reading(Console(quiet=False), watch)
    reading.read("quay", 101)
    reading.foresee("harbor", 500, SiteTraffic())
    for number in range(98):
        watch.now += 0.5
        reading.read(f"site-{number}", 101)
    reading.read("harbor", 101)
    watch.now += 15
    reading.read("pier", 101)
    assert capsys.readouterr().err.splitlines() == [
        "reading harbor: 500 requests more, about 2 min at 190 requests in 60 s",
        "reading sites: 31 of 101, about 2 min left",
        "reading sites: 61 of 101, about 2 min left",
        "reading sites: 91 of 101, about 75 s left",
        "reading sites: 101 of 101",
    ]


def test_a_terminal_shows_it_while_nothing_ends(work: Extcal) -> None:
    """A wait is told, and how far the command is stands below it again, before any action has ended."""
    with resting(work), terminal(work, "apply", "manifests", "--auto-approve") as at:
        assert at.ended() == 0
    told, _, after = at.seen.partition("waiting 3 s: ")
    assert "\r\x1b[Kactions ended: 0 of 2" in after, told
    assert at.seen.endswith("Applied: 2 done.\n")


def test_interrupted_it_tells_no_time_for_what_is_not_begun(work: Extcal) -> None:
    """How long all actions take is told until Ctrl-C; what is under way is waited for without a promise."""
    work.on(world(harbor(schedules=60), accounts=60))
    work.write(site(), *(connection(number, more=BUSY) for number in range(60)))
    with resting(work), terminal(work, "apply", "manifests", "--auto-approve") as at:
        at.expect("actions ended: 0 of 60, about ")
        at.expect("waiting 3 s: ")
        at.type("\x03")
        assert at.ended() == 128 + signal.SIGINT
    _, interrupted, after = at.seen.partition("interrupted: finishing the actions under way.")
    assert interrupted
    assert "actions ended: 0 of 60" in after
    assert " left" not in after
