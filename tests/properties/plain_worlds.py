"""Random worlds in plain data, for the oracle: manifests as documents, the service's answers as JSON.

They are rougher than those a sandbox could hold: rows without fields, doubled, of unknown kinds and statuses.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TypeVar

from tests.support.json_fields import Fields, inner, many, text
from tests.support.oracle_sync import EXPORTS, IMPORTS
from tests.support.oracle_values import BOOKINGS, same

T = TypeVar("T")
Document = dict[str, object]

_OTHER_APP = "0a75f2e9-2e3a-4817-97a9-72ecbe4ebed5"
_PEOPLE = ("lee@me.example", "Zoë.Kim@bücher.example", "Ólafur@žluť.example", "desk@harbor.example")
_SCHEDULES = (
    ("3e47ec65-2975-447c-a7ed-75041e850d01", "Dr. Lee", "staff-1"),
    ("3e47ec65-2975-447c-a7ed-75041e850d02", "Kim", "staff-2"),
    ("3e47ec65-2975-447c-a7ed-75041e850d03", "Front Desk", "staff-3"),
    ("3e47ec65-2975-447c-a7ed-75041e850d04", "Dr. Patel", "staff-4"),
    ("3e47ec65-2975-447c-a7ed-75041e850d05", "Kim", "staff-4"),
)
_OF_APPS: tuple[Document, ...] = ({}, {"appId": BOOKINGS}, {"appId": BOOKINGS.upper()}, {"appId": _OTHER_APP})
_KINDS = (
    ("Google", "GOOGLE", ("OAUTH",)),
    ("Apple", "I_CAL", ("CREDENTIALS",)),
    ("Apple", "I_CAL", ("CREDENTIALS",)),
    ("Outlook or Office 365", "MICROSOFT", ("OAUTH",)),
    ("Outlook", "OUTLOOK", ("OAUTH",)),
    ("Office 365", "OFFICE_365", ("OAUTH",)),
    ("Google", "GOOGLE", ("OAUTH",)),
    ("Tidewater Rota", "OTHER", ("CREDENTIALS", "OAUTH")),
    ("Lighthouse", "CARRIER_PIGEON", ("OAUTH", "SMOKE_SIGNALS")),
)
_WORDS = {"GOOGLE": "google", "I_CAL": "apple", "MICROSOFT": "microsoft"} | dict.fromkeys(
    ("OUTLOOK", "OFFICE_365"), "microsoft"
)
_HEALTHY = ("SYNCED", "SYNCED", "CONNECTED", "SYNC_IN_PROGRESS", "UNDEFINED", "ON_HOLIDAY")
_ERRORS = (
    "TOKEN_REVOKED",
    "EXTERNAL_CALENDAR_CREATION_FAILED",
    "EXTERNAL_CALENDAR_DELETED",
    "UNDEFINED",
    "SOLAR_FLARE",
)
_IMPORT_SUPPORT = ("SPECIFIC_CALENDARS", "SPECIFIC_CALENDARS", "PRIMARY_CALENDAR_ONLY", "NOT_SUPPORTED", "UNDEFINED")
_EXPORT_SUPPORT = ("SPECIFIC_CALENDAR", "DEDICATED_CALENDAR", "PRIMARY_CALENDAR_ONLY", "NOT_SUPPORTED", "TELEPATHY")
_CALENDARS = (("w1", "Work"), ("h1", "Home"), ("b1", "Birthdays"), ("w2", "Work"))
_IGNORABLE = ("", *(f".{IMPORTS}{end}" for end in ("", ".enabled", ".calendars")), f".{EXPORTS}", f".{EXPORTS}.enabled")


@dataclass(frozen=True)
class PlainWorld:
    """Documents, and what the service answers about each site by its name."""

    documents: tuple[Document, ...]
    answers: dict[str, Document]

    def shuffled(self, chance: Random) -> "PlainWorld":
        """The same world, every list of the service in another order."""
        answers = {
            name: {key: _mixed(chance, many(answer, key)) if many(answer, key) else value for key, value in pairs}
            for name, answer in self.answers.items()
            for pairs in [answer.items()]
        }
        return PlainWorld(self.documents, answers)


@dataclass(frozen=True)
class _Manner:
    """How a world's manifests name calendars, and which providers and accounts they have named.

    They do it in all ways (None) where no account is on two schedules: else whether two calendars are the same one
    would depend on which of an account's calendars happen to be known.
    """

    calendars: int | None
    taken: set[tuple[str, str]] = field(default_factory=set)


def plain_world(chance: Random) -> PlainWorld:
    """A random world of one site or two."""
    manner = _Manner(None if _often(chance, 0.6) else chance.randrange(3))
    policy = _document("SyncPolicy", "shared", {"syncConfig": _sync(chance, manner)})
    documents, answers = [policy], {}
    for number in range(1 if _often(chance, 0.7) else 2):
        name = f"site-{number}"
        kinds = chance.sample(range(len(_KINDS)), 4) if _often(chance, 0.3) else [0, 1, 3, *chance.sample((4, 7, 8), 1)]
        providers = [_provider(chance, number, kind) for kind in kinds]
        documents.append(_site(chance, number))
        wanted = [_declared(chance, name, providers, i, manner) for i in range(chance.randrange(9))]
        documents += [each for each in wanted if each is not None]
        answers[name] = _answer(chance, providers, [each for each in wanted if each is not None])
    return PlainWorld(tuple(documents), answers)


def _often(chance: Random, share: float) -> bool:
    return chance.random() < share


def _mixed(chance: Random, values: Sequence[T]) -> list[T]:
    return chance.sample(list(values), len(values))


def _document(kind: str, name: str, spec: Document) -> Document:
    return {"apiVersion": "extcal/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def _site(chance: Random, number: int) -> Document:
    spec: Document = {
        "siteId": f"7a3f0c1e-5d2b-4f6a-9c8e-1b2d3e4f5a6{number}",
        "auth": {"apiKey": {"env": "EXTCAL_API_KEY"}},
        "scope": chance.choice(("schedules", "site")),
        "prune": _often(chance, 0.5),
    }
    if _often(chance, 0.7):
        spec["guards"] = {"maxDisconnects": f"{chance.choice((0, 10, 50, 100))}%"}
    if _often(chance, 0.2):
        spec["schedules"] = chance.choice(({}, {"appId": _OTHER_APP}))
    return _document("Site", f"site-{number}", spec)


def _provider(chance: Random, site: int, number: int) -> Document:
    name, kind, methods = _KINDS[number]
    found: Document = {"id": f"a0a0a0a0-0000-4000-8000-0000000{site}000{number}", "name": name, "calendarType": kind}
    if _often(chance, 0.97):
        found["features"] = {
            "connectMethods": [] if _often(chance, 0.05) else list(methods),
            "updateSyncConfig": True if _often(chance, 0.92) else chance.choice((False, None)),
            IMPORTS: chance.choice(_IMPORT_SUPPORT) if _often(chance, 0.15) else "SPECIFIC_CALENDARS",
            EXPORTS: chance.choice(_EXPORT_SUPPORT) if _often(chance, 0.15) else "UNDEFINED",
        }
    return found


def _spelt(chance: Random, account: str) -> str:
    """An account as somebody else may write it."""
    local, _, domain = account.partition("@")
    if _often(chance, 0.3):
        domain = domain.encode("idna").decode()
    written = unicodedata.normalize(chance.choice(("NFC", "NFD")), f"{local}@{domain}")
    return written.upper() if _often(chance, 0.3) else written


def _declared(
    chance: Random, site: str, providers: Sequence[Document], number: int, manner: _Manner
) -> Document | None:
    """A Connection, unless what it would be is taken: one that is read as another's duplicate is no fault of a plan."""
    # The last one has a name and an external id that others have.
    schedule, provider = chance.choice(_SCHEDULES[: 5 if _often(chance, 0.1) else 4]), chance.choice(providers)
    by_id, word = {"id": provider["id"]}, _WORDS.get(text(provider, "calendarType"))
    ref = chance.choice((word or by_id, by_id, {"name": provider["name"]}))
    account = chance.choice(_PEOPLE)
    key = (str(ref) if manner.calendars is not None else word or text(provider, "id"), same(account))
    if key in manner.taken:
        return None
    manner.taken.add(key)
    upper = _often(chance, 0.2)
    places: list[Document] = [
        {"id": schedule[0].upper() if upper else schedule[0]},
        {"name": schedule[1] if _often(chance, 0.97) else "Nobody"},
        {"externalId": schedule[2]},
        {"id": schedule[0], "name": "as it was called"},
    ]
    spec: Document = {"site": site, "schedule": chance.choice(places), "provider": ref}
    spec["account"] = _spelt(chance, account)
    if ("CREDENTIALS" in _KINDS[int(text(provider, "id")[-1])][2]) == _often(chance, 0.95):
        spec["credentials"] = {"password": {"env": "EXTCAL_PASSWORD"}}
    if _often(chance, 0.2):
        spec["state"] = "absent"
    if _often(chance, 0.3):
        spec["syncPolicy"] = "shared"
    if _often(chance, 0.6):
        spec["syncConfig"] = _sync(chance, manner)
    spec["lifecycle"] = {
        "preventDisconnect": _often(chance, 0.2),
        "ignoreChanges": [f"syncConfig{end}" for end in _IGNORABLE if _often(chance, 0.06)],
    }
    return _document("Connection", f"c{number}", spec)


