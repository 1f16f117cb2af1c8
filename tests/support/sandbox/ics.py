"""Calendars as their owners' programs write them, and what the sandbox imports from them."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.sandbox.api import Api, Json

YEAR = {"from": "2026-01-01T00:00:00Z", "to": "2027-01-01T00:00:00Z"}


def calendar(*components: str) -> str:
    """A VCALENDAR around components, or properties."""
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//owner//EN", *components, "END:VCALENDAR", ""])


def event(uid: str, *lines: str) -> str:
    """A VEVENT whose title is its UID."""
    return "\r\n".join(
        ["BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20260101T000000Z", f"SUMMARY:{uid}", *lines, "END:VEVENT"]
    )


def text(block: str) -> str:
    """Lines of a block as iCalendar writes them."""
    return "\r\n".join(textwrap.dedent(block).strip().splitlines())


def write(folder: Path, *components: str, name: str = "k93wqe") -> Path:
    """Put a calendar into an account's folder, as its owner would."""
    path = folder / f"{name}.ics"
    path.write_bytes(calendar(*components).encode())
    return path


def imported(api: Api, **params: object) -> list[Json]:
    """All events of 2026, with personal fields."""
    answer = api.get("/events", YEAR | {"fieldsets": "OWN_PI", "cursorPaging.limit": 1000} | params)
    assert answer.status_code == 200, answer.text
    events: list[Json] = answer.json()["events"]
    return events


def starts(api: Api, **params: object) -> list[str]:
    """Their titles and starts, to the minute."""
    return [f"{each['title']} {each['start'][:16]}" for each in imported(api, **params)]
