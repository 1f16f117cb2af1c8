"""Shows what stands on the schedules of one site, read once for all actions that begin within a short time.

Terms: a *look* is one ListConnections for many schedules; an action *rests on* what a look has shown of its schedule.

1. An action that begins takes the last look, if it shows its schedule and its answer came no longer than
   `LOOK_SECONDS` ago. Else a new look is taken: for its schedule, for those of the actions that wait for a look or may
   soon do so again, and for those that are still to begin.
2. What this run has written since a look was taken is known by the answers, and laid over what the look shows. A write
   whose effect is in doubt, or that finds something else than was shown, ends the look.
3. Where a look for many schedules is refused, the next ones are for half as many, down to one. Where one does not show
   all that a look for one of its schedules does, actions look one by one from then on.
4. A write that rests on a look is sent no later than `LOOK_SECONDS` after its answer: where the rate limit makes it
   wait for longer, it raises StaleError, and the action begins again with a new look.

So what others change is seen unless it happens in the last `LOOK_SECONDS` before a write is sent, or while the service
makes up the look's answer.
"""

import asyncio
from collections import Counter, defaultdict, deque
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count, islice
from typing import TypeVar

from reconciler.errors import ApiError, OutageError, RateLimitedError, StaleError, TransportError
from reconciler.execution.port import Lister
from reconciler.model.live import ConnectionList, LiveConnection

# examples/recovery repeats it.
LOOK_SECONDS = 2.0
_MOST_SCHEDULES = 100
# What may rest on a look at once: for each slot of a site a write, and something to look up before it.
_FOLLOWERS = 8
_MOST_LOOKS = 5
_OF_ALL = (TransportError, RateLimitedError, OutageError)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands on one schedule: its connections, and the providers whose connections could not be read.

    `at` is when the answer came, in seconds of the event loop's clock.
    """

    connections: tuple[LiveConnection, ...]
    failed_provider_ids: tuple[str, ...]
    at: float

    def fresh(self) -> bool:
        """Whether a write may still rest on it."""
        return is_fresh(self.at)


def is_fresh(at: float) -> bool:
    """Whether a write may still rest on an answer that came `at`, in seconds of the event loop's clock."""
    return now() - at <= LOOK_SECONDS


def now() -> float:
    """What an answer that comes now came at."""
    return asyncio.get_running_loop().time()


@dataclass(frozen=True, slots=True)
class Seen:
    """A connection as an answer has shown it, which came `at`, in seconds of the event loop's clock."""

    connection: LiveConnection
    at: float

    def fresh(self) -> bool:
        """Whether a write may still rest on it."""
        return is_fresh(self.at)


async def again_while_stale(act: Callable[[], Awaitable[_T]]) -> _T:
    """What `act` gives, which looks and writes; it looks again where its write would have come too late.

    Raises what `act` raises; StaleError where that happens again and again.
    """
    for _ in range(_MOST_LOOKS - 1):
        with suppress(StaleError):
            return await act()
    return await act()


@dataclass(frozen=True, slots=True)
class _Look:
    began: int
    at: float
    schedule_ids: frozenset[str]
    connections: Mapping[str, tuple[LiveConnection, ...]]
    failed_provider_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Failure:
    ended: int
    schedule_ids: frozenset[str]
    error: ApiError


