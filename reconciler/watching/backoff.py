"""Says when rounds begin, and when a site that failed is tried again."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

_JITTER = 0.1
_LONGEST = 3600.0

Chance = Callable[[], float]
"""Random numbers from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Rounds begin every `seconds`, a tenth more or less: watchers shall not keep in step."""

    seconds: float
    chance: Chance

    def pause(self, took: float) -> float:
        """Seconds to wait after a round that took `took` seconds.

        0 after one that was longer than the interval.
        """
        planned = self.seconds * (1 - _JITTER + 2 * _JITTER * self.chance())
        return max(0.0, planned - took)


class SiteBackoff:
    """Sites that failed and are not tried for a while: an interval, then two, four, and so on.

    Never over an hour, or an interval where that is longer; half of each backoff is random. `now` is the
    monotonic clock.
    """

    def __init__(self, interval: float, now: Callable[[], float], chance: Chance) -> None:
        self._interval = interval
        self._now = now
        self._chance = chance
        self._failures: dict[str, int] = {}
        self._until: dict[str, float] = {}

    @property
    def sites(self) -> frozenset[str]:
        """The sites that are not to be tried now."""
        now = self._now()
        return frozenset(site for site, until in self._until.items() if until > now)

    def failures(self, site: str) -> int:
        """How often a site has failed in a row."""
        return self._failures.get(site, 0)

    def failed(self, site: str, began: float) -> None:
        """Back off from a site, reckoned from when the round began in which it failed."""
        count = self._failures[site] = self.failures(site) + 1
        # Beyond this the doubled interval is over any cap, and would at last be over any float.
        doubled = self._interval * 2.0 ** min(count - 1, 32)
        longest = min(doubled, max(_LONGEST, self._interval))
        self._until[site] = began + longest * (1 + self._chance()) / 2

    def succeeded(self, site: str) -> None:
        """Forget the failures of a site."""
        self._failures.pop(site, None)
        self._until.pop(site, None)

    def end(self, sites: Iterable[str] | None = None) -> None:
        """Try these sites, or all, in the next round; how often they have failed is remembered."""
        for site in list(self._until) if sites is None else sites:
            self._until.pop(site, None)

    def keep_only(self, sites: Iterable[str]) -> None:
        """Forget all other sites."""
        for site in set(self._failures) - set(sites):
            self.succeeded(site)
