"""Keeps what others read of a watch: its figures, and whether it is alive and ready.

The loop makes them, one value for all, so that whoever reads them sees one moment.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from reconciler.model.account import Account
from reconciler.model.consent_request import KnownRequests
from reconciler.model.result import OutcomeStatus
from reconciler.model.status import Health, counted
from reconciler.watching.site_round import SiteRound


class RoundResult(StrEnum):
    """How a round ended: every site went well, some did, or none."""

    GOOD = "good"
    PARTIAL = "partial"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class SiteFigures:
    """The figures of one site; requests and outcomes count since the start.

    Times are seconds since the epoch, None before there was one.
    """

    connections: Mapping[Health, int] = field(default_factory=dict)
    pending: int = 0
    stuck: int = 0
    held_back: int = 0
    up: bool = False
    failures: int = 0
    last_success: float | None = None
    requests: int = 0
    outcomes: Mapping[OutcomeStatus, int] = field(default_factory=dict)
    awaited: Mapping[tuple[str, Account | None], float] = field(default_factory=dict)
    """Since when owners are awaited, by the address and the account of what they must consent to."""

    @property
    def awaited_since(self) -> float | None:
        """Since when the owner is awaited who is awaited longest; None where none is."""
        return min(self.awaited.values(), default=None)

    def after(
        self, site_round: SiteRound, requests: KnownRequests, *, failures: int, stuck: int, now: float
    ) -> "SiteFigures":
        """The figures after a round of its site; `failures` is how many in a row have failed.

        Since when owners are awaited is what `requests` know, else when a round first found it.
        """
        counts = {status: self.outcomes.get(status, 0) for status in OutcomeStatus}
        for outcome in site_round.outcomes:
            counts[outcome.status] += 1
        return SiteFigures(
            counted(site_round.status.connections),
            site_round.pending,
            stuck,
            len(site_round.first.violations),
            site_round.status.unread is None,
            failures,
            self.last_success if site_round.failed else now,
            self.requests + site_round.requests,
            counts,
            self._awaited(site_round, requests, now),
        )

    def _awaited(
        self, site_round: SiteRound, requests: KnownRequests, now: float
    ) -> dict[tuple[str, Account | None], float]:
        found: dict[tuple[str, Account | None], float] = {}
        for status in site_round.status.connections:
            key = (status.address, status.account)
            if status.action is None:
                # It could not be read: what was known of it stays.
                found |= {key: self.awaited[key]} if key in self.awaited else {}
            elif status.action.needs_owner:
                known = requests.find(status.site_id, *key)
                found[key] = known.awaited_since.timestamp() if known else self.awaited.get(key, now)
        return found


@dataclass(frozen=True, slots=True)
class Figures:
    """All figures; times are seconds since the epoch, None before there was one.

    `waits` and `waited` (in seconds) are of requests that had to wait for a rate limit, or before another try.
    """

    sites: Mapping[str, SiteFigures] = field(default_factory=dict)
    rounds: Mapping[RoundResult, int] = field(default_factory=lambda: dict.fromkeys(RoundResult, 0))
    seconds: float = 0.0
    last_round: float | None = None
    last_success: float | None = None
    manifests_valid: bool = False
    pulls: int = 0
    failed_pulls: int = 0
    last_pull: float | None = None
    waits: int = 0
    waited: float = 0.0
    alerts: int = 0
    failed_alerts: int = 0

    def after_round(self, result: RoundResult, took: float, now: float) -> "Figures":
        """The figures after a round that took `took` seconds."""
        return replace(
            self,
            rounds={**self.rounds, result: self.rounds[result] + 1},
            seconds=self.seconds + took,
            last_round=now,
            last_success=self.last_success if result is RoundResult.FAILED else now,
        )

    def after_pull(self, now: float, *, well: bool) -> "Figures":
        """The figures after the repositories were pulled, or could not be."""
        if well:
            return replace(self, pulls=self.pulls + 1, last_pull=now)
        return replace(self, failed_pulls=self.failed_pulls + 1)

    def after_alert(self, *, arrived: bool) -> "Figures":
        """The figures after a receiver got a digest of alerts, or did not."""
        if arrived:
            return replace(self, alerts=self.alerts + 1)
        return replace(self, failed_alerts=self.failed_alerts + 1)


BEAT_SECONDS = 1.0
_STILL_ALIVE = 30.0
_FAILURES = 3


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """Yes or no, and why in a line that tells nothing about anybody."""

    yes: bool
    why: str


class Readiness:
    """Written by the loop and read by other threads; `now` is the monotonic clock."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._beat = now()
        self._ready = ProbeResult(yes=False, why="no round has succeeded yet")
        self._failures = 0

    def beat(self) -> None:
        """The loop turns."""
        self._beat = self._now()

    def went_well(self) -> None:
        """A round has reconciled at least one site."""
        self._failures = 0
        self._ready = ProbeResult(yes=True, why="the last round reconciled at least one site")

    def failed(self, why: str) -> None:
        """A round has reconciled nothing; a few of them in a row are too many."""
        self._failures += 1
        count = "the last round" if self._failures == 1 else f"the last {self._failures} rounds"
        yes = self._ready.yes and self._failures < _FAILURES
        until = f"; not ready after {_FAILURES} in a row" if yes else ""
        self._ready = ProbeResult(yes=yes, why=f"{count} failed: {why}{until}")

    def ready(self) -> ProbeResult:
        """Whether it reconciles."""
        return self._ready

    def alive(self) -> ProbeResult:
        """Whether the loop turns."""
        still = self._now() - self._beat
        return ProbeResult(yes=still <= _STILL_ALIVE, why="alive" if still <= _STILL_ALIVE else "the loop has stopped")
