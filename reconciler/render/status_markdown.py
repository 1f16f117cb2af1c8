"""Shows the status of a fleet as Markdown for a job's summary or an issue: what needs attention, then its owners.

Its first line is a hidden marker, as in a plan. However large the fleet, it fits into a comment.
"""

from collections.abc import Iterator, Sequence

from reconciler.model.status import ConnectionStatus, FleetStatus
from reconciler.render import status_text
from reconciler.render.markdown import Bullet, account_code, code
from reconciler.render.markdown_sections import LIMIT, Section, fitted, owners_section
from reconciler.render.owners import owners_in_status, told_in_status
from reconciler.render.schedule_labels import ScheduleLabels, labels_in_status
from reconciler.render.view import USUAL, ReportView

MARKER = "<!-- extcal-status -->"
_WHOLE = "extcal status shows all"
_LONGEST_MESSAGE = 1_000


def status_markdown(fleet: FleetStatus, view: ReportView = USUAL, *, limit: int = LIMIT) -> str:
    """The status as GitHub Flavored Markdown of at most `limit` bytes, which must be 20,000 at the least."""
    unread = [f"{site.site.name} could not be read: {site.unread}" for site in fleet.sites if site.unread]
    attention = tuple(_attention(fleet, view))
    sections = [
        _errors(unread),
        Section(f"#### Needs attention: {len(attention):,}", attention, "that need attention", _WHOLE),
        owners_section(owners_in_status(fleet, view), view.requests.now, _WHOLE),
    ]
    listed = "extcal status" if fleet.out_of_scope else "above"
    return fitted(MARKER, [f"### {status_text.summary_line(fleet, view, listed)}", ""], sections, [], limit)


def status_failure_markdown(messages: Sequence[str], *, limit: int = LIMIT) -> str:
    """The document of a status that could not even be begun."""
    return fitted(MARKER, ["### Status: could not be read", ""], [_errors(messages)], [], limit)


def _errors(messages: Sequence[str]) -> Section:
    return Section(
        "#### Errors", tuple(Bullet(f"- {code(message, _LONGEST_MESSAGE)}") for message in messages), "errors", _WHOLE
    )


def _attention(fleet: FleetStatus, view: ReportView) -> Iterator[Bullet]:
    # Why a whole site could not be read is among the errors.
    read = [site for site in fleet.sites if site.unread is None]
    labels = {site.site.name: labels_in_status(site, view) for site in read}
    for status in status_text.worst_first([status for site in read for status in site.connections]):
        if status.health.needs_attention:
            yield Bullet(_entry(status, labels[status.site], view))


def _entry(status: ConnectionStatus, labels: ScheduleLabels, view: ReportView) -> str:
    label = str(labels.of(status.schedule, status.schedule_id))
    schedule = f", schedule {code(label)}" if label else ""
    who = f"{code(status.provider)} {account_code(status.account)}"
    lines = [f"- **{status_text.WORD[status.health]}** {code(status.address)}: {who}{schedule}"]
    # What the service or a manifest says may be in either.
    lines += [f"  - {code(why, _LONGEST_MESSAGE)}" for why in (status_text.reason(status),) if why]
    lines += [f"  - {told}" for told in told_in_status(status, view.requests)]
    lines += [f"  - {code(what, _LONGEST_MESSAGE)}" for what in (status_text.remedy(status),) if what]
    return "\n".join(lines)
