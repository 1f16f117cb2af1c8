"""ListProviders, and who can't be reached at the moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.sandbox import records
from reconciler.sandbox.refusal import RefusedError

if TYPE_CHECKING:
    from reconciler.sandbox.call import Call
    from reconciler.sandbox.records import ProviderRecord


def list_providers(call: Call) -> dict[str, object]:
    """ListProviders: every provider of the site with its features."""
    return {"providers": [_provider_json(provider) for provider in records.providers(call.database, call.site.id)]}


def failed_providers(call: Call, *, partial: bool) -> list[str]:
    """The ids of the site's providers that can't be reached; a refusal (503) unless a partial answer is welcome."""
    failed = [provider for provider in records.providers(call.database, call.site.id) if provider.down]
    if failed and not partial:
        raise RefusedError(503, f"{', '.join(provider.name for provider in failed)} can't be reached; try again later")
    return [provider.id for provider in failed]


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
