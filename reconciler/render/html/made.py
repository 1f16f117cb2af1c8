"""When a report was made, in words."""

from datetime import UTC, datetime


def made_at(made: datetime) -> str:
    """`Made on 2 March 2026, 14:05 UTC`; the time must know its zone."""
    there = made.astimezone(UTC)
    return f"Made on {there.day} {there:%B %Y, %H:%M} UTC"
