"""A fleet as manifests, and as the live connections that a service would answer; the same ones each time."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

KEY = "key-of-the-benchmark-7d20"
PASSWORD = "seagull-lantern-41"
ENVIRONMENT = {"EXTCAL_API_KEY": KEY, "EXTCAL_BENCH_PASSWORD": PASSWORD}
"""What the manifests' references refer to."""

Json = dict[str, object]

_A_FILE = 1_000
_CHANGED_EVERY = 100
_APP = "13d21c63-b5ec-5912-8397-c3a5ddb27a97"

_SITE = """\
apiVersion: extcal/v1
kind: Site
metadata: {{name: {name}}}
spec:
  siteId: {id}
  auth: {{apiKey: {{env: EXTCAL_API_KEY}}}}
  oauth: {{redirectUrl: https://harbor-dental.example/connected}}
"""
_POLICY = """\
apiVersion: extcal/v1
kind: SyncPolicy
metadata: {name: busy-both-ways}
spec:
  syncConfig:
    listEventFromCalendars: {enabled: true, primaryCalendar: {}}
    syncToCalendar: {enabled: true, primaryCalendar: {}}
"""
_CONNECTION = """\
apiVersion: extcal/v1
kind: Connection
metadata: {{name: staff-{number:05}}}
spec:
  site: {site}
  schedule: {{id: {schedule}}}
  provider: {provider}
  account: {account}
"""
_SHARED = "  syncPolicy: busy-both-ways\n"
_OWN = """\
  credentials: {{password: {{env: EXTCAL_BENCH_PASSWORD}}}}
  syncConfig:
    listEventFromCalendars: {{enabled: true, calendars: [{calendar}]}}
    syncToCalendar: {{enabled: true, dedicatedCalendar: {{}}}}
"""


_SET = """\
apiVersion: extcal/v1
kind: ConnectionSet
metadata: {{name: {site}}}
spec:
  template: {{site: {site}, provider: google, syncPolicy: busy-both-ways}}
  connections:
"""
_ENTRY = "    - {{name: staff-{number:05}, schedule: {{id: {schedule}}}, account: {account}{more}}}\n"
_OWN_OF_ENTRY = (
    ", provider: apple, credentials: {{password: {{env: EXTCAL_BENCH_PASSWORD}}}}, syncConfig: {{"
    "listEventFromCalendars: {{enabled: true, calendars: [{calendar}]}}, "
    "syncToCalendar: {{enabled: true, dedicatedCalendar: {{}}}}}}"
)


