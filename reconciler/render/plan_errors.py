"""What is wrong with the plan of a site, in the one order in which every output tells it.

Faults come first, by the place that is meant, and then guards, by address. Nothing of it follows the order in which the
service lists what it has.
"""

from reconciler.model.plan import SitePlan, Violation
from reconciler.model.source import Fault


def faults(site: SitePlan) -> list[Fault]:
    """Why a part of the site may not be carried out, or could not be planned."""
    return sorted((*site.faults, *site.unread), key=lambda fault: (fault.where, str(fault)))


def violations(site: SitePlan) -> list[Violation]:
    """The guards that forbid the site."""
    return sorted(site.violations, key=lambda violation: (violation.address, violation.guard, violation.message))


def overruling(violation: Violation) -> str | None:
    """The words that overrule a guard; None where nothing does."""
    return f"--allow {violation.guard}:{violation.address}" if violation.overrulable else None
