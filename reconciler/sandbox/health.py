"""Looks whether the connected accounts still open: what is wrong becomes a connection's state, or a provider's."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from reconciler.sandbox.calendars.errors import BadCredentialsError, CalendarError, UnreachableError
from reconciler.sandbox.contract import ErrorReason
from reconciler.sandbox.exports.export_record import Ledger
from reconciler.sandbox.lost_calendars import is_export_lost, losses
from reconciler.sandbox.reasons import reason
from reconciler.sandbox.side_by_side import Task, side_by_side

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reconciler.sandbox.calendars.directory import CalendarDirectory
    from reconciler.sandbox.calendars.protocol import CalendarRef, Login
    from reconciler.sandbox.records import ConnectionRecord
    from reconciler.sandbox.site_context import Desk

_SHARE = 2 / 3
"""The part of an operation's time for looking, where nothing is read afterwards."""


def look(desk: Desk, connections: Iterable[ConnectionRecord], *, fresh: bool, share: float = _SHARE) -> set[str]:
    """The ids of the providers that can't be reached.

    A connection whose account doesn't open any more becomes `ERROR`/`TOKEN_REVOKED`, one that imports from or
    exports to a calendar that is gone `EXTERNAL_CALENDAR_DELETED`. Unless the look must be `fresh`, what was seen a
    moment ago may count. What is not known after a `share` of the operation's time can't be reached.
    """
    asked = [each for each in connections if each.opens and not each.provider.down]
    failed: set[str] = set()
    for connection, seen in zip(asked, _seen(desk.first(share), asked, fresh=fresh), strict=True):
        provider = connection.provider
        if provider.id in failed:
            continue
        if isinstance(seen, BadCredentialsError):
            why = reason(seen, connection.login)
            desk.told.warn(f"{provider.slug}/{connection.login.email}: access was revoked: {why}")
            desk.break_connection(connection.seq, ErrorReason.TOKEN_REVOKED)
        elif isinstance(seen, CalendarError):
            desk.told.warn(f"{provider.slug} can't be reached: {reason(seen, connection.login)}")
            failed.add(provider.id)
        else:
            for loss in losses(connection, seen):
                desk.told.warn(loss)
                desk.break_connection(connection.seq, ErrorReason.EXTERNAL_CALENDAR_DELETED)
            dedicated = connection.dedicated_calendar
            if dedicated is not None and is_export_lost(connection.sync_config.exports, dedicated, seen):
                Ledger(desk.session, connection.seq).note_lost(dedicated)
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
    outcomes = side_by_side(tasks, until=UnreachableError)
    seen = dict(zip(accounts, outcomes, strict=True))
    return [seen[each.provider.slug, each.login] for each in connections]
