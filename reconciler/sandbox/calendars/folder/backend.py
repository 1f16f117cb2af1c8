"""Answers what the sandbox asks of accounts, when they are folders.

Anybody may edit the files while the sandbox runs:

    calendars/<provider>/order.json                 the accounts in the order in which they are offered
    calendars/<provider>/<account>/account.json     its password and the order of its calendars, the primary one first
    calendars/<provider>/<account>/<calendar>.ics   a calendar; X-WR-CALNAME names it, or else its file does

Nothing is kept in memory: the files are read at each call. Links are not followed.
"""

from __future__ import annotations

import hmac
import re
from contextlib import suppress
from typing import TYPE_CHECKING

from reconciler.sandbox.calendars.errors import (
    BadCredentialsError,
    CalendarError,
    CalendarGoneError,
    ConflictError,
    CreationRefusedError,
    UnreachableError,
    UnreadableError,
    WriteRefusedError,
)
from reconciler.sandbox.calendars.folder.account_file import AccountFile, read_account, read_order
from reconciler.sandbox.calendars.folder.files import (
    MAX_FILE,
    SUFFIX,
    file_name,
    held,
    is_read_only,
    is_real_file,
    is_real_folder,
    plain_name,
    read_file,
    read_head,
    replace_file,
    write_new,
)
from reconciler.sandbox.calendars.folder.objects import find, is_untouched, with_event, without_event
from reconciler.sandbox.calendars.ics_text import calendar_text, text_line, unescaped
from reconciler.sandbox.calendars.protocol import CalendarContents, CalendarObject, CalendarRef

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from reconciler.sandbox.calendars.protocol import Deadline, Login

MAX_CALENDARS = 200
"""The most calendars that an account can hold."""

_HEAD = 8 * 1024
_MAX_TITLE = 250
_COMPONENT = re.compile(rb"^BEGIN:(?!VCALENDAR)", re.IGNORECASE | re.MULTILINE)
_FOLD = re.compile(rb"\r?\n[ \t]")
_TITLE = re.compile(rb"^X-WR-CALNAME(?:;[^:\r\n]*)?:([^\r\n]*)", re.IGNORECASE | re.MULTILINE)


