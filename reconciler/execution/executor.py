"""Walks a plan: what depends on nothing runs concurrently, what depends on another waits for it."""

import asyncio
import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from reconciler.errors import ExtcalError, StaleError
from reconciler.execution.connect import Reach, shown_since
from reconciler.execution.consent import (
    AuthorizationLink,
    CallbackChannel,
    ConsentPrompt,
    Deadline,
    WhyNotAsked,
    await_callback,
)
from reconciler.execution.consent_poll import PolledConsent, SitePoll
from reconciler.execution.redirects import Redirects
from reconciler.execution.settle import may_hide
from reconciler.execution.site_view import Seen, Standing, again_while_stale, now
from reconciler.execution.slots import Slots
from reconciler.execution.steps import carry_out, come_about, ending, finish
from reconciler.execution.sync_update import with_directions_shown, with_target_shown
from reconciler.execution.trust import SiteTrust
from reconciler.model.action import Action, ActionKind
from reconciler.model.consent import ConsentMode
from reconciler.model.live import ConnectMethod, LiveConnection
from reconciler.model.plan import Plan
from reconciler.model.result import Outcome, OutcomeStatus
from reconciler.planning.preconditions import come_since, connected, disconnected_since, disconnecting, holds

_WHOLE = "when every part was applied, apply the whole plan once more"
_TOO_LATE = "interrupted before it began"


class Stop:
    """How a run is ended early; both are events that whoever interrupts it sets."""

    def __init__(self) -> None:
        self.gently = asyncio.Event()
        self.at_once = asyncio.Event()


