"""A plan as it may leave the process: without secrets, and without what can't be carried out without them."""

from collections.abc import Callable
from dataclasses import replace

from reconciler.model.plan import Action, Plan, SitePlan
from reconciler.model.source import Fault

_WHY = "the service's answers repeat a secret in what this rests on"
_HINT = "find out who runs that service, and change the secret; a plan that holds [secret] can't be carried out"


def leaving(made: Plan, redacted: Callable[[Plan], Plan]) -> Plan:
    """The plan, redacted; a site with an action that would act on something else for that must not be applied."""
    shown = redacted(made)
    if shown is made:
        return made
    return replace(shown, sites=tuple(map(_held_back, made.sites, shown.sites)))


def _held_back(before: SitePlan, after: SitePlan) -> SitePlan:
    faults = [
        Fault(new.source, new.address, _WHY, _HINT)
        for old, new in zip(before.actions, after.actions, strict=True)
        if new.kind.writes and (_acting(old) != _acting(new) or before.site != after.site)
    ]
    return replace(after, faults=(*after.faults, *faults)) if faults else after


def _acting(action: Action) -> Action:
    """An action but for what is only shown of it."""
    return replace(action, schedule_name=None, changes=(), source=None)
