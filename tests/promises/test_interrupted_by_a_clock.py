"""Interrupted is not broken: a time of day that jumps, back or forth, neither stretches a wait nor cuts one short."""

import sys
import time
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl

from reconciler.sandbox.faults import Effect, Fault, Faults, Operation, Reset
from tests.support.cli.command import Extcal, Ran
from tests.support.cli.worlds import HARBOR, PASSWORD_ENV, connection, site
from tests.support.servers.scripted import Reply, serving
from tests.support.timeouts import TIMEOUT

_WILD = (sys.executable, "-m", "tests.promises.wild_clock")


def wildly(extcal: Extcal, *args: str) -> tuple[Ran, float]:
    """Run where the time of day jumps: how it ended, and after how many seconds; a wait for years is a failure."""
    began = time.monotonic()
    with extcal.started(*args, command=_WILD) as process:
        out, err = process.communicate(timeout=TIMEOUT)
    return Ran(process.returncode, out, err), time.monotonic() - began


def test_the_clock_is_wild(extcal: Extcal) -> None:
    """What asks for the time of day is answered with another year: else the tests below would show nothing."""
    assert wildly(extcal, "events", "--site-id", HARBOR)[0].code == 0
    (asked,) = extcal.sandbox.requests
    start = datetime.fromisoformat(dict(parse_qsl(asked.query))["from"])
    assert abs(start - datetime.now(UTC)) > timedelta(days=30)


def test_a_wait_is_as_long_as_it_was_asked_to_be(extcal: Extcal) -> None:
    """A service that asks for two seconds gets two, neither none nor years."""
    with serving() as service:
        service.otherwise = lambda: Reply({"providers": []})
        service.script(Reply({"message": "later"}, 429, {"Retry-After": "2"}))
        ran, took = wildly(extcal, "providers", "--site-id", HARBOR, "--endpoint", service.url)
        assert ran.code == 0
        assert "waiting 2 s" in ran.err
        assert took >= 2
        assert len(service.asked) == 2


def test_a_wait_until_a_date_is_bounded(extcal: Extcal) -> None:
    """Whatever the date and the clock say, the command ends soon: by trying again, or by giving up."""
    with serving() as service:
        service.otherwise = lambda: Reply({"providers": []})
        service.script(Reply({"message": "later"}, 429, {"Retry-After": "Fri, 31 Dec 9999 23:59:59 GMT"}))
        ran, _ = wildly(extcal, "providers", "--site-id", HARBOR, "--endpoint", service.url)
        assert ran.code in {0, 1}
        assert len(service.asked) <= 2


def test_a_connect_whose_answer_is_lost_is_settled(extcal: Extcal) -> None:
    """Journal, lock and ledger live with such a clock: what came into being is found, and not made twice."""
    extcal.env |= PASSWORD_ENV
    extcal.write(site(), connection(0))
    extcal.sandbox.inject(Faults((Fault(Reset(Effect.DONE), {Operation.CONNECT_BY_CREDENTIALS}, times=1),)))
    for _ in range(2):
        ran, _ = wildly(extcal, "apply", "manifests", "--auto-approve")
        assert ran.code == 0
    extcal.sandbox.inject(None)
    assert [request.path.rpartition("/")[2] for request in extcal.writes] == ["connections:connectByCredentials"]
