"""The worlds that the sandbox holds in these tests, and the manifests that go with them."""

import textwrap
from dataclasses import replace

from reconciler.sandbox.contract import CalendarType, ConnectMethod, ExportSupport, ImportSupport
from reconciler.sandbox.sync_config import Import, SyncConfig
from reconciler.sandbox.world import Account, Calendar, ExistingConnection, Provider, Schedule, Site, World

KEY = "key-of-the-sandbox-4c21"
HARBOR = "7a3f0c1e-5d2b-4f6a-9c8e-1b2d3e4f5a6b"
QUAY = "2c5d8f31-9e64-4b7a-8d10-6f3e5a7c9b24"
APPLE = "f8b9a061-f8b3-4eed-af9d-63801dcec25d"
GOOGLE = "e58e2ae6-8651-41ab-907d-063e056d30f9"
ROTA = "ba3b456a-fe48-4f02-a055-dd1b6002b6f1"
PASSWORD = "seagull-lantern-41"
PASSWORD_ENV = {"EXTCAL_APP_PASSWORD": PASSWORD}

PROVIDERS = (
    Provider(
        id=APPLE,
        slug="apple",
        name="Apple",
        calendar_type=CalendarType.I_CAL,
        export_support=ExportSupport.DEDICATED_CALENDAR,
    ),
    Provider(
        id=GOOGLE,
        slug="google",
        name="Google",
        calendar_type=CalendarType.GOOGLE,
        connect_methods=(ConnectMethod.OAUTH,),
    ),
    Provider(
        id=ROTA,
        slug="rota",
        name="Tidewater Rota",
        update_sync_config=False,
        import_support=ImportSupport.PRIMARY_CALENDAR_ONLY,
        export_support=ExportSupport.NOT_SUPPORTED,
    ),
)


def schedule_id(number: int) -> str:
    """The id of the schedule with this number, from 0 on."""
    return f"3e47ec65-2975-447c-a7ed-{number:012d}"


def email(number: int) -> str:
    """The account with this number."""
    return f"staff{number}@harbor-dental.example"


def harbor(*live: int, schedules: int = 8) -> Site:
    """Harbor Dental, its schedules `Staff 0`, `Staff 1`, …; of those in `live` the Apple account is connected."""
    return Site(
        id=HARBOR,
        name="Harbor Dental",
        schedules=tuple(Schedule(id=schedule_id(n), name=f"Staff {n}") for n in range(schedules)),
        providers=PROVIDERS,
        connections=tuple(connected(number) for number in live),
    )


def connected(number: int) -> ExistingConnection:
    """A healthy connection of an Apple account with its schedule; it imports from the primary calendar."""
    return ExistingConnection(
        provider_id=APPLE,
        schedule_id=schedule_id(number),
        account=email(number),
        sync_config=SyncConfig(imports=Import(enabled=True, primary=True)),
        id=f"live-{number}",
    )


def quay(*, key: str) -> Site:
    """A second site, with a key of its own."""
    return replace(harbor(), id=QUAY, name="Quay Optics", api_key=key)


def world(*sites: Site, accounts: int = 8) -> World:
    """A world of these sites, Harbor Dental alone where none is given; every account has two calendars."""
    calendars = (Calendar("work", "Work"), Calendar("home", "Home"))
    people = [
        Account(provider, email(number), None if provider == "google" else PASSWORD, calendars)
        for provider in ("apple", "google", "rota")
        for number in range(accounts)
    ]
    return World(sites=sites or (harbor(),), accounts=tuple(people))


def site(name: str = "harbor", *, id_: str = HARBOR, key: str = "EXTCAL_API_KEY", more: str = "") -> str:
    """A Site's manifest; `more` is further YAML of its spec."""
    text = f"""
    apiVersion: extcal/v1
    kind: Site
    metadata: {{name: {name}}}
    spec:
      siteId: {id_}
      auth: {{apiKey: {{env: {key}}}}}
      oauth: {{redirectUrl: https://harbor-dental.example/done}}
    """
    return _document(text, more)


def connection(number: int, *, provider: str = "apple", of: str = "harbor", more: str = "") -> str:
    """The manifest of an account's connection with the schedule of the same number, named `staff-0` and so on."""
    secret = "" if provider == "google" else "credentials: {password: {env: EXTCAL_APP_PASSWORD}}"
    text = f"""
    apiVersion: extcal/v1
    kind: Connection
    metadata: {{name: staff-{number}}}
    spec:
      site: {of}
      schedule: {{id: {schedule_id(number)}}}
      provider: {provider}
      account: {email(number)}
      {secret}
    """
    return _document(text, more)


def _document(text: str, more: str) -> str:
    lines = [line for line in textwrap.dedent(text).strip().splitlines() if line.strip()]
    return "---\n" + "\n".join([*lines, *(f"  {line}" for line in more.splitlines())]) + "\n"


BUSY = "syncConfig: {listEventFromCalendars: {enabled: true, primaryCalendar: {}}}"
EXPORTING = "syncConfig: {syncToCalendar: {enabled: true, dedicatedCalendar: {}}}"
