"""Applies a plan, verifies the result, and says how to go back.

Before the first write, and before an owner is asked for anything, it is seen which actions lack a secret; each secret
is resolved again just before the one call that needs it.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from reconciler.api.client import Reader
from reconciler.api.session import SiteSession
from reconciler.errors import ExtcalError, SecretError
from reconciler.execution.connect import Reach
from reconciler.execution.consent import ConsentPrompt, WhyNotAsked
from reconciler.execution.executor import Executor, Stop
from reconciler.execution.settle import Window
from reconciler.execution.site_port import SitePort
from reconciler.execution.site_view import SiteView
from reconciler.execution.steps import come_about
from reconciler.machine import Machine
from reconciler.model.action import Action, ActionKind
from reconciler.model.consent import ConsentMode
from reconciler.model.desired import Desired, SecretRef, Site
from reconciler.model.live import Calendar, ConnectionList, ConnectMethod, LiveConnection, LiveSite
from reconciler.model.plan import Allowance, Plan, SitePlan
from reconciler.model.result import Outcome, OutcomeStatus, Result
from reconciler.model.source import Fault
from reconciler.model.sync import SyncConfig
from reconciler.planning import undo as undoing
from reconciler.planning.undo import Undo
from reconciler.workflow.observation import completed, with_whole_configs
from reconciler.workflow.plans import plan
from reconciler.workflow.service import Selection, Sessions, run_bounded
from reconciler.workflow.unlisted import checked_by_plan, has_made

_T = TypeVar("_T")
_HIDDEN = "not verified: the service could not reach the provider"


async def apply(
    plan: Plan,
    opened: Sessions,
    machine: Machine,
    *,
    consent: ConsentMode,
    prompt: ConsentPrompt | None = None,
    why_not_asked: WhyNotAsked | None = None,
    stop: Stop,
    on_outcome: Callable[[Outcome], None],
    window: Window | None = None,
) -> Result:
    """Apply a plan; it reads the plan and nothing of the manifests.

    `machine` has the journals, and what saved plans were used for; whoever calls this holds the locks of the sites that
    may be written to.
    """
    opened.verified.clear()
    reaches = {
        site.site.name: _reach(site, opened, machine, window or Window()) for site in plan.sites if site.applyable
    }
    for site in plan.sites:
        # The lock of any other site may be another run's.
        if site.applyable:
            _note_finished(site, machine)
    ended = await without_secrets(plan, opened)
    for outcome in ended:
        on_outcome(outcome)
    executor = Executor(
        plan,
        reaches,
        consent=consent,
        prompt=prompt,
        why_not_asked=why_not_asked,
        stop=stop,
        on_outcome=on_outcome,
        sites_at_once=opened.at_once,
        ended=ended,
    )
    outcomes = await executor.run()
    return Result(plan, outcomes, interrupted=stop.gently.is_set())


def _note_finished(plan: SitePlan, machine: Machine) -> None:
    """What is as its manifest says has its sync config."""
    here = machine.site(plan.site.site_id)
    for action in plan.actions:
        if action.kind is ActionKind.NOOP and here.leaves_unfinished(action.address, action.account):
            here.unfinished.remove(action.address, action.account)


def _reach(plan: SitePlan, opened: Sessions, machine: Machine, window: Window) -> Reach:
    here = machine.site(plan.site.site_id)
    use = here.used_plan(plan.plan_id) if plan.plan_id else None
    owners = frozenset((a.schedule_id, a.provider) for a in plan.actions if a.needs_owner and a.kind.writes)
    writer = opened[plan.site.name].writer()
    view = SiteView(writer)
    return Reach(
        SitePort(writer, view), view, here.journal, window, here.unfinished, use, owners=owners, history=here.history
    )


async def verify(
    result: Result,
    desired: Desired,
    opened: Sessions,
    selection: Selection,
    allowed: frozenset[Allowance] = frozenset(),
) -> Result:
    """Observe and plan again, so that what still differs after applying can be named.

    A site without a single action is as it was when it was planned: nothing was sent there.
    """
    acted = {outcome.action.site for outcome in result.outcomes}
    sites = acted if selection.sites is None else acted & selection.sites
    # Of some connections alone the others of their site need not have been read.
    seen = opened.verified if selection.connections is None else {}
    again = await plan(desired, opened, replace(selection, sites=frozenset(sites)), allowed, seen)
    anew = {site.site.name: site for site in again.sites}
    remaining = replace(again, sites=tuple(anew.get(site.site.name, site) for site in result.plan.sites))
    return checked_by_plan(result, remaining)


async def verify_saved(result: Result, opened: Sessions) -> Result:
    """Observe again, without manifests, and name the actions whose effect is not there.

    A site that can't be read again has a plan whose fault says why.
    """
    seen, unread = await _seen(result, opened)
    outcomes = [each for each in result.outcomes if each.status is OutcomeStatus.DONE and each.action.site in seen]
    done = [outcome.action for outcome in outcomes]
    whole: dict[str, dict[str, SyncConfig]] = {name: {} for name in seen}

    async def verified(outcome: Outcome) -> Fault | bool:
        action = outcome.action
        if action.provider_id in seen[action.site].failed_provider_ids:
            return Fault(action.source, action.address, _HIDDEN)
        looker = _Looker(opened[action.site].reader(), whole[action.site])
        there = await come_about(action, _with_its_account(outcome, seen[action.site].connections), looker)
        return there if there or looker.why is None else Fault(action.source, action.address, looker.why)

    found = dict(
        zip((action.address for action in done), await run_bounded(verified, outcomes, opened.at_once), strict=True)
    )
    for name, each in seen.items():
        live = LiveSite((), each.connections, each.failed_provider_ids)
        opened.verified[name] = completed(live, whole[name])
    missing = {address for address, there in found.items() if there is False}
    hidden = [(action.site, there) for action in done if isinstance(there := found[action.address], Fault)]
    remaining = tuple(
        SitePlan(
            site.site,
            tuple(action for action in site.actions if action.address in missing),
            faults=tuple(fault for fault in unread if fault.where == site.site.name),
            unread=tuple(fault for name, fault in hidden if name == site.site.name),
        )
        for site in result.plan.sites
    )
    unlisted = {outcome.action.address for outcome in outcomes if _is_unlisted(outcome, seen[outcome.action.site])}
    return result.with_remaining(Plan(remaining), frozenset(unlisted))


def _is_unlisted(outcome: Outcome, seen: ConnectionList) -> bool:
    if not has_made(outcome) or outcome.action.provider_id in seen.failed_provider_ids:
        return False
    return all(connection.id != outcome.connection_id for connection in seen.connections)


def _with_its_account(outcome: Outcome, connections: Sequence[LiveConnection]) -> tuple[LiveConnection, ...]:
    """Add its account to the connection that an action has made and that shows none yet."""
    account = outcome.action.account
    return tuple(
        replace(each, account=account) if each.id == outcome.connection_id and not each.account else each
        for each in connections
    )


class _Looker:
    """Reads connections and lists calendars, and remembers why that failed.

    What could not be looked up is not what is not there. The sync configs that it reads go into `whole`, by id.
    """

    def __init__(self, reader: Reader, whole: dict[str, SyncConfig]) -> None:
        self._reader = reader
        self._whole = whole
        self.why: str | None = None

    async def list_calendars(self, connection_id: str) -> tuple[Calendar, ...]:
        """The calendars of a connection's account."""
        return await self._known(self._reader.list_calendars(connection_id))

    async def get_connection(self, connection_id: str) -> LiveConnection:
        """One connection."""
        found = await self._known(self._reader.get_connection(connection_id))
        self._whole[connection_id] = found.sync
        return found

    async def _known(self, answer: Awaitable[_T]) -> _T:
        try:
            return await answer
        except ExtcalError as error:
            self.why = str(error)
            raise


