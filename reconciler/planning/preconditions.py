"""Fingerprints the live fields that an action rests on, and checks whether they still hold."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reconciler.model.action import Action, ActionKind, Reason
from reconciler.model.encoding import Json, digest
from reconciler.model.key import ConnectionKey
from reconciler.model.live import LiveConnection, Status
from reconciler.model.sync import Arm, Direction, SyncConfig
from reconciler.planning import diff, providers

if TYPE_CHECKING:
    from reconciler.model.intent import Intent


def with_precondition(action: Action, connections: Sequence[LiveConnection]) -> Action:
    """The action with what it rests on; `connections` are those of its schedule."""
    gone = {*action.disconnected, *_disconnected(action, connections)}
    return replace(
        action,
        precondition=fingerprint(action, connections),
        disconnected=tuple(sorted(gone)),
        standing=tuple(_standing(action, connections)),
    )


def holds(
    action: Action,
    connections: Sequence[LiveConnection],
    leaving: frozenset[str] = frozenset(),
    made: Collection[str] = (),
) -> bool:
    """Whether what an action rests on is what it was; `connections` are those of its schedule.

    `leaving` are the ids that the same plan disconnects on the site, `made` those that carrying it out has made so far:
    that they have gone, or come, is its own doing.
    """
    # What is not seen there is not acted upon, whatever the fingerprint is of.
    if action.connection_id is not None and _by_id(action.connection_id, connections) is None:
        return False
    if action.reason is Reason.DUPLICATE and not same_account(action, connections):
        return False
    moved = disconnected_since(action, connections, leaving) or come_since(action, connections, made)
    return fingerprint(action, connections) == action.precondition and not moved


def fingerprint(action: Action, connections: Sequence[LiveConnection]) -> str:
    """`sha256:…` over the fields of the live connection that the action is about; `connections` are as for `holds`."""
    resting_on: dict[str, Json] = {}
    if action.connection_id is not None:
        target = _by_id(action.connection_id, connections)
        resting_on["target"] = None if target is None else _target(action, target)
    return digest(resting_on)


def come_since(action: Action, connections: Sequence[LiveConnection], made: Collection[str] = ()) -> tuple[str, ...]:
    """The ids of the connections that may be what the action makes, and did not stand there when it was planned.

    That fewer stand there than when it was planned says nothing: one may have shown another account since.
    """
    return tuple(each for each in _standing(action, connections) if each not in action.standing and each not in made)


def disconnected_since(
    action: Action, connections: Sequence[LiveConnection], leaving: frozenset[str] = frozenset()
) -> tuple[str, ...]:
    """The ids of the connections of the action's key that came and went since it was planned, as far as is listed.

    That fewer are listed than when it was planned says nothing: the service may forget them.
    """
    known = leaving.union(action.disconnected)
    return tuple(found for found in _disconnected(action, connections) if found not in known)


def disconnecting(actions: Iterable[Action]) -> frozenset[str]:
    """The ids of the connections that actions disconnect."""
    return frozenset(a.connection_id for a in actions if a.kind.disconnects and a.connection_id is not None)


def already_done(action: Action, connections: Sequence[LiveConnection]) -> bool:
    """Whether what the action would bring about is there; `connections` are those of its schedule."""
    match action.kind:
        case ActionKind.DISCONNECT:
            return _is_gone(action.connection_id, connections)
        case ActionKind.UPDATE | ActionKind.RECONNECT:
            target = _by_id(action.connection_id or "", connections)
            # A reconnect may have made a connection with an id of its own.
            made = same_account(action, connections) if _connects(action) else []
            standing = made if target is None or target.status == Status.ERROR else [target, *made]
            return any(_configured(action, found) for found in standing)
        case ActionKind.CONNECT | ActionKind.REPLACE:
            gone = action.kind is ActionKind.CONNECT or _is_gone(action.connection_id, connections)
            return gone and any(_configured(action, found) for found in same_account(action, connections))
        case ActionKind.NOOP | ActionKind.UNMANAGED:
            return True


def connected(action: Action, connections: Sequence[LiveConnection], leaving: frozenset[str] = frozenset()) -> bool:
    """Whether a connection like the one that the action makes is there, whatever its sync config."""
    return _connects(action) and any(found.id not in leaving for found in same_account(action, connections))


def _standing(action: Action, connections: Sequence[LiveConnection]) -> list[str]:
    """The ids of the connections of the action's key, in whatever state, and of those that may be.

    One that shows no account may be of any.
    """
    if not _connects(action):
        return []
    return sorted(
        connection.id
        for connection in connections
        if connection.status != Status.DISCONNECTED
        and _beside(action, connection)
        and (not connection.account or connection.account == action.account)
    )


def _by_id(connection_id: str, connections: Sequence[LiveConnection]) -> LiveConnection | None:
    """The connection, unless it is gone."""
    found = (connection for connection in connections if connection.id == connection_id)
    return next((connection for connection in found if connection.status != Status.DISCONNECTED), None)


def _is_gone(connection_id: str | None, connections: Sequence[LiveConnection]) -> bool:
    return connection_id is None or _by_id(connection_id, connections) is None


def same_account(action: Action, connections: Sequence[LiveConnection]) -> list[LiveConnection]:
    """The healthy connections of the action's schedule, provider and account, ordered by id."""
    return sorted(
        (
            connection
            for connection in connections
            if connection.status not in {Status.DISCONNECTED, Status.ERROR}
            and _beside(action, connection)
            and connection.account == action.account
        ),
        key=lambda connection: connection.id,
    )


def _connects(action: Action) -> bool:
    """Whether carrying it out makes a connection."""
    if action.kind is ActionKind.RECONNECT:
        return action.method is not None
    return action.kind in {ActionKind.CONNECT, ActionKind.REPLACE}


