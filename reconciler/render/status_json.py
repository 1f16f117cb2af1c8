"""The status of a fleet as JSON (`status --format json`; schemas/status.schema.json)."""

from collections.abc import Sequence

from reconciler.model.encoding import Json, encoded
from reconciler.model.status import ConnectionStatus, FleetStatus, counted
from reconciler.render import status_words
from reconciler.render.data_text import json_text

FORMAT_VERSION = 1


def status_json(fleet: FleetStatus) -> str:
    """The status as a JSON document of many lines."""
    errors: list[Json] = [
        {"address": site.site.name, "message": str(site.unread)} for site in fleet.sites if site.unread
    ]
    return _text(fleet, errors)


def status_failure_json(messages: Sequence[str]) -> str:
    """The document of a status that could not even be begun."""
    return _text(FleetStatus(), [{"address": None, "message": message} for message in messages])


def _text(fleet: FleetStatus, errors: list[Json]) -> str:
    connections: list[Json] = [_connection(status) for status in fleet.connections]
    summary: dict[str, Json] = {health.value: count for health, count in counted(fleet.connections).items()}
    document: dict[str, Json] = {"format_version": FORMAT_VERSION, "summary": summary, "connections": connections}
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
        "account": status.account,
        "connection_id": status.connection_id,
        "health": status.health.value,
        "reason": status_words.reason(status),
        "remedy": status_words.remedy(status),
    }