def _sync(chance: Random, manner: _Manner) -> Document:
    """A sync config as manifests write it."""
    found: Document = {}
    if _often(chance, 0.8):
        chosen = chance.sample(_CALENDARS, chance.choice((1, 1, 2)))
        ways = [({"id": id_}, {"id": id_, "name": name}, name) for id_, name in chosen]
        refs = [chance.choice(way) if manner.calendars is None else way[manner.calendars] for way in ways]
        refs = refs if len({str(ref) for ref in refs}) == len(refs) else refs[:1]
        found[IMPORTS] = _direction(chance, {"primaryCalendar": {}}, {"calendars": refs})
    if _often(chance, 0.8):
        found[EXPORTS] = _direction(chance, {"primaryCalendar": {}}, {"dedicatedCalendar": {}})
    return found


def _direction(chance: Random, *arms: Document) -> Document:
    arm = chance.choice(({}, *arms, *arms))
    return arm | ({"enabled": _often(chance, 0.7)} if _often(chance, 0.8) else {})


def _answer(chance: Random, providers: list[Document], declared: Sequence[Fields]) -> Document:
    rows: list[Document] = []
    for document in declared:
        if _often(chance, 0.75):
            rows += _rows_of(chance, inner(document, "spec"), providers)
    for _ in range(chance.choice((0, 0, 1, 2, 3))):
        schedule = chance.choice(_SCHEDULES)[0]
        rows.append(_row(chance, schedule, chance.choice(providers), chance.choice(_PEOPLE)))
    unknown = "a0a0a0a0-0000-4000-8000-00000000dead"
    for row in rows:
        if _often(chance, 0.03):
            row["providerId"] = unknown
    if rows and _often(chance, 0.1):
        rows.append(dict(chance.choice(rows)))
    failed: list[object] = []
    if _often(chance, 0.12):
        failed = chance.sample([*(provider["id"] for provider in providers), unknown], chance.choice((1, 1, 2)))
        rows = [row for row in rows if row["providerId"] not in failed or _often(chance, 0.3)]
    ids = {text(row, "id") for row in rows}
    listed = [{"id": id_, "name": name} for id_, name in _CALENDARS]
    return {
        "providers": list(providers),
        "connections": rows,
        "failedProviderIds": failed,
        "schedules": [
            {"id": id_, "name": name, "externalId": external} | chance.choice(_OF_APPS)
            for id_, name, external in _SCHEDULES[: 5 if _often(chance, 0.3) else 4]
        ],
        "calendars": {id_: listed[: chance.choice((2, 3, 4))] for id_ in sorted(ids) if _often(chance, 0.85)},
    }


