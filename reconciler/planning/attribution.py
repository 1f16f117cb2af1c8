"""Tells this change from drift: compares the plans of the manifests as they are and were.

Both are made from one observation of the live state, so that what differs between them is the change's doing and
what they share is drift that was there before.
"""

from collections.abc import Iterable
from dataclasses import replace

from reconciler.model.account import shown
from reconciler.model.action import Action, Attribution
from reconciler.model.plan import Plan, SitePlan
from reconciler.model.source import Fault


class _Base:
    """The base's actions, to be found by whatever they have in common with one of the head's."""

    def __init__(self, plan: SitePlan) -> None:
        self._by_address = {action.address: action for action in plan.actions}
        self._by_connection = {action.connection_id: action for action in plan.actions if action.connection_id}
        self._by_key = {action.key: action for action in plan.actions}

    def counterpart(self, action: Action) -> Action | None:
        """The base's action on the same connection, whatever its manifest was called."""
        if action.connection_id in self._by_connection:
            return self._by_connection[action.connection_id]
        return self._by_key.get(action.key) or self._by_address.get(action.address)


def attributed(head: SitePlan, base: SitePlan) -> SitePlan:
    """The head's plan with the attribution of every action that writes."""
    known = _Base(base)
    return replace(head, actions=tuple(_attributed(action, known.counterpart(action)) for action in head.actions))


def _attributed(action: Action, before: Action | None) -> Action:
    if not action.kind.writes:
        return action
    if before is None or not before.kind.writes:
        attribution = Attribution.THIS_CHANGE
    else:
        same = (action.kind, action.changes, action.connection_id) == (
            before.kind,
            before.changes,
            before.connection_id,
        )
        attribution = Attribution.DRIFT if same else Attribution.BOTH
    return replace(action, attribution=attribution)


def out_of_scope(head: SitePlan, base: SitePlan) -> tuple[str, ...]:
    """A warning for each live connection that the base declares and the head says nothing of any more."""
    seen = {action.connection_id for action in head.actions}
    declared = {action.address for action in head.actions if action.source is not None}
    return tuple(
        _moved(action) if action.address in declared else _forgotten(action)
        for action in base.actions
        if action.connection_id and action.connection_id not in seen and action.source is not None
    )


def _forgotten(action: Action) -> str:
    return (
        f"{action.address} is no longer declared and its schedule is out of scope: {shown(action.account)} stays "
        "connected; to disconnect it, keep its manifest or row, with state: absent"
    )


def _moved(action: Action) -> str:
    return (
        f"{action.address} has moved from schedule {action.schedule_name or action.schedule_id}, which is out of scope "
        f"now: {shown(action.account)} stays connected there; to disconnect it, declare it there, too, under another "
        "name, with state: absent"
    )


def new_faults(head: Iterable[Fault], base: Iterable[Fault]) -> tuple[Fault, ...]:
    """The head's faults that the base does not have too, wherever in the files they stand."""
    known = {(fault.where, fault.message) for fault in base}
    return tuple(fault for fault in head if (fault.where, fault.message) not in known)


def pending(plan: Plan) -> bool:
    """Whether there is anything to do that was not drifting already."""
    return any(action.kind.writes and action.attribution is not Attribution.DRIFT for action in plan.actions)
