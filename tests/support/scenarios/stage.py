"""A scenario on stage: its world in a sandbox, its manifests in files, and the workflow run over them."""

import asyncio
import json
import ssl
import tempfile
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import httpx
import yaml

from reconciler import workflow
from reconciler.api.secrets import Secrets
from reconciler.errors import ManifestError
from reconciler.machine import Machine
from reconciler.manifests import load
from reconciler.model.consent import ConsentMode
from reconciler.model.desired import Desired
from reconciler.model.plan import Allowance, Plan
from reconciler.model.result import Outcome, Result
from reconciler.planning.guards import GUARDS
from reconciler.sandbox.behaviour import Behaviour
from reconciler.sandbox.request_log import LoggedRequest
from reconciler.sandbox.server import RunningSandbox
from reconciler.workflow import Stop
from tests.support.machines import fresh_machine
from tests.support.scenarios.statements import Document, site_name
from tests.support.scenarios.strategies import Scenario

_CONNECTIONS = "/bookings/v2/external-calendars/connections"
_READING_POSTS = frozenset({"/calendar/v3/schedules/query", "/oauth2/token"})
_EVERYTHING = workflow.Selection()
# Written in C where it's built: it takes a fraction of the time.
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
# Stages speak plain HTTP; to read the machine's certificates for each request takes longer than its answer.
_NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

T = TypeVar("T")

Live = dict[str, dict[str, object]]
"""Connections as ListConnections answers them, by id."""


def is_read(request: LoggedRequest) -> bool:
    """Whether a request can't have changed anything."""
    return request.method == "GET" or (request.method, request.path) in {("POST", path) for path in _READING_POSTS}