def _rows_of(chance: Random, spec: Fields, providers: Sequence[Document]) -> list[Document]:
    """Rows that a declared connection may be, by whatever it names its schedule and provider."""
    ref, place = spec["provider"], inner(spec, "schedule")
    fitting = [p for p in providers if ref == _WORDS.get(text(p, "calendarType"))]
    fitting += [p for p in providers if text(ref, "id") == p["id"] or text(ref, "name") == p["name"]]
    schedules = [s for s in _SCHEDULES if {text(place, "id").lower(), *map(str, place.values())} & {*s}]
    schedule = chance.choice(schedules or _SCHEDULES)[0]
    count = chance.choices((1, 2, 3), (88, 9, 3))[0]
    provider = chance.choice(fitting)
    rows = [_row(chance, schedule, provider, text(spec, "account")) for _ in range(count)]
    if _often(chance, 0.15):
        rows.append(_row(chance, schedule, provider, text(spec, "account")) | {"status": "DISCONNECTED"})
    return rows


def _row(chance: Random, schedule: str, provider: Fields, account: str) -> Document:
    """A row of ListConnections with any field missing that may be."""
    row: Document = {
        "id": f"{chance.randrange(16**8):08x}",
        "scheduleId": schedule,
        "providerId": provider["id"],
        "calendarType": provider["calendarType"] if _often(chance, 0.95) else "UNDEFINED",
        "status": chance.choice(_HEALTHY),
        "externalAccountEmail": _spelt(chance, account.lower()),
        "syncConfig": _live_sync(chance),
    }
    if _often(chance, 0.25):
        row |= {"status": "ERROR", "errorReason": chance.choice(_ERRORS)}
    elif _often(chance, 0.1):
        row["status"] = "DISCONNECTED"
    for name, share in (("externalAccountEmail", 0.08), ("syncConfig", 0.06), ("status", 0.05), ("errorReason", 0.05)):
        if _often(chance, share):
            row.pop(name, None)
    return row


def _live_sync(chance: Random) -> Document:
    """A sync config as the service tells it: calendars often by their ids alone."""
    chosen = chance.sample(_CALENDARS, chance.choice((0, 1, 1, 2)))
    refs = [{"id": id_, "name": name} if _often(chance, 0.4) else {"id": id_} for id_, name in chosen]
    ways = {
        IMPORTS: _direction(chance, {"primaryCalendar": {}}, {"calendars": {"calendars": refs}}),
        EXPORTS: _direction(chance, {"primaryCalendar": {}}, {"dedicatedCalendar": {}}),
    }
    return {way: direction for way, direction in ways.items() if _often(chance, 0.9)}
