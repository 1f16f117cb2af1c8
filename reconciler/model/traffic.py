"""Defines the rate limit of a site, and what the site was sent of late: when it may be sent more follows from both."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `requests` in any `seconds`; the service allows 200 a minute, and clocks and networks jitter."""

    # examples/fleet and examples/recovery repeat it.
    requests: int = 190
    seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class SiteTraffic:
    """What one site was sent; moments are seconds of the machine's monotonic clock."""

    requests: int = 0
    """How many were sent in this run, tries and tokens included."""

    recent: tuple[float, ...] = ()
    """When those were sent that still count, by any run on this machine, the oldest first."""

    held_until: float = float("-inf")
    """Until when the service has asked for a rest."""

    rate: Rate = Rate()

    def sent_by(self, now: float, more: int, pace: float = 0.0) -> float:
        """The moment at which so many `more` will have been sent, if each takes `pace` seconds or waits for the limit.

        The limit lets as many go as it has room for, and then in each window as many as it allows.
        """
        if more <= 0:
            return now
        windows, first = divmod(more - 1, self.rate.requests)
        first += 1
        counting = self.recent[-self.rate.requests :]
        ahead = len(counting) + first - self.rate.requests
        free = counting[ahead - 1] + self.rate.seconds if ahead > 0 else now
        begun = max(max(now, self.held_until) + first * pace, free)
        return begun + windows * max(self.rate.seconds, self.rate.requests * pace)
