"""The use cases, each a short story: observe → plan, and apply → verify.

Each is imported when it is first asked for: planning has no use for what applying takes.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.workflow.applying import apply, undo, verify, verify_saved
    from reconciler.workflow.masks import leaving
    from reconciler.workflow.observing import observe
    from reconciler.workflow.plans import Base, plan, plan_against_base, with_impact
    from reconciler.workflow.recovering import Faults, Recovery, locked, pending, recover
    from reconciler.workflow.review import Review, review_saved
    from reconciler.workflow.service import Selection, Service, Sessions, selected_sites, sessions
    from reconciler.workflow.statuses import status

__all__ = [
    "Base",
    "Faults",
    "Recovery",
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
    "Faults": "recovering",
    "Recovery": "recovering",
    "Review": "review",
    "Selection": "service",
    "Service": "service",
    "Sessions": "service",
    "apply": "applying",
    "leaving": "masks",
    "locked": "recovering",
    "observe": "observing",
    "pending": "recovering",
    "plan": "plans",
    "plan_against_base": "plans",
    "recover": "recovering",
    "review_saved": "review",
    "selected_sites": "service",
    "sessions": "service",
    "status": "statuses",
    "undo": "applying",
    "verify": "applying",
    "verify_saved": "applying",
    "with_impact": "plans",
}


def __getattr__(name: str) -> object:
    """A use case, from the module that has it (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
