"""Plans the action that a declared connection needs, given its live one or none."""

from dataclasses import replace

from reconciler.model.action import Action, ActionKind, Change, ConnectSpec, Reason, Recovery
from reconciler.model.desired import DeclaredConnection, Site, State
from reconciler.model.key import ConnectionKey
from reconciler.model.live import Calendar, ConnectMethod, ErrorReason, LiveConnection, Provider, Status
from reconciler.model.source import Fault
from reconciler.model.sync import CalendarRef, Direction, SyncConfig
from reconciler.planning import diff, lookup, overlay, providers
from reconciler.planning.match import Resolved

_REASON_BY_ERROR: dict[str, Reason] = {
    ErrorReason.TOKEN_REVOKED: Reason.TOKEN_REVOKED,
    ErrorReason.CREATION_FAILED: Reason.CALENDAR_CREATION_FAILED,
    ErrorReason.CALENDAR_DELETED: Reason.CALENDAR_DELETED,
}
_HEALED_BY_CONFIG = {Reason.CALENDAR_CREATION_FAILED, Reason.CALENDAR_DELETED}


def for_declared(
    site: Site,
    item: Resolved,
    live: LiveConnection | None,
    listed: tuple[Calendar, ...] | None,
    *,
    was_connected: bool,
    anew: bool = False,
) -> Action | Fault:
    """The action for one declared connection.

    `listed` holds its account's calendars where they were asked for; `was_connected` tells that the service
    still lists it as DISCONNECTED; `anew` that one whose calendar was lost is to be connected anew.
    """
    if item.declared.state is State.ABSENT:
        return _remove(site, item, live)
    if live is None:
        return connect(site, item, Reason.WAS_DISCONNECTED if was_connected else Reason.NOT_CONNECTED)
    if live.status == Status.ERROR:
        return _reconnect(site, item, live, anew=anew)
    return _update(site, item, live, listed)


def _base(site: Site, item: Resolved, live: LiveConnection | None, kind: ActionKind, reason: Reason) -> Action:
    return Action(
        kind=kind,
        address=item.declared.address,
        site=site.name,
        site_id=site.site_id,
        key=ConnectionKey(
            item.schedule.id, providers.label(item.provider, item.provider.calendar_type), item.declared.account
        ),
        schedule_name=item.schedule.name or None,
        provider_id=item.provider.id,
        connection_id=live.id if live else None,
        reason=reason,
        recovery=Recovery.AUTOMATIC,
        live_sync=live.sync if live else None,
        prevent_disconnect=item.declared.lifecycle.prevent_disconnect,
        source=item.declared.sources.root,
    )


def connect(site: Site, item: Resolved, reason: Reason) -> Action | Fault:
    """Establish the declared connection, then give it its sync config."""
    method = providers.connect_method(item.declared, item.provider)
    if isinstance(method, Fault):
        return method
    wanted = item.declared.sync
    if wanted != SyncConfig() and item.provider.features.fixed_sync_config:
        return providers.fixed_config(item.declared, item.provider)
    action = _with_method(_base(site, item, None, ActionKind.CONNECT, reason), site, item, method)
    return replace(action, changes=diff.described(wanted), sync=_managed(wanted))


def _with_method(action: Action, site: Site, item: Resolved, method: ConnectMethod) -> Action:
    if method is ConnectMethod.OAUTH:
        return replace(action, connect=ConnectSpec(method, redirect_url=site.redirect_url))
    return replace(action, connect=ConnectSpec(method, item.declared.password))


def _managed(wanted: SyncConfig) -> SyncConfig | None:
    """What is managed of a new connection's sync config, None where that is nothing: it keeps what it starts with."""
    managed = overlay.managed_part(wanted)
    return None if managed == SyncConfig() else managed


def _remove(site: Site, item: Resolved, live: LiveConnection | None) -> Action:
    if live is None:
        return _base(site, item, None, ActionKind.NOOP, Reason.ABSENT)
    action = _base(site, item, live, ActionKind.DISCONNECT, Reason.TOMBSTONE)
    return replace(
        action,
        recovery=providers.recovery(item.provider),
        connect=ConnectSpec(None, item.declared.password, site.redirect_url),
        changes=diff.removed(live.sync),
    )


def _update(site: Site, item: Resolved, live: LiveConnection, listed: tuple[Calendar, ...] | None) -> Action | Fault:
    try:
        wanted = _with_ids(diff.managed(item.declared.sync, item.declared.lifecycle.ignore_changes), live, listed)
    except lookup.UnresolvedCalendarError as error:
        source = item.declared.sources.at("syncConfig.listEventFromCalendars.calendars")
        return Fault(source, item.declared.address, error.message, error.hint)
    changes = diff.diff(wanted, live.sync)
    if not changes:
        return _base(site, item, live, ActionKind.NOOP, Reason.IN_SYNC)
    if item.provider.features.fixed_sync_config:
        return providers.fixed_config(item.declared, item.provider)
    action = _base(site, item, live, ActionKind.UPDATE, Reason.CONFIG_DRIFT)
    return replace(action, changes=changes, sync=overlay.managed_part(wanted, live.sync))


