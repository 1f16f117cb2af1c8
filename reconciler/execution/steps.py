"""Carries out one action: connects, updates, disconnects, each checked right before."""

from collections.abc import Awaitable, Sequence
from dataclasses import replace

from reconciler.errors import ApiError, ExtcalError, PreconditionFailedError
from reconciler.execution.connect import Reach, connect, disconnect
from reconciler.execution.port import CalendarLister, Port
from reconciler.model.action import Action, ActionKind
from reconciler.model.consent import ConsentMode
from reconciler.model.live import ConnectMethod, LiveConnection, Status
from reconciler.model.result import Outcome, OutcomeStatus
from reconciler.model.sync import CalendarRef, SyncConfig
from reconciler.planning import diff, lookup
from reconciler.planning.preconditions import already_done, calendars_by_name, same_account

_NOT_HEALED = (
    "its sync config was sent again, and the service reports the same error; apply again later, or connect it again: "
    "apply its manifest with state: absent, then without"
)


async def ending(action: Action, under_way: Awaitable[Outcome]) -> Outcome:
    """How an action ends; whatever goes wrong becomes its outcome."""
    try:
        return await under_way
    except ExtcalError as error:
        return Outcome(action, _status_of(error), error=str(error))


async def carry_out(action: Action, reach: Reach, consent: ConsentMode, standing: Sequence[LiveConnection]) -> Outcome:
    """Carry out one action; `standing` are the connections of its schedule right now. May raise ExtcalError."""
    port = reach.port
    match action.kind:
        case ActionKind.UPDATE:
            return await _configure(action, port, action.connection_id)
        case ActionKind.DISCONNECT:
            if action.connection_id is not None:
                await disconnect(port, action.connection_id)
            return Outcome(action, OutcomeStatus.DONE, connection_id=action.connection_id)
        case ActionKind.RECONNECT if action.method is None:
            return await _heal(action, port)
        case ActionKind.CONNECT | ActionKind.RECONNECT | ActionKind.REPLACE:
            return await _connect(action, reach, consent, standing)
        case ActionKind.NOOP | ActionKind.UNMANAGED:
            return Outcome(action, OutcomeStatus.DONE, connection_id=action.connection_id)


async def come_about(action: Action, connections: Sequence[LiveConnection], port: CalendarLister) -> bool:
    """Whether what an action would bring about is there; `connections` are those of its schedule.

    Calendars that it names are asked for where the sync config of a connection that may be it carries ids alone.
    """
    if already_done(action, connections):
        return True
    if action.sync is None or not calendars_by_name(action.sync):
        return False
    for connection in same_account(action, connections):
        try:
            sync = await _with_calendar_ids(action.sync, port, connection.id)
        except (lookup.UnresolvedCalendarError, ExtcalError):
            continue
        if already_done(replace(action, sync=sync), connections):
            return True
    return False


def _status_of(error: ExtcalError) -> OutcomeStatus:
    doubtful = isinstance(error, ApiError) and error.doubtful
    return OutcomeStatus.UNKNOWN if doubtful else OutcomeStatus.FAILED


async def _connect(action: Action, reach: Reach, consent: ConsentMode, standing: Sequence[LiveConnection]) -> Outcome:
    """Connect, or ask for a link."""
    if action.method is ConnectMethod.OAUTH:
        return await _ask_for_consent(action, reach, consent)
    note_begun(action, reach)
    try:
        made = await connect(action, reach, standing)
    except ApiError:
        _note_refused(action, reach)
        raise
    if isinstance(made, LiveConnection):
        return await finish(action, reach.port, made)
    if made.status is OutcomeStatus.FAILED:
        _note_refused(action, reach)
    return made


def note_begun(action: Action, reach: Reach) -> None:
    """Note that a connection is about to be made; what is connected again keeps what `ignoreChanges` names."""
    if action.kind is not ActionKind.RECONNECT:
        reach.unfinished.add(action.address, action.account)


def _note_refused(action: Action, reach: Reach) -> None:
    """Note that nothing was made: whoever connects it otherwise sets its sync config."""
    if action.kind is not ActionKind.RECONNECT:
        reach.unfinished.remove(action.address, action.account)


async def finish(action: Action, port: Port, made: LiveConnection) -> Outcome:
    """Configure a connection that was made just now, and disconnect the one that it takes the place of.

    One in ERROR goes however the new one fares: two would have to be told apart. Any other goes only when the new one
    is as it shall be.
    """
    outcome = await _configure_new(action, port, made.id)
    if outcome.status is OutcomeStatus.DONE and made.status == Status.ERROR:
        why = f"connected, but the service reports {made.error_reason or made.status}; plan again to see what it takes"
        outcome = replace(outcome, status=OutcomeStatus.FAILED, error=why)
    if action.connection_id in {None, made.id}:
        return outcome
    if outcome.status is not OutcomeStatus.DONE and action.kind is not ActionKind.RECONNECT:
        return outcome
    try:
        await disconnect(port, action.connection_id or "")
    except ExtcalError as error:
        if outcome.status is OutcomeStatus.DONE:
            message = f"connected and configured, but {action.connection_id} was not disconnected: {error}"
            return replace(outcome, status=_status_of(error), error=message)
    return outcome


