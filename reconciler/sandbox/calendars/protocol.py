"""What the sandbox asks of whoever holds the accounts' calendars."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator


@dataclass(frozen=True, slots=True)
class AccountRef:
    """An account; `email` is as the provider spells it."""

    id: int
    email: str


@dataclass(frozen=True, slots=True)
class CalendarRef:
    """A calendar of an account."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One event, or one instance of a recurring one. Times are in seconds since the epoch, `end` exclusive.

    `key` tells apart what starts at the same moment in one account, and is the same each time it is asked for.
    """

    key: str
    calendar: CalendarRef
    title: str
    start: int
    end: int
    all_day: bool


class CalendarService(Protocol):
    """The accounts at all providers; a provider is named by its slug."""

    def accounts(self, provider: str) -> tuple[AccountRef, ...]:
        """Every account at a provider."""

    def sign_in(self, provider: str, email: str, password: str) -> AccountRef | None:
        """The account that these credentials open, None where they are wrong."""

    def calendars(self, account_id: int) -> tuple[CalendarRef, ...]:
        """The calendars of an account, the primary one first."""

    def occurrences(
        self, account_id: int, calendar_ids: Collection[str], *, start: float, end: float, all_day: bool | None
    ) -> Iterator[Occurrence]:
        """What overlaps the range from `start` to `end` (seconds since the epoch), ordered by start, then key.

        `all_day` asks for all-day events only, or for the others only; None for both.

        Made one by one: a reader may stop at any time, and a range without bounds costs no more than what is read.
        """
