"""Creates the dedicated calendar of a connection, and removes it when it is no longer used."""

from __future__ import annotations

import uuid
from contextlib import suppress
from typing import TYPE_CHECKING

from reconciler.sandbox import records
from reconciler.sandbox.calendars.errors import BadCredentialsError, CalendarError
from reconciler.sandbox.contract import ExportTarget, Status

if TYPE_CHECKING:
    from reconciler.sandbox.calendars.protocol import CalendarRef
    from reconciler.sandbox.context import SiteContext
    from reconciler.sandbox.records import ConnectionRecord


def create_dedicated(context: SiteContext, connection: ConnectionRecord, instance: str) -> str | None:
    """Create the calendar and note it.

    Answers its id, or that of the one that another run created meanwhile.

    Raises `CalendarError`, `CreationRefusedError` among them.
    """
    backend = context.calendars.of(connection.provider.slug)
    # Each time the connection is made or healed may be a time to create one.
    occasion = f"{instance}/{connection.seq}/{connection.connected_at}"
    key = str(uuid.uuid5(uuid.NAMESPACE_OID, occasion))
    made = backend.create_calendar(connection.login, context.site_name, key=key)
    with context.session.writing():
        noted = context.database.execute(
            "UPDATE connection SET dedicated_calendar = ? WHERE seq = ? AND dedicated_calendar IS NULL",
            (made.id, connection.seq),
        )
        if noted.rowcount:
            # One of this id may have been there before, and been deleted with all that was in it.
            context.database.execute(
                "DELETE FROM exported WHERE connection_seq = ? AND calendar_id = ?", (connection.seq, made.id)
            )
    standing = records.connection(context.database, context.site_id, connection.id).dedicated_calendar
    if standing != made.id:
        backend.delete_calendar_if_empty(connection.login, made.id)
    # What was seen a moment ago lacks it.
    context.calendars.calendars(connection.provider.slug, connection.login, fresh=True)
    return standing


def is_left_over(connection: ConnectionRecord) -> bool:
    """Whether a connection that is over has a calendar still."""
    return connection.status == Status.DISCONNECTED and connection.dedicated_calendar is not None


def remove_if_unused(context: SiteContext, connection: ConnectionRecord) -> None:
    """Remove the calendar of a connection that is over, unless it is used or has content.

    It is tried once: a calendar that stays is its owner's from then on. Raises `CalendarError` where that isn't known;
    then there will be another occasion.
    """
    calendar_id, slug = connection.dedicated_calendar, connection.provider.slug
    if calendar_id is None or not _replace(context, connection, calendar_id, None):
        return
    try:
        there = context.calendars.calendars(slug, connection.login, fresh=False)
        if _is_used_elsewhere(context, connection, calendar_id, there):
            return
        removed = context.calendars.of(slug).delete_calendar_if_empty(connection.login, calendar_id)
    except BadCredentialsError:
        raise
    except CalendarError:
        _replace(context, connection, None, calendar_id)
        raise
    if removed:
        # What was seen a moment ago has it.
        with suppress(CalendarError):
            context.calendars.calendars(slug, connection.login, fresh=True)


def _replace(context: SiteContext, connection: ConnectionRecord, known: str | None, new: str | None) -> bool:
    """Set the connection's calendar where it is still the known one; tells whether it was.

    Whoever takes it away is alone in removing it: a new calendar may come to have the same id as soon as it is gone.
    """
    with context.session.writing():
        changed = context.database.execute(
            "UPDATE connection SET dedicated_calendar = ? WHERE seq = ? AND dedicated_calendar IS ?",
            (new, connection.seq, known),
        )
    return changed.rowcount == 1


def _is_used_elsewhere(
    context: SiteContext, connection: ConnectionRecord, calendar_id: str, there: tuple[CalendarRef, ...]
) -> bool:
    """Whether another connection, of any site, imports from the calendar or exports to it."""
    is_primary = bool(there) and there[0].id == calendar_id
    sites = context.database.execute("SELECT id FROM site").fetchall()
    return any(
        other.seq != connection.seq
        and other.status != Status.DISCONNECTED
        and other.login.email.casefold() == connection.login.email.casefold()
        and ((is_primary and _uses_primary(other)) or calendar_id in _named(other))
        for site in sites
        for other in records.connections(context.database, str(site["id"]))
    )


def _uses_primary(connection: ConnectionRecord) -> bool:
    config = connection.sync_config
    return config.imports.calendars is None or config.exports.target != ExportTarget.DEDICATED


def _named(connection: ConnectionRecord) -> set[str | None]:
    return {connection.dedicated_calendar, *(connection.sync_config.imports.calendars or ())}
