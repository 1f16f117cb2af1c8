"""Defines what the sandbox asks of whoever holds calendars: folders and CalDAV servers.

A backend knows accounts, calendars and iCalendar objects (RFC 5545) as bytes; what is in them, what of it is imported
and what is exported is none of its business. All of it is blocking and called from several threads at once, never
while the database is held for writing. Errors are those of `reconciler.sandbox.calendars.errors`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from reconciler.sandbox.calendars.errors import NoAnswerError

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Deadline:
    """`seconds` from when it was made.

    It is handed on, and all that is done for an operation shares it.
    """

    seconds: float
    _begun: float = field(default_factory=time.monotonic)

    def left(self) -> float:
        """How many seconds are left, 0 once it is over."""
        return max(0.0, self._begun + self.seconds - time.monotonic())

    def first(self, share: float) -> Deadline:
        """The deadline of work that may take a share of the time, counted from its beginning."""
        return Deadline(self.seconds * share, self._begun)

    def missed(self, where: str) -> NoAnswerError:
        """The error that says that it is over."""
        return NoAnswerError(f"{where}: took longer than {self.seconds:g} s")

    def check(self, where: str) -> None:
        """Raises `NoAnswerError` once it is over."""
        if not self.left():
            raise self.missed(where)


@dataclass(frozen=True, slots=True)
class Login:
    """Who signs in. `password` is None where the account's owner agreed by OAuth."""

    email: str
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class CalendarRef:
    """A calendar of an account.

    `id` is opaque, unique in its account and the same each time; `name` need not be.
    """

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class CalendarObject:
    """One resource of a calendar: a VCALENDAR stream with any number of components.

    `name` tells it apart in its calendar, for one that `put` wrote it is the name given there. `etag` changes whenever
    `content` does.
    """

    name: str
    etag: str
    content: bytes


@dataclass(frozen=True, slots=True)
class CalendarContents:
    """What a calendar holds, and what of it can't be read as its server tells it, in words."""

    objects: tuple[CalendarObject, ...]
    faults: tuple[str, ...] = ()


class CalendarBackend(Protocol):
    """The calendars of all accounts at one provider.

    Every method may raise `UnreachableError`, and every one that takes a login `BadCredentialsError`.
    """

    @property
    def look_again_after(self) -> float:
        """For how many seconds it would cost too much to ask again whether an account works.

        0 where it is cheap.
        """

    @property
    def at_once(self) -> int:
        """How many of its accounts it is worth asking at the same time."""

    def within(self, deadline: Deadline) -> CalendarBackend:
        """The same calendars for one operation: nothing is asked once that is over.

        Where one question was not answered no other is asked in that operation. What is within it can be narrowed to an
        earlier deadline.
        """

    def accounts(self) -> tuple[str, ...]:
        """The emails of the accounts that are known without signing in, for the consent page.

        May be none.
        """

    def sign_in(self, login: Login) -> str:
        """Open the account; answers its email as the provider spells it."""

    def calendars(self, login: Login) -> tuple[CalendarRef, ...]:
        """The calendars that can hold events (VEVENT), the primary one first."""

    def find_calendar(self, login: Login, calendar_id: str) -> CalendarRef | None:
        """A calendar by its id, asked for by itself: a listing may lack one for a moment.

        None where it isn't there.
        """

    def create_calendar(self, login: Login, name: str, *, key: str) -> CalendarRef:
        """Make a calendar with this name; raises `CreationRefusedError`.

        `key` (letters, digits and `-`) is the same when it is tried again: where the calendar was made and its answer
        lost, it may be found by that.
        """

    def delete_calendar_if_empty(self, login: Login, calendar_id: str) -> bool:
        """Delete a calendar that `create_calendar` made, if nothing at all is in it.

        Whether it is gone now.

        One that holds anything, be it unreadable, can't be deleted, or may be another's stays as it is.
        """

    def read(self, login: Login, calendar_id: str, start: datetime, end: datetime) -> CalendarContents:
        """The objects that may have an event, or an instance of one, between two aware times.

        More is fine.

        A fault is reported at each reading while it lasts. Raises `CalendarGoneError`, and `UnreadableError` where
        the calendar is there and can't be read.
        """

    def get(self, login: Login, calendar_id: str, name: str) -> CalendarObject | None:
        """The object that `put` wrote under `name`, as it is now; None where it isn't there.

        Raises `CalendarGoneError` and `UnreadableError`.
        """

    def put(self, login: Login, calendar_id: str, name: str, content: bytes, *, etag: str | None) -> None:
        """Write a VCALENDAR with one VEVENT, whose UID is `name` (letters, digits and `-`).

        With `etag` it replaces that version; with None there must be nothing under this name. Raises `ConflictError`,
        `CalendarGoneError` and `WriteRefusedError`.
        """

    def delete(self, login: Login, calendar_id: str, name: str, *, etag: str) -> None:
        """Delete that version of an object; raises `ConflictError` where it is another one or gone.

        Raises `CalendarGoneError` and `WriteRefusedError`.
        """

    def close(self) -> None:
        """Let go of what is held open; nothing is asked afterwards."""
