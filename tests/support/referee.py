"""The External Calendars API for one site, short and apart from the sandbox, under whatever reading of its contract.

What the contract leaves open is a `Reading`; what goes wrong on the way is a `Fault` of a step. Time is counted in
requests: what comes late comes after so many of them. The referee keeps what the client must not do: see `duplicates`
and `taken`.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import cast

from tests.support.servers.loopback import Answer, Fields, answering

APPLE, GOOGLE = "a0a0a0a0-0000-4000-8000-00000000000a", "a0a0a0a0-0000-4000-8000-00000000000b"
CALENDARS = ({"id": "w1", "name": "Work"}, {"id": "h1", "name": "Home"})
PASSWORD = "seagull-password"
_BASE = "/bookings/v2/external-calendars/"
_WHOLE = {"listEventFromCalendars": "SPECIFIC_CALENDARS", "syncToCalendar": "DEDICATED_CALENDAR"}
_ABLE = {"updateSyncConfig": True, **_WHOLE}
_PROVIDERS = [
    {"id": APPLE, "name": "Apple", "calendarType": "I_CAL", "features": {"connectMethods": ["CREDENTIALS"], **_ABLE}},
    {"id": GOOGLE, "name": "Google", "calendarType": "GOOGLE", "features": {"connectMethods": ["OAUTH"], **_ABLE}},
]


class Step(StrEnum):
    """What a request asks for."""

    PROVIDERS = "providers"
    LIST = "list"
    GET = "get"
    CALENDARS = "calendars"
    CONNECT = "connect"
    OAUTH = "oauth"
    CONFIG = "sync-config"
    DISCONNECT = "disconnect"


class Wrong(StrEnum):
    """What becomes of a request: whether it takes effect, and what is answered."""

    LOST_BEFORE = "lost before it took effect"
    LOST_AFTER = "lost after it took effect"
    LATE = "lost, and takes effect late"
    ERROR_BEFORE = "500 without effect"
    ERROR_AFTER = "503 with effect"
    LIMITED = "429"
    REFUSED = "428"


@dataclass(frozen=True)
class Fault:
    """The first `times` requests of a step go wrong; what is late takes effect `after` as many more requests."""

    step: Step
    wrong: Wrong
    times: int = 1
    after: int = 2

    def __str__(self) -> str:
        return f"{self.step} {self.wrong}, {self.times} times"


@dataclass(frozen=True)
class Reading:
    """How the service behaves where its contract is silent.

    `spelt` are accounts that it lists otherwise than their owners call them; a new account is shown after `shown_after`
    lists, or never (None). A new connection is `broken` at once with that reason; a sync config `heals` it or does
    not. To reconnect heals the row, or makes another one (`new_id`), and the broken one stays listed (`stays`) or not.
    Sync configs carry ids alone (`ids_alone`), and what was disconnected is listed, or forgotten (`forgets`).
    """

    name: str
    spelt: Mapping[str, str] = field(default_factory=dict)
    shown_after: int | None = 0
    broken: str | None = None
    heals: bool = True
    new_id: bool = False
    stays: bool = False
    ids_alone: bool = False
    forgets: bool = False

    def __str__(self) -> str:
        return self.name


@dataclass
class Row:
    """A connection; `owner` is the account that it really is, `lists` counts how often it was listed."""

    id: str
    schedule: str
    provider: str
    owner: str
    status: str = "CONNECTED"
    reason: str | None = None
    config: Fields = field(default_factory=dict)
    lists: int = 0
    made: bool = False

    @property
    def healthy(self) -> bool:
        """Whether it stands and works."""
        return self.status not in {"DISCONNECTED", "ERROR"}


@dataclass
class Referee:
    """The service and what it has seen; the lists of what it was asked are the test's to clear.

    `meanwhile` is what somebody else does while the first connect that goes wrong is on its way.
    """

    reading: Reading
    rows: list[Row] = field(default_factory=list)
    faults: tuple[Fault, ...] = ()
    url: str = ""
    meanwhile: Callable[[], None] | None = None
    asked: list[Step] = field(default_factory=list)
    taken: list[Row] = field(default_factory=list)
    connected: list[str] = field(default_factory=list)
    configured: list[tuple[str, Fields]] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)
    _spent: dict[Fault, int] = field(default_factory=dict)
    _late: list[tuple[int, Callable[[], Answer]]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def duplicates(self) -> list[str]:
        """Every account that is connected twice, in good health, to one schedule at one provider."""
        keys = [f"{row.owner} on {row.schedule[-4:]}" for row in self.rows if row.healthy]
        return sorted({key for key in keys if keys.count(key) > 1})

    def agree(self, account: str) -> None:
        """Let the owner of an account open every link that was given out; what works already stays as it is."""
        for schedule, provider in self.links:
            if not any(
                (r.schedule, r.provider, r.owner) == (schedule, provider, account) and r.healthy for r in self.rows
            ):
                self._connected(schedule, provider, account)
        self.links.clear()

    def answer(self, path: str, query: str, body: Fields) -> Answer | None:
        """Status and body, None where the answer is lost."""
        with self._lock:
            step, effect = self._work(path, query, body)
            self.asked.append(step)
            due = [work for when, work in self._late if when <= len(self.asked)]
            self._late = [(when, work) for when, work in self._late if when > len(self.asked)]
            for work in due:
                work()
            fault = next((f for f in self.faults if f.step == step and self._spent.get(f, 0) < f.times), None)
            if fault is None:
                return effect()
            self._spent[fault] = self._spent.get(fault, 0) + 1
            return self._gone_wrong(fault, effect)

    def _gone_wrong(self, fault: Fault, effect: Callable[[], Answer]) -> Answer | None:
        if fault.step is Step.CONNECT and self.meanwhile is not None:
            self.meanwhile()
            self.meanwhile = None
        if fault.wrong is Wrong.LATE:
            self._late.append((len(self.asked) + fault.after, effect))
        if fault.wrong in {Wrong.LOST_AFTER, Wrong.ERROR_AFTER}:
            effect()
        status = {Wrong.ERROR_BEFORE: 500, Wrong.ERROR_AFTER: 503, Wrong.LIMITED: 429, Wrong.REFUSED: 428}
        return _refusal(status[fault.wrong], "NOT_SUPPORTED_BY_PROVIDER") if fault.wrong in status else None

    def _work(self, path: str, query: str, body: Fields) -> tuple[Step, Callable[[], Answer]]:
        """Which step a request is, and what answers it."""
        name = path.removeprefix(_BASE)
        whole: dict[str, tuple[Step, Callable[[], Answer]]] = {
            "providers": (Step.PROVIDERS, lambda: (200, {"providers": _PROVIDERS})),
            "connections": (Step.LIST, lambda: self._list(query)),
            "connections:connectByCredentials": (Step.CONNECT, lambda: self._connect(body)),
            "connections:connectByOAuth": (Step.OAUTH, lambda: self._link(body)),
        }
        if name in whole:
            return whole[name]
        _, id_, what = f"{name}/".split("/")[:3]
        row = next((row for row in self.rows if row.id == id_), None)
        if row is None:
            return Step.GET, lambda: _refusal(404, "NOT_FOUND")
        of_row: dict[str, tuple[Step, Callable[[], Answer]]] = {
            "calendars": (Step.CALENDARS, lambda: self._calendars(row)),
            "sync-config": (Step.CONFIG, lambda: self._configure(row, body)),
            "disconnect": (Step.DISCONNECT, lambda: self._disconnect(row)),
        }
        return of_row.get(what) or (Step.GET, lambda: (200, {"connection": self._shown(row)}))

    def _calendars(self, row: Row) -> Answer:
        return (200, {"calendars": list(CALENDARS)}) if row.healthy else _refusal(428, "CONNECTION_NOT_CONNECTED")

    def _list(self, query: str) -> Answer:
        rows = [row for row in self.rows if "scheduleIds=" not in query or row.schedule in query]
        for row in rows:
            row.lists += 1
        return 200, {"connections": [self._shown(row) for row in rows], "failedProviderIds": []}

    def _connect(self, body: Fields) -> Answer:
        if body["password"] != PASSWORD:
            return _refusal(401, "BAD_CREDENTIALS")
        row = self._connected(str(body["scheduleId"]), str(body["providerId"]), str(body["email"]))
        return 200, {"connection": self._shown(row)}

    def _link(self, body: Fields) -> Answer:
        self.links.append((str(body["scheduleId"]), str(body["providerId"])))
        return 200, {"oauthUrl": "https://accounts.example/consent"}

    def _connected(self, schedule: str, provider: str, account: str) -> Row:
        """The connection of an account that was given just now; what was broken there is taken up, or left behind."""
        meant = {shown.lower(): owner for owner, shown in self.reading.spelt.items()}
        owner = meant.get(account.lower(), account.lower())
        self.connected.append(owner)
        ill = [
            r for r in self.rows if (r.schedule, r.provider, r.owner, r.status) == (schedule, provider, owner, "ERROR")
        ]
        if ill and not self.reading.new_id:
            ill[0].status, ill[0].reason = "CONNECTED", None
            return ill[0]
        if not self.reading.stays:
            self.rows = [row for row in self.rows if row not in ill]
        row = Row(f"made-{len(self.asked)}-{len(self.rows)}", schedule, provider, owner, made=True)
        row.config = {"listEventFromCalendars": {"enabled": True, "primaryCalendar": {}}}
        if self.reading.broken:
            row.status, row.reason = "ERROR", self.reading.broken
        self.rows.append(row)
        return row

    def _configure(self, row: Row, body: Fields) -> Answer:
        if row.status == "DISCONNECTED":
            return _refusal(428, "NOT_SUPPORTED_BY_PROVIDER")
        sent = cast("Fields", body["syncConfig"])
        self.configured.append((row.owner, sent))
        row.config = {**row.config, **sent}
        if (row.reason or "").startswith("EXTERNAL_CALENDAR") and self.reading.heals:
            row.status, row.reason = "CONNECTED", None
        return 200, {"connection": self._shown(row)}

    def _disconnect(self, row: Row) -> Answer:
        if row.status == "DISCONNECTED":
            return _refusal(428, "CONNECTION_ALREADY_DISCONNECTED")
        self.taken.append(row)
        row.status, row.reason = "DISCONNECTED", None
        shown = self._shown(row)
        if self.reading.forgets:
            self.rows.remove(row)
        return 200, {"connection": shown}

    def _shown(self, row: Row) -> Fields:
        shown: Fields = {
            "id": row.id,
            "providerId": row.provider,
            "calendarType": "I_CAL" if row.provider == APPLE else "GOOGLE",
            "scheduleId": row.schedule,
            "status": row.status,
            "syncConfig": _without_names(row.config) if self.reading.ids_alone else row.config,
        }
        after = self.reading.shown_after
        if not row.made or (after is not None and row.lists >= after):
            shown["externalAccountEmail"] = self.reading.spelt.get(row.owner, row.owner)
        return shown | ({"errorReason": row.reason} if row.reason else {})


def _without_names(value: object) -> object:
    """A sync config whose calendars carry their ids alone."""
    if isinstance(value, Mapping):
        return {key: _without_names(inner) for key, inner in value.items() if key != "name"}
    return (
        [_without_names(each) for each in value]
        if isinstance(value, Sequence) and not isinstance(value, str)
        else value
    )


def _refusal(status: int, code: str) -> Answer:
    return status, {"message": code.lower(), "details": {"applicationError": {"code": code, "description": code}}}


@contextmanager
def refereeing(referee: Referee) -> Iterator[Referee]:
    """The service on loopback, for the length of the block."""
    with answering(referee.answer) as url:
        referee.url = url
        yield referee
