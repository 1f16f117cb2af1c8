"""A sandbox for the tests of this folder, and the whole loop as one call."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from reconciler import workflow
from reconciler.api.secrets import Secrets
from reconciler.execution.executor import Stop
from reconciler.machine import Machine
from reconciler.model.consent import ConsentMode
from reconciler.model.desired import DeclaredConnection, Desired, Site
from reconciler.model.live import LiveConnection
from reconciler.model.plan import Allowance, Plan
from reconciler.model.result import Result
from reconciler.planning.guards import GUARDS
from reconciler.sandbox.server import RunningSandbox, running
from reconciler.sandbox.world import World
from tests.support.machines import fresh_machine


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    """A sandbox whose world each test puts in place."""
    with running(tmp_path_factory.mktemp("sandbox"), world=World()) as found:
        yield found


@dataclass
class Loop:
    """Plans and applies against the sandbox; between the two, `before_apply` may change the world."""

    sandbox: RunningSandbox
    environ: dict[str, str] = field(default_factory=dict)
    before_apply: Callable[[Plan], object] = lambda _plan: None
    consent: ConsentMode = ConsentMode.LINK
    stop_at_once: bool = False
    machine: Machine = field(default_factory=fresh_machine)

    def apply(self, sites: Sequence[Site], connections: Sequence[DeclaredConnection]) -> Result:
        """Plan, apply and verify, with every guard allowed."""
        return asyncio.run(self._apply(Desired(tuple(sites), tuple(connections))))

    def live(self, site: Site) -> tuple[LiveConnection, ...]:
        """What the site has now."""
        return asyncio.run(self._live(site))

    async def _live(self, site: Site) -> tuple[LiveConnection, ...]:
        async with workflow.sessions([site], self._service()) as opened:
            return (await opened[site.name].reader().list_connections()).connections

    async def _apply(self, desired: Desired) -> Result:
        places = [site.name for site in desired.sites] + [connection.address for connection in desired.connections]
        allowed = frozenset(Allowance(guard, place) for guard in GUARDS for place in places)
        everything = workflow.Selection()
        stop = Stop()
        async with workflow.sessions(desired.sites, self._service()) as opened:
            plan = await workflow.plan(desired, opened, everything, allowed)
            self.before_apply(plan)
            if self.stop_at_once:
                stop.gently.set()
            told: list[str] = []
            result = await workflow.apply(
                plan,
                opened,
                self.machine,
                consent=self.consent,
                stop=stop,
                on_outcome=lambda outcome: told.append(outcome.action.address),
            )
            assert sorted(told) == sorted(outcome.action.address for outcome in result.outcomes)
            return await workflow.verify(result, desired, opened, everything)

    def _service(self) -> workflow.Service:
        environ = {"EXTCAL_API_KEY": self.sandbox.api_key, "EXTCAL_PASSWORD": "right-one"} | self.environ
        return workflow.Service(self.sandbox.endpoint, Secrets(environ, Path("/nonexistent")), self.machine)


@pytest.fixture
def loop(sandbox: RunningSandbox) -> Loop:
    """The loop on this folder's sandbox."""
    return Loop(sandbox)


def allowing_all(site: Site) -> Site:
    """The site with a limit that no test reaches."""
    return replace(site, max_disconnects=100)
