"""A span of time that a server is asked about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_MARGIN = timedelta(days=1)
_FIRST = datetime(1970, 1, 2, tzinfo=UTC)
_LAST = datetime(2200, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` to `end`, aware, `end` exclusive."""

    start: datetime
    end: datetime

    @classmethod
    def around(cls, start: datetime, end: datetime) -> Span | None:
        """A span a day wider at both ends, None where no server should be asked about so long a time.

        Servers take floating and all-day times for UTC, which is up to 14 hours off; and many count the instances of an
        endless rule one by one up to the end of the span.
        """
        if start < _FIRST or end > _LAST or start > end:
            return None
        return cls(start - _MARGIN, end + _MARGIN)

    def covers(self, other: Span) -> bool:
        """Whether all of `other` lies in it."""
        return self.start <= other.start and other.end <= self.end
