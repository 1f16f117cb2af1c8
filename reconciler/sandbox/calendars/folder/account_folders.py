"""Creates the folders of a world's accounts, and removes them again."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

from reconciler.sandbox.calendars.folder.account_file import (
    ACCOUNT_FILE,
    ORDER_FILE,
    AccountFile,
    write_account,
    write_order,
)
from reconciler.sandbox.calendars.folder.files import SUFFIX, file_name, is_real_folder, write_new
from reconciler.sandbox.calendars.ics_text import calendar_text, text_line, time_line, utc_text
from reconciler.sandbox.errors import SandboxError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from reconciler.sandbox.world import Account, Calendar, CalendarEvent, Recurrence

_FILLING = ".filling"
"""Where an account is made before it takes its place: whoever is killed meanwhile leaves no half of one there."""


def write_accounts(folder: Path, accounts: Iterable[Account]) -> None:
    """Make each account's folder with its calendars below `folder`.

    One that is there stays as it is.

    Only one process may do that to a folder at a time.

    Raises `SandboxError` where a name can't be a file's, stands twice, or a file can't be written.
    """
    made: set[tuple[str, str]] = set()
    order: dict[Path, list[str]] = {}
    for account in accounts:
        path = folder / _named(account.provider) / _named(account.email)
        known_by = (account.provider, account.email.casefold())
        if known_by in made:
            raise SandboxError(f"the world has a duplicate (the account {account.email} at {account.provider})")
        made.add(known_by)
        order.setdefault(path.parent, []).append(account.email)
        try:
            _write_account(path, account, folder / _FILLING)
        except OSError as error:
            raise SandboxError(f"{path}: the account's folder can't be made ({error.strerror})") from error
    for provider, emails in order.items():
        write_order(provider, emails)


def remove_accounts(folder: Path) -> None:
    """Remove the accounts' files and calendars below `folder`, and folders that are empty then.

    Raises `OSError`.
    """
    for provider in _folders(folder):
        for account in _folders(provider):
            for path in account.iterdir():
                if (path.name == ACCOUNT_FILE or path.suffix == SUFFIX) and not is_real_folder(path):
                    path.unlink()
            _remove_if_empty(account)
        (provider / ORDER_FILE).unlink(missing_ok=True)
        _remove_if_empty(provider)
    if is_real_folder(folder):
        _remove_if_empty(folder)


def _folders(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if is_real_folder(path)] if is_real_folder(folder) else []


def _remove_if_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()


def _named(name: str) -> str:
    encoded = file_name(name)
    if encoded is None:
        raise SandboxError(f"the world has the name {name[:100]!r}, which is empty or too long for a file")
    return encoded


def _write_account(path: Path, account: Account, filling: Path) -> None:
    # Those above that are made as well would be as the umask has them.
    for folder in (path.parent.parent, path.parent):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if os.path.lexists(path):
        return
    shutil.rmtree(filling, ignore_errors=True)
    made = filling / "account"
    filling.mkdir(mode=0o700)
    try:
        made.mkdir(mode=0o700)
        for calendar in account.calendars:
            try:
                write_new(made / f"{_named(calendar.id)}{SUFFIX}", _calendar(calendar))
            except FileExistsError as error:
                raise SandboxError(f"the world has a duplicate (the calendar {calendar.id})") from error
        write_account(made, AccountFile(account.password, tuple(calendar.id for calendar in account.calendars)))
        made.rename(path)
    finally:
        shutil.rmtree(filling, ignore_errors=True)


def _calendar(calendar: Calendar) -> bytes:
    lines = [text_line("X-WR-CALNAME", calendar.name)]
    for number, event in enumerate(calendar.events, start=1):
        lines += _event(calendar, number, event)
    return calendar_text(*lines)


def _event(calendar: Calendar, number: int, event: CalendarEvent) -> Iterator[str]:
    yield "BEGIN:VEVENT"
    yield text_line("UID", f"{number}-{calendar.id}")
    yield time_line("DTSTAMP", event.start)
    yield time_line("DTSTART", event.start, all_day=event.all_day)
    yield time_line("DTEND", event.end, all_day=event.all_day)
    if event.recurrence is not None:
        yield _rule(event.recurrence, all_day=event.all_day)
    yield text_line("SUMMARY", event.title)
    yield "END:VEVENT"


def _rule(recurrence: Recurrence, *, all_day: bool) -> str:
    rule = f"RRULE:FREQ={recurrence.frequency};INTERVAL={recurrence.interval}"
    if recurrence.until is None:
        return rule
    until = utc_text(recurrence.until)
    return f"{rule};UNTIL={until[:8] if all_day else until}"
