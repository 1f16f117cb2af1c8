"""The status of a fleet as CSV: a row for each connection, with the fields of its JSON."""

from reconciler.model.account import shown
from reconciler.model.status import FleetStatus
from reconciler.render import status_words
from reconciler.render.data_text import csv_text
from reconciler.render.status_text import worst_first

_HEADINGS = (
    "address",
    "site_id",
    "schedule_id",
    "schedule",
    "provider",
    "account",
    "connection_id",
    "health",
    "reason",
    "remedy",
)


def status_csv(fleet: FleetStatus) -> str:
    """Every connection, site by site and the worst first; what is not known is an empty cell."""
    rows = [
        (
            status.address,
            status.site_id,
            status.schedule_id or "",
            status.schedule or "",
            status.provider,
            shown(status.account, ""),
            status.connection_id or "",
            status.health.value,
            status_words.reason(status) or "",
            status_words.remedy(status) or "",
        )
        for site in fleet.sites
        for status in worst_first(site.connections)
    ]
    return csv_text(_HEADINGS, rows)
