"""The use cases, each a short story: observe → plan, and apply → verify.

Each is imported when it is first asked for: planning has no use for what applying takes.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.workflow.apply_plan import apply, undo, verify, verify_saved
    from reconciler.workflow.observation import observe
    from reconciler.workflow.plans import Base, leaving, plan, plan_against_base, with_impact
    from reconciler.workflow.recovery import Faults, RecoveryResult, locked, pending, recover
    from reconciler.workflow.review import Review, review_saved
    from reconciler.workflow.run import status
    from reconciler.workflow.service import Selection, Service, Sessions, selected_sites, sessions

__all__ = [
    "Base",
    "Faults",
    "RecoveryResult",
    "Review",
    "Selection",
    "Service",
    "Sessions",
    "apply",
    "leaving",
    "locked",
    "observe",
    "pending",
    "plan",
    "plan_against_base",
    "recover",
    "review_saved",
    "selected_sites",
    "sessions",
    "status",
    "undo",
    "verify",
    "verify_saved",
    "with_impact",
]

_HOMES = {
    "Base": "plans",
    "Faults": "recovery",
    "RecoveryResult": "recovery",
    "Review": "review",
    "Selection": "service",
    "Service": "service",
    "Sessions": "service",
    "apply": "apply_plan",
    "leaving": "plans",
    "locked": "recovery",
    "observe": "observation",
    "pending": "recovery",
    "plan": "plans",
    "plan_against_base": "plans",
    "recover": "recovery",
    "review_saved": "review",
    "selected_sites": "service",
    "sessions": "service",
    "status": "run",
    "undo": "apply_plan",
    "verify": "apply_plan",
    "verify_saved": "apply_plan",
    "with_impact": "plans",
}


def __getattr__(name: str) -> object:
    """A use case, from the module that has it (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