async def _ask_for_consent(action: Action, reach: Reach, consent: ConsentMode) -> Outcome:
    if consent is not ConsentMode.LINK:
        return Outcome(action, OutcomeStatus.AWAITING_CONSENT, error="its owner was not asked for consent")
    redirect_url = action.connect.redirect_url if action.connect is not None else None
    if redirect_url is None:
        error = "its owner's browser has nowhere to land: give the Site an oauth.redirectUrl"
        return Outcome(action, OutcomeStatus.FAILED, error=error)
    try:
        note_begun(action, reach)
        lacking = None
    except ExtcalError as error:
        lacking = f"{error}; what ignoreChanges names will not be set"
    url = await link(action, reach.port, redirect_url)
    if isinstance(url, Outcome):
        return url
    return Outcome(action, OutcomeStatus.AWAITING_CONSENT, error=lacking, consent_url=url)


async def link(action: Action, port: Port, redirect_url: str) -> str | Outcome:
    """The link that an account's owner must open, or how the action ends without one."""
    try:
        return await port.connect_by_oauth(action.provider_id, action.schedule_id, redirect_url)
    except ApiError as error:
        if not error.doubtful:
            raise
        # Nothing is connected before a link is opened, and this one nobody has.
        return Outcome(action, OutcomeStatus.FAILED, error=f"its link was lost; apply again for another: {error}")


async def _configure_new(action: Action, port: Port, connection_id: str) -> Outcome:
    try:
        outcome = await _configure(action, port, connection_id)
        return replace(outcome, error=f"connected, but {outcome.error}") if outcome.error else outcome
    except ExtcalError as error:
        status = _status_of(error)
        was = "may not have been set" if status is OutcomeStatus.UNKNOWN else "was not set"
        message = f"connected, but its sync config {was}; apply again to finish it: {error}"
        return Outcome(action, status, error=message, connection_id=connection_id)


async def _heal(action: Action, port: Port) -> Outcome:
    """Send the sync config again, which may heal a connection in ERROR; then it may list no calendars.

    What it imports stays as it is then: what differs is the next plan's.
    """
    try:
        return await _configure(action, port, action.connection_id)
    except PreconditionFailedError:
        if action.sync is None or not calendars_by_name(action.sync):
            raise
    live = action.live_sync.imports if action.live_sync is not None else None
    known = replace(action, sync=replace(action.sync, imports=diff.sendable(live)))
    return replace(await _configure(known, port, action.connection_id), action=action)


async def _configure(action: Action, port: Port, connection_id: str | None) -> Outcome:
    if connection_id is None:
        return Outcome(action, OutcomeStatus.FAILED, error="its plan names no connection; plan again")
    if action.sync is None:
        return Outcome(action, OutcomeStatus.DONE, connection_id=connection_id)
    try:
        sync = await _with_calendar_ids(action.sync, port, connection_id)
    except lookup.UnresolvedCalendarError as error:
        message = f"its sync config was not set; change the manifest and apply again: {error}"
        return Outcome(action, OutcomeStatus.FAILED, error=message, connection_id=connection_id)
    try:
        now = await port.update_sync_config(connection_id, sync)
    except ApiError as error:
        found = await _found(port, connection_id) if error.doubtful else None
        if found is None or diff.diff(sync, found.sync):
            raise
        now = found
    if action.kind is ActionKind.RECONNECT and action.method is None and now.status == Status.ERROR:
        return Outcome(action, OutcomeStatus.FAILED, error=_NOT_HEALED, connection_id=connection_id)
    return Outcome(action, OutcomeStatus.DONE, connection_id=connection_id)


async def _found(port: Port, connection_id: str) -> LiveConnection | None:
    """The connection as it is after a config whose answer was lost, None where that can't be told."""
    try:
        return await port.get_connection(connection_id)
    except ExtcalError:
        return None


async def _with_calendar_ids(sync: SyncConfig, port: CalendarLister, connection_id: str) -> SyncConfig:
    """Resolve calendars that could only be named, since the account was not connected while planning."""
    wanted = lookup.named_calendars(sync.imports)
    if sync.imports is None or all(ref.id is not None for ref in wanted):
        return sync
    known = tuple(CalendarRef(calendar.id, calendar.name) for calendar in await port.list_calendars(connection_id))
    return replace(sync, imports=replace(sync.imports, calendars=lookup.resolve_calendars(wanted, known)))
