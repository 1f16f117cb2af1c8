"""Which calendars a connection uses that its account doesn't have any more: deleted by their owner, say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.sandbox.contract import ExportTarget

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.sandbox.calendars.protocol import CalendarRef
    from reconciler.sandbox.records import ConnectionRecord
    from reconciler.sandbox.sync_config import Export, Import


def lost_imports(imports: Import, there: Sequence[CalendarRef]) -> tuple[str, ...]:
    """The calendars that are imported from and aren't `there`, by id; the primary one, which has none, as such."""
    if not imports.enabled:
        return ()
    if imports.calendars is None:
        return () if there else ("primary",)
    ids = {calendar.id for calendar in there}
    return tuple(calendar for calendar in imports.calendars if calendar not in ids)


def is_export_lost(exports: Export, dedicated: str | None, there: Sequence[CalendarRef]) -> bool:
    """Whether events are exported to the calendar `dedicated`, which was made for them and isn't `there`."""
    apart = exports.enabled and exports.target != ExportTarget.PRIMARY and dedicated is not None
    return apart and dedicated not in {calendar.id for calendar in there}


def import_losses(connection: ConnectionRecord, there: Sequence[CalendarRef]) -> list[str]:
    """The calendars that can't be imported from, in words."""
    account = f"{connection.provider.slug}/{connection.login.email}"
    lost = lost_imports(connection.sync_config.imports, there)
    return [f"{account}/{calendar}: imported from, and not in the account any more" for calendar in lost]


def losses(connection: ConnectionRecord, there: Sequence[CalendarRef]) -> list[str]:
    """All that is lost of a connection's calendars, in words; none where all is well."""
    found = import_losses(connection, there)
    if is_export_lost(connection.sync_config.exports, connection.dedicated_calendar, there):
        account = f"{connection.provider.slug}/{connection.login.email}"
        found.append(f"{account}/{connection.dedicated_calendar}: exported to, and not in the account any more")
    return found
