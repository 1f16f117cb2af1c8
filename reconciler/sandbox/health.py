"""Checks whether connected accounts still open, and have the calendars that are used."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from reconciler.sandbox.calendars.errors import BadCredentialsError, CalendarError, UnreachableError
from reconciler.sandbox.contract import ErrorReason, ExportTarget
from reconciler.sandbox.exports.export_record import ExportRecord
from reconciler.sandbox.messages import reason
from reconciler.sandbox.provider_tasks import Task, run_tasks

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reconciler.sandbox.calendars.directory import CalendarDirectory
    from reconciler.sandbox.calendars.protocol import CalendarRef, Login
    from reconciler.sandbox.context import SiteContext
    from reconciler.sandbox.records import ConnectionRecord
    from reconciler.sandbox.sync_config import Export, Import

_SHARE = 2 / 3
"""The part of an operation's time for looking, where nothing is read afterwards."""


def lost_imports(imports: Import, there: Sequence[CalendarRef]) -> tuple[str, ...]:
    """The calendars that are imported from and aren't `there`, by id.

    The primary one, which has none, as such.
    """
    if not imports.enabled:
        return ()
    if imports.calendars is None:
        return () if there else ("primary",)
    ids = {calendar.id for calendar in there}
    return tuple(calendar for calendar in imports.calendars if calendar not in ids)


def is_export_lost(exports: Export, dedicated: str | None, there: Sequence[CalendarRef]) -> bool:
    """Whether events are exported to the calendar `dedicated`, and it isn't `there`."""
    apart = exports.enabled and exports.target != ExportTarget.PRIMARY and dedicated is not None
    return apart and dedicated not in {calendar.id for calendar in there}


def import_losses(connection: ConnectionRecord, there: Sequence[CalendarRef]) -> list[str]:
    """The calendars that can't be imported from, in words."""
    account = f"{connection.provider.slug}/{connection.login.email}"
    lost = lost_imports(connection.sync_config.imports, there)
    return [
        f"{account}/{calendar}: the connection imports from it, and the account no longer has it" for calendar in lost
    ]


def losses(connection: ConnectionRecord, there: Sequence[CalendarRef]) -> list[str]:
    """All that is lost of a connection's calendars, in words; none where all is well."""
    found = import_losses(connection, there)
    if is_export_lost(connection.sync_config.exports, connection.dedicated_calendar, there):
        account = f"{connection.provider.slug}/{connection.login.email}"
        found.append(
            f"{account}/{connection.dedicated_calendar}: the connection exports to it, and the account no longer has it"
        )
    return found


def check_accounts(
    context: SiteContext, connections: Iterable[ConnectionRecord], *, fresh: bool, share: float = _SHARE
) -> set[str]:
    """The ids of the providers that can't be reached.

    A connection whose account doesn't open any more becomes `ERROR`/`TOKEN_REVOKED`, one that imports from or
    exports to a calendar that is gone `EXTERNAL_CALENDAR_DELETED`. Unless the look must be `fresh`, what was seen a
    moment ago may count. What is not known after a `share` of the operation's time can't be reached.
    """
    asked = [each for each in connections if each.opens and not each.provider.down]
    failed: set[str] = set()
    for connection, seen in zip(asked, _seen(context.first(share), asked, fresh=fresh), strict=True):
        provider = connection.provider
        if provider.id in failed:
            continue
        if isinstance(seen, BadCredentialsError):
            why = reason(seen, connection.login)
            context.warnings.warn(f"{provider.slug}/{connection.login.email}: access was revoked: {why}")
            context.break_connection(connection.seq, ErrorReason.TOKEN_REVOKED)
        elif isinstance(seen, CalendarError):
            context.warnings.warn(f"{provider.slug} can't be reached: {reason(seen, connection.login)}")
            failed.add(provider.id)
        else:
            for loss in losses(connection, seen):
                context.warnings.warn(loss)
                context.break_connection(connection.seq, ErrorReason.EXTERNAL_CALENDAR_DELETED)
            dedicated = connection.dedicated_calendar
            if dedicated is not None and is_export_lost(connection.sync_config.exports, dedicated, seen):
                ExportRecord(context.session, connection.seq).note_lost(dedicated)
    return failed


def _seen(
    reading: CalendarDirectory, connections: Sequence[ConnectionRecord], *, fresh: bool
) -> list[tuple[CalendarRef, ...] | CalendarError]:
    """What is seen of the account of each connection: its calendars, or why they can't be had."""
    accounts: dict[tuple[str, Login], list[str]] = {}
    for each in connections:
        accounts.setdefault((each.provider.slug, each.login), []).extend(each.used_calendars)
    tasks = [
        Task(slug, reading.of(slug).at_once, partial(reading.calendars, slug, login, fresh=fresh, used=used))
        for (slug, login), used in accounts.items()
    ]
    outcomes = run_tasks(tasks, until=UnreachableError)
    seen = dict(zip(accounts, outcomes, strict=True))
    return [seen[each.provider.slug, each.login] for each in connections]
