"""Holds the calendars of accounts at a CalDAV server (RFC 4791)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.sandbox.calendars.protocol import CalendarBackend


def open_caldav(url: str, hosts: tuple[str, ...]) -> CalendarBackend:
    """The accounts at the CalDAV server at `url`; nothing is sent yet.

    Passwords go to the server's own host and to `hosts`, each `name`, `name:port` or `*.domain`, and nowhere else.
    Raises `ValueError`, with a message to be shown, where `url` or one of `hosts` can't be used.
    """
    # The rest is loaded where an operator has asked for CalDAV, and nowhere else.
    from reconciler.sandbox.calendars.caldav.backend import CalDavBackend  # noqa: PLC0415 -- as said above
    from reconciler.sandbox.calendars.caldav.origins import AllowedOrigins  # noqa: PLC0415 -- as said above
    from reconciler.sandbox.calendars.caldav.session import ServerSession  # noqa: PLC0415 -- as said above

    return CalDavBackend(ServerSession(AllowedOrigins.of(url, hosts)))