def write_files(folder: Path, files: Sequence[Sequence[Document]]) -> None:
    """Write manifests, a file for each sequence of documents."""
    for number, documents in enumerate(files):
        path = folder / f"{number % 3}" / f"{number}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(yaml.dump_all(documents, Dumper=_DUMPER, sort_keys=False), encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Stage:
    """A scenario in a sandbox, with the manifests in `folder`; `environ` holds what the references refer to."""

    sandbox: RunningSandbox
    scenario: Scenario
    folder: Path
    environ: Mapping[str, str]
    told: list[Outcome] = field(default_factory=list)
    machine: Machine = field(default_factory=fresh_machine)

    def plan(self, allowed: frozenset[Allowance] | None = None) -> Plan:
        """Plan; unless told otherwise with every guard overruled."""

        async def story(desired: Desired, opened: workflow.Sessions) -> Plan:
            return await workflow.plan(desired, opened, _EVERYTHING, self._allowed(allowed))

        return self._run(story)

    def apply(self, allowed: frozenset[Allowance] | None = None, *, consent: ConsentMode = ConsentMode.LINK) -> Result:
        """Plan, apply and look again, as the command does; unless told otherwise with every guard overruled."""

        async def story(desired: Desired, opened: workflow.Sessions) -> Result:
            plan = await workflow.plan(desired, opened, _EVERYTHING, self._allowed(allowed))
            result = await workflow.apply(
                plan, opened, self.machine, consent=consent, stop=Stop(), on_outcome=self.told.append
            )
            return await workflow.verify(result, desired, opened, _EVERYTHING, self._allowed(allowed))

        return self._run(story)

    def apply_saved(self, plan: Plan, machine: Machine) -> Result:
        """Carry out a plan that was saved, on a machine, as `apply --plan` does; nobody is asked for consent."""

        async def story(_desired: Desired, opened: workflow.Sessions) -> Result:
            consent, stop = ConsentMode.SKIP, Stop()
            result = await workflow.apply(
                plan, opened, machine, consent=consent, stop=stop, on_outcome=self.told.append
            )
            return await workflow.verify_saved(result, opened)

        return self._run(story)

    def take_away(self, connection_ids: Collection[str]) -> None:
        """Disconnect connections by hand."""
        for site in self.scenario.world.sites:
            for connection_id in self._listed(site.id).keys() & connection_ids:
                self._ask("POST", f"{_CONNECTIONS}/{connection_id}/disconnect", site.id)

    def with_environ(self, environ: Mapping[str, str]) -> "Stage":
        """The same stage with other secrets."""
        return replace(self, environ=environ)

    def plan_if_valid(self) -> Plan | None:
        """Plan with every guard in force, or nothing where the manifests can't be used."""
        try:
            return self.plan(frozenset())
        except ManifestError:
            return None

    def apply_if_valid(self, allowed: frozenset[Allowance] | None = None) -> Result | None:
        """Apply, or nothing where the manifests can't be used."""
        try:
            return self.apply(allowed)
        except ManifestError:
            return None

    def grant(self, outcome: Outcome) -> None:
        """Open an outcome's link and agree, as the account's owner would in a browser."""
        account = str(outcome.action.account or "").lower()
        form = {"decision": "allow", "account": account, "outcome": "connected"}
        answer = httpx.post(outcome.consent_url or "", data=form, verify=_NO_CERTIFICATES, trust_env=False, timeout=120)
        assert answer.status_code == httpx.codes.SEE_OTHER, answer.text
        assert "connectionId=" in answer.headers["location"]

    def live(self) -> Live:
        """Every connection of every site, whatever else the service tells; providers that are down are left out."""
        found: Live = {}
        self.sandbox.behave(Behaviour(unknown_fields=True))
        for site in self.scenario.world.sites:
            found |= self._listed(site.id)
        self.sandbox.behave(self.scenario.behaviour)
        return found

    def _listed(self, site_id: str) -> Live:
        answer = self._ask("GET", f"{_CONNECTIONS}?partialFailure=true", site_id)
        return {connection["id"]: connection for connection in json.loads(answer.content)["connections"]}

    def _ask(self, method: str, path: str, site_id: str) -> httpx.Response:
        answer = httpx.request(
            method,
            f"{self.sandbox.endpoint}{path}",
            headers={"Authorization": self.sandbox.api_key, "wix-site-id": site_id},
            verify=_NO_CERTIFICATES,
            trust_env=False,
            timeout=120,
        )
        return answer.raise_for_status()

    def writes(self) -> list[LoggedRequest]:
        """The requests of the log that may have changed something."""
        return [request for request in self.sandbox.requests if not is_read(request)]

    def overruling(self, *guards: str) -> frozenset[Allowance]:
        """Allowances for these guards at every address that there can be."""
        addresses = [
            *(governed.name for governed in self.scenario.governed),
            *(stated.address for stated in self.scenario.statements),
            *(
                f"{site_name(site)}/id:{connection.id}"
                for site in self.scenario.world.sites
                for connection in site.connections
            ),
        ]
        return frozenset(Allowance(guard, address) for guard in guards for address in addresses)

    def _allowed(self, given: frozenset[Allowance] | None) -> frozenset[Allowance]:
        return self.overruling(*GUARDS) if given is None else given

    def _run(self, story: Callable[[Desired, workflow.Sessions], Awaitable[T]]) -> T:
        async def within() -> T:
            desired = load([self.folder])
            service = workflow.Service(self.sandbox.endpoint, Secrets(self.environ, None), self.machine)
            async with workflow.sessions(desired.sites, service) as opened:
                return await story(desired, opened)

        return asyncio.run(within())


@dataclass(frozen=True, slots=True)
class Stages:
    """Puts one scenario after the other on stage, in a sandbox that behaves as each has it."""

    sandbox: RunningSandbox

    @contextmanager
    def holding(
        self,
        scenario: Scenario,
        files: Sequence[Sequence[Document]] | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> Iterator[Stage]:
        """A scenario on stage; `files` are its manifests, all in one file by default, `environ` replaces secrets."""
        sandbox = self.sandbox
        sandbox.behave(scenario.behaviour)
        sandbox.replace_world(scenario.world)
        for provider_id in scenario.down:
            sandbox.set_provider_down(provider_id, down=True)
        sandbox.requests.clear()
        app = sandbox.ready()["app"]
        assert isinstance(app, dict)
        secrets = {"EXTCAL_API_KEY": sandbox.api_key, "EXTCAL_APP_SECRET": app["app_secret"], **scenario.passwords}
        with tempfile.TemporaryDirectory(prefix="extcal-properties-") as name:
            write_files(Path(name), files or [scenario.documents])
            yield Stage(sandbox, scenario, Path(name), {**secrets, **(environ or {})})
