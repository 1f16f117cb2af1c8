"""Exports the use cases, each a short story: observe → plan, and apply → verify.

Each is imported when it is first asked for: planning has no use for what applying takes. Whatever `cli` and `watching`
need for a run is here; the modules beneath are for this room alone, but for `merge`, `pull` and `resolve`, which are a
command each.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.execution.consent import AuthorizationLink, ConsentPrompt, WhyNotAsked
    from reconciler.execution.executor import Stop
    from reconciler.workflow.apply_plan import apply, undo, verify, verify_saved, without_secrets
    from reconciler.workflow.asked_owners import AskedOwners
    from reconciler.workflow.consent_requests import known_requests
    from reconciler.workflow.consent_work import ConsentWork
    from reconciler.workflow.entry import ManifestWork, Run, SavedWork, open_run
    from reconciler.workflow.history_undo import recorded_outcome, undo_entry
    from reconciler.workflow.manifest_commit import commit_of_manifests
    from reconciler.workflow.observation import observe
    from reconciler.workflow.owner_mail import MailedOwner, OwnerMail
    from reconciler.workflow.plans import Base, Review, leaving, plan, plan_against_base, review_saved, with_impact
    from reconciler.workflow.recovery import Faults, RecoveryResult, as_agreed, locked, pending, recover
    from reconciler.workflow.run import SiteCheck, Work, carry_out, check_sites, prepare, status, to_do
    from reconciler.workflow.schedule_names import status_with_schedule_names, with_schedule_names
    from reconciler.workflow.selection import MatchedSite, SiteLookup, look_up, match_live
    from reconciler.workflow.service import Selection, Service, Sessions, reach, run_origin, selected_sites, sessions
    from reconciler.workflow.unlisted import checked_by_plan, note_all_unlisted

__all__ = [
    "AskedOwners",
    "AuthorizationLink",
    "Base",
    "ConsentPrompt",
    "ConsentWork",
    "Faults",
    "MailedOwner",
    "ManifestWork",
    "MatchedSite",
    "OwnerMail",
    "RecoveryResult",
    "Review",
    "Run",
    "SavedWork",
    "Selection",
    "Service",
    "Sessions",
    "SiteCheck",
    "SiteLookup",
    "Stop",
    "WhyNotAsked",
    "Work",
    "apply",
    "as_agreed",
    "carry_out",
    "check_sites",
    "checked_by_plan",
    "commit_of_manifests",
    "known_requests",
    "leaving",
    "locked",
    "look_up",
    "match_live",
    "note_all_unlisted",
    "observe",
    "open_run",
    "pending",
    "plan",
    "plan_against_base",
    "prepare",
    "reach",
    "recorded_outcome",
    "recover",
    "review_saved",
    "run_origin",
    "selected_sites",
    "sessions",
    "status",
    "status_with_schedule_names",
    "to_do",
    "undo",
    "undo_entry",
    "verify",
    "verify_saved",
    "with_impact",
    "with_schedule_names",
    "without_secrets",
]

_HOMES = {
    "Base": "reconciler.workflow.plans",
    "commit_of_manifests": "reconciler.workflow.manifest_commit",
    "AuthorizationLink": "reconciler.execution.consent",
    "ConsentPrompt": "reconciler.execution.consent",
    "ConsentWork": "reconciler.workflow.consent_work",
    "WhyNotAsked": "reconciler.execution.consent",
    "AskedOwners": "reconciler.workflow.asked_owners",
    "MailedOwner": "reconciler.workflow.owner_mail",
    "OwnerMail": "reconciler.workflow.owner_mail",
    "Faults": "reconciler.workflow.recovery",
    "ManifestWork": "reconciler.workflow.entry",
    "Run": "reconciler.workflow.entry",
    "SavedWork": "reconciler.workflow.entry",
    "open_run": "reconciler.workflow.entry",
    "reach": "reconciler.workflow.service",
    "RecoveryResult": "reconciler.workflow.recovery",
    "Review": "reconciler.workflow.plans",
    "Selection": "reconciler.workflow.service",
    "Service": "reconciler.workflow.service",
    "Sessions": "reconciler.workflow.service",
    "SiteCheck": "reconciler.workflow.run",
    "SiteLookup": "reconciler.workflow.selection",
    "MatchedSite": "reconciler.workflow.selection",
    "look_up": "reconciler.workflow.selection",
    "match_live": "reconciler.workflow.selection",
    "Stop": "reconciler.execution.executor",
    "Work": "reconciler.workflow.run",
    "apply": "reconciler.workflow.apply_plan",
    "as_agreed": "reconciler.workflow.recovery",
    "carry_out": "reconciler.workflow.run",
    "check_sites": "reconciler.workflow.run",
    "checked_by_plan": "reconciler.workflow.unlisted",
    "known_requests": "reconciler.workflow.consent_requests",
    "leaving": "reconciler.workflow.plans",
    "locked": "reconciler.workflow.recovery",
    "note_all_unlisted": "reconciler.workflow.unlisted",
    "observe": "reconciler.workflow.observation",
    "pending": "reconciler.workflow.recovery",
    "plan": "reconciler.workflow.plans",
    "plan_against_base": "reconciler.workflow.plans",
    "prepare": "reconciler.workflow.run",
    "recorded_outcome": "reconciler.workflow.history_undo",
    "recover": "reconciler.workflow.recovery",
    "review_saved": "reconciler.workflow.plans",
    "run_origin": "reconciler.workflow.service",
    "selected_sites": "reconciler.workflow.service",
    "sessions": "reconciler.workflow.service",
    "status": "reconciler.workflow.run",
    "status_with_schedule_names": "reconciler.workflow.schedule_names",
    "to_do": "reconciler.workflow.run",
    "undo": "reconciler.workflow.apply_plan",
    "undo_entry": "reconciler.workflow.history_undo",
    "verify": "reconciler.workflow.apply_plan",
    "verify_saved": "reconciler.workflow.apply_plan",
    "with_impact": "reconciler.workflow.plans",
    "with_schedule_names": "reconciler.workflow.schedule_names",
    "without_secrets": "reconciler.workflow.apply_plan",
}


def __getattr__(name: str) -> object:
    """A use case, from the module that has it (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
