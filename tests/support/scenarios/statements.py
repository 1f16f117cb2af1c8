"""Random Connection manifests over a world, each with what it truly means."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

from reconciler.sandbox.contract import CalendarType, ConnectMethod, ExportSupport, ImportSupport
from reconciler.sandbox.world import Account, Calendar, ExistingConnection, Provider, Schedule, Site, World
from tests.support.scenarios.worlds import HOURS_APP, account_of

Document = dict[str, object]
IMPORTS, EXPORTS = "listEventFromCalendars", "syncToCalendar"
_WORDS = {
    CalendarType.GOOGLE: "google",
    CalendarType.MICROSOFT: "microsoft",
    CalendarType.OUTLOOK: "microsoft",
    CalendarType.OFFICE_365: "microsoft",
    CalendarType.I_CAL: "apple",
}
_IMPORT_ARMS: Mapping[str, Sequence[str]] = {
    ImportSupport.NOT_SUPPORTED: (),
    ImportSupport.PRIMARY_CALENDAR_ONLY: ("primaryCalendar",),
}
_EXPORT_ARMS: Mapping[str, Sequence[str]] = {
    ExportSupport.NOT_SUPPORTED: (),
    ExportSupport.PRIMARY_CALENDAR_ONLY: ("primaryCalendar",),
    ExportSupport.DEDICATED_CALENDAR: ("dedicatedCalendar",),
    ExportSupport.SPECIFIC_CALENDAR: (),
}
_IGNORABLE = (
    "syncConfig",
    f"syncConfig.{IMPORTS}",
    f"syncConfig.{IMPORTS}.enabled",
    f"syncConfig.{IMPORTS}.primaryCalendar",
    f"syncConfig.{IMPORTS}.calendars",
    f"syncConfig.{EXPORTS}",
    f"syncConfig.{EXPORTS}.enabled",
    f"syncConfig.{EXPORTS}.dedicatedCalendar",
)


@dataclass(frozen=True, slots=True)
class Statement:
    """A declared connection: what it means in the world, and the documents that say so."""

    name: str
    site: Site
    schedule: Schedule
    provider: Provider
    account: Account
    present: bool
    prevent_disconnect: bool
    ignored: tuple[str, ...]
    documents: tuple[Document, ...]

    @property
    def address(self) -> str:
        """The name that plans use."""
        return f"{site_name(self.site)}/{self.name}"

    def means(self, connection: ExistingConnection) -> bool:
        """Whether a connection of its site is the one; by type, all of a vendor's spellings are one provider."""
        spec = self.documents[-1]["spec"]
        by_type = isinstance(spec, dict) and isinstance(spec["provider"], str)
        vendor = {provider.id for provider in self.site.providers if provider.slug == self.provider.slug}
        same = connection.provider_id in (vendor if by_type else {self.provider.id})
        return same and (connection.schedule_id, connection.account) == (self.schedule.id, self.account.email)


@dataclass(frozen=True, slots=True)
class Spot:
    """What a connection is about to be declared for."""

    site: Site
    schedule: Schedule
    provider: Provider
    account: Account

    @property
    def key(self) -> tuple[str, str, str, str]:
        """(site, schedule, whose accounts, account): two connections with one key are the same."""
        return (self.site.id, self.schedule.id, self.provider.slug, self.account.email)


def site_name(site: Site) -> str:
    """What manifests call a site."""
    return site.name.lower().replace(" ", "-")


def password_variable(account: Account) -> str:
    """The environment variable that holds an account's password."""
    return f"EXTCAL_{account.provider}_{account.email.partition('@')[0]}".upper()


@st.composite
def spots(draw: st.DrawFn, world: World) -> list[Spot]:
    """Places to declare connections for, many of them where a connection stands already; no key twice."""
    existing = [
        Spot(
            site,
            next(schedule for schedule in site.schedules if schedule.id == connection.schedule_id),
            provider,
            account_of(world, provider.slug, connection.account),
        )
        for site in world.sites
        for connection in site.connections
        for standing_at in site.providers
        if standing_at.id == connection.provider_id
        for provider in {standing_at.id: standing_at, **_current(site, standing_at)}.values()
    ]
    anywhere = [
        Spot(site, schedule, provider, account)
        for site in world.sites
        for schedule in site.schedules
        for provider in site.providers
        for account in world.accounts
        if account.provider == provider.slug
    ]
    # Apart from each other, since a choice among all places would seldom hit one where something stands.
    standing = draw(st.lists(st.sampled_from(existing), max_size=6, unique_by=_spot_key)) if existing else []
    more = draw(st.lists(st.sampled_from(anywhere), max_size=3, unique_by=_spot_key))
    return list({spot.key: spot for spot in (*more, *standing)}.values())


def _current(site: Site, provider: Provider) -> dict[str, Provider]:
    """The provider that goes by the current spelling, where another one of the same vendor is deprecated."""
    of_vendor = (other for other in site.providers if other.slug == provider.slug)
    return {other.id: other for other in of_vendor if other.calendar_type == CalendarType.MICROSOFT}


def _spot_key(spot: Spot) -> tuple[str, str, str, str]:
    return spot.key


