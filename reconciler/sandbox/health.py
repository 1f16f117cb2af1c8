"""Looks whether the connected accounts still open: what is wrong becomes a connection's state, or a provider's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.sandbox.calendars.errors import BadCredentialsError, CalendarError
from reconciler.sandbox.contract import ErrorReason
from reconciler.sandbox.lost_calendars import losses

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.sandbox.desk import Desk
    from reconciler.sandbox.records import ConnectionRecord


def look(desk: Desk, connections: Iterable[ConnectionRecord], *, fresh: bool) -> set[str]:
    """The ids of the providers that can't be reached.

    A connection whose account doesn't open any more becomes `ERROR`/`TOKEN_REVOKED`, one that imports from or
    exports to a calendar that is gone `EXTERNAL_CALENDAR_DELETED`. Unless the look must be `fresh`, what was seen a
    moment ago may count.
    """
    failed: set[str] = set()
    for connection in connections:
        provider = connection.provider
        if not connection.opens or provider.down or provider.id in failed:
            continue
        try:
            calendars = desk.calendars.calendars(provider.slug, connection.login, fresh=fresh)
        except BadCredentialsError as error:
            desk.told.warn(f"{provider.slug}/{connection.login.email}: access was revoked: {error}")
            desk.break_connection(connection.seq, ErrorReason.TOKEN_REVOKED)
        except CalendarError as error:
            desk.told.warn(f"{provider.slug} can't be reached: {error}")
            failed.add(provider.id)
        else:
            for loss in losses(connection, calendars):
                desk.told.warn(loss)
                desk.break_connection(connection.seq, ErrorReason.EXTERNAL_CALENDAR_DELETED)
    return failed
