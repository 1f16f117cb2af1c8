"""Gives a connection its sync config so that nothing else of it changes, and compares the service's answer.

Steps:

1. Calendars that are declared by name get their ids.
2. What stands is the ground: a live connection, what stood of one that is connected again, or what its connect
   answered. A direction that the ground does not show is looked up, since lists may leave it out: it may be on, and
   have fields that nobody here knows.
3. The whole config is sent: what is managed over what stands (`planning/overlay.py` says why).
4. A lost answer is made up for by looking. What the answer leaves out is looked up, too.
5. What the answer has otherwise is how the action ends: never in silence.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace

from reconciler.errors import ApiError, ExtcalError, InvalidRequestError, PreconditionFailedError
from reconciler.execution.port import CalendarLister, ConnectionReader, Port
from reconciler.model.action import Action, Change, Reason, value_text
from reconciler.model.live import LiveConnection, Status
from reconciler.model.result import Outcome, OutcomeStatus
from reconciler.model.sync import CalendarRef, SyncConfig
from reconciler.planning import diff, lookup, overlay
from reconciler.planning.guards import CONSENT_LOSS
from reconciler.planning.preconditions import calendars_by_name
from reconciler.text import inert

_NOTHING_TO_SEND = (
    "sending its export again is the remedy, and neither the manifest nor the service says what that is: declare "
    "syncConfig.syncToCalendar, and apply again"
)


async def configure(action: Action, port: Port, ground: LiveConnection) -> Outcome:
    """Give a connection the sync config of an action; `ground` is how it stands now. Raises ExtcalError."""
    if action.sync is None:
        return Outcome(action, OutcomeStatus.DONE, connection_id=ground.id)
    try:
        managed = await with_calendar_ids(action.sync, port, ground.id)
    except lookup.UnresolvedCalendarError as error:
        message = f"its sync config was not set; change the manifest and apply again: {error}"
        return Outcome(action, OutcomeStatus.FAILED, error=message, connection_id=ground.id)
    standing = await _standing(ground, port)
    sent = overlay.overlaid(managed, standing)
    needed = sent.exports if action.reason is Reason.CALENDAR_CREATION_FAILED else sent.exports or sent.imports
    if action.heals and needed is None:
        return Outcome(action, OutcomeStatus.FAILED, error=_NOTHING_TO_SEND, connection_id=ground.id)
    try:
        answered = await port.update_sync_config(ground.id, sent)
    except ApiError as error:
        found = await _found(port, ground.id) if error.doubtful else None
        if found is None or diff.diff(managed, found.sync):
            raise
        answered = found
    if action.heals and answered.status == Status.ERROR:
        return Outcome(action, OutcomeStatus.FAILED, error=_not_healed(action, answered), connection_id=ground.id)
    outcome = Outcome(action, OutcomeStatus.DONE, connection_id=ground.id)
    return _compared(outcome, managed, sent, await _whole(answered, sent, port))


async def heal(action: Action, port: Port, ground: LiveConnection) -> Outcome:
    """Send the sync config again, which may bring a connection out of ERROR; then it may list no calendars.

    What it imports stays as it is then: what differs is the next plan's.
    """
    try:
        return await configure(action, port, ground)
    except PreconditionFailedError:
        if action.sync is None or not calendars_by_name(action.sync):
            raise
    except InvalidRequestError as error:
        if action.sync is None or action.sync.imports is not None:
            raise
        message = f"its import, which no manifest manages, was sent as it stands and refused: declare it ({error})"
        return Outcome(action, OutcomeStatus.FAILED, error=message, connection_id=ground.id)
    as_it_stands = replace(action, sync=replace(action.sync, imports=None))
    return replace(await configure(as_it_stands, port, ground), action=action)


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


async def _standing(ground: LiveConnection, port: Port) -> SyncConfig:
    """What stands of its sync config, as far as the service shows it. Raises ExtcalError where it can't be read."""
    if ground.sync.whole:
        return ground.sync
    try:
        found = await port.get_connection(ground.id)
    except ApiError as error:
        raise ExtcalError(f"its sync config was not sent: what stands of it could not be read: {error}") from error
    return ground.sync.completed_by(found.sync)


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
