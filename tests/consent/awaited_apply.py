"""Applies with owners who consent, against a real sandbox and through a real callback server."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from reconciler import workflow
from reconciler.api.secrets import Secrets
from reconciler.consent.callback_server import serve_callbacks
from reconciler.consent.pending import PendingConsent, PendingConsents
from reconciler.machine import Machine
from reconciler.model.action import Action
from reconciler.model.consent import ConsentMode
from reconciler.model.desired import DeclaredConnection, Desired, Site
from reconciler.model.live import LiveConnection
from reconciler.model.plan import Allowance
from reconciler.model.result import Outcome, Result
from reconciler.planning.guards import GUARDS
from reconciler.sandbox.server import RunningSandbox
from reconciler.workflow import AuthorizationLink, Stop
from tests.support.machines import fresh_machine
from tests.support.timeouts import TIMEOUT

Owner = Callable[[str, str], object]
"""An owner at work, given their link and the address that it leads back to."""


@dataclass
class OwnersAtWork:
    """The prompt of these tests: each link goes to the owner of its action at once, in a thread of theirs.

    Where `at_once` is true, owners have acted before anything else goes on.
    """

    pending: PendingConsents
    owners: dict[str, Owner]
    at_once: bool
    timeout: float
    asked_for: list[str] = field(default_factory=list)
    _back: dict[str, str] = field(default_factory=dict)
    _at_work: list["asyncio.Task[object]"] = field(default_factory=list)

    @contextmanager
    def open(self, action: Action) -> Iterator[PendingConsent]:
        """A pending consent of an action."""
        with self.pending.open(action) as consent:
            self._back[action.address] = consent.redirect_url
            yield consent

    def show_link(self, action: Action, link: AuthorizationLink) -> None:
        """Give the link to its owner, where there is one who acts."""
        self.asked_for.append(action.address)
        if (owner := self.owners.get(action.address)) is None:
            return
        back = self._back[action.address]
        if self.at_once:
            owner(link.url, back)
        else:
            self._at_work.append(asyncio.create_task(asyncio.to_thread(owner, link.url, back)))

    async def gone(self) -> None:
        """Wait until every owner has done what they came for; raises what went wrong for them."""
        await asyncio.gather(*self._at_work)


@dataclass
class Applying:
    """Plans and applies against a sandbox; each owner has `timeout` seconds, `told` gets each outcome."""

    sandbox: RunningSandbox
    timeout: float = TIMEOUT
    at_once: bool = False
    interrupt: Callable[[], object] = lambda: None
    told: Callable[[Outcome], object] = lambda _outcome: None

    def __call__(self, site: Site, connections: Sequence[DeclaredConnection], **owners: Owner) -> Result:
        """Apply with every guard allowed, and verify; owners by the names of their connections."""
        return asyncio.run(self._apply(Desired((site,), tuple(connections)), owners))

    async def _apply(self, desired: Desired, owners: dict[str, Owner]) -> Result:
        site = desired.sites[0].name
        places = [site] + [connection.address for connection in desired.connections]
        allowed = frozenset(Allowance(guard, place) for guard in GUARDS for place in places)
        stop, machine = Stop(), fresh_machine()
        running = asyncio.get_running_loop()
        self.interrupt = lambda: running.call_soon_threadsafe(stop.gently.set)
        with serve_callbacks() as pending:
            owned = {f"{site}/{name}": owner for name, owner in owners.items()}
            prompt = OwnersAtWork(pending, owned, self.at_once, self.timeout)
            async with workflow.sessions(desired.sites, self._service(machine)) as opened:
                plan = await workflow.plan(desired, opened, workflow.Selection(), allowed)
                result = await workflow.apply(
                    plan, opened, machine, consent=ConsentMode.WAIT, prompt=prompt, stop=stop, on_outcome=self._tell
                )
                await prompt.gone()
                return await workflow.verify(result, desired, opened, workflow.Selection())

    def _tell(self, outcome: Outcome) -> None:
        self.told(outcome)

    def live(self, site: Site) -> tuple[LiveConnection, ...]:
        """What the site has now."""

        async def asked() -> tuple[LiveConnection, ...]:
            async with workflow.sessions([site], self._service(fresh_machine())) as opened:
                return (await opened[site.name].reader().list_connections()).connections

        return asyncio.run(asked())

    def _service(self, machine: Machine) -> workflow.Service:
        environ = {"EXTCAL_API_KEY": self.sandbox.api_key, "EXTCAL_PASSWORD": "right-one"}
        return workflow.Service(self.sandbox.endpoint, Secrets(environ, Path("/nonexistent")), machine)
