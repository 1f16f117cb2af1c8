"""Random worlds: sites, schedules, providers with differing features, accounts and existing connections."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hypothesis import strategies as st

from reconciler.sandbox.contract import CalendarType, ConnectMethod, ErrorReason, ExportSupport, ExportTarget, Status
from reconciler.sandbox.contract import ImportSupport as Imports
from reconciler.sandbox.sync_config import Export, Import, SyncConfig
from reconciler.sandbox.world import Account, Calendar, ExistingConnection, Provider, Schedule, Site, World

HOURS_APP = "0a75f2e9-2e3a-4817-97a9-72ecbe4ebed5"
"""The app that keeps working hours."""

PEOPLE = ("lee", "patel", "kim")
_SCHEDULE_NAMES = ("Dr. Lee", "Dr. Patel", "Front Desk")
_CALENDAR_NAMES = ("Work", "Personal", "Birthdays", "Family")
_OAUTH = (ConnectMethod.OAUTH,)
_CREDENTIALS = (ConnectMethod.CREDENTIALS,)


@dataclass(frozen=True, slots=True)
class Kind:
    """A provider as a vendor makes it, before a site installs it; `slug` says whose accounts it connects."""

    slug: str
    name: str
    calendar_type: CalendarType
    methods: tuple[ConnectMethod, ...]


KINDS = (
    Kind("google", "Google", CalendarType.GOOGLE, _OAUTH),
    Kind("apple", "Apple", CalendarType.I_CAL, _CREDENTIALS),
    Kind("microsoft", "Outlook or Office 365", CalendarType.MICROSOFT, _OAUTH),
    Kind("microsoft", "Outlook", CalendarType.OUTLOOK, _OAUTH),
    Kind("microsoft", "Office 365", CalendarType.OFFICE_365, _OAUTH),
    Kind("tidewater", "Tidewater Rota", CalendarType.OTHER, _CREDENTIALS),
    Kind("lighthouse", "Lighthouse Planner", CalendarType.OTHER, (*_OAUTH, *_CREDENTIALS)),
)


def guid(kind: int, number: int) -> str:
    """A GUID that is the same each time."""
    return f"{kind:08x}-0000-4000-8000-{number:012x}"


def address(person: str) -> str:
    """A person's account at every provider."""
    return f"{person}@harbor-dental.example"


def password_of(slug: str, email: str) -> str:
    """The right password of an account."""
    return f"seagull {slug} {email}"


def account_of(world: World, slug: str, email: str) -> Account:
    """The account with this address, in whatever case it is spelt."""
    return next(a for a in world.accounts if (a.provider, a.email.lower()) == (slug, email.lower()))


@st.composite
def _accounts(draw: st.DrawFn, installed: Sequence[Sequence[Kind]]) -> tuple[Account, ...]:
    """Everybody's accounts at the providers that some site has; others could be used for nothing."""
    found = []
    for slug in dict.fromkeys(kind.slug for kinds in installed for kind in kinds):
        for person in PEOPLE:
            names = draw(st.lists(st.sampled_from(_CALENDAR_NAMES), min_size=1, max_size=4))
            calendars = tuple(Calendar(f"{person}-{number}", name) for number, name in enumerate(names))
            found.append(Account(slug, address(person), password_of(slug, address(person)), calendars))
    return tuple(found)


@st.composite
def _provider(draw: st.DrawFn, kind: Kind, number: int) -> Provider:
    return Provider(
        id=guid(3, number),
        slug=kind.slug,
        name=kind.name,
        calendar_type=kind.calendar_type,
        connect_methods=kind.methods,
        update_sync_config=draw(st.sampled_from((True, True, True, False))),
        import_support=draw(st.sampled_from((*Imports, Imports.SPECIFIC_CALENDARS))),
        export_support=draw(st.sampled_from(tuple(ExportSupport))),
        has_primary=draw(st.booleans()),
    )


