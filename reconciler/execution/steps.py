"""How one action is carried out."""

from collections.abc import Awaitable, Sequence
from dataclasses import replace
from enum import StrEnum

from reconciler.errors import ApiError, ExtcalError, NotFoundError, PreconditionFailedError
from reconciler.execution.connecting import Reach, connect
from reconciler.execution.port import CalendarLister, Port
from reconciler.model.live import ConnectMethod, LiveConnection, Status
from reconciler.model.plan import Action, ActionKind
from reconciler.model.result import Outcome, OutcomeStatus
from reconciler.model.sync import CalendarRef, SyncConfig
from reconciler.planning import calendars, diff
from reconciler.planning.ground import already_done, calendars_by_name, same_account


class Consent(StrEnum):
    """What is done about a connection that only its owner can approve (contract: `apply --consent`)."""

    LINK = "link"
    SKIP = "skip"


async def ending(action: Action, under_way: Awaitable[Outcome]) -> Outcome:
    """How an action ends; whatever goes wrong becomes its outcome."""
    try:
        return await under_way
    except ExtcalError as error:
        return Outcome(action, _status_of(error), error=str(error))


async def carry_out(action: Action, reach: Reach, consent: Consent, standing: Sequence[LiveConnection]) -> Outcome:
    """Carry out one action; `standing` are the connections of its schedule right now. May raise ExtcalError."""
    port = reach.port
    match action.kind:
        case ActionKind.UPDATE:
            return await _configure(action, port, action.connection_id)
        case ActionKind.DISCONNECT:
            await _disconnect(action, port)
            return Outcome(action, OutcomeStatus.DONE, connection_id=action.connection_id)
        case ActionKind.RECONNECT if action.method is None:
            return await _configure(action, port, action.connection_id)
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
        except (calendars.UnresolvedCalendarError, ExtcalError):
            continue
        if already_done(replace(action, sync=sync), connections):
            return True
    return False


def _status_of(error: ExtcalError) -> OutcomeStatus:
    doubtful = isinstance(error, ApiError) and error.doubtful
    return OutcomeStatus.UNKNOWN if doubtful else OutcomeStatus.FAILED


async def _connect(action: Action, reach: Reach, consent: Consent, standing: Sequence[LiveConnection]) -> Outcome:
    """Connect, or ask for a link."""
    if action.method is ConnectMethod.OAUTH:
        return await _ask_for_consent(action, reach.port, consent)
    made = await connect(action, reach, standing)
    return made if isinstance(made, Outcome) else await finish(action, reach.port, made.id)


async def finish(action: Action, port: Port, connection_id: str) -> Outcome:
    """Configure a connection that was made just now, and only then give up the one that it takes the place of."""
    outcome = await _configure_new(action, port, connection_id)
    superseded = action.connection_id is not None and action.connection_id != connection_id
    if outcome.status is OutcomeStatus.DONE and superseded:
        try:
            await _disconnect(action, port)
        except ExtcalError as error:
            message = f"connected and configured, but {action.connection_id} was not given up: {error}"
            return replace(outcome, status=_status_of(error), error=message)
    return outcome


async def _ask_for_consent(action: Action, port: Port, consent: Consent) -> Outcome:
    if consent is Consent.SKIP:
        return Outcome(action, OutcomeStatus.AWAITING_CONSENT, error="its owner was not asked (--consent skip)")
    if action.redirect_url is None:
        error = "its owner's browser has nowhere to land: give the Site an oauth.redirectUrl"
        return Outcome(action, OutcomeStatus.FAILED, error=error)
    url = await port.connect_by_oauth(action.provider_id, action.schedule_id, action.redirect_url)
    return Outcome(action, OutcomeStatus.AWAITING_CONSENT, consent_url=url)


async def _configure_new(action: Action, port: Port, connection_id: str) -> Outcome:
    try:
        return await _configure(action, port, connection_id)
    except ExtcalError as error:
        message = f"connected, but its sync config was not set; apply again to finish it: {error}"
        return Outcome(action, _status_of(error), error=message, connection_id=connection_id)


async def _configure(action: Action, port: Port, connection_id: str | None) -> Outcome:
    if connection_id is None:
        return Outcome(action, OutcomeStatus.FAILED, error="its plan names no connection; plan again")
    if action.sync is None:
        return Outcome(action, OutcomeStatus.DONE, connection_id=connection_id)
    try:
        sync = await _with_calendar_ids(action.sync, port, connection_id)
    except calendars.UnresolvedCalendarError as error:
        message = f"its sync config was not set; mend the manifest and apply again: {error}"
        return Outcome(action, OutcomeStatus.FAILED, error=message, connection_id=connection_id)
    try:
        await port.update_sync_config(connection_id, sync)
    except ApiError as error:
        if not error.doubtful or not await _has(port, connection_id, sync):
            raise
    return Outcome(action, OutcomeStatus.DONE, connection_id=connection_id)


async def _has(port: Port, connection_id: str, sync: SyncConfig) -> bool:
    """Whether a config whose answer was lost is there."""
    try:
        return not diff.diff(sync, (await port.get_connection(connection_id)).sync)
    except ExtcalError:
        return False


async def _with_calendar_ids(sync: SyncConfig, port: CalendarLister, connection_id: str) -> SyncConfig:
    """Resolve calendars that could only be named, since the account was not connected while planning."""
    wanted = calendars.named(sync.imports)
    if sync.imports is None or all(ref.id is not None for ref in wanted):
        return sync
    known = tuple(CalendarRef(calendar.id, calendar.name) for calendar in await port.list_calendars(connection_id))
    return replace(sync, imports=replace(sync.imports, calendars=calendars.resolve(wanted, known)))


async def _disconnect(action: Action, port: Port) -> None:
    if action.connection_id is None:
        return
    try:
        await port.disconnect(action.connection_id)
    except NotFoundError:
        return
    except ApiError as error:
        already = isinstance(error, PreconditionFailedError) and error.code == "CONNECTION_ALREADY_DISCONNECTED"
        if not already and not (error.doubtful and await _is_gone(port, action.connection_id)):
            raise


async def _is_gone(port: Port, connection_id: str) -> bool:
    """Whether a disconnect whose answer was lost has taken effect."""
    try:
        return (await port.get_connection(connection_id)).status == Status.DISCONNECTED
    except NotFoundError:
        return True
    except ExtcalError:
        return False
