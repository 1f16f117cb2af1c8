"""External calendar connections as code.

The names below are for programs; they are provisional until version 1. `extcal` itself calls them. Each is imported
when it is first used, so that importing the package costs nothing.

- `load(paths)` reads manifests and gives the `Desired` state; `ManifestError` holds every fault of every file.
- `reach(endpoint, environ=…, state_folder=…)` gives the `Service` that the coroutines below are handed.
- `plan(desired, service)` reads the live state and gives a `Plan`; nothing but reads is sent.
- `apply(desired_or_plan, service)` carries a plan out and gives a `Result`.
- `open_run(desired_or_plan, service)` is the same in steps, for programs that look at the plan before it is applied.

`examples/python` has programs that use them. All values are frozen; all errors that are for people are `ExtcalError`.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.errors import ExtcalError, ManifestError
    from reconciler.manifests import Limits, load
    from reconciler.model.action import Action, ActionKind, Change, Reason, Recovery
    from reconciler.model.consent import ConsentMode
    from reconciler.model.desired import DeclaredConnection, Desired, Site
    from reconciler.model.key import ConnectionKey
    from reconciler.model.plan import Plan, SitePlan
    from reconciler.model.result import Outcome, OutcomeStatus, Result
    from reconciler.workflow.entry import apply, open_run, plan
    from reconciler.workflow.service import Selection, Service, reach

__version__ = "0.1.0"

__all__ = [
    "Action",
    "ActionKind",
    "Change",
    "ConnectionKey",
    "ConsentMode",
    "DeclaredConnection",
    "Desired",
    "ExtcalError",
    "Limits",
    "ManifestError",
    "Outcome",
    "OutcomeStatus",
    "Plan",
    "Reason",
    "Recovery",
    "Result",
    "Selection",
    "Service",
    "Site",
    "SitePlan",
    "apply",
    "load",
    "open_run",
    "plan",
    "reach",
]

_HOMES = {
    "errors": ("ExtcalError", "ManifestError"),
    "manifests": ("Limits", "load"),
    "model.desired": ("DeclaredConnection", "Desired", "Site"),
    "model.action": ("Action", "ActionKind", "Change", "Reason", "Recovery"),
    "model.consent": ("ConsentMode",),
    "model.key": ("ConnectionKey",),
    "model.plan": ("Plan", "SitePlan"),
    "model.result": ("Outcome", "OutcomeStatus", "Result"),
    "workflow.entry": ("apply", "open_run", "plan"),
    "workflow.service": ("Selection", "Service", "reach"),
}


def __getattr__(name: str) -> object:
    """A public name, from the module that has it (PEP 562)."""
    home = next((home for home, names in _HOMES.items() if name in names), None)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{home}"), name)
