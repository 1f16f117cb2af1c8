"""Scenarios in which manifests state what is live already."""

from collections.abc import Mapping
from dataclasses import replace

from hypothesis import strategies as st

from reconciler.sandbox.behaviour import CalendarNames, Directions
from reconciler.sandbox.contract import ConnectMethod, Status
from reconciler.sandbox.sync_config import SyncConfig, starting_config
from reconciler.sandbox.world import Account, ExistingConnection, Provider, Site, World
from tests.support.scenarios.behaviours import behaviours
from tests.support.scenarios.statements import (
    EXPORTS,
    IMPORTS,
    Document,
    Statement,
    calendar_ref,
    document,
    password_variable,
    site_name,
)
from tests.support.scenarios.strategies import Governed, Scenario
from tests.support.scenarios.worlds import account_of, worlds


@st.composite
def agreeing(draw: st.DrawFn) -> Scenario:
    """One site, each healthy connection of which is declared as it is, in part or in whole."""
    world = draw(worlds())
    site = world.sites[0]
    # What a list leaves out has to be asked for.
    behaviour = replace(draw(behaviours()), directions=Directions.BOTH)
    names = behaviour.calendar_names is CalendarNames.SHOWN
    seen: set[tuple[str, str]] = set()
    kept: list[ExistingConnection] = []
    statements: list[Statement] = []
    for connection in site.connections:
        provider = next(provider for provider in site.providers if provider.id == connection.provider_id)
        account = account_of(world, provider.slug, connection.account)
        healthy = connection.status not in {Status.ERROR, Status.DISCONNECTED} and connection.email_shown
        if healthy and (provider.slug, connection.account) not in seen:
            seen.add((provider.slug, connection.account))
            kept.append(connection)
            statements.append(draw(_statement(site, connection, provider, account, names=names)))
    site = Site(site.id, site.name, site.schedules, site.providers, tuple(kept))
    prune = draw(st.booleans())
    governed = Governed(site, whole_site=draw(st.booleans()), prune=prune, percentage=0, by_app=False)
    return Scenario(World((site,), world.accounts), (governed,), tuple(statements), behaviour)


@st.composite
def _statement(
    draw: st.DrawFn, site: Site, connection: ExistingConnection, provider: Provider, account: Account, *, names: bool
) -> Statement:
    """A Connection manifest that states some of a connection's sync config as it is."""
    config = connection.sync_config or starting_config(
        provider.import_support,
        has_primary=provider.has_primary,
        calendar_ids=[calendar.id for calendar in account.calendars],
    )
    stated = draw(_stated(config, account, names=names))
    spec: Document = {
        "schedule": {"id": connection.schedule_id},
        "provider": {"id": provider.id},
        "account": connection.account,
        "syncConfig": stated,
    }
    if ConnectMethod.CREDENTIALS in provider.connect_methods:
        spec["credentials"] = {"password": {"env": password_variable(account)}}
    name = f"as-it-is-{(connection.id or '').split('-')[2]}"
    schedule = next(schedule for schedule in site.schedules if schedule.id == connection.schedule_id)
    manifest = document("Connection", name, spec | {"site": site_name(site)})
    return Statement(
        name,
        site,
        schedule,
        provider,
        account,
        present=True,
        prevent_disconnect=False,
        ignored=(),
        documents=(manifest,),
    )


@st.composite
def _stated(draw: st.DrawFn, config: SyncConfig, account: Account, *, names: bool) -> Mapping[str, Document]:
    """Some fields of a sync config, as manifests write them."""
    imports: Document = {"enabled": config.imports.enabled}
    chosen = config.imports.calendars
    if config.imports.primary:
        imports["primaryCalendar"] = {}
    elif chosen:
        live = [calendar for calendar in account.calendars if calendar.id in chosen]
        refs = [draw(calendar_ref(c, live)) for c in live] if names else [{"id": id_} for id_ in chosen]
        imports["calendars"] = draw(st.permutations(refs))
    exports: Document = {"enabled": config.exports.enabled}
    if config.exports.target is not None:
        exports[config.exports.target.value] = {}
    stated = {}
    for name, direction in ((IMPORTS, imports), (EXPORTS, exports)):
        # A direction that can't be had is not asked for, not even by its arm alone.
        off = direction["enabled"] is False
        fields = [field for field in direction if (off and field == "enabled") or draw(st.booleans())]
        if fields:
            stated[name] = {field: direction[field] for field in fields}
    return stated
