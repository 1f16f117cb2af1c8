"""Removes the calendar that was made for a connection's events, once the connection is over and nothing is in it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from reconciler.sandbox import records
from reconciler.sandbox.calendars.errors import BadCredentialsError, CalendarError
from reconciler.sandbox.contract import ExportTarget, Status

if TYPE_CHECKING:
    from reconciler.sandbox.calendars.protocol import CalendarRef
    from reconciler.sandbox.context import Desk
    from reconciler.sandbox.records import ConnectionRecord


def is_left_over(connection: ConnectionRecord) -> bool:
    """Whether a connection that is over has a calendar still."""
    return connection.status == Status.DISCONNECTED and connection.dedicated_calendar is not None


def remove_if_unused(desk: Desk, connection: ConnectionRecord) -> None:
    """Remove the calendar of a connection that is over, unless somebody has put something into it, or uses it.

    It is tried once: a calendar that stays is its owner's from then on. Raises `CalendarError` where it can't be told;
    then there will be another occasion.
    """
    calendar_id, slug = connection.dedicated_calendar, connection.provider.slug
    if calendar_id is None or not _replace(desk, connection, calendar_id, None):
        return
    try:
        there = desk.calendars.calendars(slug, connection.login, fresh=False)
        if _is_used_elsewhere(desk, connection, calendar_id, there):
            return
        removed = desk.calendars.of(slug).delete_calendar_if_empty(connection.login, calendar_id)
    except BadCredentialsError:
        raise
    except CalendarError:
        _replace(desk, connection, None, calendar_id)
        raise
    if removed:
        # What was seen a moment ago has it.
        with suppress(CalendarError):
            desk.calendars.calendars(slug, connection.login, fresh=True)


def _replace(desk: Desk, connection: ConnectionRecord, known: str | None, new: str | None) -> bool:
    """Set the connection's calendar where it is still the known one; tells whether it was.

    Whoever takes it away is alone in removing it: a new calendar may come to have the same id as soon as it is gone.
    """
    with desk.session.writing():
        changed = desk.database.execute(
            "UPDATE connection SET dedicated_calendar = ? WHERE seq = ? AND dedicated_calendar IS ?",
            (new, connection.seq, known),
        )
    return changed.rowcount == 1


def _is_used_elsewhere(
    desk: Desk, connection: ConnectionRecord, calendar_id: str, there: tuple[CalendarRef, ...]
) -> bool:
    """Whether another connection of the account, of any site, imports from the calendar or exports to it."""
    is_primary = bool(there) and there[0].id == calendar_id
    sites = desk.database.execute("SELECT id FROM site").fetchall()
    return any(
        other.seq != connection.seq
        and other.status != Status.DISCONNECTED
        and other.login.email.casefold() == connection.login.email.casefold()
        and ((is_primary and _uses_primary(other)) or calendar_id in _named(other))
        for site in sites
        for other in records.connections(desk.database, str(site["id"]))
    )


def _uses_primary(connection: ConnectionRecord) -> bool:
    config = connection.sync_config
    return config.imports.calendars is None or config.exports.target != ExportTarget.DEDICATED


def _named(connection: ConnectionRecord) -> set[str | None]:
    return {connection.dedicated_calendar, *(connection.sync_config.imports.calendars or ())}