class Live(StrEnum):
    """How the service stands to the manifests."""

    AGREEING = "agreeing"
    CHANGED = "1 % changed"
    NEW = "all new"
    ALL_CHANGED = "all changed"
    IDS_ALONE = "agreeing, calendars by their ids alone"
    NEW_IDS_ALONE = "all new, calendars by their ids alone"

    @property
    def names(self) -> bool:
        """Whether sync configs show the names of their calendars."""
        return self not in {Live.IDS_ALONE, Live.NEW_IDS_ALONE}

    @property
    def empty(self) -> bool:
        """Whether nothing is connected yet."""
        return self in {Live.NEW, Live.NEW_IDS_ALONE}


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider; `word` is what manifests call it."""

    word: str
    name: str
    calendar_type: str
    by_credentials: bool
    digits: str

    def id(self, site: int) -> str:
        """Its GUID, as a site has it installed."""
        return f"{self.digits}-f8b3-4eed-af9d-{site:012x}"


_GOOGLE = Provider("google", "Google", "GOOGLE", by_credentials=False, digits="e58e2ae6")
_MICROSOFT = Provider("microsoft", "Outlook or Office 365", "MICROSOFT", by_credentials=False, digits="9f70730b")
_APPLE = Provider("apple", "Apple", "I_CAL", by_credentials=True, digits="f8b9a061")
_PROVIDERS = (_GOOGLE, _MICROSOFT, _GOOGLE, _APPLE)
"""Whose connections are, in turn."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """So many connections, spread evenly over so many sites; by credentials alone, all of them are Apple's."""

    connections: int
    sites: int
    by_credentials: bool = False

    def __str__(self) -> str:
        return f"{self.connections:,} in {self.sites} site{'s' if self.sites > 1 else ''}"

    def numbers(self, site: int) -> range:
        """The connections of a site."""
        first, end = (each * self.connections // self.sites for each in (site, site + 1))
        every = len(_PROVIDERS)
        return (
            range(every * first + _PROVIDERS.index(_APPLE), every * end, every)
            if self.by_credentials
            else range(first, end)
        )

    def changed(self, site: int, live: Live) -> int:
        """How many connections of a site differ from the manifests."""
        return sum(_differs(number, live) for number in self.numbers(site))


class Declared(StrEnum):
    """How manifests state the connections that have calendars of their own."""

    NAMED = "calendars by name"
    PINNED = "calendars pinned"
    ABSENT = "absent"


def write_manifests(fleet: Fleet, folder: Path, declared: Declared = Declared.NAMED, *, labelled: bool = False) -> None:
    """A file with the sites, and for each site a folder of its connections, at most a thousand in a file.

    Labelled, the ids of schedules have names beside them, as `pull` and `pin` write them.
    """
    folder.mkdir(parents=True)
    sites = (_SITE.format(name=site_name(site), id=site_id(site)) for site in range(fleet.sites))
    (folder / "sites.yaml").write_text("---\n".join([_POLICY, *sites]))
    for site in range(fleet.sites):
        below = folder / site_name(site)
        below.mkdir()
        numbers = fleet.numbers(site)
        for first in range(0, len(numbers), _A_FILE):
            some = numbers[first : first + _A_FILE]
            texts = (_connection(site, number, declared, labelled=labelled) for number in some)
            (below / f"staff-{first:05}.yaml").write_text("---\n".join(texts))


def write_sets(fleet: Fleet, folder: Path, *, labelled: bool = False) -> None:
    """The same fleet as a set for each site, whose template says what its members share."""
    folder.mkdir(parents=True)
    sites = (_SITE.format(name=site_name(site), id=site_id(site)) for site in range(fleet.sites))
    (folder / "sites.yaml").write_text("---\n".join([_POLICY, *sites]))
    for site in range(fleet.sites):
        entries = "".join(_entry(site, number, labelled=labelled) for number in fleet.numbers(site))
        (folder / f"{site_name(site)}.yaml").write_text(_SET.format(site=site_name(site)) + entries)


def _entry(site: int, number: int, *, labelled: bool) -> str:
    provider = provider_of(number)
    more = "" if provider is _GOOGLE else f", provider: {provider.word}"
    if provider.by_credentials:
        more = _OWN_OF_ENTRY.format(calendar=calendars(number)[0]["name"])
    schedule = _schedule(number, labelled=labelled)
    return _ENTRY.format(number=number, schedule=schedule, account=account(site, number), more=more)


def _schedule(number: int, *, labelled: bool) -> str:
    return f"{schedule_id(number)}, name: Staff {number}" if labelled else schedule_id(number)


def _connection(site: int, number: int, declared: Declared, *, labelled: bool) -> str:
    provider = provider_of(number)
    common = _CONNECTION.format(
        number=number,
        site=site_name(site),
        schedule=_schedule(number, labelled=labelled),
        provider=provider.word,
        account=account(site, number),
    )
    if declared is Declared.ABSENT:
        return f"{common}  state: absent\n"
    if not provider.by_credentials:
        return common + _SHARED
    work = calendars(number)[0]
    return common + _OWN.format(
        calendar=work["name"] if declared is Declared.NAMED else f"{{id: {work['id']}, name: {work['name']}}}"
    )


def site_name(site: int) -> str:
    """A site's name in the manifests."""
    return f"site-{site:03}"


def site_id(site: int) -> str:
    """A site's GUID."""
    return f"7a3f0c1e-5d2b-4f6a-9c8e-{site:012x}"


def schedule_id(number: int) -> str:
    """The GUID of the schedule of a connection."""
    return f"3e47ec65-2975-447c-a7ed-{number:012x}"


def provider_of(number: int) -> Provider:
    """A connection's provider: half of them Google, a quarter each Microsoft and Apple."""
    return _PROVIDERS[number % len(_PROVIDERS)]


def account(site: int, number: int) -> str:
    """The account of a connection."""
    return f"staff-{number:05}@{site_name(site)}.example"


def calendars(number: int) -> list[Json]:
    """The calendars of a connection's account."""
    return [{"id": f"k{number:05}work", "name": "Work"}, {"id": f"a{number:05}home", "name": "Personal"}]


def chosen_calendars(number: int, live: Live) -> list[Json]:
    """The calendars of a connection's account as a sync config shows them."""
    return calendars(number) if live.names else [{"id": each["id"]} for each in calendars(number)]


def providers(site: int) -> list[Json]:
    """What a site can connect to."""
    return [
        {
            "id": provider.id(site),
            "name": provider.name,
            "calendarType": provider.calendar_type,
            "features": {
                "connectMethods": ["CREDENTIALS" if provider.by_credentials else "OAUTH"],
                "updateSyncConfig": True,
                "listEventFromCalendars": "SPECIFIC_CALENDARS",
                "syncToCalendar": "DEDICATED_CALENDAR" if provider.by_credentials else "PRIMARY_CALENDAR_ONLY",
            },
        }
        for provider in (_GOOGLE, _MICROSOFT, _APPLE)
    ]


def connections(fleet: Fleet, site: int, live: Live) -> list[Json]:
    """The connections of a site as ListConnections tells them."""
    if live.empty:
        return []
    return [connection(site, number, "SYNCED", _sync(number, live)) for number in fleet.numbers(site)]


def _differs(number: int, live: Live) -> bool:
    if live is Live.CHANGED:
        return number % _CHANGED_EVERY == _CHANGED_EVERY // 2
    return live.empty or live is Live.ALL_CHANGED


def _sync(number: int, live: Live) -> Json:
    own = provider_of(number).by_credentials
    work = chosen_calendars(number, live)[:1]
    chosen: Json = {"calendars": {"calendars": work}} if own else {"primaryCalendar": {}}
    target = "dedicatedCalendar" if own else "primaryCalendar"
    return {
        "listEventFromCalendars": {"enabled": True} | chosen,
        "syncToCalendar": {"enabled": False} if _differs(number, live) else {"enabled": True, target: {}},
    }


def connection(site: int, number: int, status: str, sync: Json) -> Json:
    """One Connection of the wire; its id is as long as the service's are."""
    email = account(site, number)
    return {
        "id": hashlib.sha512(email.encode()).hexdigest(),
        "providerId": provider_of(number).id(site),
        "calendarType": provider_of(number).calendar_type,
        "scheduleId": schedule_id(number),
        "appId": _APP,
        "externalAccountEmail": email,
        "status": status,
        "syncConfig": sync,
    }
