"""Answers UpdateSyncConfig: merges what is sent into what stands, or replaces it, if the provider can.

What is left out stays, or is unset, as the behaviour has it: a missing direction, a missing field of a direction.
Choosing one arm of a one-of replaces the other. A connection that lost a calendar is healed by a config all of whose
imported calendars are there; for a lost dedicated calendar the export must be sent too: the calendar is made anew.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.sandbox import records
from reconciler.sandbox.behaviour.model import Update
from reconciler.sandbox.contract import DIRECTIONS, ErrorReason, ExportSupport, ExportTarget, ImportSupport, Status
from reconciler.sandbox.errors import ViolatedRule, not_supported
from reconciler.sandbox.exports.export_sync import sync_connection
from reconciler.sandbox.health import is_export_lost, lost_imports
from reconciler.sandbox.methods.access import addressed_own, require_connected
from reconciler.sandbox.methods.answers import answer
from reconciler.sandbox.methods.connections import calendars_of
from reconciler.sandbox.sync_config import Export, Import, SyncConfig, to_stored
from reconciler.sandbox.unknown_fields import MAX_STORED, is_too_long, received

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.sandbox.calendars.protocol import CalendarRef
    from reconciler.sandbox.context import Call
    from reconciler.sandbox.records import ConnectionRecord, ProviderRecord
    from reconciler.sandbox.request_body import Fields
    from reconciler.sandbox.unknown_fields import UnknownFields


def update_sync_config(call: Call) -> dict[str, object]:
    """UpdateSyncConfig: all of it takes effect, or nothing does."""
    body = call.body.required_child("syncConfig")
    call.body.check()
    connection = addressed_own(call)
    require_connected(connection)
    provider = connection.provider
    if not provider.update_sync_config:
        raise not_supported(f"{provider.name} doesn't let its sync config be updated")
    sent_import, sent_export = (body.child(direction) for direction in DIRECTIONS)
    names_calendars = sent_import is not None and sent_import.child("calendars") is not None
    # The calendars are asked before the transaction, in which nothing may wait.
    lost_one = connection.status == Status.ERROR and connection.opens
    known = calendars_of(call, connection, connection.used_calendars) if names_calendars or lost_one else ()
    with call.session.writing():
        connection = addressed_own(call)
        require_connected(connection)
        ground = connection.sync_config if call.behaviour.update is Update.MERGE else SyncConfig()
        imports = _merged_import(ground.imports, sent_import, known)
        exports = _merged_export(ground.exports, sent_export)
        call.body.check()
        config = SyncConfig(imports, exports, _unknown(call, body, ground.unknown, imports))
        if sent_import is not None:
            _require_import(provider, imports)
            _require_primary(call, provider, sent_import)
        if sent_export is not None:
            _require_export(provider, exports)
            _require_primary(call, provider, sent_export)
        if lost_one and call.behaviour.healing and (sent_import or sent_export):
            _heal(call, connection, config, known, exports_sent=sent_export is not None)
        call.database.execute(
            "UPDATE connection SET sync_config = ? WHERE seq = ?", (to_stored(config), connection.seq)
        )
    updated = records.connection(call.database, call.site.id, connection.id)
    sync_connection(call.context, updated, prepare=True)
    return answer(call, connection.id, sent=[direction for direction in DIRECTIONS if body.has(direction)])


def _unknown(call: Call, body: Fields, standing: UnknownFields, imports: Import) -> UnknownFields:
    """The fields beside the documented ones; where the sandbox plays none, those that stand stay unseen."""
    if not call.behaviour.unknown_fields:
        return standing
    unknown = received(body, standing, imports.calendars or ())
    if is_too_long(unknown):
        call.body.reject("syncConfig", f"must not hold more than {MAX_STORED} characters of unknown fields")
    call.body.check()
    return unknown


def _heal(
    call: Call, connection: ConnectionRecord, config: SyncConfig, there: Sequence[CalendarRef], *, exports_sent: bool
) -> None:
    """Heal a connection that lost a calendar, if `config` needs none that can't be made."""
    if connection.status != Status.ERROR or not connection.opens:
        return
    dedicated = connection.dedicated_calendar
    is_healed = exports_sent
    if connection.error_reason == ErrorReason.EXTERNAL_CALENDAR_DELETED:
        made_or_there = exports_sent or not is_export_lost(config.exports, dedicated, there)
        is_healed = made_or_there and not lost_imports(config.imports, there)
    if not is_healed:
        return
    call.database.execute(
        "UPDATE connection SET status = ?, error_reason = NULL, connected_at = ?, dedicated_calendar = ? WHERE seq = ?",
        (
            *(Status.CONNECTED, call.now),
            dedicated if dedicated in {calendar.id for calendar in there} else None,
            connection.seq,
        ),
    )


def _merged_import(standing: Import, body: Fields | None, known: Sequence[CalendarRef]) -> Import:
    if body is None:
        return standing
    enabled, primary, named = body.boolean("enabled"), body.child("primaryCalendar"), body.child("calendars")
    merged = standing if enabled is None else replace(standing, enabled=enabled)
    if primary is not None and named is not None:
        body.reject("calendars", "must not be given together with primaryCalendar")
    elif primary is not None:
        merged = replace(merged, primary=True, calendars=None)
    elif named is not None:
        merged = replace(merged, primary=False, calendars=_calendar_ids(named, {calendar.id for calendar in known}))
    return merged


def _calendar_ids(body: Fields, known: set[str]) -> tuple[str, ...]:
    ids = []
    for calendar in body.children("calendars"):
        calendar_id = calendar.text("id")
        if calendar_id and calendar_id not in known:
            calendar.reject("id", "must be the id of a calendar of the connected account", ViolatedRule.OTHER)
        ids.append(calendar_id)
    return tuple(dict.fromkeys(ids))


def _merged_export(standing: Export, body: Fields | None) -> Export:
    if body is None:
        return standing
    enabled = body.boolean("enabled")
    chosen = [target for target in ExportTarget if body.child(target.value) is not None]
    merged = standing if enabled is None else replace(standing, enabled=enabled)
    if len(chosen) > 1:
        body.reject("dedicatedCalendar", "must not be given together with primaryCalendar")
    elif chosen:
        merged = replace(merged, target=chosen[0])
    return merged


def _require_import(provider: ProviderRecord, wanted: Import) -> None:
    support = provider.import_support
    chosen = wanted.primary or wanted.calendars is not None
    if support == ImportSupport.NOT_SUPPORTED and (wanted.enabled or chosen):
        raise not_supported(f"{provider.name} doesn't let events be imported")
    if support == ImportSupport.PRIMARY_CALENDAR_ONLY and wanted.calendars is not None:
        raise not_supported(f"{provider.name} imports from the primary calendar only")


def _require_primary(call: Call, provider: ProviderRecord, sent: Fields) -> None:
    if provider.slug in call.behaviour.without_primary and sent.has("primaryCalendar"):
        raise not_supported(f"{provider.name} has no primary calendar")


def _require_export(provider: ProviderRecord, wanted: Export) -> None:
    support = provider.export_support
    if support == ExportSupport.NOT_SUPPORTED and (wanted.enabled or wanted.target is not None):
        raise not_supported(f"{provider.name} doesn't let events be exported")
    if support == ExportSupport.PRIMARY_CALENDAR_ONLY and wanted.target == ExportTarget.DEDICATED:
        raise not_supported(f"{provider.name} exports to the primary calendar only")
    if support == ExportSupport.DEDICATED_CALENDAR and wanted.target == ExportTarget.PRIMARY:
        raise not_supported(f"{provider.name} exports to a dedicated calendar only")
