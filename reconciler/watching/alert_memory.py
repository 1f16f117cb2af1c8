"""Turns what is remembered of alerts into what a file holds, and back.

Only what a later run can't see itself is written down: what people were told, since when something lasts, and which
connections stood. Why something is as it is, and any secret, is not.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from reconciler.model.account import Account
from reconciler.model.encoding import Json
from reconciler.model.key import ConnectionKey
from reconciler.model.status import Health
from reconciler.watching.alert_state import Condition, Memory, Subject, Telling
from reconciler.watching.site_state import NEW, ConnectionState, SiteState, Syncing


@dataclass(frozen=True, slots=True)
class AlertMemory:
    """What is remembered of a site: its subjects, and how its connections are, by the time of day."""

    subjects: Memory = field(default_factory=dict)
    state: SiteState = NEW


def encode(memory: AlertMemory, redact: Callable[[str], str] = str) -> dict[str, Json]:
    """The memory as JSON; `redact` takes secrets out of each text."""
    subjects: dict[str, Json] = {
        redact(address): {
            "told": [condition.value for condition in Condition if condition in subject.told],
            "unread_rounds": subject.unread_rounds,
            "awaited_since": None if subject.awaited_since is None else int(subject.awaited_since),
            "tellings": {
                each.value: {"at": int(telling.at), "times": telling.times}
                for each, telling in subject.tellings.items()
            },
        }
        for address, subject in memory.subjects.items()
        if subject.told or subject.tellings or subject.unread_rounds or subject.awaited_since is not None
    }
    connections: dict[str, Json] = {
        redact(address): {"stood": _key(state.stood, redact), "syncing": _syncing(state.syncing)}
        for address, state in memory.state.connections.items()
        if state.stood is not None or state.syncing is not None
    }
    return {"subjects": subjects, "connections": connections}


def decode(content: object) -> AlertMemory:
    """The memory that was written; raises ValueError where it is none of ours. Nothing is None."""
    match content:
        case None:
            return AlertMemory()
        case {"subjects": dict() as subjects, "connections": dict() as connections}:
            states = {str(address): _state(fields) for address, fields in connections.items()}
            known = {str(address): _subject(fields) for address, fields in subjects.items()}
            return AlertMemory(known, replace(NEW, connections=states))
    raise ValueError("not a memory")


def _subject(fields: object) -> Subject:
    match fields:
        case {
            "told": list() as told,
            "unread_rounds": int() as unread_rounds,
            "awaited_since": int() | float() | None as since,
            "tellings": dict() as tellings,
        }:
            conditions = frozenset(map(Condition, told))
            # What was told stands until a look says otherwise.
            return Subject(
                conditions,
                dict.fromkeys(conditions, ""),
                unread_rounds=unread_rounds,
                awaited_since=since,
                tellings={Condition(each): _telling(fields) for each, fields in tellings.items()},
            )
    raise ValueError("not a subject")


def _telling(fields: object) -> Telling:
    match fields:
        case {"at": int() | float() as at, "times": int() as times}:
            return Telling(at, times)
    raise ValueError("not a telling")


def _state(fields: object) -> ConnectionState:
    match fields:
        case {"stood": dict() | None as stood, "syncing": dict() | None as syncing}:
            return ConnectionState(Health.UNKNOWN, stood=_stood(stood), syncing=_known_syncing(syncing))
    raise ValueError("not a connection")


def _key(key: ConnectionKey | None, redact: Callable[[str], str]) -> Json:
    if key is None:
        return None
    account = None if key.account is None else redact(key.account.given)
    return {"schedule_id": redact(key.schedule_id), "provider": redact(key.provider), "account": account}


def _stood(fields: Mapping[str, object] | None) -> ConnectionKey | None:
    match fields:
        case None:
            return None
        case {"schedule_id": str() as schedule_id, "provider": str() as provider, "account": str() | None as account}:
            return ConnectionKey(schedule_id, provider, None if account is None else Account(account))
    raise ValueError("not a key")


def _syncing(syncing: Syncing | None) -> Json:
    if syncing is None:
        return None
    return {"connection_id": syncing.connection_id, "since": int(syncing.since), "stuck": syncing.stuck}


def _known_syncing(fields: Mapping[str, object] | None) -> Syncing | None:
    match fields:
        case None:
            return None
        case {"connection_id": str() as id_, "since": int() | float() as since, "stuck": bool() as stuck}:
            return Syncing(id_, since, stuck)
    raise ValueError("not a sync")
