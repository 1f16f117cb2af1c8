"""Answers ListProviders, and refuses requests (503) while a provider is unreachable."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.sandbox import records
from reconciler.sandbox.errors import unreachable

if TYPE_CHECKING:
    from collections.abc import Collection

    from reconciler.sandbox.context import Call
    from reconciler.sandbox.records import ProviderRecord


def list_providers(call: Call) -> dict[str, object]:
    """ListProviders: every provider of the site with its features."""
    return {"providers": [_provider_json(provider) for provider in records.providers(call.database, call.site.id)]}


def refuse_failed(call: Call, failed: Collection[str]) -> None:
    """Raises 503 where providers can't be reached, and names them."""
    names = [provider.name for provider in records.providers(call.database, call.site.id) if provider.id in failed]
    if names:
        raise unreachable(*names)


def _provider_json(provider: ProviderRecord) -> dict[str, object]:
    return {
        "id": provider.id,
        "name": provider.name,
        "calendarType": provider.calendar_type,
        "features": {
            "connectMethods": list(provider.connect_methods),
            "updateSyncConfig": provider.update_sync_config,
            "listEventFromCalendars": provider.import_support,
            "syncToCalendar": provider.export_support,
        },
    }
