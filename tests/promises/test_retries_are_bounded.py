"""Promise: retries are bounded. Full jitter, a budget for the whole run, and an outage is not made worse.

In an outage a run sends at most 1.2 times as many requests as it has calls, then it stops and says so. Requests are
counted where they arrive.
"""

import asyncio
import itertools
import random
import threading
import uuid
from collections.abc import Iterator
from dataclasses import replace
from http.server import ThreadingHTTPServer
from pathlib import Path
from statistics import mean

import pytest

from reconciler import workflow
from reconciler.api.retry import RetryBudget
from reconciler.api.secrets import Secrets
from reconciler.api.session import SiteSession
from reconciler.errors import ApiError, OutageError, ServiceError
from reconciler.machine import Machine
from reconciler.model.desired import Desired
from reconciler.model.plan import Plan
from tests.promises.leak_stage import let_time_fly
from tests.support.builders.api import API_KEY, FakeClock, key_site, run, secrets
from tests.support.cli.command import Extcal
from tests.support.cli.worlds import PASSWORD_ENV, connection, site
from tests.support.servers.scripted import Fate, Reply, Scripted, serving

_SITES = 60
_CALLS = 2 * _SITES
_FINE = Reply({"providers": [], "connections": []})
_STOPPED = "not sent: the service has failed repeatedly in this run; try again later"
_OUTAGES = {
    "503": Reply(status=503),
    "503 that asks for patience": Reply(status=503, headers={"Retry-After": "1"}),
    "reset": Reply(fate=Fate.RESET),
    "broken off": Reply({"providers": [], "connections": []}, fate=Fate.CUT),
}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Scripted]:
    """The service; a fleet knocks at it all at once."""
    monkeypatch.setattr(ThreadingHTTPServer, "request_queue_size", 128)
    with serving() as scripted:
        yield scripted


def planned(url: str, state: Path, sites: int) -> Plan:
    """Plan a fleet of sites with nothing declared: two calls each, unless something goes wrong."""
    fleet = tuple(
        replace(key_site(), name=f"site-{number}", site_id=str(uuid.UUID(int=number))) for number in range(sites)
    )
    known = Secrets({"EXTCAL_API_KEY": API_KEY}, None)

    async def story() -> Plan:
        async with workflow.sessions(fleet, workflow.Service(url, known, Machine(state, url))) as opened:
            return await workflow.plan(Desired(fleet, ()), opened, workflow.Selection())

    return run(story())


def faults(plan: Plan) -> list[str]:
    """Why sites could not be planned."""
    return [str(fault) for site_plan in plan.sites for fault in site_plan.faults]


