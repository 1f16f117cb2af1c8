"""Connections as the fields of a manifest: nested mappings as a document has them, and YAML text of these."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from reconciler.manifests.convert import ConnectionDocument
from reconciler.model.desired import Lifecycle, ProviderKey, ProviderRef, ScheduleRef, SecretRef, State
from reconciler.model.sync import Arm, CalendarRef, Direction, SyncConfig
from reconciler.pull.yaml_emit import scalar, truth

Field: TypeAlias = "str | bool | Fields | Sequence[Field]"
Fields: TypeAlias = Mapping[str, Field]
"""Fields by name, in the order in which they are written."""


def spec_fields(document: ConnectionDocument, site: str | None) -> Fields:
    """The spec of a connection, with its site by name; what is as it is by default is left out."""
    found: dict[str, Field] = {} if site is None else {"site": site}
    found["schedule"] = schedule_field(document.schedule)
    found["provider"] = provider_field(document.provider)
    found["account"] = document.account.given
    if document.password is not None:
        found["credentials"] = {"password": secret_field(document.password)}
    if document.state is not State.PRESENT:
        found["state"] = document.state.value
    if document.policy is not None:
        found["syncPolicy"] = document.policy
    if document.sync != SyncConfig():
        found["syncConfig"] = sync_fields(document.sync)
    if document.lifecycle != Lifecycle():
        found["lifecycle"] = lifecycle_fields(document.lifecycle)
    return found


def schedule_field(schedule: ScheduleRef) -> Fields:
    """`{id: …}`, `{id: …, name: …}` or `{name: …}`."""
    label = {} if schedule.label is None else {schedule.label.by.value: schedule.label.value}
    return {schedule.by.value: schedule.value, **label}


def provider_field(provider: ProviderRef) -> Field:
    """A word, or `{name: …}` or `{id: …}`."""
    return provider.value if provider.by is ProviderKey.TYPE else {provider.by.value: provider.value}


def secret_field(secret: SecretRef) -> Fields:
    """`{env: …}` or `{file: …}`."""
    return {secret.kind.value: secret.name}


def sync_fields(sync: SyncConfig) -> Fields:
    """A sync config; a direction that is not managed is left out."""
    directions = {"listEventFromCalendars": sync.imports, "syncToCalendar": sync.exports}
    return {name: _direction_fields(direction) for name, direction in directions.items() if direction is not None}


def _direction_fields(direction: Direction) -> Fields:
    found: dict[str, Field] = {} if direction.enabled is None else {"enabled": direction.enabled}
    if direction.arm is Arm.CALENDARS:
        found[direction.arm.value] = [_calendar_field(ref) for ref in direction.calendars]
    elif direction.arm is not None:
        found[direction.arm.value] = {}
    return found


def _calendar_field(ref: CalendarRef) -> Field:
    if ref.id is None:
        return ref.name or ""
    return {"id": ref.id} if ref.name is None else {"id": ref.id, "name": ref.name}


def lifecycle_fields(lifecycle: Lifecycle) -> Fields:
    """What must not happen to a connection."""
    found: dict[str, Field] = {"preventDisconnect": True} if lifecycle.prevent_disconnect else {}
    return {**found, "ignoreChanges": list(lifecycle.ignore_changes)} if lifecycle.ignore_changes else found


def flow(value: Field) -> str:
    """A field as YAML on one line."""
    if isinstance(value, str):
        return scalar(value)
    if isinstance(value, bool):
        return truth(value)
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{name}: {flow(each)}' for name, each in value.items())}}}"
    return f"[{', '.join(map(flow, value))}]"


def lines(fields: Fields, margin: str) -> Iterator[str]:
    """Fields as lines of a block mapping; a list has a line for each of its items, so that a review shows each."""
    for name, value in fields.items():
        if not holds_list(value):
            yield f"{margin}{name}: {flow(value)}"
            continue
        yield f"{margin}{name}:"
        if isinstance(value, Mapping):
            yield from lines(value, f"{margin}  ")
        elif isinstance(value, Sequence):
            yield from (f"{margin}  - {flow(item)}" for item in value)


def holds_list(value: Field) -> bool:
    """Whether a list that holds anything is in a field."""
    if isinstance(value, Mapping):
        return any(map(holds_list, value.values()))
    return bool(value) and not isinstance(value, str | bool)