async def undo(result: Result, opened: Sessions) -> Undo:
    """The inverse of what was done, resting on the live state as it was verified, else as it is now.

    Raises ExtcalError where that can't be read.
    """
    touched = [outcome for outcome in result.outcomes if undoing.had_effect(outcome)]
    configured = {outcome.connection_id for outcome in touched if outcome.action.sync is not None}
    offering = {outcome.action.site for outcome in touched if undoing.needs_providers(outcome)}

    async def read(name: str) -> LiveSite:
        reader = opened[name].reader()
        try:
            providers = await reader.list_providers() if name in offering else ()
            found = opened.verified.get(name) or await reader.list_connections()
            live = LiveSite(providers, found.connections, found.failed_provider_ids)
            return await with_whole_configs(live, reader, of=configured)
        except ExtcalError as error:
            raise ExtcalError(f"{name}: {error}") from error

    names = sorted({outcome.action.site for outcome in touched})
    return undoing.undo(result, dict(zip(names, await run_bounded(read, names, opened.at_once), strict=True)))


async def _seen(result: Result, opened: Sessions) -> tuple[dict[str, ConnectionList], list[Fault]]:
    """List the connections of every site that was written to, and why some can't be read."""
    names = {outcome.action.site for outcome in result.outcomes if outcome.status is OutcomeStatus.DONE}
    sites = [site.site for site in result.plan.sites if site.site.name in names]

    async def read(site: Site) -> ConnectionList | Fault:
        try:
            return await opened[site.name].reader().list_connections()
        except ExtcalError as error:
            return Fault(site.source, site.name, str(error))

    answers = await run_bounded(read, sites, opened.at_once)
    seen = {site.name: each for site, each in zip(sites, answers, strict=True) if not isinstance(each, Fault)}
    return seen, [each for each in answers if isinstance(each, Fault)]