@pytest.mark.parametrize("outage", _OUTAGES.values(), ids=_OUTAGES)
def test_a_fleet_stops_in_an_outage(
    outage: Reply, server: Scripted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where everything fails, far fewer requests are sent than there are calls; each site says what went wrong."""
    let_time_fly(monkeypatch)
    server.otherwise = lambda: outage
    plan = planned(server.url, tmp_path, _SITES)
    # Those that were under way, and the retries, until 20 in a row have failed.
    assert len(server.asked) <= 2 * 16 + 10 + 0.1 * 2 * 16 + 20
    told = faults(plan)
    assert len(told) == _SITES
    assert sum(_STOPPED in fault for fault in told) > _SITES / 4
    assert any(_STOPPED not in fault for fault in told)


@pytest.mark.parametrize(
    ("share", "outage"), [(0.1, "503"), (0.5, "503"), (0.5, "reset"), (0.9, "503 that asks for patience")]
)
def test_a_fleet_does_not_amplify_an_outage_in_part(
    share: float, outage: str, server: Scripted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever share of the answers fails, at most 1.2 requests are sent for each call."""
    let_time_fly(monkeypatch)
    seed = random.randrange(1 << 32)  # noqa: S311 - chance, not cryptography
    print(f"seed {seed}")  # noqa: T201 - pytest shows it where the test fails
    chance, turn = random.Random(seed), threading.Lock()  # noqa: S311 - as above

    def answer() -> Reply:
        with turn:
            return _OUTAGES[outage] if chance.random() < share else _FINE

    server.otherwise = answer
    plan = planned(server.url, tmp_path, _SITES)
    assert len(server.asked) <= 1.2 * _CALLS
    assert len(plan.sites) == _SITES
    if share < 0.5:
        assert len(faults(plan)) < _SITES / 2


def test_a_short_outage_is_got_over(server: Scripted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the first requests fail and the next ones don't, every site is planned all the same."""
    let_time_fly(monkeypatch)
    server.script(*[Reply(status=503), Reply(fate=Fate.RESET)] * 4)
    server.otherwise = lambda: _FINE
    plan = planned(server.url, tmp_path, _SITES)
    assert faults(plan) == []
    assert len(server.asked) == _CALLS + 8


@pytest.mark.parametrize("lost", range(7))
def test_one_site_gets_its_few_retries(
    lost: int, server: Scripted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run of two calls bears that three tries of each are lost, and sends no more than four of each."""
    let_time_fly(monkeypatch)
    server.script(*[Reply(status=502)] * lost)
    server.otherwise = lambda: _FINE
    plan = planned(server.url, tmp_path, 1)
    assert len(server.asked) <= 2 + lost
    if lost <= 3:
        assert faults(plan) == []
    server.otherwise = lambda: Reply(status=502)
    server.asked.clear()
    assert "HTTP 502" in faults(planned(server.url, tmp_path, 1))[0]
    assert len(server.asked) <= 8


def test_what_waits_for_its_turn_is_not_sent_into_an_outage(server: Scripted) -> None:
    """A hundred calls of one site at once: when the service is taken to be down, those not sent yet never are."""
    server.otherwise = lambda: Reply(status=503)
    clock = FakeClock()

    async def story() -> list[object]:
        async with SiteSession(key_site(), endpoint=server.url, secrets=secrets(), clock=clock) as session:
            calls = (session.reader().list_connections() for _ in range(100))
            return list(await asyncio.gather(*calls, return_exceptions=True))

    ended = run(story())
    assert all(isinstance(error, ServiceError | OutageError) for error in ended)
    assert sum(isinstance(error, OutageError) for error in ended) > 50
    assert len(server.asked) <= 40


def test_jitter_is_full(server: Scripted) -> None:
    """The nth wait is spread evenly between nothing and its bound, which doubles: runs that failed at once part."""
    server.otherwise = lambda: Reply(status=503)
    clock = FakeClock()
    unbounded = RetryBudget(reserve=1_000_000)

    async def story() -> None:
        async with SiteSession(
            key_site(), endpoint=server.url, secrets=secrets(), clock=clock, budget=unbounded
        ) as session:
            for _ in range(120):
                # The limit of the rate makes waits of its own.
                clock.elapsed += 60
                with pytest.raises(ServiceError):
                    await session.reader().list_connections()

    run(story())
    for nth, bound in enumerate((0.5, 1.0, 2.0)):
        waits = [wait / bound for wait in clock.slept[nth::3]]
        assert len(waits) == 120
        assert 0 <= min(waits) < 0.1
        assert 0.9 < max(waits) <= 1
        # The mean of 120 even chances is off by more than 0.15 less than once in ten million times.
        assert abs(mean(waits) - 0.5) < 0.15


def test_waiting_as_the_service_asks_costs_nothing(server: Scripted) -> None:
    """Limits of the rate that say when to come back use up nothing that an outage may need."""
    spent = RetryBudget(reserve=0, share=0)
    replies = itertools.cycle([Reply(status=429, headers={"Retry-After": "1"})] * 3 + [_FINE])
    server.otherwise = lambda: next(replies)

    async def story() -> None:
        clock = FakeClock()
        async with SiteSession(
            key_site(), endpoint=server.url, secrets=secrets(), clock=clock, budget=spent
        ) as session:
            for _ in range(5):
                await session.reader().list_connections()
            server.otherwise = lambda: Reply(status=503)
            with pytest.raises(ApiError):
                await session.reader().list_connections()

    run(story())
    assert len(server.asked) == 5 * 4 + 1


@pytest.mark.parametrize("status", [500, 503])
def test_an_outage_is_told_in_words(
    status: int, server: Scripted, extcal: Extcal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through the command: exit 1, what failed and what to do next, and not one write."""
    let_time_fly(monkeypatch)
    server.otherwise = lambda: Reply(status=status)
    extcal.write(site(), connection(0))
    ran = extcal("apply", "manifests", "--auto-approve", env={"EXTCAL_ENDPOINT": server.url, **PASSWORD_ENV})
    assert ran.code == 1
    assert f"HTTP {status}: the service gave no explanation" in ran.err
    assert "try again later" in ran.err
    assert "Traceback" not in ran.err
    assert {asked.verb for asked in server.asked} == {"GET"}
    assert len(server.asked) <= 8
