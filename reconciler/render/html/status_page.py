"""Shows the status of a fleet as an HTML report."""

from collections.abc import Sequence
from datetime import datetime

from reconciler.model.status import ConnectionStatus, FleetStatus, Health, SiteStatus
from reconciler.render import status_text, words
from reconciler.render.html.assets import Shade
from reconciler.render.html.page import made_at, page
from reconciler.render.html.report import Badge, Report, Row, SiteRows, owner_rows
from reconciler.render.owners import NOT_ASKED, owners_in_status
from reconciler.render.schedule_labels import ScheduleLabels, labels_in_status
from reconciler.render.status_text import worst_first
from reconciler.render.view import USUAL, ReportView
from reconciler.text import clipped

_SHADE = {
    Health.ERROR: Shade.BAD,
    Health.MISSING: Shade.LACKING,
    Health.UNKNOWN: Shade.OBSCURE,
    Health.AWAITING_CONSENT: Shade.WAITING,
    Health.DRIFTED: Shade.CHANGED,
    Health.SYNCING: Shade.MOVING,
    Health.OK: Shade.GOOD,
    Health.ABSENT: Shade.QUIET,
    Health.UNMANAGED: Shade.OUTSIDE,
}
_BADGE = {health: Badge(status_text.WORD[health], _SHADE[health], urgent=health.needs_attention) for health in Health}
_OUT_OF_SCOPE = Badge("out of scope", Shade.OUTSIDE)
_TITLE = "Calendar connections: status"
_LONGEST = 1_000


def status_html(fleet: FleetStatus, made: datetime, view: ReportView = USUAL) -> str:
    """The status as one HTML document; `made` is when the service was looked at."""
    return page(_report(fleet, made, status_text.summary_line(fleet, view, "below"), _unread(fleet), view))


def status_failure_html(messages: Sequence[str], made: datetime) -> str:
    """The document of a status that could not even be begun."""
    return page(
        _report(
            FleetStatus(),
            made,
            "The status could not be read.",
            tuple(clipped(message, _LONGEST) for message in messages),
        )
    )


def _report(fleet: FleetStatus, made: datetime, lead: str, errors: tuple[str, ...], view: ReportView = USUAL) -> Report:
    return Report(
        title=_TITLE,
        lead=lead,
        made=made_at(made),
        badge_heading="Health",
        urgent="Needs attention",
        urgent_short="Urgent",
        lines="Why, and what to do",
        badges=(*_BADGE.values(), _OUT_OF_SCOPE),
        sites=tuple(_site(site, view) for site in fleet.sites),
        owners=owner_rows(owners_in_status(fleet, view), view.requests.now, NOT_ASKED),
        errors=errors,
    )


def _unread(fleet: FleetStatus) -> tuple[str, ...]:
    return tuple(
        clipped(f"{site.site.name} could not be read: {site.unread}", _LONGEST) for site in fleet.sites if site.unread
    )


def _site(site: SiteStatus, view: ReportView) -> SiteRows:
    labels = labels_in_status(site, view)
    rows = tuple(_row(status, labels, view, _BADGE[status.health]) for status in worst_first(site.connections))
    outside = tuple(_row(status, labels, view, _OUT_OF_SCOPE) for status in site.out_of_scope)
    return SiteRows(clipped(site.site.name), clipped(site.site.site_id), rows + outside)


def _row(status: ConnectionStatus, labels: ScheduleLabels, view: ReportView, badge: Badge) -> Row:
    return Row(
        name=clipped(status.address.partition("/")[2]),
        schedule=clipped(str(labels.of(status.schedule, status.schedule_id)) or "schedule not known"),
        provider=clipped(status.provider),
        account=clipped(words.who(status.account)),
        badge=badge,
        lines=tuple(clipped(line, _LONGEST) for line in status_text.explained(status, view)),
    )
