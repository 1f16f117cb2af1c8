"""Finds one external calendar on two schedules, whose connections would clash.

The rule: connections of one account to different schedules must import from calendars that are known to differ, and at
most one of them may export. Manifests alone tell that two connections are of one account where they spell its provider
alike; planning knows which provider, schedule and calendars are meant, and holds back both.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from reconciler.model.account import shown
from reconciler.model.desired import DeclaredConnection, State
from reconciler.model.live import LiveSite, Status
from reconciler.model.source import Fault
from reconciler.model.sync import Arm, CalendarRef
from reconciler.planning.match import Resolved

_Account = tuple[str, str]
"""A provider's id, and the normal form of an account."""

_EXPORT_HINT = "at most one may: set syncToCalendar.enabled: false in the others"
_IMPORT_HINT = "import from calendars that are named and differ, all by id or all by name, or not at all"


@dataclass(frozen=True, slots=True)
class Meeting:
    """Two connections of one account that may use the same calendar: one, an earlier one, what both may do, and so."""

    connection: DeclaredConnection
    other: DeclaredConnection
    why: str
    remedy: str

    def message(self, place: str = "another schedule") -> str:
        """What is wrong with the one."""
        account = shown(self.connection.account)
        return f"the account '{account}' is declared for {place} by {self.other.address}, and {self.why}"

    @property
    def hint(self) -> str:
        """What to do."""
        return f"{self.remedy}; the other is at {self.other.sources.root}"

    @property
    def reverse(self) -> "Meeting":
        """The same of the other one."""
        return replace(self, connection=self.other, other=self.connection)


def meetings(connections: Iterable[DeclaredConnection]) -> Iterator[Meeting]:
    """Each connection that meets an earlier one, with the first; all are of one account, to different schedules."""
    exporter: DeclaredConnection | None = None
    claims = _Claims()
    for connection in connections:
        if connection.state is State.ABSENT:
            continue
        rival = exporter if _exports(connection) else None
        if rival is not None:
            yield Meeting(connection, rival, "both may export to it", _EXPORT_HINT)
        elif _exports(connection):
            exporter = connection
        met = claims.claim(connection)
        # Of two that meet in both ways one is told.
        if met is not None and met is not rival:
            yield Meeting(connection, met, "both may import from the same calendar", _IMPORT_HINT)


def shared_accounts(resolved: Sequence[Resolved], live: LiveSite) -> Iterator[Fault]:
    """The faults of both connections of each pair that meets, on the schedules and calendars that are meant.

    Those that are resolved come in the order of their addresses.
    """
    by_account: defaultdict[_Account, list[DeclaredConnection]] = defaultdict(list)
    for item in resolved:
        by_account[item.provider.id, item.declared.account.normal].append(item.declared)
    shared = {account: connections for account, connections in by_account.items() if len(connections) > 1}
    known = _known_calendars(live, shared)
    for account, connections in shared.items():
        told: set[str] = set()
        for meeting in meetings(_with_known(connection, known[account]) for connection in connections):
            for one in (meeting, meeting.reverse):
                if one.connection.address not in told:
                    told.add(one.connection.address)
                    source = one.connection.sources.at("account")
                    yield Fault(source, one.connection.address, one.message(), one.hint)


def _known_calendars(live: LiveSite, accounts: Iterable[_Account]) -> dict[_Account, dict[str, str | None]]:
    """The calendars of each of these accounts that were listed, or that a sync config names: names by id."""
    known: dict[_Account, dict[str, str | None]] = {account: {} for account in accounts}
    for connection in live.connections if known else ():
        if connection.account is None or connection.status == Status.DISCONNECTED:
            continue
        found = known.get((connection.provider_id, connection.account.normal))
        if found is None:
            continue
        imports = connection.sync.imports
        found |= {calendar.id: calendar.name for calendar in imports.calendars if calendar.id} if imports else {}
        found |= {calendar.id: calendar.name for calendar in live.calendars.get(connection.id, ())}
    return known


def _with_known(connection: DeclaredConnection, known: Mapping[str, str | None]) -> DeclaredConnection:
    """The connection with ids and names of the calendars that it imports from, as far as they are known."""
    imports = connection.sync.imports
    if imports is None or not imports.calendars or not known:
        return connection
    calendars = tuple(_whole(calendar, known) for calendar in imports.calendars)
    return replace(connection, sync=replace(connection.sync, imports=replace(imports, calendars=calendars)))


def _whole(calendar: CalendarRef, known: Mapping[str, str | None]) -> CalendarRef:
    if calendar.id is not None:
        return replace(calendar, name=known.get(calendar.id) or calendar.name)
    ids = [id_ for id_, name in known.items() if name == calendar.name]
    return replace(calendar, id=ids[0]) if len(ids) == 1 else calendar


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