@st.composite
def statement(draw: st.DrawFn, spot: Spot, number: int, *, present: bool, sound: bool) -> Statement:
    """A Connection manifest for a spot; a `sound` one asks for nothing that its provider can't do."""
    name = f"connection-{number}"
    ignored = tuple(draw(st.sampled_from(((), (), (), *((path,) for path in _IGNORABLE)))))
    prevent = draw(st.sampled_from((False, False, True)))
    spec: Document = {
        "site": site_name(spot.site),
        "schedule": draw(_schedule_ref(spot)),
        "provider": draw(_provider_ref(spot)),
        "account": draw(st.sampled_from((spot.account.email, spot.account.email.upper(), spot.account.email.title()))),
        "lifecycle": {"preventDisconnect": prevent, "ignoreChanges": list(ignored)},
    }
    if not present:
        spec["state"] = "absent"
    methods = spot.provider.connect_methods
    if ConnectMethod.CREDENTIALS in methods and (ConnectMethod.OAUTH not in methods or draw(st.booleans())):
        spec["credentials"] = {"password": {"env": password_variable(spot.account)}}
    documents: list[Document] = []
    if spot.provider.update_sync_config or not sound:
        wanted = draw(_desired_config(spot, ignored, sound=sound))
        policy, own = draw(_shared_out(wanted))
        says_nothing_too = draw(st.booleans())
        if own or says_nothing_too:
            spec["syncConfig"] = own
        if policy:
            spec["syncPolicy"] = f"policy-{number}"
            documents.append(document("SyncPolicy", f"policy-{number}", {"syncConfig": policy}))
    documents.append(document("Connection", name, spec))
    return Statement(
        name, spot.site, spot.schedule, spot.provider, spot.account, present, prevent, ignored, tuple(documents)
    )


def document(kind: str, name: str, spec: Mapping[str, object]) -> Document:
    """A manifest."""
    return {"apiVersion": "extcal/v1", "kind": kind, "metadata": {"name": name}, "spec": dict(spec)}


def _schedule_ref(spot: Spot) -> st.SearchStrategy[Document]:
    """By id, and where it is the bookings app's by name and external id, which others may have, too."""
    by_id: Document = {"id": spot.schedule.id}
    refs: list[Document] = [by_id, {"id": spot.schedule.id.upper()}, by_id | {"name": "as it was called"}]
    if spot.schedule.app_id == HOURS_APP:
        return st.sampled_from(refs)
    refs.append({"name": spot.schedule.name})
    if spot.schedule.external_id is not None:
        refs.append({"externalId": spot.schedule.external_id})
    return st.sampled_from(refs)


def _provider_ref(spot: Spot) -> st.SearchStrategy[object]:
    """By id, by name, and by type where the type means this one: the current spelling goes before deprecated ones."""
    refs: list[object] = [{"id": spot.provider.id}, {"name": spot.provider.name}]
    word = _WORDS.get(CalendarType(spot.provider.calendar_type))
    rivals = [p for p in spot.site.providers if word and _WORDS.get(CalendarType(p.calendar_type)) == word]
    if word and (len(rivals) == 1 or spot.provider.calendar_type == CalendarType.MICROSOFT):
        refs += [word] * 3  # the way most manifests go, and the one with most to get wrong
    return st.sampled_from(refs)


@st.composite
def _desired_config(draw: st.DrawFn, spot: Spot, ignored: Sequence[str], *, sound: bool) -> dict[str, Document]:
    """The sync config that a connection shall have, as manifests write it."""
    config: dict[str, Document] = {}
    for name, support, known, every in (
        (IMPORTS, spot.provider.import_support, _IMPORT_ARMS, ("primaryCalendar", "calendars")),
        (EXPORTS, spot.provider.export_support, _EXPORT_ARMS, ("primaryCalendar", "dedicatedCalendar")),
    ):
        arms = known.get(support, every) if sound else every
        # What is switched off may name what its provider can't do, unless what is live decides whether it is off.
        idle = arms if f"syncConfig.{name}.enabled" in ignored else every
        enabled = draw(st.sampled_from((None, True, False) if arms else (None, False)))
        arm = draw(st.sampled_from((None, *(idle if enabled is False else arms))))
        direction: Document = {} if enabled is None else {"enabled": enabled}
        if arm == "calendars":
            direction[arm] = draw(calendar_refs(spot.account.calendars))
        elif arm is not None:
            direction[arm] = {}
        if direction:
            config[name] = direction
    return config


@st.composite
def calendar_refs(draw: st.DrawFn, known: Sequence[Calendar]) -> list[object]:
    """Some of the calendars of an account, in any order."""
    some = draw(st.lists(st.sampled_from(known), min_size=1, unique_by=lambda calendar: calendar.id))
    return [draw(calendar_ref(calendar, known)) for calendar in some]


def calendar_ref(calendar: Calendar, known: Sequence[Calendar]) -> st.SearchStrategy[object]:
    """A calendar by its id, or by its name where no other of the `known` ones has it."""
    ways: list[object] = [{"id": calendar.id}, {"id": calendar.id, "name": calendar.name}]
    if [other.name for other in known].count(calendar.name) == 1:
        ways += [calendar.name, {"name": calendar.name}]
    return st.sampled_from(ways)


@st.composite
def _shared_out(draw: st.DrawFn, wanted: Mapping[str, Document]) -> tuple[dict[str, Document], dict[str, Document]]:
    """A policy and what a connection says over it, that together mean `wanted`."""
    if draw(st.booleans()):
        return {}, dict(wanted)
    policy: dict[str, Document] = {}
    own: dict[str, Document] = {}
    for name, direction in wanted.items():
        below: Document = {}
        above: Document = {}
        for field, value in direction.items():
            where = draw(st.sampled_from(("policy", "own", "overridden")))
            if where == "policy":
                below[field] = value
                continue
            above[field] = value
            if where == "overridden" and field == "enabled":
                below[field] = not value
            elif where == "overridden":
                below["dedicatedCalendar" if name == EXPORTS else "primaryCalendar"] = {}
        policy |= {name: below} if below else {}
        own |= {name: above} if above else {}
    return policy, own
