"""A small service in memory that goes wrong as told, and time that passes only by waiting.

For what no real service can be brought to do at the right moment; what it can is tested against the sandbox.
"""

import asyncio
import itertools
from collections import defaultdict
from collections.abc import Callable, Coroutine, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import TypeVar, cast

from reconciler.errors import (
    ApiError,
    ExtcalError,
    NotFoundError,
    PermissionDeniedError,
    ResponseError,
    ServiceError,
    StaleError,
    TransportError,
    UnauthenticatedError,
)
from reconciler.execution.port import Port
from reconciler.model.account import Account
from reconciler.model.desired import SecretRef
from reconciler.model.intent import Fate, Intent, Made, Pending
from reconciler.model.key import ConnectionKey
from reconciler.model.live import Calendar, ConnectionList, LiveConnection, Provider
from reconciler.model.sync import SyncConfig
from tests.support.builders.plans import PROVIDERS, live

T = TypeVar("T")

LOST = TransportError("the answer was cut off", method="Write", sent=True)
DOWN = ServiceError("try later", method="Read", status=503)
DENIED = PermissionDeniedError("not yours", method="Write", status=403)
BAD_PASSWORD = UnauthenticatedError("no", method="ConnectByCredentials", status=401, code="BAD_CREDENTIALS")
GONE = NotFoundError("no such connection", method="GetConnection", status=404)


def refusal(kind: type[ResponseError], status: int, code: str | None = None) -> ResponseError:
    """An answer that refuses."""
    return kind("refused", method="Write", status=status, code=code)


@dataclass(frozen=True, slots=True)
class After:
    """An error that comes once the method has taken effect: its answer is lost on the way back."""

    error: ApiError = LOST


@dataclass(frozen=True, slots=True)
class Late:
    """An error; the method takes effect `seconds` later."""

    seconds: float
    error: ApiError = LOST


@dataclass(frozen=True, slots=True)
class Waits:
    """A call whose turn comes `seconds` later; what does not rest on anything fresh then is not sent.

    `happens` is what happens at the service meanwhile.
    """

    seconds: float
    happens: Callable[[], object] = lambda: None


Step = Exception | After | Late | Waits | Callable[[], object] | None
"""What one call of a method comes to: a failure instead of it, one after it, something that happens before it."""

_FRESH: ContextVar[Callable[[], bool]] = ContextVar("_FRESH", default=lambda: True)


class _Resting:
    """The methods of a port for writes that rest on something `fresh`."""

    def __init__(self, port: "ScriptedPort", fresh: Callable[[], bool]) -> None:
        self._port = port
        self._fresh = fresh

    def while_fresh(self, fresh: Callable[[], bool]) -> Port:
        """The same methods for what rests on something else."""
        return self._port.while_fresh(fresh)

    def __getattr__(self, name: str) -> Callable[..., Coroutine[object, object, object]]:
        async def call(*given: object) -> object:
            token = _FRESH.set(self._fresh)
            try:
                return await getattr(self._port, name)(*given)
            finally:
                _FRESH.reset(token)

        return call


