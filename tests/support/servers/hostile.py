"""A service that answers as the contract says, with a hostile text wherever it may choose one."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.support.cli.worlds import APPLE, GOOGLE, email, schedule_id
from tests.support.hostile_texts import PAYLOADS, whole
from tests.support.servers.http import Handler, served

LINK = "https://provider.example/<script>alert(1)</script>\"'`=1+1,=2+2 [x](y) @everyone"
"""A link to consent, in as hostile a form as is taken for one."""
_BASE = "/bookings/v2/external-calendars"
_ALL = ["SPECIFIC_CALENDARS", "DEDICATED_CALENDAR"]
# Stands for a number that is larger than any float.
_HUGE = "1e999 it shall be"
_Fields = dict[str, object]


def ids() -> list[str]:
    """Every payload as an id, which must be whole and of a length that fits into a path."""
    return [whole(text)[:2_000] for text in PAYLOADS.values()]


def _more(text: str) -> _Fields:
    """Fields that no contract knows."""
    return {text: text, "site": text, "more": {text: [text, _HUGE, 10**30]}}


def _providers() -> list[_Fields]:
    known = [
        _provider(APPLE, "Apple", "I_CAL", ["CREDENTIALS"], *_ALL),
        _provider(GOOGLE, "Google", "GOOGLE", ["OAUTH"], *_ALL),
    ]
    return known + [
        _provider(id_, text, text, [text], text, text) | _more(text)
        for id_, text in zip(ids(), PAYLOADS.values(), strict=True)
    ]


def _provider(id_: str, name: str, kind: str, methods: list[str], imports: str, exports: str) -> _Fields:
    features = {
        "connectMethods": methods,
        "updateSyncConfig": True,
        "listEventFromCalendars": imports,
        "syncToCalendar": exports,
    }
    return {"id": id_, "name": name, "calendarType": kind, "features": features}


def _schedules() -> list[_Fields]:
    return [
        {"id": schedule_id(n), "name": text, "externalId": text, "status": text, "timeZone": text, "appId": text}
        | _more(text)
        for n, text in enumerate(PAYLOADS.values())
    ]


def _healthy() -> list[_Fields]:
    """A connection for each text: its id, account and calendars."""
    return [_connection(n, id_, text, "I_CAL", "SYNCED") for n, (id_, text) in enumerate(_pairs())]


def _unheard_of() -> list[_Fields]:
    """A connection for each text as its kind and status, and one as what is wrong with it."""
    strange = [_connection(n, f"strange {id_}", text, text, text) for n, (id_, text) in enumerate(_pairs())]
    broken = [_connection(n, f"broken {id_}", f"!{text}", "I_CAL", "ERROR") for n, (id_, text) in enumerate(_pairs())]
    return [*strange, *broken]


def _pairs() -> list[tuple[str, str]]:
    return list(zip(ids(), PAYLOADS.values(), strict=True))


def _connection(number: int, id_: str, text: str, kind: str, status: str) -> _Fields:
    calendars = {"enabled": True, "calendars": {"calendars": [{"id": id_, "name": text}]}}
    return {
        "id": id_,
        "providerId": APPLE if kind == "I_CAL" else text,
        "calendarType": kind,
        "scheduleId": schedule_id(number),
        "userId": text,
        "appId": text,
        "externalAccountEmail": text,
        "status": status,
        "errorReason": text if status == "ERROR" else None,
        "syncConfig": {"listEventFromCalendars": calendars, "syncToCalendar": {"enabled": False}},
    } | _more(text)


def _calendars(path: str) -> list[_Fields]:
    """The two calendars of an account; of any two accounts, those of different texts."""
    pairs = _pairs()
    first = sum(path.encode()) % len(pairs)
    return [{"id": id_, "name": text} | _more(text) for id_, text in (pairs[first], pairs[first - 1])]


def _events() -> list[_Fields]:
    return [
        {
            "scheduleId": schedule_id(n),
            "calendarType": text,
            "calendarName": text,
            "title": text,
            "start": id_,
            "end": "2027-03-01T13:00:00Z",
            "allDay": n % 2 == 0,
            "scheduleOwnerId": text,
            "scheduleOwnerName": text,
        }
        | _more(text)
        for n, (id_, text) in enumerate(_pairs())
    ]


@dataclass
class HostileService:
    """The service.

    `live` are its connections, `failed` the providers that it says it could not read. `refusing` makes it answer
    everything with errors that say that text; writes but ConnectByOAuth it refuses always, each with another one.
    `losing` makes it lose its answers to connects, each of which has made many connections.
    """

    url: str = ""
    live: list[_Fields] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    refusing: str | None = None
    losing: bool = False
    _refused: int = 0

    def be_full(self) -> None:
        """Have connections of every kind."""
        self.live, self.failed = [*_healthy(), *_unheard_of()], list(PAYLOADS.values())

    def be_healthy(self) -> None:
        """Have healthy connections alone, all of them readable."""
        self.live, self.failed = _healthy(), []

    def be_empty(self) -> None:
        """Have no connection."""
        self.live, self.failed = [], []

    def answer(self, verb: str, path: str) -> tuple[int, object]:
        """Status and body."""
        if self.refusing is not None:
            return 400, _refusal(self.refusing, fields=path.endswith("/connections"))
        paging = {"hasNext": False}
        known: dict[str, _Fields] = {
            "GET /providers": {"providers": _providers()},
            "GET /connections": {"connections": self.live, "failedProviderIds": self.failed},
            "GET /events": {"events": _events(), "pagingMetadata": paging, "failedProviderIds": self.failed},
            "POST /calendar/v3/schedules/query": {"schedules": _schedules(), "pagingMetadata": paging},
            "POST /connections:connectByOAuth": {"oauthUrl": LINK},
        }
        if answer := known.get(f"{verb} {path.removeprefix(_BASE)}"):
            return 200, answer
        if self.losing:
            self.live = [{**one, "externalAccountEmail": email(0), "scheduleId": schedule_id(0)} for one in _healthy()]
            return 503, _refusal("".join(PAYLOADS.values()), fields=False)
        if verb == "GET":
            return 200, {"calendars": _calendars(path)}
        self._refused += 1
        texts = list(PAYLOADS.values())
        return 400, _refusal(texts[self._refused % len(texts)], fields=self._refused % 3 == 0)


def _refusal(text: str, *, fields: bool) -> _Fields:
    if fields:
        violation = {"field": text, "description": text, "violatedRule": text, "ruleName": text, "data": {text: text}}
        return {"message": text, "details": {"validationError": {"fieldViolations": [violation]}}}
    return {"message": text, "details": {"applicationError": {"code": text, "description": text, "data": text}}}


@contextmanager
def serving() -> Iterator[HostileService]:
    """The service, on loopback, for the length of the block."""
    service = HostileService()

    class Script(Handler):
        def respond(self) -> None:
            self.content()
            status, document = service.answer(self.command, self.path.partition("?")[0])
            body = json.dumps(document).replace(f'"{_HUGE}"', "1e999").encode()
            # What HTTP lets into a head: 8-bit controls, and no others.
            self.send_response(status, "Fine \x9b35;7m\x9d8;;https://evil.example\x9c")
            self.send_header("x-wix-request-id", "::error::request\x9b35;7m \x85feigned\xad ##[x]")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with served(Script) as service.url:
        yield service