class Executor:
    """Carries out one plan once.

    `reaches` holds what is needed of each applyable site by its name. `consent` says what is done where an owner must
    agree; with WAIT and POLL, `prompt` asks them; with MAIL, `why_not_asked` says who gets no link.
    `on_outcome` is called with each outcome as it comes. When
    `stop.gently` is set, nothing new is begun, what is under way is finished, and no owner is awaited any longer; when
    `stop.at_once` is, what is under way is ended and said to be unknown. At most `sites_at_once` sites are at work at a
    time; who waits for an owner, or for another action, is not. `ended` holds outcomes that were known, and handed on,
    before anything is begun.
    """

    def __init__(
        self,
        plan: Plan,
        reaches: Mapping[str, Reach],
        *,
        consent: ConsentMode,
        prompt: ConsentPrompt | None = None,
        why_not_asked: WhyNotAsked | None = None,
        stop: Stop,
        on_outcome: Callable[[Outcome], None],
        sites_at_once: int,
        ended: Iterable[Outcome] = (),
    ) -> None:
        self._plan = plan
        self._digest = functools.cache(lambda: plan.digest)
        self._sites = {site.site.name: site.site for site in plan.sites}
        self._ended = {outcome.action.address: outcome for outcome in ended}
        self._planned = frozenset(action.address for action in plan.actions)
        self._leaving = {site.site.name: disconnecting(site.actions) for site in plan.sites}
        self._reaches = reaches
        self._consent = consent
        self._prompt = prompt
        self._why_not_asked = why_not_asked
        self._stop = stop
        self._on_outcome = on_outcome
        at_work = asyncio.Semaphore(sites_at_once)
        self._slots = {name: Slots(at_work) for name in reaches}
        self._redirects = {name: Redirects() for name in reaches}
        self._polls = {
            site.site.name: SitePoll(reaches[site.site.name].port, self._slots[site.site.name], site.actions)
            for site in plan.sites
            if site.site.name in reaches
        }
        self._tasks: dict[str, asyncio.Task[Outcome]] = {}
        self._begun: set[str] = set()
        self._trust = {site.site.name: SiteTrust(site.actions) for site in plan.sites}
        self._held_back = {a.address for site in plan.sites for a in site.actions if site.holds_back(a)}

    async def run(self) -> tuple[Outcome, ...]:
        """Carry it out; every action that writes has its outcome, in the plan's order."""
        todo = [action for action in self._plan.actions if action.kind.writes]
        idle = {*self._ended, *self._held_back}
        for action in todo:
            if action.site in self._reaches and action.address not in idle:
                self._reaches[action.site].view.expect(action.schedule_id, action.connection_id)
        async with asyncio.TaskGroup() as group:
            for action in todo:
                self._tasks[action.address] = group.create_task(self._settle(action))
        outcomes = [self._tasks[action.address].result() for action in todo]
        if self._stop.gently.is_set():
            return tuple(outcomes)
        return tuple(await asyncio.gather(*map(self._shown_since, outcomes)))

    async def _shown_since(self, outcome: Outcome) -> Outcome:
        reach = self._reaches.get(outcome.action.site)
        return outcome if reach is None else await shown_since(outcome, reach)

    async def _settle(self, action: Action) -> Outcome:
        if (ended := self._ended.get(action.address)) is not None:
            return self._recorded(ended)
        outcome = self._recorded(await self._when_ready(action))
        self._on_outcome(outcome)
        return outcome

    def _recorded(self, outcome: Outcome) -> Outcome:
        """The outcome, which the history has if anything was sent or went wrong; what was done stays done without."""
        reach = self._reaches.get(outcome.action.site)
        if reach is None or reach.history is None or outcome.already or not _worth_recording(outcome):
            return outcome
        try:
            reach.history.add(outcome, self._sites[outcome.action.site], self._digest())
        except ExtcalError as error:
            if outcome.status is OutcomeStatus.DONE:
                return replace(outcome, status=OutcomeStatus.FAILED, error=f"done, but {error}")
            return replace(outcome, error=f"{outcome.error}; {error}" if outcome.error else str(error))
        return outcome

    async def _when_ready(self, action: Action) -> Outcome:
        if action.address in self._held_back:
            return _skipped(action, _why_held_back(action))
        # Every task is created before the first one runs, so those waited for are known by now.
        await asyncio.sleep(0)
        for address in action.depends_on:
            if address not in self._planned:
                return _skipped(action, f"{address}, which must go first, is in another part of the plan; {_WHOLE}")
            if (before := self._tasks.get(address)) is None:
                continue
            outcome = await asyncio.shield(before)
            if outcome.status is not OutcomeStatus.DONE:
                held_up = outcome.held_up or outcome.status is OutcomeStatus.AWAITING_CONSENT
                return replace(
                    _skipped(action, f"{address}, which must go first, is {outcome.status}"), held_up=held_up
                )
        reach = self._reaches.get(action.site)
        if reach is None:
            return _skipped(action, f"site {action.site} is held back; fix its errors, then plan again")
        return await self._unless_stopped(action, reach)

    async def _unless_stopped(self, action: Action, reach: Reach) -> Outcome:
        under_way = asyncio.create_task(self._safely(action, reach))
        stopped = asyncio.create_task(self._stop.at_once.wait())
        try:
            await asyncio.wait((under_way, stopped), return_when=asyncio.FIRST_COMPLETED)
            if under_way.done():
                return under_way.result()
            begun = action.address in self._begun
            why = "interrupted while it was under way; apply again, which first looks up what became of it"
            return Outcome(action, OutcomeStatus.UNKNOWN, error=why) if begun else _skipped(action, _TOO_LATE)
        finally:
            for task in (under_way, stopped):
                task.cancel()
            await asyncio.wait((under_way, stopped))

    async def _safely(self, action: Action, reach: Reach) -> Outcome:
        try:
            return _noted(reach, await ending(action, self._carried_out(action, reach)))
        except Exception as error:  # noqa: BLE001 - one action's defect must not take the others' report along
            message = f"internal error, {type(error).__name__}; please report it. Plan again to see where it stands"
            return Outcome(action, OutcomeStatus.UNKNOWN, error=message)

    async def _carried_out(self, action: Action, reach: Reach) -> Outcome:
        if self._prompt is not None and action.needs_owner:
            return await self._with_its_owner(action, reach, self._prompt)
        if action.method is ConnectMethod.CREDENTIALS:
            return await self._trust[action.site].connect(action, reach, lambda: self._if_unchanged(action, reach))
        return await self._if_unchanged(action, reach)

    async def _if_unchanged(self, action: Action, reach: Reach) -> Outcome:
        async def act() -> Outcome:
            standing = await self._standing(action, reach)
            if isinstance(standing, Outcome):
                return standing
            return await carry_out(action, reach, self._consent, standing, self._why_not_asked)

        async with self._slots[action.site]:
            try:
                return await again_while_stale(act)
            except StaleError as error:
                return _skipped(action, str(error))

    async def _with_its_owner(self, action: Action, reach: Reach, prompt: ConsentPrompt) -> Outcome:
        """Ask the owner and await them, without holding a slot that others could use meanwhile."""
        slots = self._slots[action.site]
        with prompt.open(action) as channel:
            async with slots:
                try:
                    asked = await again_while_stale(lambda: self._asked(action, reach, channel))
                except StaleError as error:
                    return _skipped(action, str(error))
            if isinstance(asked, Outcome):
                return asked
            standing, link = asked
            prompt.show_link(action, link)
            until = asyncio.get_running_loop().time() + prompt.timeout
            deadline = Deadline(until, self._stop.gently, prompt.timeout)
            if channel is not None and link.returns_here:
                made = await await_callback(action, reach, channel, slots, deadline, standing.connections)
            else:
                consent = PolledConsent(action, link, standing.connections, deadline)
                made = await self._polls[action.site].await_connection(consent)
        if isinstance(made, Outcome):
            return made
        seen = Seen(made, now())
        if reach.use is not None:
            reach.use.add(action.address)
        async with slots:
            return await finish(action, reach, seen, standing.connections)

    async def _asked(
        self, action: Action, reach: Reach, channel: CallbackChannel | None
    ) -> tuple[Standing, AuthorizationLink] | Outcome:
        """What stands on its schedule, and the link that its owner must open; or how it ends without one."""
        standing = await self._standing(action, reach)
        if isinstance(standing, Outcome):
            return standing
        resting = replace(reach, port=reach.port.while_fresh(standing.fresh))
        link = await self._redirects[action.site].ask(action, resting, channel)
        return link if isinstance(link, Outcome) else (standing, link)

    async def _standing(self, action: Action, reach: Reach) -> Standing | Outcome:
        """What stands on its schedule, or why it is not carried out.

        That is: interrupted, or what it rests on is no longer what it was when it was planned, or its plan was used
        for it before.
        """
        if self._stop.gently.is_set():
            return _skipped(action, _TOO_LATE)
        try:
            standing = await reach.view.standing(action.schedule_id)
            hidden = await may_hide(action.provider_id, action.provider, standing.failed_provider_ids, reach.port)
        except ExtcalError as error:
            return _skipped(action, f"its precondition could not be checked: {error}")
        if hidden:
            return _skipped(action, "its precondition could not be checked: the service can't reach the provider")
        live: Sequence[LiveConnection] = standing.connections
        leaving = self._leaving[action.site]
        if action.kind is ActionKind.UPDATE and not holds(action, live, leaving, reach.made):
            standing = await with_target_shown(standing, action.connection_id, reach.port)
            live = standing.connections
        used_at = reach.use.when(action.address) if reach.use is not None else None
        if used_at is None and holds(action, live, leaving, reach.made):
            if action.kind is ActionKind.RECONNECT and action.method is not None:
                # Its next connection goes on as this one was, which nobody may be able to tell afterwards.
                live = await with_directions_shown((action.connection_id,), live, reach.port)
            self._begun.add(action.address)
            return replace(standing, connections=tuple(live))
        if await come_about(action, live, reach.port):
            return Outcome(action, OutcomeStatus.DONE, connection_id=action.connection_id, already=True)
        if reach.use is not None and connected(action, live, leaving):
            reach.use.add(action.address)
        return _skipped(
            action, _moved(used_at, disconnected_since(action, live, leaving), come_since(action, live, reach.made))
        )


