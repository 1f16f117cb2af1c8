"""Answers ListProviders, and refuses a request for want of providers."""

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
    """A refusal (503) that names the providers that can't be reached, where there are any."""
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
