"""Estimates how long the requests of a run will take: by the rate limit of each site, and by the pace of its answers.

Terms:

- A request is *foreseen* where an action takes it (`requests.py`). A site may ask for more of them than were foreseen,
  since what actions rest on is read again and what failed is tried again: by how many is learned as actions end.
- The *pace* of a site is the seconds that a request takes with the others that are under way at once, while neither the
  limit nor a rest that the service has asked for is in the way. Until a site has shown its own, it has that of all.

Steps, each time a site tells of an action that has ended, at most twice a second:

1. What passed since it was looked at last, less what the limit and rests explain, is its pace.
2. What is left of its requests, at that pace and within its limit, gives the moment at which it is done
   (`SiteTraffic.sent_by`).
3. Rests are expected as often as they came, from the second on.

A run is done when its last site is; where more sites are waiting than may be at work at once, they follow one another.
"""

import heapq
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from reconciler.model.traffic import SiteTraffic

LookUp = Callable[[str], SiteTraffic | None]
"""Tells what a site was sent, by its name; None where that is not known here."""

_PACE = 0.05
_WEIGHT = 2
"""The pace before any is known, in seconds, and how many requests of its own outweigh it."""
_KEPT = 0.98
"""How much of what is known of the pace remains with each further request."""
_TRUSTED = 20
"""After how many requests it is believed by half that they are more than were foreseen."""
_SIDE_BY_SIDE = 4
"""How many requests of a site are under way at once."""
_UNDER_WAY = 3 * _SIDE_BY_SIDE
"""How many requests the actions that are under way may have sent already."""
_OFTEN = 0.5


@dataclass(slots=True)
class _Pace:
    """Seconds a request, of which the latest count most."""

    seconds: float = 0.0
    requests: float = 0.0

    def add(self, seconds: float, requests: int) -> None:
        kept = _KEPT**requests
        self.seconds = self.seconds * kept + seconds
        self.requests = self.requests * kept + requests

    def beside(self, pace: float) -> float:
        """The pace, where `pace` is what is believed before anything is known."""
        return (self.seconds + _WEIGHT * pace) / (self.requests + _WEIGHT)


@dataclass(slots=True)
class _Site:
    """One site: what is foreseen of it, and what it has told."""

    foreseen: int
    first: SiteTraffic | None
    ended: int = 0
    last: SiteTraffic | None = None
    looked_at: float = 0.0
    done_at: float | None = None
    pace: _Pace = field(default_factory=_Pace)
    rests: int = 0
    rested: float = 0.0

    @property
    def begun(self) -> bool:
        """Whether it is at work, or was; of one of which nothing is told it is not known."""
        return self.last is not None or self.first is None

    @property
    def left(self) -> int:
        """How many requests are still to be sent."""
        if self.first is None or self.last is None:
            return self.foreseen - self.ended
        sent = self.last.requests - self.first.requests
        known = max(self.ended, sent - _UNDER_WAY)
        more = (known + _TRUSTED) / (self.ended + _TRUSTED)
        under_way = min(_UNDER_WAY, max(0.0, sent - self.ended * more))
        return max(0, round((self.foreseen - self.ended) * more - under_way))

    @property
    def rest_each(self) -> float:
        """Seconds of rest that the service is expected to ask for, for each request."""
        if self.first is None or self.last is None or self.rests < 2:  # noqa: PLR2004 - one may be the only one
            return 0.0
        return self.rested / max(1, self.last.requests - self.first.requests)


class TimeLeft:
    """The time that a run still takes; `foreseen` are the requests by the names of their sites.

    At most `at_once` sites work at a time. `monotonic` is the clock, in seconds, of `traffic`, which tells what was
    sent. A site of which that is not known is taken to have begun with the run.
    """

    def __init__(
        self,
        foreseen: Mapping[str, int],
        at_once: int,
        monotonic: Callable[[], float],
        traffic: LookUp = lambda _name: None,
    ) -> None:
        self._at_once = at_once
        self._monotonic = monotonic
        self._traffic = traffic
        self._began = monotonic()
        self._pace = _Pace()
        self._sites = {name: _Site(requests, traffic(name)) for name, requests in foreseen.items()}
        if len(foreseen) <= at_once:
            for site in self._sites.values():
                site.last, site.looked_at = site.first, self._began

    def ended(self, name: str, requests: int) -> None:
        """An action has ended for which so many requests of its site were foreseen."""
        site, now = self._sites[name], self._monotonic()
        site.ended += requests
        if site.done_at is not None and now - site.looked_at < _OFTEN and site.ended < site.foreseen:
            return
        before, site.last = site.last, self._traffic(name)
        if site.last is not None:
            if before is not None:
                self._learn(site, before, site.last, now)
            site.looked_at = now
            site.done_at = self._done_at(site, site.last, now)

    def seconds(self) -> float:
        """How long it takes from now on, as far as can be told."""
        now = self._monotonic()
        begun = [self._due(site, now) for site in self._sites.values() if site.begun]
        # Where one is done the next begins.
        free = heapq.nlargest(self._at_once, begun)
        free += [now] * (self._at_once - len(free))
        heapq.heapify(free)
        for site in self._sites.values():
            if not site.begun:
                heapq.heapreplace(free, max(now, free[0]) + self._due(site, now) - now)
        return max(0.0, max(*begun, *free) - now)

    def _due(self, site: _Site, now: float) -> float:
        """When a site will be done, if it begins now unless it has begun."""
        if site.done_at is not None:
            return site.done_at
        if site.first is None:
            return SiteTraffic().sent_by(self._began, site.left, _PACE)
        return self._done_at(site, site.first, now)

    def _done_at(self, site: _Site, traffic: SiteTraffic, now: float) -> float:
        pace = site.pace.beside(self._pace.beside(_PACE))
        # Each of the last two is answered before anything follows it.
        answers = 2 * _SIDE_BY_SIDE * pace if site.left else 0.0
        return traffic.sent_by(now, site.left, pace + site.rest_each) + answers

    def _learn(self, site: _Site, before: SiteTraffic, after: SiteTraffic, now: float) -> None:
        """Learn the pace from what was sent since a site was looked at."""
        sent = after.requests - before.requests
        resting = max(before.held_until, site.looked_at)
        if after.held_until > resting:
            site.rests += 1
            site.rested += after.held_until - resting
        rest = max(0.0, min(after.held_until, now) - resting)
        if before is site.first:
            # So many are under way that were not answered yet.
            sent -= _SIDE_BY_SIDE
        if sent > 0:
            limited = before.sent_by(site.looked_at, sent) - site.looked_at
            busy = max(0.0, now - site.looked_at - limited - rest)
            site.pace.add(busy, sent)
            self._pace.add(busy, sent)