def _disconnected(action: Action, connections: Sequence[LiveConnection]) -> list[str]:
    """The ids of the connections of the action's key that are listed as disconnected, and not as standing too.

    One that no longer shows its account may have been of any.
    """
    if not _connects(action):
        return []
    standing = {connection.id for connection in connections if connection.status != Status.DISCONNECTED}
    gone = {
        connection.id
        for connection in connections
        if connection.status == Status.DISCONNECTED
        and _beside(action, connection)
        and (not connection.account or connection.account == action.account)
    }
    return sorted(gone - standing)


def _beside(action: Action, connection: LiveConnection) -> bool:
    """Whether the connection is one of the action's schedule and provider."""
    return connection.schedule_id == action.schedule_id and same_provider(action, connection)


def same_provider(action: Action, connection: LiveConnection) -> bool:
    """Whether the connection is one of the action's provider."""
    return connection.provider_id == action.provider_id or providers.word(connection.calendar_type) == action.provider


def same_key(one: LiveConnection, other: LiveConnection) -> bool:
    """Whether both stand on one schedule, at one provider, with one account that is shown."""
    places = {(each.schedule_id, each.provider_id, each.account) for each in (one, other)}
    return len(places) == 1 and one.account is not None and Status.DISCONNECTED not in {one.status, other.status}


def _configured(action: Action, connection: LiveConnection) -> bool:
    """Whether the connection has the sync config that the action would send."""
    wanted = action.sync or SyncConfig()
    if calendars_by_name(wanted):
        known = {ref.name: ref for ref in connection.sync.imports.calendars} if connection.sync.imports else {}
        if wanted.imports is None or any(ref.id is None and ref.name not in known for ref in wanted.imports.calendars):
            return False
        refs = tuple(ref if ref.id is not None else known[ref.name] for ref in wanted.imports.calendars)
        wanted = SyncConfig(Direction(wanted.imports.enabled, wanted.imports.arm, refs), wanted.exports)
    return not diff.diff(wanted, connection.sync)


def calendars_by_name(sync: SyncConfig) -> bool:
    """Whether the config names a calendar whose id is not known yet."""
    return sync.imports is not None and any(ref.id is None for ref in sync.imports.calendars)


def _target(action: Action, target: LiveConnection) -> Json:
    """Who the connection is, how it fares, and the directions of its config that the action changes."""
    failing: list[Json] = [target.status, target.error_reason] if target.status == Status.ERROR else []
    found: dict[str, Json] = {
        "schedule": target.schedule_id,
        "provider": target.provider_id,
        "account": "" if target.account is None else target.account.normal,
        "failing": failing,
    }
    wanted = action.sync or SyncConfig()
    if action.kind is ActionKind.UPDATE:
        found["sync"] = [
            None if sent is None else _direction(have) for _, sent, have in diff.directions(wanted, target.sync)
        ]
    return found


def _direction(direction: Direction | None) -> Json:
    if direction is None or not direction.enabled:
        return "off"
    calendars: list[Json] = []
    if direction.arm is Arm.CALENDARS:
        calendars += sorted({ref.id or "" for ref in direction.calendars})
    return {"arm": None if direction.arm is None else direction.arm.value, "calendars": calendars}


def intent_of(action: Action, intent_id: str, connections: Sequence[LiveConnection] | None) -> "Intent":
    """The intent of a connect by credentials; `connections` are those of its schedule just before it is sent.

    They are None where nobody knows any more what stood there.
    """
    from reconciler.model.intent import Intent  # noqa: PLC0415 - only a connect that is sent makes one

    beside = [c for c in connections or () if _at_that_place(action.key, action.provider_id, c)]
    return Intent(
        id=intent_id,
        address=action.address,
        site=action.site,
        site_id=action.site_id,
        key=action.key,
        provider_id=action.provider_id,
        known=tuple(sorted(connection.id for connection in beside)),
        broken=tuple(sorted(connection.id for connection in beside if connection.status == Status.ERROR)),
        blind=connections is None,
    )


@dataclass(frozen=True, slots=True)
class Appeared:
    """The connections that an intent may have made, ordered by id.

    `own` show its account, `unshown` show none yet. `foreign` show another one: nobody knows whether that is another
    spelling of it, or what somebody else has connected meanwhile.
    """

    own: tuple[LiveConnection, ...] = ()
    unshown: tuple[LiveConnection, ...] = ()
    foreign: tuple[LiveConnection, ...] = ()


def appeared(intent: "Intent", connections: Sequence[LiveConnection]) -> Appeared:
    """What has appeared since the intent was written down; what was broken and is well again is new."""
    new = [
        connection
        for connection in sorted(connections, key=lambda connection: connection.id)
        if _at_that_place(intent.key, intent.provider_id, connection) and _is_new(intent, connection)
    ]
    shown = [connection for connection in new if connection.account]
    own = tuple(c for c in shown if c.account == intent.key.account)
    # Where nobody knows what stood there before, what shows another account says nothing.
    foreign = () if intent.blind else tuple(c for c in shown if c not in own)
    return Appeared(own, tuple(connection for connection in new if not connection.account), foreign)


def _is_new(intent: "Intent", connection: LiveConnection) -> bool:
    if connection.id not in intent.known:
        return True
    return connection.id in intent.broken and connection.status != Status.ERROR


def _at_that_place(key: ConnectionKey, provider_id: str, connection: LiveConnection) -> bool:
    """Whether a connection stands on that schedule, at that provider or another installation of it."""
    if connection.status == Status.DISCONNECTED or connection.schedule_id != key.schedule_id:
        return False
    return connection.provider_id == provider_id or providers.word(connection.calendar_type) == key.provider