def _noted(reach: Reach, outcome: Outcome) -> Outcome:
    """The outcome of an action; one that is done is finished, and what a saved plan has been used for."""
    if outcome.status is not OutcomeStatus.DONE:
        return outcome
    try:
        reach.unfinished.remove(outcome.action.address, outcome.action.account)
        if reach.use is not None:
            reach.use.add(outcome.action.address)
    except ExtcalError as error:
        return replace(outcome, status=OutcomeStatus.FAILED, error=f"done, but {error}")
    return outcome


def _worth_recording(outcome: Outcome) -> bool:
    match outcome.status:
        case OutcomeStatus.SKIPPED:
            return False
        case OutcomeStatus.AWAITING_CONSENT:
            return outcome.consent_url is not None
    return True


def _moved(used_at: str | None, gone: Sequence[str], come: Sequence[str]) -> str:
    """Why an action is not carried out that does not rest on what it did."""
    if used_at is not None:
        return (
            f"this plan was used for it on {used_at}, and its result does not stand now: a saved plan is for one use; "
            "plan again"
        )
    if gone:
        return f"it was connected and disconnected again since it was planned ({', '.join(gone)}); plan again"
    if come:
        return f"it may be connected already: {', '.join(come)} came since it was planned; plan again"
    return "the live state that it rests on has changed since it was planned; plan again"


def _why_held_back(action: Action) -> str:
    if action.kind.disconnects:
        return f"nothing is disconnected on site {action.site} while it has errors; fix them, then plan again"
    return "held back by its errors; fix them, then plan again"


def _skipped(action: Action, why: str) -> Outcome:
    return Outcome(action, OutcomeStatus.SKIPPED, error=why)