@dataclass
class ScriptedPort:
    """One site's port: `connections` are what there is; `script` holds, by method, the next steps of its calls.

    Each call takes `pace` seconds. `calls` are those made so far, `most` how many of them were under way at once.
    """

    connections: list[LiveConnection] = field(default_factory=list)
    script: dict[str, list[Step]] = field(default_factory=dict)
    failed: tuple[str, ...] = ()
    calendars: tuple[Calendar, ...] = (Calendar("w1", "Work"), Calendar("h1", "Home"))
    pace: float = 0.0
    calls: list[tuple[str, ...]] = field(default_factory=list)
    most: int = 0
    _now: int = 0
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    _later: "list[asyncio.TimerHandle]" = field(default_factory=list)

    def called(self, method: str) -> list[tuple[str, ...]]:
        """The arguments of the calls of a method."""
        return [call[1:] for call in self.calls if call[0] == method]

    def while_fresh(self, fresh: Callable[[], bool]) -> Port:
        """The same methods for what rests on something."""
        return cast("Port", _Resting(self, fresh))

    async def list_connections(self, schedule_ids: Sequence[str] = (), *, followers: int = 0) -> ConnectionList:
        """List the connections of the given schedules."""
        del followers
        wanted = {schedule.lower() for schedule in schedule_ids}

        def listed() -> ConnectionList:
            found = tuple(c for c in self.connections if not wanted or c.schedule_id.lower() in wanted)
            return ConnectionList(found, self.failed)

        return await self._call("list_connections", tuple(schedule_ids), listed)

    async def list_providers(self) -> tuple[Provider, ...]:
        """List the providers."""
        return await self._call("list_providers", (), lambda: PROVIDERS)

    async def get_connection(self, connection_id: str) -> LiveConnection:
        """Read one connection."""
        return await self._call("get_connection", (connection_id,), lambda: self._one(connection_id))

    async def connect_by_credentials(
        self, provider_id: str, schedule_id: str, email: str, password: SecretRef
    ) -> LiveConnection:
        """Establish a connection."""

        def made() -> LiveConnection:
            (provider,) = (provider for provider in PROVIDERS if provider.id == provider_id)
            one = live(f"new-{next(self._numbers)}", provider, schedule_id=schedule_id, account=email)
            return self._put(replace(one, status="CONNECTED"))

        given = (provider_id, schedule_id, email, str(password))
        return await self._call("connect_by_credentials", given, made)

    async def connect_by_oauth(self, provider_id: str, schedule_id: str, redirect_url: str) -> str:
        """Ask for a link."""
        given = (provider_id, schedule_id, redirect_url)
        return await self._call("connect_by_oauth", given, lambda: f"https://consent.example/{provider_id}")

    async def list_calendars(self, connection_id: str) -> tuple[Calendar, ...]:
        """List the account's calendars."""
        return await self._call("list_calendars", (connection_id,), lambda: self.calendars)

    async def update_sync_config(self, connection_id: str, sync: SyncConfig) -> LiveConnection:
        """Replace a sync config by what is sent, which is the harsher of the two readings of the API."""
        return await self._call(
            "update_sync_config", (connection_id,), lambda: self._put(replace(self._one(connection_id), sync=sync))
        )

    async def disconnect(self, connection_id: str) -> LiveConnection:
        """Take a connection away."""
        return await self._call(
            "disconnect",
            (connection_id,),
            lambda: self._put(replace(self._one(connection_id), status="DISCONNECTED")),
        )

    async def _call(self, method: str, given: tuple[str, ...], effect: Callable[[], T]) -> T:
        self.calls.append((method, *given))
        self._now += 1
        self.most = max(self.most, self._now)
        try:
            await asyncio.sleep(self.pace)
            steps = self.script.get(method)
            match steps.pop(0) if steps else None:
                case Exception() as error:
                    raise error
                case After(error):
                    effect()
                    raise error
                case Late(seconds, error):
                    self._later.append(asyncio.get_running_loop().call_later(seconds, effect))
                    raise error
                case Waits(seconds, happens):
                    await asyncio.sleep(seconds)
                    happens()
                    if not _FRESH.get()():
                        raise StaleError("too late")
                    return effect()
                case None:
                    return effect()
                case happens:
                    happens()
                    return effect()
        finally:
            self._now -= 1

    def _one(self, connection_id: str) -> LiveConnection:
        for connection in self.connections:
            if connection.id == connection_id:
                return connection
        raise GONE

    def _put(self, connection: LiveConnection) -> LiveConnection:
        self.connections = [c for c in self.connections if c.id != connection.id] + [connection]
        return connection


@dataclass
class MemoryJournal:
    """A journal in memory; `lines` are what was written.

    `refuses` is what it raises instead of writing the next intent, `refuses_after` how many it has room for.
    """

    lines: list[tuple[str, ...]] = field(default_factory=list)
    left: list[Pending] = field(default_factory=list)
    refuses: ExtcalError | None = None
    intents: list[Intent] = field(default_factory=list)
    refuses_after: int = -1
    otherwise: dict[ConnectionKey, Made] = field(default_factory=dict)

    def begin(self, intent: Intent) -> None:
        """Write an intent down."""
        if self.refuses is not None:
            raise self.refuses
        if len(self.intents) == self.refuses_after:
            raise ExtcalError("the disk is full")
        self.intents.append(intent)
        self.lines.append(("begin", intent.address))
        self.left.append(Pending(intent, 0.0))

    def end(
        self, intent: Intent, ending: Fate, connection_id: str | None = None, account: Account | None = None
    ) -> None:
        """Write down what became of it."""
        self.lines.append(("end", intent.address, ending, connection_id or ""))
        self.left = [pending for pending in self.left if pending.intent.id != intent.id]
        if connection_id is not None and account != intent.key.account:
            self.otherwise[intent.key] = Made(connection_id, account)

    def made(self, intent: Intent) -> Made | None:
        """What an earlier connect has made without showing its account."""
        return self.otherwise.get(intent.key)

    def pending(self) -> tuple[Pending, ...]:
        """Those that have no end."""
        return tuple(self.left)


@dataclass
class MemoryUnfinished:
    """What has its sync config yet to come, in memory."""

    addresses: set[str] = field(default_factory=set)

    def add(self, address: str, account: Account | None) -> None:
        """Note that a connection is about to be made."""
        assert account
        self.addresses.add(address)

    def remove(self, address: str, account: Account | None) -> None:
        """Note that it has its sync config."""
        del account
        self.addresses.discard(address)


def scripted(**steps: Step | list[Step]) -> dict[str, list[Step]]:
    """A script by method; one step may stand by itself."""
    found: dict[str, list[Step]] = defaultdict(list)
    for method, given in steps.items():
        found[method] = given if isinstance(given, list) else [given]
    return found
