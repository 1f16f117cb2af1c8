"""Locks sites for one run, and settles what earlier runs left open.

A connect is left open where its answer was lost: the journal holds its intent and no end. It is settled by what the
service lists now. Where that is not clear, what is planned of the same connection is held back, and a person decides
(`extcal resolve`). Another run that holds the lock of a site holds back the whole site.
"""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from reconciler.errors import ExtcalError
from reconciler.execution.connect import unclear
from reconciler.execution.settle import Window, settle
from reconciler.machine import LockedError, Machine, Owner, make_room
from reconciler.machine.journal import FileJournal
from reconciler.model.action import Action, ActionKind
from reconciler.model.desired import Site
from reconciler.model.intent import Intent, Pending, Settled, Several, Unclear, Unlisted
from reconciler.model.live import ConnectMethod, LiveConnection
from reconciler.model.plan import Plan, SitePlan
from reconciler.model.source import Fault
from reconciler.planning.preconditions import disconnecting, intent_of
from reconciler.workflow.service import Sessions, run_bounded

Faults = Mapping[str, tuple[Fault, ...]]
"""Why sites must not be written to, by their names."""


@contextmanager
def locked(sites: Sequence[Site], machine: Machine, command: str) -> Iterator[Faults]:
    """Hold the locks of sites for the length of the block; yields why some can't be held.

    Raises ExtcalError where this machine has no place for locks.
    """
    make_room(len(sites))
    owner = Owner.this_process(command)
    faults: dict[str, tuple[Fault, ...]] = {}
    with ExitStack() as held:
        for site in sites:
            try:
                held.enter_context(machine.site(site.site_id).lock(owner, site.name))
            except LockedError as error:
                faults[site.name] = (Fault(site.source, site.name, str(error)),)
        yield faults


def pending(sites: Sequence[Site], machine: Machine) -> tuple[Pending, ...]:
    """What earlier runs on this machine left open; raises ExtcalError."""
    return tuple(each for site in sites for each in machine.site(site.site_id).journal.pending())


@dataclass(frozen=True, slots=True)
class LeftOpen:
    """A connect that could not be settled, and why."""

    intent: Intent
    why: str
    unclear: tuple[LiveConnection, ...] = ()


@dataclass(frozen=True, slots=True)
class RecoveryResult:
    """What was settled, which sites must not be written to, and what is left open."""

    settled: tuple[Settled, ...]
    faults: Faults
    left_open: tuple[LeftOpen, ...] = ()

    def held_back(self, plan: Plan) -> Plan:
        """The plan, with the sites and the connections that must not be written to marked as such."""
        sites = tuple(replace(site, faults=(*site.faults, *self._faults_of(site))) for site in plan.sites)
        return replace(plan, sites=sites)

    def _faults_of(self, plan: SitePlan) -> Iterator[Fault]:
        yield from self.faults.get(plan.site.name, ())
        kept = {ActionKind.NOOP, ActionKind.UPDATE, ActionKind.RECONNECT}
        declared = {action.connection_id for action in plan.actions if action.kind in kept}
        for left in self.left_open:
            # What appeared meanwhile and is declared is known to be another one.
            if left.unclear and all(connection.id in declared for connection in left.unclear):
                continue
            if plan.site.site_id == left.intent.site_id:
                yield from _faults_of(left, plan)


def _faults_of(left: LeftOpen, plan: SitePlan) -> Iterator[Fault]:
    """A fault where the plan is about what was left open, whatever it is called by now.

    A manifest that says something else by now asks for something else.
    """
    for action in plan.actions:
        if _is_of(action, left.intent):
            yield Fault(action.source, action.address, left.why)
    for fault in plan.faults:
        if fault.where == left.intent.address:
            yield Fault(fault.source, fault.where, left.why)


def _is_of(action: Action, intent: Intent) -> bool:
    """Whether an action is about what an intent was to connect."""
    return action.key == intent.key and action.kind is not ActionKind.UNMANAGED


async def recover(
    sites: Sequence[Site],
    opened: Sessions,
    machine: Machine,
    taken: Faults,
    window: Window | None = None,
    lost: Plan | None = None,
) -> RecoveryResult:
    """Settle what earlier runs left open on the sites that are not `taken` by another run.

    `lost` is a plan that was being carried out elsewhere, where its journal can't be seen: any of its connects may
    have been sent.
    """

    async def one(site: Site) -> tuple[Settled, ...] | Fault:
        journal = machine.site(site.site_id).journal
        try:
            _take_over(site, journal, lost)
            return await settle(opened[site.name].reader(), journal, window or Window()) if journal.pending() else ()
        except ExtcalError as error:
            return Fault(site.source, site.name, str(error))

    free = [site for site in sites if site.name not in taken]
    answers = await run_bounded(one, free, opened.at_once)
    faults = dict(taken)
    found: list[Settled] = []
    for site, answer in zip(free, answers, strict=True):
        if isinstance(answer, Fault):
            faults[site.name] = (answer,)
        else:
            found += answer
    left = tuple(left for settled in found if (left := _left_open(settled)) is not None)
    return RecoveryResult(tuple(found), faults, left)


def _take_over(site: Site, journal: FileJournal, lost: Plan | None) -> None:
    """Write down the connects of a lost plan, so that they are settled as if sent here."""
    connects = [
        (action, each.plan_id)
        for each in (lost.sites if lost is not None else ())
        if each.site.site_id == site.site_id
        for action in each.actions
        if action.method is ConnectMethod.CREDENTIALS and action.kind.writes
    ]
    known = {each.intent.address for each in journal.pending()} if connects else set()
    for action, plan_id in connects:
        if action.address not in known:
            journal.begin(replace(intent_of(action, uuid.uuid4().hex, None), plan_id=plan_id))


def _left_open(settled: Settled) -> LeftOpen | None:
    intent = settled.pending.intent
    match settled.finding:
        case Several(connections):
            ids = ", ".join(connection.id for connection in connections)
            return LeftOpen(
                intent,
                f"an earlier connect has made {len(connections)} connections instead of one: {ids}; choose the one "
                f"to keep: extcal resolve PATH --keep {intent.address}=ID",
            )
        case Unclear(connections):
            return LeftOpen(intent, f"an earlier connect was left open: {unclear(connections)}", connections)
        case Unlisted(reason):
            return LeftOpen(
                intent,
                f"an earlier connect was left open, and what it has made can't be seen: {reason}; apply again later, "
                f"or with a key or app that sees all, or close it: extcal resolve PATH --forget {intent.address}",
            )
        case _:
            return None


def as_agreed(plan: Plan, agreed: Plan) -> Plan:
    """Keep of a new plan what was agreed to before.

    That is the same addresses, and no disconnect of what was to stay.
    """
    addresses = {action.address for action in agreed.actions if action.kind.writes}
    leaving = disconnecting(agreed.actions)

    def is_agreed(action: Action) -> bool:
        if not action.kind.writes:
            return True
        return action.address in addresses and (not action.kind.disconnects or action.connection_id in leaving)

    return replace(
        plan, sites=tuple(replace(site, actions=tuple(filter(is_agreed, site.actions))) for site in plan.sites)
    )
