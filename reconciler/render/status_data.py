"""Shows the status of a fleet as JSON (schemas/status.schema.json) and as CSV."""

from collections.abc import Sequence
from datetime import UTC, datetime

from reconciler.model.account import shown
from reconciler.model.consent_request import NO_REQUESTS, KnownRequests
from reconciler.model.encoding import Json, encoded
from reconciler.model.status import ConnectionStatus, FleetStatus, counted
from reconciler.render import status_text
from reconciler.render.data_text import csv_text, json_text
from reconciler.render.owners import awaits_owner, request_in_status
from reconciler.render.status_text import worst_first
from reconciler.render.view import USUAL, ReportView

FORMAT_VERSION = 1


def status_json(fleet: FleetStatus, view: ReportView = USUAL) -> str:
    """The status as a JSON document of many lines."""
    errors: list[Json] = [
        {"address": site.site.name, "message": str(site.unread)} for site in fleet.sites if site.unread
    ]
    return _text(fleet, errors, view.requests)


def status_failure_json(messages: Sequence[str]) -> str:
    """The document of a status that could not even be begun."""
    return _text(FleetStatus(), [{"address": None, "message": message} for message in messages], NO_REQUESTS)


def _text(fleet: FleetStatus, errors: list[Json], requests: KnownRequests) -> str:
    connections: list[Json] = [_connection(status) | _awaited(status, requests) for status in fleet.connections]
    summary: dict[str, Json] = {health.value: count for health, count in counted(fleet.connections).items()}
    document: dict[str, Json] = {"format_version": FORMAT_VERSION, "summary": summary, "connections": connections}
    if fleet.out_of_scope:
        document["out_of_scope"] = [_connection(status) for status in fleet.out_of_scope]
    if fleet.shards is not None:
        document["shards"] = encoded(fleet.shards)
    if errors:
        document["errors"] = errors
    return json_text(document)


def _connection(status: ConnectionStatus) -> dict[str, Json]:
    return {
        "address": status.address,
        "site_id": status.site_id,
        "schedule_id": status.schedule_id,
        "schedule": status.schedule,
        "provider": status.provider,
        "account": encoded(status.account),
        "connection_id": status.connection_id,
        "health": status.health.value,
        "reason": status_text.reason(status),
        "remedy": status_text.remedy(status),
    }


def _awaited(status: ConnectionStatus, requests: KnownRequests) -> dict[str, Json]:
    """Since when its owner is awaited, when they were asked last, and how often, where it takes them."""
    if not awaits_owner(status):
        return {}
    if (request := request_in_status(status, requests)) is None:
        return {"awaited_since": None, "last_asked_at": None, "mails": 0}
    return {
        "awaited_since": _stamp(request.awaited_since),
        "last_asked_at": _stamp(request.last_asked_at),
        "mails": len(request.asked_at),
    }


def _stamp(time: datetime | None) -> str | None:
    return None if time is None else time.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


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
    "awaited_since",
    "last_asked_at",
    "mails",
)


def status_csv(fleet: FleetStatus, view: ReportView = USUAL) -> str:
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
            status_text.reason(status) or "",
            status_text.remedy(status) or "",
            *_awaited_cells(status, view.requests),
        )
        for site in fleet.sites
        for status in worst_first(site.connections)
    ]
    return csv_text(_HEADINGS, rows)


def _awaited_cells(status: ConnectionStatus, requests: KnownRequests) -> tuple[str, str, str]:
    if not awaits_owner(status):
        return "", "", ""
    told = _awaited(status, requests)
    return str(told["awaited_since"] or ""), str(told["last_asked_at"] or ""), str(told["mails"])
