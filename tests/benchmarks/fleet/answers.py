"""What the benchmark's server answers: bytes that are made once, and made anew only where a write asks for it."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from typing import TYPE_CHECKING, cast
from urllib.parse import parse_qs

from tests.benchmarks.fleet import worlds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.benchmarks.fleet.worlds import Fleet, Json, Live

CONNECTIONS = "/bookings/v2/external-calendars/connections"
PROVIDERS = "/bookings/v2/external-calendars/providers"
_CONSENT = "http://127.0.0.1/consent"
_ONE = re.compile(re.escape(CONNECTIONS) + "/([^/:]+)(?:/(calendars|sync-config|disconnect))?")


def encoded(value: object) -> bytes:
    """JSON as the sandbox writes it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


class SiteAnswers:
    """One site: what it answers now, and how many requests it was asked."""

    def __init__(self, fleet: Fleet, site: int, live: Live) -> None:
        self.requests = 0
        self._site = site
        self._live = live
        self._numbers = {worlds.schedule_id(number): number for number in fleet.numbers(site)}
        self._providers = encoded({"providers": worlds.providers(site)})
        self._fixed: dict[tuple[str, str], Callable[[str, bytes], bytes]] = {
            ("GET", PROVIDERS): lambda _query, _body: self._providers,
            ("GET", CONNECTIONS): lambda query, _body: self._list(query),
            ("POST", f"{CONNECTIONS}:connectByCredentials"): lambda _query, body: self._connect(json.loads(body)),
            ("POST", f"{CONNECTIONS}:connectByOAuth"): lambda _query, _body: encoded({"oauthUrl": _CONSENT}),
        }
        self._of_one: dict[tuple[str, str | None], Callable[[str, bytes], bytes]] = {
            ("GET", None): lambda identity, _body: _shown(self._connections[identity]),
            ("GET", "calendars"): lambda identity, _body: self._calendars(identity),
            ("PATCH", "sync-config"): lambda identity, body: self._configure(identity, json.loads(body)),
            ("POST", "disconnect"): lambda identity, _body: self._disconnect(identity),
        }
        self._connections: dict[str, bytes] = {}
        self._by_schedule: defaultdict[str, dict[str, None]] = defaultdict(dict)
        self._whole: bytes | None = None
        for connection in worlds.connections(fleet, site, live):
            self._keep(connection)
        self._whole = _listing(self._connections.values())

    def answer(self, verb: str, path: str, query: str, body: bytes) -> tuple[bytes, bool] | None:
        """The body of the answer, and whether something was written; None for a method that is not here."""
        whole = self._fixed.get((verb, path))
        if whole is not None:
            return whole(query, body), verb == "POST"
        found = _ONE.fullmatch(path)
        if found is None or found[1] not in self._connections:
            return None
        method = self._of_one.get((verb, found[2]))
        return None if method is None else (method(found[1], body), verb != "GET")

    def _list(self, query: str) -> bytes:
        schedules = parse_qs(query).get("scheduleIds")
        if schedules is not None:
            ids = [identity for schedule in schedules for identity in self._by_schedule.get(schedule, ())]
            return _listing(self._connections[identity] for identity in ids)
        if self._whole is None:
            self._whole = _listing(self._connections.values())
        return self._whole

    def _connect(self, asked: dict[str, str]) -> bytes:
        """A connection as the sandbox begins one at Apple: it imports from every calendar, and exports nothing."""
        number = self._numbers[asked["scheduleId"]]
        sync: Json = {
            "listEventFromCalendars": {
                "enabled": True,
                "calendars": {"calendars": worlds.chosen_calendars(number, self._live)},
            },
            "syncToCalendar": {"enabled": False},
        }
        return _shown(self._keep(worlds.connection(self._site, number, "CONNECTED", sync)))

    def _calendars(self, identity: str) -> bytes:
        return encoded({"calendars": worlds.calendars(self._number(identity))})

    def _configure(self, identity: str, asked: dict[str, dict[str, Json]]) -> bytes:
        """Directions that are sent take the place of those that stand: the reconciler sends them whole."""
        standing = cast("dict[str, dict[str, Json]]", json.loads(self._connections[identity]))
        known = {each["id"]: each for each in worlds.chosen_calendars(self._number(identity), self._live)}
        for name, direction in asked["syncConfig"].items():
            chosen = cast("dict[str, list[Json]]", direction.get("calendars", {}))
            if "calendars" in chosen:
                chosen["calendars"] = [known[calendar["id"]] for calendar in chosen["calendars"]]
            standing["syncConfig"][name] = direction
        return _shown(self._keep(cast("Json", standing)))

    def _disconnect(self, identity: str) -> bytes:
        """What is disconnected stays listed."""
        return _shown(self._keep(json.loads(self._connections[identity]) | {"status": "DISCONNECTED"}))

    def _number(self, identity: str) -> int:
        return self._numbers[json.loads(self._connections[identity])["scheduleId"]]

    def _keep(self, connection: Json) -> bytes:
        identity, text = str(connection["id"]), encoded(connection)
        self._connections[identity] = text
        self._by_schedule[str(connection["scheduleId"])][identity] = None
        self._whole = None
        return text


def _shown(connection: bytes) -> bytes:
    return b'{"connection":' + connection + b"}"


def _listing(connections: Iterable[bytes]) -> bytes:
    return b'{"connections":[' + b",".join(connections) + b'],"failedProviderIds":[]}'
