"""The status of a fleet as JSON (`status --format json`; schemas/status.schema.json)."""

import json
from collections.abc import Sequence

from reconciler.model.encoding import Json
from reconciler.model.status import ConnectionStatus, FleetStatus, counted
from reconciler.render import status_words
from reconciler.render.inert import inert

FORMAT_VERSION = 1


def status_json(fleet: FleetStatus) -> str:
    """The status as a JSON document of many lines."""
    errors: list[Json] = [
        {"address": inert(site.site.name), "message": inert(str(site.unread))} for site in fleet.sites if site.unread
    ]
    return _dumps(fleet, errors)


def status_failure_json(messages: Sequence[str]) -> str:
    """The document of a status that could not even be begun."""
    return _dumps(FleetStatus(), [{"address": None, "message": inert(message)} for message in messages])


def _dumps(fleet: FleetStatus, errors: list[Json]) -> str:
    connections: list[Json] = [_connection(status) for status in fleet.connections]
    summary: dict[str, Json] = {health.value: count for health, count in counted(fleet.connections).items()}
    document: dict[str, Json] = {"format_version": FORMAT_VERSION, "summary": summary, "connections": connections}
    if errors:
        document["errors"] = errors
    return json.dumps(document, indent=2, ensure_ascii=False)


def _connection(status: ConnectionStatus) -> dict[str, Json]:
    return {
        "address": inert(status.address),
        "site_id": inert(status.site_id),
        "schedule_id": _inert(status.schedule_id),
        "schedule": _inert(status.schedule),
        "provider": inert(status.provider),
        "account": _inert(status.account),
        "connection_id": _inert(status.connection_id),
        "health": status.health.value,
        "reason": status_words.reason(status),
        "remedy": status_words.remedy(status),
    }


def _inert(text: str | None) -> str | None:
    return None if text is None else inert(text)
