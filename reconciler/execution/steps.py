"""Carries out one action: connects, updates, disconnects, each resting on what was read just before."""

from collections.abc import Awaitable, Sequence
from dataclasses import replace

from reconciler.errors import ApiError, ExtcalError, SecretError, StaleError
from reconciler.execution.advice import advised
from reconciler.execution.connect import Reach, connect, disconnect
from reconciler.execution.consent import WhyNotAsked
from reconciler.execution.port import ConnectionReader, Port
from reconciler.execution.site_view import Seen, Standing, again_while_stale, now
from reconciler.execution.sync_update import configure, heal, with_calendar_ids, with_directions_shown, with_ids
from reconciler.model.action import Action, ActionKind
from reconciler.model.consent import ConsentMode
from reconciler.model.live import ConnectMethod, LiveConnection, Status
from reconciler.model.result import Outcome, OutcomeStatus
from reconciler.model.sync import SyncConfig
from reconciler.planning import diff, lookup
from reconciler.planning.preconditions import already_done, calendars_by_name, same_account

NOWHERE_TO_LAND = (
    "its owner's browser has nowhere to land: give the Site an oauth.redirectUrl; extcal consent-page makes the page "
    "to put there"
)


async def ending(action: Action, under_way: Awaitable[Outcome]) -> Outcome:
    """How an action ends; whatever goes wrong becomes its outcome."""
    try:
        return await under_way
    except ExtcalError as error:
        return Outcome(action, _status_of(error), error=advised(action, error))


async def carry_out(
    action: Action,
    reach: Reach,
    consent: ConsentMode,
    standing: Standing,
    why_not_asked: WhyNotAsked | None = None,
) -> Outcome:
    """Carry out one action; `standing` is what stands on its schedule right now.

    With MAIL, `why_not_asked` tells before a link is made whether its owner may get one. May raise ExtcalError;
    StaleError where `standing` was not fresh any more, and nothing was sent.
    """
    port = reach.port.while_fresh(standing.fresh)
    match action.kind:
        case ActionKind.UPDATE:
            return await configure(action, port, Seen(_target(action, standing), standing.at))
        case ActionKind.DISCONNECT:
            if action.connection_id is not None:
                await disconnect(port, action.connection_id)
            return Outcome(action, OutcomeStatus.DONE, connection_id=action.connection_id)
        case ActionKind.RECONNECT if action.heals:
            return await heal(action, port, Seen(_target(action, standing), standing.at))
        case ActionKind.CONNECT | ActionKind.RECONNECT | ActionKind.REPLACE:
            return await _connect(action, reach, consent, standing, why_not_asked)
        case ActionKind.NOOP | ActionKind.UNMANAGED:
            return Outcome(action, OutcomeStatus.DONE, connection_id=action.connection_id)


def _target(action: Action, standing: Standing) -> LiveConnection:
    """The live connection that an action is about, which its precondition has found there."""
    found = next((connection for connection in standing.connections if connection.id == action.connection_id), None)
    if found is None:
        raise ExtcalError("its plan names no connection; plan again")
    return found


async def come_about(action: Action, connections: Sequence[LiveConnection], port: ConnectionReader) -> bool:
    """Whether what an action would bring about is there; `connections` are those of its schedule.

    A connection that may be it is asked for where its list leaves out directions, and calendars that the action names
    where its sync config carries ids alone.
    """
    if already_done(action, connections):
        return True
    if action.sync is not None:
        may_be_it = {action.connection_id, *(one.id for one in same_account(action, connections))}
        connections = await with_directions_shown(may_be_it, connections, port)
        if already_done(action, connections):
            return True
    if action.sync is None or not calendars_by_name(action.sync):
        return False
    for connection in same_account(action, connections):
        try:
            sync = await with_calendar_ids(action.sync, port, connection.id)
        except (lookup.UnresolvedCalendarError, ExtcalError):
            continue
        if already_done(replace(action, sync=sync), connections):
            return True
    return False


def _status_of(error: ExtcalError) -> OutcomeStatus:
    doubtful = isinstance(error, ApiError) and error.doubtful
    return OutcomeStatus.UNKNOWN if doubtful else OutcomeStatus.FAILED


async def _connect(
    action: Action,
    reach: Reach,
    consent: ConsentMode,
    standing: Standing,
    why_not_asked: WhyNotAsked | None,
) -> Outcome:
    """Connect, or ask for a link."""
    if action.method is ConnectMethod.OAUTH:
        if (why := _not_asked(action, consent, why_not_asked)) is not None:
            return Outcome(action, OutcomeStatus.AWAITING_CONSENT, error=why)
        return await _ask_for_consent(action, reach, reach.port.while_fresh(standing.fresh))
    note_begun(action, reach)
    try:
        made = await connect(action, reach, standing)
    except (ApiError, SecretError, StaleError):
        _note_refused(action, reach)
        raise
    if isinstance(made, Seen):
        return await finish(action, reach, made, standing.connections)
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


