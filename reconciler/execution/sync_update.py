"""Gives a connection its sync config so that nothing else of it changes, and compares the service's answer.

Steps:

1. Calendars that are declared by name get their ids.
2. What stands is the ground: a live connection, what stood of one that is connected again, or what its connect
   answered. A direction that the ground does not show is looked up, since lists may leave it out: it may be on, and
   have fields that nobody here knows. What is looked up and is as it was read before makes the ground fresh again.
3. The whole config is sent: what is managed over what stands (`planning/overlay.py` says why).
4. A lost answer is made up for by looking. What the answer leaves out is looked up, too.
5. What the answer has otherwise is how the action ends: never in silence.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace

from reconciler.errors import ApiError, ExtcalError, InvalidRequestError, PreconditionFailedError
from reconciler.execution.port import CalendarLister, ConnectionReader, Port
from reconciler.execution.site_view import Seen, Standing, now
from reconciler.model.action import Action, Change, Reason, value_text
from reconciler.model.live import LiveConnection, Status
from reconciler.model.result import Outcome, OutcomeStatus
from reconciler.model.sync import CalendarRef, SyncConfig
from reconciler.planning import diff, lookup, overlay
from reconciler.planning.guards import CONSENT_LOSS
from reconciler.planning.preconditions import calendars_by_name
from reconciler.text import inert

_NOT_WELL = {Status.DISCONNECTED.value, Status.ERROR.value}
_NOTHING_TO_SEND = (
    "sending its export again is the remedy, and neither the manifest nor the service says what that is: declare "
    "syncConfig.syncToCalendar, and apply again"
)


async def configure(action: Action, port: Port, seen: Seen) -> Outcome:
    """Give a connection the sync config of an action; it was `seen` just now.

    Raises ExtcalError; StaleError where that was too long ago when it was to be sent, and nothing was.
    """
    ground = seen.connection
    named = await with_ids(action, port, ground.id)
    if isinstance(named, Outcome) or named.sync is None:
        return named if isinstance(named, Outcome) else Outcome(action, OutcomeStatus.DONE, connection_id=ground.id)
    managed = named.sync
    whole = await _whole_ground(seen, port)
    sent = overlay.overlaid(managed, whole.connection.sync)
    needed = sent.exports if action.reason is Reason.CALENDAR_CREATION_FAILED else sent.exports or sent.imports
    if action.heals and needed is None:
        return Outcome(action, OutcomeStatus.FAILED, error=_NOTHING_TO_SEND, connection_id=ground.id)
    try:
        answered = await port.while_fresh(whole.fresh).update_sync_config(ground.id, sent)
    except ApiError as error:
        found = await _found(port, ground.id) if error.doubtful else None
        if found is None or diff.diff(managed, found.sync):
            raise
        answered = found
    if action.heals and answered.status == Status.ERROR:
        return Outcome(action, OutcomeStatus.FAILED, error=_not_healed(action, answered), connection_id=ground.id)
    outcome = Outcome(action, OutcomeStatus.DONE, connection_id=ground.id)
    return _compared(outcome, managed, sent, await _whole(answered, sent, port))


async def with_ids(action: Action, port: CalendarLister, connection_id: str) -> Action | Outcome:
    """The action with its calendars by their ids, or how it ends where they can't be told. Raises ExtcalError."""
    try:
        sync = None if action.sync is None else await with_calendar_ids(action.sync, port, connection_id)
    except lookup.UnresolvedCalendarError as error:
        message = f"its sync config was not set; change the manifest and apply again: {error}"
        return Outcome(action, OutcomeStatus.FAILED, error=message, connection_id=connection_id)
    return replace(action, sync=sync)


async def heal(action: Action, port: Port, seen: Seen) -> Outcome:
    """Send the sync config again, which may bring a connection out of ERROR; then it may list no calendars.

    What it imports stays as it is then: what differs is the next plan's.
    """
    try:
        return await configure(action, port, seen)
    except PreconditionFailedError:
        if action.sync is None or not calendars_by_name(action.sync):
            raise
    except InvalidRequestError as error:
        if action.sync is None or action.sync.imports is not None:
            raise
        message = f"its import, which no manifest manages, was sent as it stands and refused: declare it ({error})"
        return Outcome(action, OutcomeStatus.FAILED, error=message, connection_id=seen.connection.id)
    as_it_stands = replace(action, sync=replace(action.sync, imports=None))
    return replace(await configure(as_it_stands, port, seen), action=action)


