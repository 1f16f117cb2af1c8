"""Connecting by credentials so that nothing is connected twice: written down first, sent once, looked for on doubt.

What answers with another account than was asked for was made by that very call: it is disconnected again.
"""

import asyncio
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from reconciler.errors import ApiError, ExtcalError, NotFoundError, PreconditionFailedError
from reconciler.execution.journal import HistoryLog, Journal, UnfinishedLog, Use
from reconciler.execution.port import Port
from reconciler.execution.settle import Window, look_for, rivals_of
from reconciler.execution.site_view import Seen, SiteView, Standing, again_while_stale, now
from reconciler.model.account import Account, shown
from reconciler.model.action import Action, ActionKind
from reconciler.model.intent import Adopted, Fate, Finding, Intent, Made, Several, Unclear, Unlisted
from reconciler.model.live import LiveConnection, Status
from reconciler.model.result import Outcome, OutcomeStatus
from reconciler.planning.preconditions import intent_of

_ACCOUNT_LOOKS = 3
_MAY_BE_ANOTHERS = "which stays, since somebody else may have made it"


@dataclass(frozen=True, slots=True)
class Reach:
    """What carrying out needs of one site: its port, its journal, and for how long a lost answer is looked for.

    `view` is what stands on its schedules, which the port tells of what is written.

    `unfinished` remembers what has its sync config yet to come. `use` is what the plan has been used for before; None
    where it was planned just now, and is for no other time. `made` are the ids of the connections that this run has
    made, `unshown` those that showed no account, with their intents and how they came, by address. `owners` are the
    schedules and providers on which the plan has an owner agree, whose connections may show no account at first.
    `history` is told what was sent, or failed.
    """

    port: Port
    view: SiteView
    journal: Journal
    window: Window
    unfinished: UnfinishedLog
    use: Use | None = None
    made: set[str] = field(default_factory=set)
    unshown: dict[str, tuple[str, Intent, Fate]] = field(default_factory=dict)
    owners: frozenset[tuple[str, str]] = frozenset()
    history: HistoryLog | None = None


async def connect(action: Action, reach: Reach, standing: Standing) -> Seen | Outcome:
    """The connection that was made, or how the action ends without one; `standing` is what stands on its schedule.

    Raises ExtcalError where the service or the journal refuses, or `standing` is not fresh any more, and nothing was
    connected.
    """
    if action.password is None or action.account is None:
        return Outcome(action, OutcomeStatus.FAILED, error="its plan holds no credentials; plan again")
    plan_id = reach.use.plan_id if reach.use is not None else ""
    intent = replace(intent_of(action, uuid.uuid4().hex, standing.connections), plan_id=plan_id)
    if (why := _known_otherwise(action, reach.journal.made(intent), standing.connections)) is not None:
        return Outcome(action, OutcomeStatus.FAILED, error=why)
    sent = await _sent(action, reach, intent, standing)
    if isinstance(sent, Outcome):
        return sent
    made, fate = sent
    return await _of_its_account(action, reach, intent, await _shown(made, intent, reach), fate)


async def _sent(action: Action, reach: Reach, intent: Intent, standing: Standing) -> tuple[Seen, Fate] | Outcome:
    """Send it, once more where nothing has appeared; the connection, whose intent is still open, and how it came."""
    assert action.password is not None  # noqa: S101 - looked at before
    doubt: ApiError | None = None
    for sent_twice in (False, True):
        # Before the second sending anew: should this process end with it, the window begins there.
        try:
            reach.journal.begin(intent)
        except ExtcalError as error:
            if doubt is None:
                raise
            return _not_again(action, doubt, error)
        try:
            made = await reach.port.while_fresh(standing.fresh).connect_by_credentials(
                action.provider_id, action.schedule_id, str(action.account), action.password
            )
        except ApiError as error:
            if not error.doubtful:
                reach.journal.end(intent, Fate.REFUSED)
                raise
            doubt = error
            found = await _look(intent, reach, sent_twice=sent_twice)
            if (settled := _settled(action, found, error)) is not None:
                return settled
            standing = replace(standing, at=now())
        except ExtcalError as error:
            if doubt is not None:
                return _not_again(action, doubt, error)
            # A secret that can't be resolved, or what stands there is not fresh any more: nothing was sent.
            reach.journal.end(intent, Fate.REFUSED)
            raise
        else:
            seen = Seen(made, now())
            return await _answered(action, reach, intent, made, sent_twice=sent_twice) or (seen, Fate.DONE)
    why = (
        f"its answer was lost twice, and no connection was there {reach.window.length:.0f} s later: {doubt}; "
        "apply again, which first looks up what became of it"
    )
    return Outcome(action, OutcomeStatus.UNKNOWN, error=why)