@st.composite
def existing_config(draw: st.DrawFn, provider: Provider, account: Account) -> SyncConfig:
    """A sync config that the provider could have let somebody choose."""
    imports, exports = Import(), Export()
    if provider.import_support != Imports.NOT_SUPPORTED:
        ids = [calendar.id for calendar in account.calendars]
        primary = Import(enabled=draw(st.booleans()), primary=True)
        named = Import(primary.enabled, calendars=tuple(draw(st.lists(st.sampled_from(ids), unique=True))))
        unchosen = Import(primary.enabled)
        whole = provider.import_support == Imports.SPECIFIC_CALENDARS
        imports = draw(st.sampled_from((primary, named, unchosen) if whole else (primary, unchosen)))
    targets: dict[str, tuple[ExportTarget | None, ...]] = {
        ExportSupport.PRIMARY_CALENDAR_ONLY: (None, ExportTarget.PRIMARY),
        ExportSupport.DEDICATED_CALENDAR: (None, ExportTarget.DEDICATED),
        ExportSupport.SPECIFIC_CALENDAR: (None, *ExportTarget),
    }
    if provider.export_support in targets:
        exports = Export(draw(st.booleans()), draw(st.sampled_from(targets[provider.export_support])))
    return SyncConfig(imports, exports)


@st.composite
def _connection(
    draw: st.DrawFn, schedules: Sequence[Schedule], providers: Sequence[Provider], accounts: Sequence[Account], id_: str
) -> ExistingConnection:
    provider = draw(st.sampled_from(providers))
    account = draw(st.sampled_from([account for account in accounts if account.provider == provider.slug]))
    status = draw(st.sampled_from((*Status, Status.SYNCED, Status.SYNCED, Status.ERROR, "PAUSED")))
    return ExistingConnection(
        provider_id=provider.id,
        schedule_id=draw(st.sampled_from(schedules)).id,
        account=account.email,
        status=status,
        error_reason=draw(st.sampled_from((None, *ErrorReason, "ACCOUNT_SUSPENDED")))
        if status == Status.ERROR
        else None,
        sync_config=draw(st.none() | existing_config(provider, account)),
        email_shown=draw(st.sampled_from((True, True, True, False))),
        id=id_,
    )


@st.composite
def _kinds(draw: st.DrawFn) -> list[Kind]:
    # Deprecated spellings live beside the current one seldom enough that they need help to meet.
    known = draw(st.sampled_from((KINDS, KINDS, tuple(kind for kind in KINDS if kind.slug in {"apple", "microsoft"}))))
    return draw(st.lists(st.sampled_from(known), min_size=1, max_size=4, unique=True))


@st.composite
def _site(draw: st.DrawFn, number: int, kinds: Sequence[Kind], accounts: Sequence[Account], *, alike: bool) -> Site:
    schedules = tuple(
        Schedule(guid(2, number * 16 + index), name, draw(st.sampled_from((None, guid(5, number * 16 + index)))))
        for index, name in enumerate(_SCHEDULE_NAMES[: draw(st.integers(1, len(_SCHEDULE_NAMES)))])
    )
    if draw(st.booleans()):
        # Working hours, say: another app's schedules, called the same.
        hours = (replace(one, id=guid(6, number * 16 + index), app_id=HOURS_APP) for index, one in enumerate(schedules))
        schedules = (*hours, *schedules)
    providers = tuple(draw(_provider(kind, number * 16 + index)) for index, kind in enumerate(kinds))
    if alike:
        providers = tuple(_like_its_vendors_first(provider, providers) for provider in providers)
    ids = [f"connection-{number}-{index}-{'x' * 40}" for index in range(draw(st.integers(0, 6)))]
    connections = tuple(draw(_connection(schedules, providers, accounts, id_)) for id_ in ids)
    return Site(guid(1, number), f"Site {number}", schedules, providers, connections, instance_id=guid(4, number))


def _like_its_vendors_first(provider: Provider, providers: Sequence[Provider]) -> Provider:
    first = next(other for other in providers if other.slug == provider.slug)
    named = (provider.id, provider.name, provider.calendar_type)
    return replace(first, id=named[0], name=named[1], calendar_type=named[2])


@st.composite
def worlds(draw: st.DrawFn, *, alike: bool = True) -> World:
    """A world of one to three sites that share their accounts; `alike` providers of one vendor can do the same."""
    installed = [draw(_kinds()) for _ in range(draw(st.sampled_from((1, 1, 2, 3))))]
    accounts = draw(_accounts(installed))
    sites = tuple(draw(_site(number, kinds, accounts, alike=alike)) for number, kinds in enumerate(installed))
    return World(sites, accounts)
