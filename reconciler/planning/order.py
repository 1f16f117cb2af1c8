"""Orders actions: what frees an account goes first, what is pruned last."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from reconciler.model.account import Account
from reconciler.model.action import Action, ActionKind, Reason
from reconciler.model.plan import Plan

_Account = tuple[str, Account]


def ordered(plan: Plan) -> Plan:
    """The plan with `depends_on` filled in, across sites.

    Two replaces that swap accounts can't both wait; the later one by address then goes first.
    """
    freed: dict[_Account, list[Action]] = defaultdict(list)
    for action in plan.actions:
        if action.kind.disconnects and (account := _freed_account(action)):
            freed[account].append(action)
    waits: dict[str, tuple[str, ...]] = {}
    for action in plan.actions:
        if action.kind in {ActionKind.CONNECT, ActionKind.REPLACE} and action.account:
            candidates = freed.get((action.provider, action.account), [])
            waits[action.address] = tuple(
                other.address
                for other in candidates
                if other.address != action.address and not _leads_to(other.address, action.address, waits)
            )
    for site in plan.sites:
        _add_prunes(site.actions, waits)
    sites = tuple(
        replace(site, actions=tuple(_waiting(action, waits.get(action.address, ())) for action in site.actions))
        for site in plan.sites
    )
    return replace(plan, sites=sites)


def _add_prunes(actions: Sequence[Action], waits: dict[str, tuple[str, ...]]) -> None:
    """What prune takes goes after what is declared on its schedule works: it may be all that works there.

    It does not wait for a connect that waits for it, since it frees the account.
    """
    changed: dict[str, list[str]] = defaultdict(list)
    for action in actions:
        if action.kind in {ActionKind.CONNECT, ActionKind.UPDATE, ActionKind.RECONNECT}:
            changed[action.schedule_id].append(action.address)
    for action in actions:
        if action.kind is ActionKind.DISCONNECT and action.reason is Reason.PRUNED:
            beside = changed[action.schedule_id]
            waits[action.address] = tuple(other for other in beside if not _leads_to(other, action.address, waits))


def _waiting(action: Action, depends_on: tuple[str, ...]) -> Action:
    return action if action.depends_on == depends_on else replace(action, depends_on=depends_on)


def _freed_account(action: Action) -> _Account | None:
    freed = action.superseded or action.key
    return (freed.provider, freed.account) if freed.account else None


def _leads_to(start: str, goal: str, waits: dict[str, tuple[str, ...]]) -> bool:
    seen, heap = set(), [start]
    while heap:
        here = heap.pop()
        if here == goal:
            return True
        if here not in seen:
            seen.add(here)
            heap.extend(waits.get(here, ()))
    return False
