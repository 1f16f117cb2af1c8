"""Guards plans: forbids what nobody has overruled by the guard's name, at an address."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from reconciler.model.account import shown
from reconciler.model.action import Action, Reason, Recovery
from reconciler.model.desired import Site
from reconciler.model.plan import Allowance, Plan, Violation

MAX_DISCONNECTS = "max-disconnects"
PREVENT_DISCONNECT = "prevent-disconnect"
CONSENT_LOSS = "consent-loss"
GUARDS = (MAX_DISCONNECTS, PREVENT_DISCONNECT, CONSENT_LOSS)


def violations(
    site: Site,
    actions: Sequence[Action],
    in_scope: int,
    allowed: frozenset[Allowance],
) -> tuple[Violation, ...]:
    """The guards that the actions of one site break and that `allowed` does not overrule.

    `in_scope` is how many live connections of the site are in scope before anything is done.
    """
    found = [
        *_too_many_disconnects(site, actions, in_scope),
        *_prevented(actions),
        *_consents_lost(actions),
    ]
    return tuple(v for v in found if Allowance(v.guard, v.address) not in allowed)


def overruled(plan: Plan, allowed: frozenset[Allowance]) -> Plan:
    """A plan without the violations that are allowed now."""
    sites = tuple(
        replace(site, violations=tuple(v for v in site.violations if Allowance(v.guard, v.address) not in allowed))
        for site in plan.sites
    )
    return replace(plan, sites=sites)


def _too_many_disconnects(site: Site, actions: Sequence[Action], in_scope: int) -> Iterable[Violation]:
    count = sum(action.kind.disconnects for action in actions)
    # Where a Site sets none, max_disconnects is convert.DEFAULT_MAX_DISCONNECTS (manifests).
    limit = max(1, in_scope * site.max_disconnects // 100)
    if count > limit:
        message = (
            f"{count} of {in_scope} connections would be disconnected, more than the {limit} that "
            f"guards.maxDisconnects: {site.max_disconnects}% allows"
        )
        yield Violation(MAX_DISCONNECTS, site.name, message)


def _prevented(actions: Sequence[Action]) -> Iterable[Violation]:
    for action in actions:
        if action.kind.disconnects and action.prevent_disconnect:
            message = f"{disconnection(action)}: its manifest sets lifecycle.preventDisconnect"
            yield Violation(PREVENT_DISCONNECT, action.address, message)


def disconnection(action: Action) -> str:
    """The subject of a guard's sentence: what is done to whose connection."""
    return f"{action.kind} of {shown(action.disconnected_account, 'an account not shown')}"


def consent_losses(actions: Iterable[Action]) -> Iterator[Action]:
    """The actions that disconnect what only its owner can connect again, and that no manifest names.

    A tombstone names its connection, and a duplicate's consent stands in the connection that stays.
    """
    meant = {Reason.TOMBSTONE, Reason.DUPLICATE}
    for action in actions:
        if action.kind.disconnects and action.recovery is Recovery.CONSENT and action.reason not in meant:
            yield action


def _consents_lost(actions: Iterable[Action]) -> Iterator[Violation]:
    for action in consent_losses(actions):
        message = (
            f"{disconnection(action)}: only its owner can connect it again, by consent; "
            "to disconnect it, declare it with state: absent"
        )
        yield Violation(CONSENT_LOSS, action.address, message)
