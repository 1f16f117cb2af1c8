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
from datetime import datetime

from reconciler.api.clock import Clock
from reconciler.errors import ExtcalError
from reconciler.machine import Machine, SiteFolder
from reconciler.machine.alerts import AlertFile
from reconciler.model.account import Account
from reconciler.model.desired import Desired
from reconciler.watching.alert_digest import Digest, compose
from reconciler.watching.alert_looks import AwaitedSince, looks_of
from reconciler.watching.alert_memory import AlertMemory, decode, encode
from reconciler.watching.alert_state import AlertLimits, Condition, Event, Look, after, after_telling, news
from reconciler.watching.changes import Line, Reporter
from reconciler.watching.channels import Channel
from reconciler.watching.site_round import SiteRound
from reconciler.watching.site_state import state_after

PAUSE = 4 * 60.0
"""Seconds after a digest before the next: less than the interval between two rounds usually is."""

_LONGEST_PAUSE = 3600.0
_PATIENCE = 30.0
_GRACE = 3.0
_MOST_KEPT = 5
_NOTHING = encode(AlertMemory())
WATCH = "extcal watch"


@dataclass(frozen=True, slots=True)
class AlertOptions:
    """Who gets alerts, and of what; `watched` tells the watch from others, `redact` takes out secrets."""

    channels: tuple[Channel, ...]
    machine: Machine
    watched: str
    limits: AlertLimits = field(default_factory=AlertLimits)
    redact: Callable[[str], str] = str
    patience: float = _PATIENCE
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
        now = self._clock.now().timestamp()
        for each in site_rounds:
            site = each.first.site
            folder = self._options.machine.site(site.site_id)
            before = self._store.site(site.name, folder)
            state = state_after(each, before.state, now)
            looks = looks_of(each, state, _awaited_since(folder), applies=applies)
            # What could not be looked at, or was not asked for, is as it was.
            kept = {one.address for one in desired.connections if one.site == site.name} - looks.keys()
            subjects = after(before.subjects, looks, now, self._options.limits, kept)
            others = {name: one for name, one in before.state.connections.items() if name in kept}
            state = replace(state, connections={**others, **state.connections})
            self._store.keep(site.name, AlertMemory(subjects, state))

    def end_round(self, conditions: Mapping[Condition, str]) -> None:
        """Take in what is wrong with the watch itself, and send what is news, if it is time."""
        self._store.watch(conditions, self._clock.now().timestamp(), self._options.limits)
        if self._delivery is not None and not self._delivery.done():
            return
        if self._clock.monotonic() < self._not_before:
            return
        events = self._store.news()
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

    async def _deliver(self, events: Sequence[Event]) -> None:
        digest = compose(events, self._options.redact) if events else None
        sent = await asyncio.gather(*(self._send(channel, digest) for channel in self._options.channels))
        if digest is not None and any(sent):
            self._store.told(events)
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
            why = await channel.send(each, self._options.patience)
            self._count(why is None)
            if why is not None:
                self._tell(f"{channel}: an alert did not arrive: {why}; it is sent again after a later round")
                return False
            if kept:
                kept.popleft()
        return True

    def _keep(self, channel: Channel, digest: Digest) -> None:
        kept = self._kept[channel.position]
        kept.append(digest)
        if len(kept) > _MOST_KEPT:
            kept.popleft()
            self._tell(f"{channel}: its oldest alert is given up; extcal status shows all")

    def _tell(self, text: str) -> None:
        self._reporter.line(Line(self._options.redact(text), bad=True))


class AlertStore:
    """The memories of sites and of the watch, in this process and in their files; `tell` is told of bad files."""

    def __init__(self, own: AlertFile, redact: Callable[[str], str], tell: Callable[[str], None]) -> None:
        self._redact = redact
        self._tell = tell
        self._memories: dict[str, AlertMemory] = {}
        self._files: dict[str, AlertFile] = {}
        self._written: dict[str, object] = {}
        self._bad: set[str] = set()
        self._load(WATCH, own)

    def site(self, name: str, folder: SiteFolder) -> AlertMemory:
        """What is remembered of a site, another watch's news among it."""
        self._load(name, folder.alerts)
        return self._memories[name]

    def keep(self, name: str, memory: AlertMemory) -> None:
        """Remember this of a site, or of the watch."""
        self._memories[name] = memory
        content = encode(memory, self._redact)
        if content == self._written.get(name, _NOTHING):
            return
        try:
            self._files[name].write(content)
        except ExtcalError as error:
            self._tell_once(str(error))
        else:
            self._written[name] = content

    def keep_only(self, sites: set[str]) -> None:
        """Forget the sites that are not among these."""
        for name in self._memories.keys() - sites - {WATCH}:
            del self._memories[name]
            self._written.pop(name, None)
            try:
                self._files.pop(name).forget()
            except ExtcalError as error:
                self._tell_once(str(error))

    def watch(self, conditions: Mapping[Condition, str], now: float, limits: AlertLimits) -> None:
        """Take in what is wrong with the watch itself."""
        before = self._memories[WATCH]
        causes = dict(conditions)
        known = before.subjects[WATCH].now if WATCH in before.subjects else {}
        if Condition.MANIFESTS in causes and Condition.MACHINE in known:
            # As long as manifests can't be used nothing else is tried.
            causes[Condition.MACHINE] = known[Condition.MACHINE]
        self.keep(WATCH, AlertMemory(after(before.subjects, {WATCH: Look(causes=causes)}, now, limits)))

    def news(self) -> list[Event]:
        """What people are to be told."""
        return [event for memory in self._memories.values() for event in news(memory.subjects)]

    def told(self, events: Sequence[Event]) -> None:
        """Remember that people were told."""
        for name, memory in list(self._memories.items()):
            self.keep(name, replace(memory, subjects=after_telling(memory.subjects, events)))

    def _load(self, name: str, file: AlertFile) -> None:
        """Read what was written last, by another watch perhaps; where that can't be, what this one knows stands."""
        known = self._memories.setdefault(name, AlertMemory())
        self._files[name] = file
        try:
            content = file.read()
            if content is not None and content != self._written.get(name):
                self._memories[name] = _told_too(known, decode(content))
                self._written[name] = content
        except ExtcalError as error:
            self._tell_once(str(error))
        except ValueError:
            self._tell_once(str(file.unusable()))

    def _tell_once(self, text: str) -> None:
        if text not in self._bad:
            self._bad.add(text)
            self._tell(text)


def _told_too(now: AlertMemory, read: AlertMemory) -> AlertMemory:
    """What this process has seen, with what another has told meanwhile; all that was read where it has seen nothing."""
    if not now.subjects:
        return read
    told = {address: subject.told for address, subject in read.subjects.items()}
    subjects = {
        address: replace(subject, told=told.get(address, frozenset())) for address, subject in now.subjects.items()
    }
    return AlertMemory(subjects, now.state)


def _awaited_since(folder: SiteFolder) -> AwaitedSince:
    """Since when consents of a site are awaited, as applies have written down."""

    def since(address: str, account: Account | None) -> datetime | None:
        try:
            request = folder.consent_requests.find(address, account)
        except ExtcalError:
            # Whoever sends mail hears of it; here it counts from when it was seen first.
            return None
        return None if request is None else request.awaited_since

    return since