async def with_calendar_ids(sync: SyncConfig, port: CalendarLister, connection_id: str) -> SyncConfig:
    """Resolve calendars that could only be named, since the account was not connected while planning.

    Raises UnresolvedCalendarError, or ExtcalError where they can't be listed.
    """
    wanted = lookup.named_calendars(sync.imports)
    if sync.imports is None or all(ref.id is not None for ref in wanted):
        return sync
    known = tuple(CalendarRef(calendar.id, calendar.name) for calendar in await port.list_calendars(connection_id))
    return replace(sync, imports=replace(sync.imports, calendars=lookup.resolve_calendars(wanted, known)))


async def with_directions_shown(
    connection_ids: Collection[str | None], connections: Sequence[LiveConnection], port: ConnectionReader
) -> Sequence[LiveConnection]:
    """The connections of a schedule, those of these ids with the directions that their list leaves out."""

    async def whole(connection: LiveConnection) -> LiveConnection:
        looked_up = connection.id in connection_ids and not connection.sync.whole
        found = await _found(port, connection.id) if looked_up else None
        return connection if found is None else replace(connection, sync=connection.sync.completed_by(found.sync))

    return [await whole(connection) for connection in connections]


async def with_target_shown(standing: Standing, connection_id: str | None, port: ConnectionReader) -> Standing:
    """What stands on a schedule, for a write to this connection of it, with the directions that its list leaves out."""
    target = next((one for one in standing.connections if one.id == connection_id), None)
    found = None if target is None or target.sync.whole else await _found(port, target.id)
    if target is None or found is None:
        return standing
    whole = _completed(Seen(target, standing.at), found)
    connections = tuple(whole.connection if one is target else one for one in standing.connections)
    return replace(standing, connections=connections, at=whole.at)


async def _whole_ground(seen: Seen, port: Port) -> Seen:
    """What stands of its sync config, as far as the service shows it. Raises ExtcalError where it can't be read."""
    ground = seen.connection
    if ground.sync.whole:
        return seen
    try:
        found = await port.get_connection(ground.id)
    except ApiError as error:
        raise ExtcalError(f"its sync config was not sent: what stands of it could not be read: {error}") from error
    return _completed(seen, found)


def _completed(seen: Seen, found: LiveConnection) -> Seen:
    """What was seen, with what it leaves out as it was `found` just now: seen now, if the rest is as it was.

    Otherwise a service whose answers take longer than they are good for could never be sent anything.
    """
    before = seen.connection
    who, found_who = (
        (one.schedule_id, one.provider_id, one.error_reason, one.status if one.status in _NOT_WELL else "")
        for one in (before, found)
    )
    same = who == found_who and before.account in {None, found.account} and not diff.diff(before.sync, found.sync)
    completed = replace(before, sync=before.sync.completed_by(found.sync))
    return Seen(completed, now() if same else seen.at)


async def _whole(answered: LiveConnection, sent: SyncConfig, port: Port) -> SyncConfig:
    """The config that was answered; a direction that was sent and is not in it is looked up."""
    if all(shown or not was_sent for _, was_sent, shown in diff.directions(sent, answered.sync)):
        return answered.sync
    found = await _found(port, answered.id)
    return answered.sync if found is None else answered.sync.completed_by(found.sync)


async def _found(port: ConnectionReader, connection_id: str) -> LiveConnection | None:
    """The connection as it is now, None where that can't be told."""
    try:
        return await port.get_connection(connection_id)
    except ExtcalError:
        return None


def _compared(outcome: Outcome, managed: SyncConfig, sent: SyncConfig, answered: SyncConfig) -> Outcome:
    """The outcome of an update, by what was answered to it."""
    found = overlay.deviation(managed, sent, answered)
    if found.managed:
        why = f"its sync config did not take: the service answered {_changes(found.managed)}; plan again"
        return replace(outcome, status=OutcomeStatus.FAILED, error=why)
    if found.stopped:
        why = (
            f"its sync config was set, but the service answered {_changes(found.stopped)}, which is not managed; "
            "declare it and apply again, or set it in the site's dashboard"
        )
        return replace(outcome, status=OutcomeStatus.FAILED, error=why)
    if found.harmless:
        paths = ", ".join(inert(path) for path in found.harmless)
        why = f"done, but the service answered {paths} otherwise than sent, which is not managed"
        return replace(outcome, error=f"{why}: look at it in the site's dashboard")
    return outcome


def _changes(changes: tuple[Change, ...]) -> str:
    return "; ".join(f"{c.path}: {value_text(c.after)}, sent {value_text(c.before)}" for c in changes)


def _not_healed(action: Action, answered: LiveConnection) -> str:
    reason = answered.error_word or "ERROR"
    return (
        f"its sync config was sent again, and the service still reports {reason}: apply again later, or connect it "
        "anew, which takes its password or its owner's consent: "
        f"extcal apply PATH --allow {CONSENT_LOSS}:{action.address}"
    )
