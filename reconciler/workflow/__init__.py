"""The use cases, each a short story: observe → plan, and apply → verify."""

from reconciler.workflow.applying import apply, undo, verify, verify_saved
from reconciler.workflow.observing import observe
from reconciler.workflow.plans import plan, plan_against_base, with_impact
from reconciler.workflow.service import Selection, Service, Sessions, selected_sites, sessions
from reconciler.workflow.statuses import status

__all__ = [
    "Selection",
    "Service",
    "Sessions",
    "apply",
    "observe",
    "plan",
    "plan_against_base",
    "selected_sites",
    "sessions",
    "status",
    "undo",
    "verify",
    "verify_saved",
    "with_impact",
]
