"""The use cases, each a short story: observe → plan, and apply → verify."""

from reconciler.workflow.applying import apply, undo, verify, verify_saved
from reconciler.workflow.observing import observe
from reconciler.workflow.plans import plan, plan_against_base, with_impact
from reconciler.workflow.recovering import Faults, Recovery, held_back, locked, pending, recover
from reconciler.workflow.service import Selection, Service, Sessions, selected_sites, sessions
from reconciler.workflow.statuses import status

__all__ = [
    "Faults",
    "Recovery",
    "Selection",
    "Service",
    "Sessions",
    "apply",
    "held_back",
    "locked",
    "observe",
    "pending",
    "plan",
    "plan_against_base",
    "recover",
    "selected_sites",
    "sessions",
    "status",
    "undo",
    "verify",
    "verify_saved",
    "with_impact",
]
