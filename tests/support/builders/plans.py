"""Short ways to state a site, what it declares and what is live, for tests of planning."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from reconciler.model.account import Account
from reconciler.model.action import Action
from reconciler.model.desired import (
    ApiKeyAuth,
    DeclaredConnection,
    Lifecycle,
    ProviderKey,
    ProviderRef,
    ScheduleKey,
    ScheduleRef,
    Scope,
    SecretKind,
    SecretRef,
    Site,
    State,
)
from reconciler.model.live import Features, LiveConnection, LiveSite, Provider
from reconciler.model.plan import SitePlan
from reconciler.model.source import Source, SourceMap
from reconciler.model.sync import Arm, CalendarRef, Direction, SyncConfig
from reconciler.planning.planner import calendar_lookups, plan_site

SCHEDULE = "3e47ec65-2975-447c-a7ed-75041e850d5e"
OTHER_SCHEDULE = "3e47ec65-2975-447c-a7ed-75041e850d5f"
PASSWORD = SecretRef(SecretKind.ENV, "EXTCAL_PASSWORD")

SITE = Site(
    name="harbor",
    site_id="7a3f0c1e-5d2b-4f6a-9c8e-1b2d3e4f5a6b",
    auth=ApiKeyAuth(SecretRef(SecretKind.ENV, "EXTCAL_API_KEY")),
    scope=Scope.SCHEDULES,
    prune=False,
    max_disconnects=25,
    redirect_url="https://harbor.example/done",
    source=Source("site.yaml", 1, 1),
)
PRUNING = replace(SITE, prune=True)

APPLE = Provider(
    "p-apple",
    "Apple",
    "I_CAL",
    Features(("CREDENTIALS",), update_sync_config=True, imports="SPECIFIC_CALENDARS", exports="DEDICATED_CALENDAR"),
)
GOOGLE = Provider(
    "p-google",
    "Google",
    "GOOGLE",
    Features(("OAUTH",), update_sync_config=True, imports="SPECIFIC_CALENDARS", exports="DEDICATED_CALENDAR"),
)
MICROSOFT = Provider(
    "p-microsoft",
    "Outlook or Office 365",
    "MICROSOFT",
    Features(("OAUTH",), update_sync_config=True, imports="PRIMARY_CALENDAR_ONLY", exports="PRIMARY_CALENDAR_ONLY"),
)
TIDE = Provider(
    "p-tide",
    "Tide",
    "OTHER",
    Features(("CREDENTIALS",), update_sync_config=False, imports="PRIMARY_CALENDAR_ONLY", exports="NOT_SUPPORTED"),
)
PROVIDERS = (APPLE, GOOGLE, MICROSOFT, TIDE)

PRIMARY = Direction(enabled=True, arm=Arm.PRIMARY)
DEDICATED = Direction(enabled=True, arm=Arm.DEDICATED)
OFF = Direction(enabled=False)


def chosen(*calendars: str | CalendarRef) -> Direction:
    """An import from calendars: texts are names."""
    refs = tuple(c if isinstance(c, CalendarRef) else CalendarRef(name=c) for c in calendars)
    return Direction(enabled=True, arm=Arm.CALENDARS, calendars=refs)


def declared(name: str = "lee", provider: str | ProviderRef = "apple", **fields: Any) -> DeclaredConnection:  # noqa: ANN401 - any field of the value
    """A declared connection of lee@harbor.example on SCHEDULE, as the loader makes it; with a password at Apple."""
    ref = provider if isinstance(provider, ProviderRef) else ProviderRef(ProviderKey.TYPE, provider)
    given = DeclaredConnection(
        site=SITE.name,
        name=name,
        schedule=ScheduleRef(ScheduleKey.ID, SCHEDULE),
        provider=ref,
        account=Account("lee@harbor.example"),
        password=PASSWORD if provider == "apple" else None,
        state=State.PRESENT,
        sync=SyncConfig(),
        lifecycle=Lifecycle(),
        sources=SourceMap(Source(f"{name}.yaml", 1, 1), (("syncConfig", 8, 3),)),
    )
    found = replace(given, **_with_account(fields))
    by_id = found.schedule.by is ScheduleKey.ID
    return replace(found, schedule=replace(found.schedule, value=found.schedule.value.lower())) if by_id else found


def live(id_: str = "c1", provider: Provider = APPLE, **fields: Any) -> LiveConnection:  # noqa: ANN401 - any field of the value
    """A synced live connection of lee@harbor.example on SCHEDULE, as it is read off the wire."""
    given = LiveConnection(
        id=id_,
        provider_id=provider.id,
        calendar_type=provider.calendar_type,
        schedule_id=SCHEDULE,
        account=Account("lee@harbor.example"),
        status="SYNCED",
        error_reason=None,
        sync=SyncConfig(PRIMARY, OFF),
    )
    found = replace(given, **_with_account(fields))
    return replace(found, schedule_id=found.schedule_id.lower())


def _with_account(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields, an account that is given as text as the loader and the wire read it."""
    account = fields.get("account")
    return fields | {"account": Account(account) if account else None} if isinstance(account, str) else fields


def site_with(*connections: LiveConnection, **fields: Any) -> LiveSite:  # noqa: ANN401 - any field of the value
    """An observation of a site with every provider of this module."""
    return replace(LiveSite(PROVIDERS, connections), **fields)


def looked_up(
    declared: Sequence[DeclaredConnection], live: LiveSite, *, only: frozenset[str] | None = None
) -> tuple[str, ...]:
    """The ids of the live connections whose account's calendars must be known to plan them."""
    return tuple(each.connection.id for each in calendar_lookups(declared, live, only=only))


def planned(
    *connections: DeclaredConnection,
    on: LiveSite | None = None,
    site: Site = SITE,
    **options: Any,  # noqa: ANN401 - plan_site's
) -> SitePlan:
    """Plan `connections` against `on` (a site without any connection)."""
    return plan_site(site, connections, on or site_with(), **options)


def the_action(plan: SitePlan) -> Action:
    """The only action of a plan that has no faults."""
    assert not plan.faults, plan.faults
    (action,) = plan.actions
    return action
