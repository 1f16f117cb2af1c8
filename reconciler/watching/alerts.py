"""Alerts people: remembers what they were told, and sends what is news, a digest after a round at most.

What was told is written down once a receiver has got it. Until then it is news in each round, so that nothing is lost
by a failure or a restart; what has ended meanwhile is no news any more. A receiver that fails while others don't gets
its digests later. One delivery is under way at a time, in threads, and no round waits for it.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from reconciler.api.clock import Clock
from reconciler.machine import Machine
from reconciler.model.desired import Desired
from reconciler.watching.alert_digest import Digest, compose
from reconciler.watching.alert_memory import AlertMemory
from reconciler.watching.alert_observation import observations_of
from reconciler.watching.alert_state import AlertLimits, Condition, Transition, after
from reconciler.watching.alert_store import AlertStore
from reconciler.watching.changes import Line, Reporter
from reconciler.watching.channels import Channel
from reconciler.watching.site_round import SiteRound
from reconciler.watching.site_state import state_after
from reconciler.workflow import known_requests

PAUSE = 4 * 60.0
"""Seconds after a digest before the next: less than the interval between two rounds usually is."""

_LONGEST_PAUSE = 3600.0
_TIMEOUT = 30.0
_GRACE = 3.0
_MOST_KEPT = 5


@dataclass(frozen=True, slots=True)
class AlertOptions:
    """Who gets alerts, and of what; `watched` tells the watch from others, `redact` takes out secrets."""

    channels: tuple[Channel, ...]
    machine: Machine
    watched: str
    limits: AlertLimits = field(default_factory=AlertLimits)
    redact: Callable[[str], str] = str
    timeout: float = _TIMEOUT
    """Seconds that a receiver may take."""


class Alerts:
    """What is known of each site and of the watch; `count` is told whether a digest arrived at a receiver."""

    def __init__(self, options: AlertOptions, reporter: Reporter, clock: Clock, count: Callable[[bool], None]) -> None:
        self._options = options
        self._reporter = reporter
        self._clock = clock
        self._count = count
        self._store = AlertStore(options.machine.watch_alerts(options.watched), options.redact, self._tell)
        self._delivery: asyncio.Task[None] | None = None
        self._not_before = clock.monotonic()
        self._failures = 0
        self._kept: dict[int, deque[Digest]] = {each.position: deque() for each in options.channels}

    def observe(self, site_rounds: Sequence[SiteRound], desired: Desired, *, applies: bool) -> None:
        """Take in what a round has seen of sites; those that are not declared any more are forgotten."""
        self._store.keep_only({site.name for site in desired.sites})
        now = self._now()
        actions = (one.action for each in site_rounds for one in each.status.connections if one.action is not None)
        # What can't be read is as if it had not been written: it is known here since when it was seen.
        requests = known_requests(actions, self._options.machine, lambda _site, _why: None)
        for each in site_rounds:
            site = each.first.site
            folder = self._options.machine.site(site.site_id)
            before = self._store.site(site.name, folder)
            state = state_after(each, before.state, now)
            observations = observations_of(each, state, requests, applies=applies)
            # What could not be looked at, or was not asked for, is as it was.
            kept = {one.address for one in desired.connections if one.site == site.name} - observations.keys()
            subjects = after(before.subjects, observations, now, self._options.limits, kept)
            others = {name: one for name, one in before.state.connections.items() if name in kept}
            state = replace(state, connections={**others, **state.connections})
            self._store.keep(site.name, AlertMemory(subjects, state))

    def end_round(self, conditions: Mapping[Condition, str]) -> None:
        """Take in what is wrong with the watch itself, and send what is news, if it is time."""
        self._store.watch(conditions, self._now(), self._options.limits)
        if self._delivery is not None and not self._delivery.done():
            return
        if self._clock.monotonic() < self._not_before:
            return
        events = self._store.news(self._now())
        if events or any(self._kept.values()):
            self._delivery = asyncio.get_running_loop().create_task(self._deliver(events))

    async def wait(self) -> None:
        """Wait until what is under way has ended, one way or the other."""
        if self._delivery is not None:
            await asyncio.wait([self._delivery])

    async def end(self) -> None:
        """Let what is under way arrive, for a moment; what does not is news for the next watch."""
        if self._delivery is None:
            return
        await asyncio.wait([self._delivery], timeout=_GRACE)
        self._delivery.cancel()
        with suppress(asyncio.CancelledError):
            await self._delivery

    async def _deliver(self, events: Sequence[Transition]) -> None:
        digest = compose(events, self._options.redact) if events else None
        sent = await asyncio.gather(*(self._send(channel, digest) for channel in self._options.channels))
        if digest is not None and any(sent):
            self._store.told(events, self._now())
            for channel, arrived in zip(self._options.channels, sent, strict=True):
                if not arrived:
                    self._keep(channel, digest)
        self._failures = 0 if any(sent) else self._failures + 1
        pause = PAUSE if any(sent) else min(_LONGEST_PAUSE, PAUSE * (2 ** min(self._failures, 10) / 2 - 1))
        self._not_before = self._clock.monotonic() + pause

    async def _send(self, channel: Channel, digest: Digest | None) -> bool:
        """Send what was kept for a receiver, then the digest; whether that arrived."""
        kept = self._kept[channel.position]
        waiting = [*kept] if digest is None else [*kept, digest]
        for each in waiting:
            why = await channel.send(each, self._options.timeout)
            self._count(why is None)
            if why is not None:
                self._tell(f"{channel}: an alert did not arrive: {why}; it is sent again after a later round")
                return False
            if kept:
                kept.popleft()
        return True

    def _now(self) -> float:
        return self._clock.now().timestamp()

    def _keep(self, channel: Channel, digest: Digest) -> None:
        kept = self._kept[channel.position]
        kept.append(digest)
        if len(kept) > _MOST_KEPT:
            kept.popleft()
            self._tell(f"{channel}: its oldest alert is given up; extcal status shows all")

    def _tell(self, text: str) -> None:
        self._reporter.line(Line(self._options.redact(text), bad=True))