async def without_secrets(plan: Plan, opened: Sessions) -> tuple[Outcome, ...]:
    """Fail the actions whose password, or whose site's key, can't be resolved; send nothing.

    What a saved plan would bring about and is there already takes no password.
    """
    reasons = _Reasons()
    lacking = [
        (action, why)
        for site in plan.sites
        if site.applyable
        for action in site.actions
        if action.kind.writes and (why := reasons.of(action, opened[action.site])) is not None
    ]
    used = {site.site.name for site in plan.sites if site.plan_id}
    schedules: dict[str, set[str]] = defaultdict(set)
    for action, _ in lacking:
        if action.site in used:
            schedules[action.site].add(action.schedule_id)

    async def listed(name: str) -> ConnectionList | None:
        try:
            return await opened[name].reader().list_connections(sorted(schedules[name]))
        except ExtcalError:
            return None

    standing = dict(zip(schedules, await run_bounded(listed, schedules, opened.at_once), strict=True))

    async def failed(action: Action, why: str) -> Outcome | None:
        there = standing.get(action.site)
        if there is not None and await come_about(action, there.connections, opened[action.site].reader()):
            return None
        return Outcome(action, OutcomeStatus.FAILED, error=why)

    outcomes = await run_bounded(lambda each: failed(*each), lacking, opened.at_once)
    return tuple(outcome for outcome in outcomes if outcome is not None)


class _Reasons:
    """Says why secrets can't be resolved; each is looked up once, since many may share one."""

    def __init__(self) -> None:
        self._known: dict[SecretRef, str | None] = {}

    def of(self, action: Action, session: SiteSession) -> str | None:
        """Why an action can't be carried out for want of a secret; None where it has what it takes."""
        # A disconnect holds the reference too, for the way back, and does not need it.
        password = action.password if action.method is ConnectMethod.CREDENTIALS else None
        for ref in (session.key, password):
            if ref is not None and (why := self._why(ref, session)) is not None:
                return why
        return None

    def _why(self, ref: SecretRef, session: SiteSession) -> str | None:
        if ref not in self._known:
            try:
                session.check_secret(ref)
            except SecretError as error:
                self._known[ref] = str(error)
            else:
                self._known[ref] = None
        return self._known[ref]
