"""One site in which every kind of write is due, and a run that does what `extcal apply` does, soon out of patience.

As a program it is that run in a process of its own, so that it can be killed: `python -m tests.promises.rehearsal
ENDPOINT KEY STATE_FOLDER`. It prints how each action ended as one JSON object, and exits 0 where all went well.
"""

import asyncio
import json
import ssl
import sys
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx

from reconciler import workflow
from reconciler.api.exchange import ExchangeLimits
from reconciler.api.retry import Backoff
from reconciler.api.secrets import Secrets
from reconciler.api.session import SessionLimits
from reconciler.execution.settle import Window
from reconciler.machine import Machine
from reconciler.model.consent import ConsentMode
from reconciler.model.desired import Desired, ScheduleKey, ScheduleRef, State
from reconciler.model.plan import Allowance, Plan
from reconciler.model.result import OutcomeStatus, Result
from reconciler.model.sync import CalendarRef, SyncConfig
from reconciler.planning.guards import GUARDS
from reconciler.sandbox.world import Account, Calendar, ExistingConnection, Provider, Schedule, Site, World
from reconciler.workflow import Stop
from tests.support.builders.plans import DEDICATED, OFF, PRUNING, chosen, declared

APPLE = "a0a0a0a0-0000-4000-8000-00000000000a"
GOOGLE = "a0a0a0a0-0000-4000-8000-00000000000b"
PASSWORD = "right-one"
WINDOW = Window(length=0.6, first=0.05)
_LIMITS = SessionLimits(exchange=ExchangeLimits(backoff=Backoff(base=0.01, cap=0.02)))
_CALENDARS = (Calendar("w1", "Work"), Calendar("h1", "Home"))
CONNECTIONS = "/bookings/v2/external-calendars/connections"
_GONE = "DISCONNECTED"
# Nothing here speaks TLS, and to read the certificates of those who do takes longer than a request.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def schedule(number: int) -> str:
    """The id of a schedule."""
    return f"3e47ec65-2975-447c-a7ed-{number:012d}"


def email(number: int) -> str:
    """The account with this number."""
    return f"staff{number}@harbor.example"


def _standing(number: int, provider: str = APPLE, **fields: str) -> ExistingConnection:
    given = {"provider_id": provider, "schedule_id": schedule(number), "account": email(number)} | fields
    return ExistingConnection(**given)  # type: ignore[arg-type] # the fields given here are texts


def world() -> World:
    """A site whose connections are each one kind of work: see `desired`."""
    site = Site(
        PRUNING.site_id,
        "Harbor",
        schedules=tuple(Schedule(schedule(number), f"Staff {number}") for number in range(7)),
        providers=(
            Provider(APPLE, "apple", "Apple", "I_CAL", ("CREDENTIALS",)),
            Provider(GOOGLE, "google", "Google", "GOOGLE", ("OAUTH",)),
        ),
        connections=(
            _standing(2),
            _standing(3),
            _standing(4),
            _standing(5, status="ERROR", error_reason="TOKEN_REVOKED"),
        ),
    )
    accounts = [Account("apple", email(number), PASSWORD, _CALENDARS) for number in range(10)]
    return World((site,), (*accounts, Account("google", email(6), None, _CALENDARS)))


def desired() -> Desired:
    """Two connects, an update, a disconnect, a replace, a reconnect, and a connect that waits for its owner."""
    wanted = SyncConfig(chosen(CalendarRef("w1")), DEDICATED)

    def on(number: int, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of the value
        by_id = ScheduleRef(ScheduleKey.ID, schedule(number))
        return {"schedule": by_id, "account": email(number), "sync": wanted, **fields}

    return Desired(
        (replace(PRUNING, max_disconnects=100),),
        (
            declared("connect-0", **on(0)),
            declared("connect-1", **on(1, sync=SyncConfig(chosen("Home"), OFF))),
            declared("update-2", **on(2)),
            declared("disconnect-3", **on(3, state=State.ABSENT, sync=SyncConfig())),
            declared("replace-4", **on(4, account=email(8))),
            declared("reconnect-5", **on(5)),
            declared("consent-6", "google", **on(6)),
        ),
    )


@dataclass(frozen=True, slots=True)
class Run:
    """How a run ended."""

    plan: Plan
    result: Result

    @property
    def settled(self) -> bool:
        """Whether all that no owner is needed for is as declared, and the run says so."""
        outcomes = {outcome.status for outcome in self.result.outcomes}
        remaining = self.result.remaining
        assert remaining is not None
        due = [action.address for action in remaining.actions if action.kind.writes]
        return outcomes <= {OutcomeStatus.DONE, OutcomeStatus.AWAITING_CONSENT} and due == ["harbor/consent-6"]


async def reconcile(endpoint: str, key: str, machine: Machine, window: Window = WINDOW) -> Run:
    """Lock, settle, plan, apply and look again, as the command does."""
    wanted = desired()
    secrets = Secrets({"EXTCAL_API_KEY": key, "EXTCAL_PASSWORD": PASSWORD}, None)
    service = workflow.Service(endpoint, secrets, machine, limits=_LIMITS)
    places = [site.name for site in wanted.sites] + [connection.address for connection in wanted.connections]
    allowed = frozenset(Allowance(guard, place) for guard in GUARDS for place in places)
    everything = workflow.Selection()
    with workflow.locked(wanted.sites, machine, "a rehearsal") as taken:
        async with workflow.sessions(wanted.sites, service) as opened:
            recovered = await workflow.recover(wanted.sites, opened, machine, taken, window)
            plan = recovered.held_back(await workflow.plan(wanted, opened, everything, allowed))
            result = await workflow.apply(
                plan,
                opened,
                machine,
                consent=ConsentMode.SKIP,
                stop=Stop(),
                on_outcome=lambda _outcome: None,
                window=window,
            )
            return Run(plan, await workflow.verify(result, wanted, opened, everything, allowed))


def duplicates(endpoint: str, key: str) -> list[tuple[str, str]]:
    """Every (schedule, account) that is connected more than once; providers that are down don't count."""
    answer = httpx.get(
        f"{endpoint}{CONNECTIONS}",
        headers={"Authorization": key, "wix-site-id": PRUNING.site_id},
        trust_env=False,
        verify=NO_TLS,
    ).raise_for_status()
    standing = [c for c in json.loads(answer.content)["connections"] if c["status"] != _GONE]
    counts = Counter((c["scheduleId"], c.get("externalAccountEmail", "")) for c in standing)
    return [key for key, count in counts.items() if count > 1]


def main(endpoint: str, key: str, state: str) -> int:
    """Run once, and print how each action ended."""
    run = asyncio.run(reconcile(endpoint, key, Machine(Path(state), "a service")))
    sys.stdout.write(json.dumps({o.action.address: [o.status, o.error] for o in run.result.outcomes}))
    return 0 if run.settled else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