class FolderCalendars:
    """A `CalendarBackend` over the accounts in one provider's folder."""

    look_again_after = 0.0
    at_once = 1

    def __init__(self, folder: Path, deadline: Deadline | None = None) -> None:
        self._folder = folder
        self._deadline = deadline

    def within(self, deadline: Deadline) -> FolderCalendars:
        """The same folder; there may be very many files in it."""
        return FolderCalendars(self._folder, deadline)

    def accounts(self) -> tuple[str, ...]:
        """Every account that can be opened, by its folder's name."""
        return tuple(email for email, _ in self.passwords())

    def passwords(self) -> tuple[tuple[str, str | None], ...]:
        """Every account that can be opened, with its password if it has one."""
        found = []
        for folder in self._folders():
            with suppress(CalendarError):
                found.append((plain_name(folder.name), read_account(folder).password))
        return tuple(found)

    def sign_in(self, login: Login) -> str:
        """Open the account; addresses are compared without regard to case."""
        if login.password is not None and self._opened(login)[1].password is None:
            raise BadCredentialsError("the account has no password")
        return plain_name(self._opened(login)[0].name)

    def calendars(self, login: Login) -> tuple[CalendarRef, ...]:
        """Each `.ics` file, in the account file's order; those that it doesn't name come last."""
        folder, account = self._opened(login)
        files = _calendar_files(folder)
        order = [name for name in account.calendars if name in files]
        order += sorted(files.keys() - set(order))
        return tuple(CalendarRef(name, _title(files[name]) or name) for name in order)

    def find_calendar(self, login: Login, calendar_id: str) -> CalendarRef | None:
        """By its file."""
        try:
            path = self._path(login, calendar_id)
        except CalendarGoneError:
            return None
        return CalendarRef(calendar_id, _title(path) or calendar_id)

    def create_calendar(self, login: Login, name: str, *, key: str) -> CalendarRef:
        """A file named for the calendar; a number tells it from one that is there already."""
        del key
        folder, _ = self._opened(login)
        base = (file_name(name) or "calendar")[:100]
        try:
            with held(folder):
                taken = {path.stem for path in folder.iterdir() if path.suffix == SUFFIX}
                if len(taken) >= MAX_CALENDARS:
                    raise CreationRefusedError(f"{folder.name}: holds {MAX_CALENDARS} calendars, the most it may")
                stem = next(each for each in _numbered(base) if each not in taken)
                write_new(folder / f"{stem}{SUFFIX}", calendar_text(text_line("X-WR-CALNAME", name)))
        except OSError as error:
            raise CreationRefusedError(f"{folder.name}: no calendar can be made there ({error.strerror})") from error
        return CalendarRef(plain_name(stem), name)

    def delete_calendar_if_empty(self, login: Login, calendar_id: str) -> bool:
        """Remove the file, if nobody has put anything into it."""
        folder, _ = self._opened(login)
        try:
            with held(folder):
                path = _calendar_files(folder).get(calendar_id)
                if path is not None:
                    if not is_untouched(_content(path)):
                        return False
                    path.unlink()
        except CalendarGoneError:
            return True
        except (OSError, UnreadableError):
            return False
        return True

    def read(self, login: Login, calendar_id: str, start: datetime, end: datetime) -> CalendarContents:
        """The whole file as one object, whatever the range."""
        del start, end
        path = self._path(login, calendar_id)
        return CalendarContents((CalendarObject(path.stem, "", _content(path)),))

    def get(self, login: Login, calendar_id: str, name: str) -> CalendarObject | None:
        """The event with this UID, as a stream of its own."""
        found = find(_content(self._path(login, calendar_id)), name)
        return None if found is None else CalendarObject(name, found.etag, found.content)

    def put(self, login: Login, calendar_id: str, name: str, content: bytes, *, etag: str | None) -> None:
        """Write the event into the file."""
        self._rewrite(login, calendar_id, name, etag, lambda file: with_event(file, name, content))

    def delete(self, login: Login, calendar_id: str, name: str, *, etag: str) -> None:
        """Take the event out of the file."""
        self._rewrite(login, calendar_id, name, etag, lambda file: without_event(file, name))

    def close(self) -> None:
        """Nothing is held open."""

    def _rewrite(
        self, login: Login, calendar_id: str, name: str, etag: str | None, change: Callable[[bytes], bytes]
    ) -> None:
        path = self._path(login, calendar_id)
        try:
            with held(path.parent):
                content = _content(path)
                if is_read_only(path):
                    raise WriteRefusedError(f"{path.name}: is read-only; make it writable")
                found = find(content, name)
                if (None if found is None else found.etag) != etag:
                    raise ConflictError(f"{path.name}: {name} has changed")
                changed = change(content)
                if len(changed) > MAX_FILE:
                    raise WriteRefusedError(f"{path.name}: would become larger than {MAX_FILE} bytes")
                replace_file(path, changed)
        except OSError as error:
            raise WriteRefusedError(f"{path.name}: can't be written ({error.strerror})") from error
        except UnreadableError as error:
            raise WriteRefusedError(str(error)) from error

    def _folders(self) -> list[Path]:
        folders = _real_folders(self._folder)
        place = {email: number for number, email in enumerate(read_order(self._folder))}
        return sorted(folders, key=lambda path: place.get(plain_name(path.name), len(place)))

    def _opened(self, login: Login) -> tuple[Path, AccountFile]:
        if self._deadline is not None:
            self._deadline.check(f"{self._folder.name}/{login.email}")
        folder = self._account_folder(login.email)
        if folder is None:
            raise BadCredentialsError("no such account")
        account = read_account(folder)
        if login.password is not None and not _same(account.password, login.password):
            raise BadCredentialsError("the password is wrong")
        return folder, account

    def _account_folder(self, email: str) -> Path | None:
        """The folder of an account.

        All of them are listed only where the address is spelled in another way.
        """
        if is_real_folder(self._folder):
            for name in _spellings(email):
                if is_real_folder(folder := self._folder / name):
                    return folder
        wanted = email.casefold()
        try:
            every = _real_folders(self._folder)
        except OSError as error:
            raise UnreachableError(f"{self._folder.name}: can't be read ({error.strerror})") from error
        return next((path for path in every if plain_name(path.name).casefold() == wanted), None)

    def _path(self, login: Login, calendar_id: str) -> Path:
        """The file of a calendar.

        The folder, which may hold thousands, is listed only where it isn't found.
        """
        folder, _ = self._opened(login)
        for name in _spellings(calendar_id):
            if is_real_file(path := folder / f"{name}{SUFFIX}"):
                return path
        found = _calendar_files(folder).get(calendar_id)
        if found is None:
            raise CalendarGoneError(f"{folder.name}: there is no calendar {calendar_id!r}")
        return found


def _spellings(name: str) -> list[str]:
    """The file names that mean `name`: as a person writes it, or encoded."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return []
    plain = bool(name) and plain_name(name) == name and not name.startswith(".") and not {"/", "\0"} & set(name)
    as_it_is = [name] if plain else []
    encoded = file_name(name)
    return as_it_is if encoded is None else [*as_it_is, encoded]


def _real_folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if is_real_folder(path)) if is_real_folder(folder) else []


def _same(stored: str | None, given: str) -> bool:
    return stored is not None and hmac.compare_digest(
        stored.encode("utf-8", "surrogatepass"), given.encode("utf-8", "surrogatepass")
    )


def _calendar_files(folder: Path) -> dict[str, Path]:
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix == SUFFIX and is_real_file(path))
    except OSError as error:
        raise UnreachableError(f"{folder.name}: can't be read ({error.strerror})") from error
    return {plain_name(path.stem): path for path in paths if not path.name.startswith(".")}


def _content(path: Path) -> bytes:
    try:
        return read_file(path)
    except FileNotFoundError:
        raise CalendarGoneError(f"{path.name}: is gone") from None


def _title(path: Path) -> str | None:
    """The name that the file gives its calendar before its first component."""
    try:
        head = read_head(path, _HEAD)
    except (UnreadableError, FileNotFoundError):
        return None
    found = _TITLE.search(_FOLD.sub(b"", _COMPONENT.split(head, maxsplit=1)[0]))
    return None if found is None else unescaped(found[1].decode("utf-8", "replace").strip())[:_MAX_TITLE] or None


def _numbered(base: str) -> list[str]:
    return [base, *(f"{base} {number}" for number in range(2, MAX_CALENDARS + 2))]