async def finish(action: Action, reach: Reach, seen: Seen, standing: Sequence[LiveConnection]) -> Outcome:
    """Configure a connection that was made and `seen` just now, and disconnect the one that it takes the place of.

    `standing` are the connections of its schedule as they were before. One in ERROR goes however the new one fares: two
    would have to be told apart. Any other goes only when the new one is as it shall be.
    """
    former = next((one for one in standing if one.id == action.connection_id), None)
    made = seen.connection
    outcome = await _configure_new(action, reach.port, seen, former)
    if outcome.status is OutcomeStatus.DONE and made.status == Status.ERROR:
        why = f"connected, but the service reports {made.error_word or made.status}; plan again to see what it takes"
        outcome = replace(outcome, status=OutcomeStatus.FAILED, error=why)
    if former is None or former.id == made.id:
        return outcome
    if outcome.status is not OutcomeStatus.DONE and action.kind is not ActionKind.RECONNECT:
        return outcome
    try:
        await again_while_stale(lambda: _disconnect_former(former, reach))
    except ExtcalError as error:
        if outcome.status is OutcomeStatus.DONE:
            message = f"connected and configured, but {action.connection_id} was not disconnected: {error}"
            return replace(outcome, status=_status_of(error), error=message)
    return outcome


async def _disconnect_former(former: LiveConnection, reach: Reach) -> None:
    """Disconnect what a new connection takes the place of, unless it is gone; raises ExtcalError where it stays.

    It was read before the new one was made, which may have taken an owner's time.
    """
    standing = await reach.view.standing(former.schedule_id)
    found = next((one for one in standing.connections if one.id == former.id), None)
    if found is None and former.provider_id in standing.failed_provider_ids:
        raise ExtcalError("the service can't reach its provider; plan again later")
    if found is None or found.status == Status.DISCONNECTED:
        return
    if (found.provider_id, found.account) != (former.provider_id, former.account):
        raise ExtcalError("it is another's since it was planned; plan again")
    await disconnect(reach.port.while_fresh(standing.fresh), former.id)


def _not_asked(action: Action, consent: ConsentMode, why_not_asked: WhyNotAsked | None) -> str | None:
    """Why no link is made for an action's owner; None where one is."""
    if consent is ConsentMode.MAIL and why_not_asked is not None:
        return None if action.redirect_url is None else why_not_asked(action)
    return None if consent is ConsentMode.LINK else "its owner was not asked for consent"


async def _ask_for_consent(action: Action, reach: Reach, port: Port) -> Outcome:
    if action.redirect_url is None:
        return Outcome(action, OutcomeStatus.FAILED, error=NOWHERE_TO_LAND)
    try:
        note_begun(action, reach)
        lacking = None
    except ExtcalError as error:
        lacking = f"{error}; what ignoreChanges names will not be set"
    url = await link(action, port, action.redirect_url)
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


async def _configure_new(action: Action, port: Port, seen: Seen, former: LiveConnection | None) -> Outcome:
    """Give a new connection its sync config, over what it started with.

    One that has waited for too long is looked at again first: its owner may have changed it, or taken it away.
    """
    last = seen

    async def act(named: Action) -> Outcome:
        nonlocal last
        if not last.fresh():
            last = await _seen_again(action, last.connection, port)
        wanted, ground = _over_former(named, last, former)
        return await configure(wanted, port, ground)

    try:
        # They may take longer to list than what was seen is good for.
        named = await with_ids(action, port, seen.connection.id)
        outcome = named if isinstance(named, Outcome) else await again_while_stale(lambda: act(named))
        outcome = replace(outcome, action=action)
    except ExtcalError as error:
        status = _status_of(error)
        was = "may not have been set" if status is OutcomeStatus.UNKNOWN else "was not set"
        message = f"connected, but its sync config {was}; apply again to finish it: {advised(action, error)}"
        return Outcome(action, status, error=message, connection_id=seen.connection.id)
    if outcome.status is OutcomeStatus.DONE or outcome.error is None:
        return outcome
    return replace(outcome, error=f"connected, but {outcome.error}")


def _over_former(action: Action, made: Seen, former: LiveConnection | None) -> tuple[Action, Seen]:
    """What is wanted of a new connection, and over what: one that is connected again goes on as it was.

    What stood of its `former` self is the ground then, as far as it shows.
    """
    if action.kind is not ActionKind.RECONNECT or former is None:
        return action, made
    now_it_is = made.connection.sync
    wanted = replace(action, sync=action.sync or SyncConfig()) if diff.diff(former.sync, now_it_is) else action
    return wanted, replace(made, connection=replace(made.connection, sync=former.sync.completed_by(now_it_is)))


async def _seen_again(action: Action, made: LiveConnection, port: Port) -> Seen:
    """A new connection as it is now; raises ExtcalError where it is gone, or another's."""
    found = await port.get_connection(made.id)
    account = made.account or action.account
    same = (found.schedule_id, found.provider_id) == (made.schedule_id, made.provider_id)
    if not same or found.status == Status.DISCONNECTED or found.account not in {None, account}:
        raise ExtcalError("it was disconnected since, or is another's")
    return Seen(replace(found, sync=found.sync.completed_by(made.sync)), now())