def _not_again(action: Action, doubt: ApiError, error: ExtcalError) -> Outcome:
    why = f"its answer was lost ({doubt}), and it was not sent again: {error}"
    return Outcome(action, OutcomeStatus.UNKNOWN, error=why)


async def _look(intent: Intent, reach: Reach, *, sent_twice: bool) -> Finding:
    def rivals() -> bool:
        return intent.place in reach.owners or rivals_of(intent, reach.journal.pending())

    found = await look_for(intent, reach.port, reach.window, rivals=rivals, made=reach.made, sent_twice=sent_twice)
    if isinstance(found, Several) and not sent_twice:
        # It was sent once: what shows its account is what it has made, and nothing else.
        own = [connection for connection in found.connections if connection.account]
        return Adopted(own[0]) if len(own) == 1 else found
    return found


async def _answered(
    action: Action, reach: Reach, intent: Intent, made: LiveConnection, *, sent_twice: bool
) -> Outcome | None:
    """Whether an answer decides nothing: after a second sending it is looked whether the first came about late."""
    if sent_twice:
        match await _look(intent, reach, sent_twice=True):
            case Several(connections) | Unclear(connections) if {made.id} != {c.id for c in connections}:
                return _undecided(action, connections)
            case _:
                pass
    return None


async def _shown(made: Seen, intent: Intent, reach: Reach) -> Seen:
    """The connection; one that does not show its account yet is looked for in the list, as plans see it."""
    pauses = reach.window.pauses
    for _ in range(_ACCOUNT_LOOKS):
        pause = next(pauses, None)
        if made.connection.account or pause is None:
            break
        await asyncio.sleep(pause)
        try:
            standing = await reach.view.standing(intent.key.schedule_id, anew=True)
        except ExtcalError:
            break
        found = (connection for connection in standing.connections if connection.id == made.connection.id)
        made = next((Seen(connection, standing.at) for connection in found), made)
    return made


async def _of_its_account(action: Action, reach: Reach, intent: Intent, seen: Seen, fate: Fate) -> Seen | Outcome:
    """The connection, unless it shows another account; one that was made just now is disconnected again."""
    made = seen.connection
    if not made.account:
        reach.unshown[action.address] = made.id, intent, fate
    if not made.account or made.account == intent.key.account:
        reach.made.add(made.id)
        reach.journal.end(intent, fate, made.id, account=made.account)
        return seen
    stays = _MAY_BE_ANOTHERS if fate is Fate.ADOPTED else None
    return await _of_another(action, reach, intent, seen, made.account, stays)


async def shown_since(outcome: Outcome, reach: Reach) -> Outcome:
    """The outcome of an action, looked at once more where its connection did not show its account when it was made."""
    action = outcome.action
    if action.address not in reach.unshown:
        return outcome
    connection_id, intent, fate = reach.unshown[action.address]
    try:
        standing = await reach.view.standing(action.schedule_id, anew=True)
        found = (c for c in standing.connections if c.id == connection_id and c.status != Status.DISCONNECTED)
        made = next(found, None)
        if made is None or not made.account or made.account == intent.key.account:
            return outcome
        reach.journal.begin(intent)
        stays = _why_it_stays(outcome, fate)
        return await _of_another(action, reach, intent, Seen(made, standing.at), made.account, stays)
    except ExtcalError:
        # The next run sees it, and knows by the journal whose it is.
        return outcome


def _why_it_stays(outcome: Outcome, fate: Fate) -> str | None:
    """Why a connection of another account is not disconnected again, or None where it is."""
    if fate is Fate.ADOPTED:
        return _MAY_BE_ANOTHERS
    before = outcome.action.connection_id
    gave_up = outcome.status is OutcomeStatus.DONE or outcome.action.kind is ActionKind.RECONNECT
    if gave_up and before not in {None, outcome.connection_id}:
        return f"which stays, since {before} was disconnected for it"
    return None