def is_in_sync(declared: DeclaredConnection, live: LiveConnection, listed: tuple[Calendar, ...]) -> bool:
    """Whether a live connection is as declared, given its account's calendars."""
    try:
        wanted = _with_ids(diff.managed(declared.sync, declared.lifecycle.ignore_changes), live, listed)
    except lookup.UnresolvedCalendarError:
        return False
    return not diff.diff(wanted, live.sync)


def known_calendars(live: LiveConnection, listed: tuple[Calendar, ...] | None) -> tuple[CalendarRef, ...]:
    """The calendars that are known of a live connection: the account's list, else those its config names."""
    if listed is not None:
        return tuple(CalendarRef(calendar.id, calendar.name) for calendar in listed)
    return live.sync.imports.calendars if live.sync.imports else ()


def _with_ids(wanted: SyncConfig, live: LiveConnection, listed: tuple[Calendar, ...] | None) -> SyncConfig:
    if not lookup.named_calendars(wanted.imports, live.sync.imports or Direction()) or wanted.imports is None:
        return wanted
    found = lookup.resolve_calendars(wanted.imports.calendars, known_calendars(live, listed))
    return replace(wanted, imports=replace(wanted.imports, calendars=found))


def _reconnect(site: Site, item: Resolved, live: LiveConnection, *, anew: bool) -> Action | Fault:
    """Bring a connection out of ERROR: by its sync config where that may be the remedy, else by connecting it.

    Nobody knows whether a sync config heals, so `anew` asks for the other remedy.
    """
    reason = _REASON_BY_ERROR.get(live.error_reason or "", Reason.ERROR)
    action = _base(site, item, live, ActionKind.RECONNECT, reason)
    if reason is Reason.ERROR:
        action = replace(action, error_reason=live.error_word)
    changes = (Change("status", live.status, Status.CONNECTED.value),)
    wanted = diff.managed(item.declared.sync, item.declared.lifecycle.ignore_changes)
    if reason in _HEALED_BY_CONFIG and not item.provider.features.fixed_sync_config and not anew:
        return replace(action, changes=changes, sync=overlay.managed_part(wanted, live.sync))
    method = providers.connect_method(item.declared, item.provider)
    if isinstance(method, Fault):
        return method
    managed = None if item.provider.features.fixed_sync_config else _managed(wanted)
    return replace(_with_method(action, site, item, method), changes=changes, sync=managed)


def replacing(site: Site, item: Resolved, live: LiveConnection, provider: Provider | None) -> Action | Fault:
    """Connect what is declared, and only then disconnect the one live connection that it takes the place of."""
    same_provider = providers.serves(item.declared.provider, item.provider, live)
    reason = Reason.ACCOUNT_CHANGED if same_provider else Reason.PROVIDER_CHANGED
    action = connect(site, item, reason)
    if isinstance(action, Fault):
        return action
    changes: list[Change] = []
    before = providers.label(provider, live.calendar_type)
    if not same_provider:
        changes.append(Change("provider", before, action.provider))
    if live.account != item.declared.account:
        changes.append(
            Change("account", None if live.account is None else live.account.given, item.declared.account.given)
        )
    return replace(
        action,
        kind=ActionKind.REPLACE,
        connection_id=live.id,
        recovery=providers.recovery(provider),
        changes=(*changes, *action.changes),
        superseded=ConnectionKey(live.schedule_id, before, live.account),
        live_sync=live.sync,
    )


def undeclared(site: Site, live: LiveConnection, provider: Provider | None, reason: Reason, *, prune: bool) -> Action:
    """What happens to a live connection that no manifest declares."""
    return Action(
        kind=ActionKind.DISCONNECT if prune else ActionKind.UNMANAGED,
        address=f"{site.name}/id:{live.id}",
        site=site.name,
        site_id=site.site_id,
        key=ConnectionKey(live.schedule_id, providers.label(provider, live.calendar_type), live.account),
        provider_id=live.provider_id,
        connection_id=live.id,
        reason=reason,
        recovery=providers.recovery(provider) if prune else Recovery.AUTOMATIC,
        connect=ConnectSpec(None, redirect_url=site.redirect_url),
        changes=diff.removed(live.sync) if prune else (),
        live_sync=live.sync,
    )
