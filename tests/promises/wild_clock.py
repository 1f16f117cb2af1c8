"""extcal on a machine whose time of day jumps by up to ten years, back and forth, whenever it is looked at.

Run as a program with extcal's arguments. The monotonic clock, by which waits must go, is left alone.
"""

import datetime as dt
import random
import time
from collections.abc import Callable

_DECADE = 10 * 365.25 * 24 * 3600.0
_chance = random.Random(7)  # noqa: S311 - nothing secret


def _jump() -> float:
    return _chance.uniform(-_DECADE, _DECADE)


class JumpingTime(dt.datetime):
    """A datetime whose `now` is no two times alike."""

    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> "JumpingTime":
        """The time of day, give or take ten years."""
        return cls.fromtimestamp(_real() + _jump(), tz)


_real: Callable[[], float] = time.time

if __name__ == "__main__":
    time.time = lambda: _real() + _jump()
    dt.datetime = JumpingTime  # type: ignore[misc] # before anything of extcal has looked at the clock

    from reconciler.cli.main import main

    main()
