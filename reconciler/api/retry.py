"""Says when a failed request is tried again: full-jitter backoff, or as the service asks."""

import email.utils
import re
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx

_FOREVER = 1e9


@dataclass(frozen=True, slots=True)
class Backoff:
    """How often and how long: at most `tries` in all, `budget` seconds of sending and backing off among them.

    The nth wait is random between 0 and `base` * 2**(n-1), never over `cap` (all in seconds). A wait that the
    service asks for is obeyed up to `longest_asked`, and is not counted against the budget; beyond that the error
    stands.
    """

    tries: int = 4
    base: float = 0.5
    cap: float = 20.0
    budget: float = 60.0
    longest_asked: float = 60.0
    """Stated in examples/recovery/README.md, too."""

    def pause(self, *, tried: int, spent: float, asked: float | None, chance: float) -> float | None:
        """Seconds to wait before the next try, or None to give up.

        `tried` counts the tries made, `spent` is their time in seconds, `asked` the service's Retry-After, and
        `chance` a random number from 0 to 1.
        """
        if tried >= self.tries or spent > self.budget:
            return None
        if asked is not None:
            return asked + chance * self.base if asked <= self.longest_asked else None
        jitter = chance * min(self.cap, self.base * 2.0 ** (tried - 1))
        return jitter if spent + jitter <= self.budget else None


class RetryBudget:
    """What all the sites of a run may spend on trying again, so that a run does not make an outage worse.

    Retries are at most `reserve` and a `share` of the calls, so that a run of 100 calls (50 sites without a change) or
    more sends at most 1.2 times as many requests as it has calls, whatever fails. A smaller run may send up to
    `reserve` more than that, or it would give up at the first lost packet. When the retries are spent and the last
    `in_a_row` tries have all failed, the service is taken to be down: nothing more is sent. What is tried again after
    a 429 that says when costs nothing: it is waited for, and the service is there.
    """

    def __init__(self, reserve: int = 10, share: float = 0.1, in_a_row: int = 20) -> None:
        self._reserve = reserve
        self._share = share
        self._in_a_row = in_a_row
        self._calls = 0
        self._retries = 0
        self._failures = 0
        self._stopped = False

    @property
    def stopped(self) -> bool:
        """Whether the service is taken to be down, for the rest of the run."""
        return self._stopped

    def call(self) -> None:
        """Count a call."""
        self._calls += 1

    def tried(self, *, well: bool) -> None:
        """Note how one try went: whether the service answered, be it by a refusal."""
        self._failures = 0 if well else self._failures + 1
        # For good: what is called in vain from here on must not add to the budget and open it again.
        self._stopped = self._stopped or (self._failures >= self._in_a_row and self._spent)

    def spend(self) -> bool:
        """Whether one more retry may be made; if so it is counted."""
        if self._spent:
            return False
        self._retries += 1
        return True

    @property
    def _spent(self) -> bool:
        return self._retries >= self._reserve + self._share * self._calls


def retry_after(headers: httpx.Headers, now: datetime) -> float | None:
    """Seconds that `Retry-After` asks for, None without a usable one (RFC 9110, 10.2.3).

    A date is compared with the answer's own `Date` where it has one, since clocks differ; a past date is 0.
    """
    text = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]+", text):
        return min(float(text[:12]), _FOREVER)
    moment = _http_date(text)
    if moment is None:
        return None
    return min(max((moment - (_http_date(headers.get("date", "")) or now)).total_seconds(), 0.0), _FOREVER)


def _http_date(text: str) -> datetime | None:
    if not 0 < len(text) <= 64:  # noqa: PLR2004 - no HTTP date is longer
        return None
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
