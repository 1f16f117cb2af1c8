"""Makes the events of people's calendars, around the day on which a data folder is made."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from reconciler.sandbox.world import CalendarEvent, Frequency, Recurrence

if TYPE_CHECKING:
    from datetime import datetime


def work_week(today: datetime, who: str) -> tuple[CalendarEvent, ...]:
    """Single appointments before and after `today`, and the meetings that come back."""
    return (
        _timed(today, -2, 15, 60, f"{who}: lab visit"),
        _timed(today, 0, 14, 30, f"{who}: supplier call"),
        _timed(today, 1, 18, 90, f"{who}: implant seminar"),
        _timed(today, 3, 13, 45, f"{who}: insurance review"),
        _timed(today, -14, 13, 15, "Morning huddle", Recurrence(Frequency.DAILY)),
        _timed(today, -21, 17, 60, "Case conference", Recurrence(Frequency.WEEKLY)),
        _days(today, 5, 2, f"{who}: away at a congress"),
    )


def personal_week(today: datetime) -> tuple[CalendarEvent, ...]:
    """A private life."""
    return (
        _timed(today, 0, 22, 60, "School concert"),
        _timed(today, 2, 12, 45, "Car inspection"),
        _timed(today, -28, 21, 90, "Choir practice", Recurrence(Frequency.WEEKLY, until=today + timedelta(days=90))),
        _days(today, 9, 7, "Holiday at the lake"),
    )


def birthdays(today: datetime) -> tuple[CalendarEvent, ...]:
    """All-day events of one day each."""
    return (
        _days(today, -3, 1, "Noor's birthday"),
        _days(today, 4, 1, "Grandpa's birthday"),
        _days(today, 11, 1, "Sam's birthday"),
    )


def holidays(today: datetime) -> tuple[CalendarEvent, ...]:
    """Two days off."""
    return (_days(today, 6, 1, "Harbor Day"), _days(today, 20, 1, "Founders' Day"))


def rota(today: datetime) -> tuple[CalendarEvent, ...]:
    """Shifts that come back every second week, in turns."""
    fortnightly = Recurrence(Frequency.WEEKLY, interval=2)
    return (
        _timed(today, -7, 12, 240, "Early shift", fortnightly),
        _timed(today, 0, 16, 240, "Late shift", fortnightly),
        _days(today, 8, 1, "Stocktaking"),
    )


def _timed(
    today: datetime, day: int, hour: int, minutes: int, title: str, recurrence: Recurrence | None = None
) -> CalendarEvent:
    start = today + timedelta(days=day, hours=hour)
    return CalendarEvent(title, start, start + timedelta(minutes=minutes), recurrence=recurrence)


def _days(today: datetime, day: int, count: int, title: str) -> CalendarEvent:
    start = today + timedelta(days=day)
    return CalendarEvent(title, start, start + timedelta(days=count), all_day=True)