class SiteView:
    """What stands on the schedules of one site, through `lister`."""

    def __init__(self, lister: Lister) -> None:
        self._lister = lister
        self._expected: dict[str, None] = {}
        self._stood: dict[str, str] = {}
        self._asking: Counter[str] = Counter()
        # Those whose writes may come too late, and that will look again.
        self._lately: deque[str] = deque(maxlen=_FOLLOWERS)
        self._failure: _Failure | None = None
        self._turn = asyncio.Lock()
        self._look: _Look | None = None
        self._written: dict[str, tuple[int, LiveConnection]] = {}
        # What begins and ends is ordered by numbers, since two moments may be one on a clock.
        self._moments = count()
        self._most = _MOST_SCHEDULES

    def expect(self, schedule_id: str, connection_id: str | None = None) -> None:
        """An action on this schedule is to begin, after those that were said before.

        It is about this connection, where it is about one that stood there when it was planned.
        """
        self._expected[schedule_id] = None
        if connection_id is not None:
            self._stood[connection_id] = schedule_id

    async def standing(self, schedule_id: str, *, anew: bool = False) -> Standing:
        """What stands on a schedule, from a look that is fresh; `anew`: from one that begins after this call.

        Raises ExtcalError where it can't be read.
        """
        asked = next(self._moments)
        self._expected.pop(schedule_id, None)
        self._asking[schedule_id] += 1
        try:
            async with self._turn:
                look = await self._last_look(schedule_id, asked, anew=anew)
            self._lately.append(schedule_id)
            return self._shown(schedule_id, look)
        finally:
            self._asking -= Counter((schedule_id,))

    async def written(self, sending: Awaitable[LiveConnection], status: str | None = None) -> LiveConnection:
        """What a write answers, which is known from now on; `status` is what it leaves behind, where that is sure."""
        try:
            answered = await sending
        except StaleError:
            raise
        except BaseException as error:
            # A refusal without doubt leaves all as it was, unless the connection was not as it was shown.
            if not isinstance(error, ApiError) or error.doubtful or error.method in {"UpdateSyncConfig", "Disconnect"}:
                self._look = None
            raise
        self._stood.pop(answered.id, None)
        known = answered if status is None else replace(answered, status=status)
        self._written[answered.id] = next(self._moments), known
        return answered

    async def _last_look(self, schedule_id: str, asked: int, *, anew: bool) -> _Look:
        look = self._look
        shown = look is not None and schedule_id in look.schedule_ids
        if look is not None and shown and (look.began > asked if anew else is_fresh(look.at)):
            return look
        failed = self._failure
        if failed is not None and failed.ended > asked and schedule_id in failed.schedule_ids:
            # It has waited for this very look.
            raise failed.error
        self._look = await self._look_at(schedule_id)
        return self._look

    async def _look_at(self, schedule_id: str) -> _Look:
        others = (*self._asking, *self._lately, *self._expected)
        schedule_ids = tuple(islice(dict.fromkeys((schedule_id, *others)), self._most))
        began = next(self._moments)
        try:
            listed = await self._lister.list_connections(schedule_ids, followers=_FOLLOWERS)
            at = now()
            in_part = await self._lists_in_part(listed, frozenset(schedule_ids))
        except ApiError as error:
            if len(schedule_ids) > 1 and not isinstance(error, _OF_ALL):
                # It may be too many for it, or be about one of them.
                self._most = len(schedule_ids) // 2
                return await self._look_at(schedule_id)
            self._failure = _Failure(next(self._moments), frozenset(schedule_ids), error)
            raise
        if in_part:
            self._most = 1
            return await self._look_at(schedule_id)
        by_schedule: dict[str, list[LiveConnection]] = defaultdict(list)
        for connection in listed.connections:
            by_schedule[connection.schedule_id].append(connection)
        self._written = {key: write for key, write in self._written.items() if write[0] > began}
        found = {key: tuple(connections) for key, connections in by_schedule.items()}
        return _Look(began, at, frozenset(schedule_ids), found, listed.failed_provider_ids)

    async def _lists_in_part(self, listed: ConnectionList, schedule_ids: frozenset[str]) -> bool:
        """Whether the service lists more on one of these schedules when it is asked for that alone.

        It is asked where something is missing that stood there, once for each such connection: others may have taken
        it away.
        """
        if len(schedule_ids) == 1 or listed.failed_provider_ids:
            return False
        shown = {connection.id for connection in listed.connections}
        missing = [key for key, at in self._stood.items() if at in schedule_ids and key not in shown]
        if not missing:
            return False
        schedule_id = self._stood[missing[-1]]
        for key in missing:
            del self._stood[key]
        alone = await self._lister.list_connections((schedule_id,), followers=_FOLLOWERS)
        return any(connection.id == missing[-1] for connection in alone.connections)

    def _shown(self, schedule_id: str, look: _Look) -> Standing:
        rows = {connection.id: connection for connection in look.connections.get(schedule_id, ())}
        for _, written in self._written.values():
            if written.schedule_id == schedule_id:
                rows[written.id] = _laid_over(rows.get(written.id), written)
        return Standing(tuple(rows[key] for key in sorted(rows)), look.failed_provider_ids, look.at)


def _laid_over(listed: LiveConnection | None, written: LiveConnection) -> LiveConnection:
    """A list may show more of a connection than the answer to a write, such as its account."""
    if listed is None:
        return written
    return replace(listed, status=written.status, error_reason=written.error_reason, sync=written.sync)