async def _of_another(
    action: Action, reach: Reach, intent: Intent, seen: Seen, account: Account, stays: str | None = None
) -> Outcome:
    """How a connect ends that gives a connection of another account; what it has made is disconnected again."""
    made = seen.connection
    found = f"connecting {shown(action.account)} gives a connection of {shown(account)} ({made.id})"
    connection_id = None
    if stays is not None:
        # Undoing must not disconnect what may be another's.
        what, connection_id = stays, None if stays is _MAY_BE_ANOTHERS else made.id
    elif made.id in intent.known:
        what = "which stood there before: nothing was changed"
    else:
        try:
            await disconnect_seen(seen, reach.port)
            what = "which was disconnected again"
        except ExtcalError as error:
            what, connection_id = f"which could not be disconnected again: {error}", made.id
    reach.journal.end(intent, Fate.OTHER_ACCOUNT, made.id, account=account)
    why = f"{found}, {what}; {_declare(account)}"
    return Outcome(action, OutcomeStatus.FAILED, error=why, connection_id=connection_id)


def _known_otherwise(action: Action, before: Made | None, standing: Sequence[LiveConnection]) -> str | None:
    """Why connecting it would give a connection of another account, as it did before."""
    if before is None:
        return None
    now = next((c.account for c in standing if c.id == before.connection_id and c.account), None)
    account = before.account or now
    if account is None or account == action.account:
        return None
    return (
        f"not sent: connecting {shown(action.account)} gave a connection of {shown(account)} "
        f"({before.connection_id}) before; {_declare(account)}"
    )


def _declare(account: Account) -> str:
    return f"declare account: {account} if that is the right one"


def _settled(action: Action, found: Finding, doubt: ApiError) -> tuple[Seen, Fate] | Outcome | None:
    """What a look after a lost answer leads to, or None where nothing has appeared."""
    match found:
        case Adopted(connection):
            return Seen(connection, now()), Fate.ADOPTED
        case Several(connections):
            return _undecided(action, connections)
        case Unclear(connections):
            return Outcome(
                action, OutcomeStatus.UNKNOWN, error=f"its answer was lost ({doubt}), and {unclear(connections)}"
            )
        case Unlisted(why):
            error = f"its answer was lost ({doubt}), and it could not be looked for: {why}; apply again to settle it"
            return Outcome(action, OutcomeStatus.UNKNOWN, error=error)
        case _:
            return None


def unclear(connections: Sequence[LiveConnection]) -> str:
    """What can't be told of connections that may be another's, and what to do."""
    found = ", ".join(f"{c.id} ({shown(c.account)})" for c in connections)
    accounts = dict.fromkeys(c.account for c in connections if c.account)
    declare = f"{_declare(next(iter(accounts)))}, else " if accounts else ""
    return (
        f"what appeared since may be another's: {found}; {declare}apply again when the service shows the account, or "
        "settle it: extcal resolve PATH"
    )


def _undecided(action: Action, connections: Sequence[LiveConnection]) -> Outcome:
    ids = ", ".join(connection.id for connection in connections)
    error = (
        f"{len(connections)} connections appeared where one was meant: {ids}; say which one stays: "
        f"extcal resolve PATH --keep {action.address}=ID"
    )
    return Outcome(action, OutcomeStatus.UNKNOWN, error=error)


async def disconnect(port: Port, connection_id: str) -> None:
    """Take a connection away; one whose answer was lost is looked at again. Raises ExtcalError where it stands."""
    try:
        await port.disconnect(connection_id)
    except NotFoundError:
        return
    except ApiError as error:
        already = isinstance(error, PreconditionFailedError) and error.code == "CONNECTION_ALREADY_DISCONNECTED"
        if not already and not (error.doubtful and await _is_gone(port, connection_id)):
            raise


async def disconnect_seen(seen: Seen, port: Port) -> None:
    """Take away a connection that was seen just now; raises ExtcalError where it stays, be it as another's since."""
    last = seen

    async def act() -> None:
        nonlocal last
        if not last.fresh():
            found = await port.get_connection(seen.connection.id)
            places = {(one.schedule_id, one.provider_id, one.account) for one in (seen.connection, found)}
            if len(places) > 1:
                raise ExtcalError("it is another's since")
            last = Seen(found, now())
        await disconnect(port.while_fresh(last.fresh), seen.connection.id)

    with suppress(NotFoundError):
        await again_while_stale(act)


async def _is_gone(port: Port, connection_id: str) -> bool:
    """Whether a disconnect whose answer was lost has taken effect."""
    try:
        return (await port.get_connection(connection_id)).status == Status.DISCONNECTED
    except NotFoundError:
        return True
    except ExtcalError:
        return False
