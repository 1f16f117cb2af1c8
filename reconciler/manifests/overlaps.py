"""Connections that would meet each other: on one live connection, or in one external calendar (contract: Manifests)."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from reconciler.manifests.report import harmless
from reconciler.model.account import folded, shown
from reconciler.model.desired import DeclaredConnection, ProviderRef, ScheduleRef, State
from reconciler.model.source import Fault
from reconciler.model.sync import Arm

_Slot = tuple[str, ScheduleRef]
_Account = tuple[ProviderRef, str]

_EXPORT_HINT = "at most one may: set syncToCalendar.enabled: false in the others"
_IMPORT_HINT = "import from calendars that are named and differ, all by id or all by name, or not at all"


def find_overlaps(connections: Iterable[DeclaredConnection]) -> Iterator[Fault]:
    """The faults of all connections that meet an earlier one; each names the first that it meets.

    `connections` come in the order of their places. What only the service can tell, such as that a schedule's name
    and an id mean the same schedule, is left to planning. Accounts are compared as `folded` says.
    """
    by_account: defaultdict[_Account, dict[_Slot, DeclaredConnection]] = defaultdict(dict)
    for connection in connections:
        slots = by_account[connection.provider, folded(connection.account)]
        first = slots.setdefault((connection.site, connection.schedule), connection)
        if first is not connection:
            message = f"would match the same live connection as {first.address}"
            hint = f"that one is at {first.sources.root}; keep one for this schedule, provider and account"
            yield Fault(connection.sources.at("account"), "spec.account", message, hint)
    for slots in by_account.values():
        if len(slots) > 1:
            yield from _shared_account(slots.values())


def _shared_account(connections: Iterable[DeclaredConnection]) -> Iterator[Fault]:
    """The faults of connections of one account to different schedules."""
    exporter: DeclaredConnection | None = None
    claims = _Claims()
    for connection in connections:
        if connection.state is State.ABSENT:
            continue
        if _exports(connection):
            if exporter is not None:
                yield _meeting(connection, exporter, "both may export to it", _EXPORT_HINT)
                continue
            exporter = connection
        if met := claims.claim(connection):
            yield _meeting(connection, met, "both may import from the same calendar", _IMPORT_HINT)


def _meeting(connection: DeclaredConnection, other: DeclaredConnection, why: str, hint: str) -> Fault:
    account = harmless(shown(connection.account))
    message = f"the account '{account}' is connected to another schedule by {other.address}, and {why}"
    hint = f"{hint}; the other is at {other.sources.root}"
    return Fault(connection.sources.at("account"), "spec.account", message, hint)


def _exports(connection: DeclaredConnection) -> bool:
    exports = connection.sync.exports
    return exports is None or exports.enabled is not False


@dataclass(slots=True)
class _Claims:
    """The calendars of one account that connections import from, each with the first that does.

    Two calendars are known to differ only by their ids where both have one, else by their names where both have
    one. `bare_ids` and `bare_names` are calendars that have nothing but an id or a name.
    """

    ids: dict[str, DeclaredConnection] = field(default_factory=dict)
    names: dict[str, DeclaredConnection] = field(default_factory=dict)
    bare_names: dict[str, DeclaredConnection] = field(default_factory=dict)
    bare_id: DeclaredConnection | None = None
    bare_name: DeclaredConnection | None = None
    anyone: DeclaredConnection | None = None
    anything: DeclaredConnection | None = None

    def claim(self, connection: DeclaredConnection) -> DeclaredConnection | None:
        """Add what a connection imports; returns the first connection found that may import the same, or None."""
        imports = connection.sync.imports
        if imports is not None and imports.enabled is False:
            return None
        listed = imports is not None and imports.arm is Arm.CALENDARS
        met = self._met(connection) if listed else self.anyone
        self._add(connection, listed=listed)
        return met

    def _met(self, connection: DeclaredConnection) -> DeclaredConnection | None:
        if self.anything is not None:
            return self.anything
        imports = connection.sync.imports
        for calendar in imports.calendars if imports else ():
            if calendar.id is None:
                met = self.bare_id or self.names.get(calendar.name or "")
            elif calendar.name is None:
                met = self.ids.get(calendar.id) or self.bare_name
            else:
                met = self.ids.get(calendar.id) or self.bare_names.get(calendar.name)
            if met is not None:
                return met
        return None

    def _add(self, connection: DeclaredConnection, *, listed: bool) -> None:
        self.anyone = self.anyone or connection
        if not listed:
            self.anything = self.anything or connection
            return
        imports = connection.sync.imports
        for calendar in imports.calendars if imports else ():
            if calendar.id is not None:
                self.ids.setdefault(calendar.id, connection)
            if calendar.name is not None:
                self.names.setdefault(calendar.name, connection)
            if calendar.id is None:
                self.bare_names.setdefault(calendar.name or "", connection)
                self.bare_name = self.bare_name or connection
            elif calendar.name is None:
                self.bare_id = self.bare_id or connection
