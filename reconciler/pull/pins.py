"""Finds what manifests give by name and can be given by id, on one site as it was observed; nothing is written here.

Steps: match the declared connections to live ones; look up each schedule and calendar that is given by name, by the
rules of planning; compare the names that stand beside ids already; say of the rest why it stays a name.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from reconciler.manifests.convert import ConnectionDocument
from reconciler.manifests.values import GUID, PathStep
from reconciler.model.desired import DeclaredConnection, ScheduleKey, ScheduleRef, Site, State
from reconciler.model.live import LiveConnection, LiveSite, Status
from reconciler.model.source import Fault
from reconciler.model.sync import Arm, CalendarRef, Direction
from reconciler.planning import actions, diff, lookup
from reconciler.planning.pinned_names import RenamedReference, renamed
from reconciler.planning.resolve import ResolvedSite, resolve_declared
from reconciler.pull.yaml_emit import LONGEST_CALENDAR, LONGEST_NAME, is_declarable

SCHEDULE = ("schedule",)
CALENDARS = ("syncConfig", "listEventFromCalendars", "calendars")
"""Places below a Connection's spec."""

_LIST = ".".join(CALENDARS)


@dataclass(frozen=True, slots=True)
class Pin:
    """An id to write beside what stands at a place; or, with a `field`, another name to write into that field."""

    place: tuple[PathStep, ...]
    text: str
    field: str = ""


@dataclass(frozen=True, slots=True)
class PinnedConnection:
    """A declared connection, and what to write into its manifest."""

    declared: DeclaredConnection
    pins: tuple[Pin, ...]

    def with_pins(self, pins: Sequence[Pin]) -> DeclaredConnection:
        """What the manifest will declare with these of the pins."""
        return _after(self.declared, pins)


@dataclass(slots=True)
class SitePins:
    """What can be pinned on a site, and what is to be told of the rest.

    `faults` are references that mean nothing, or not one thing. `waiting` are the names of connections whose calendars
    can't be listed before they are connected, `broken` of those that are in error; `remarks` say of others why a name
    stays, `policies` name calendars, and so do the templates of `sets`, or a schedule.
    """

    site: Site
    connections: list[PinnedConnection] = field(default_factory=list)
    renamed: list[RenamedReference] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    policies: set[str] = field(default_factory=set)
    sets: set[str] = field(default_factory=set)


Documents = Mapping[str, ConnectionDocument]
"""Connections as their own documents have them, by address."""


def has_labels(declared: Sequence[DeclaredConnection]) -> bool:
    """Whether a schedule is pinned already, so that its name is to be compared."""
    return any(connection.schedule.label is not None for connection in declared)


def calendars_to_list(declared: Sequence[DeclaredConnection], documents: Documents, live: LiveSite) -> list[str]:
    """The ids of the live connections whose calendars must be asked for: the rest is told by their sync configs."""
    return [
        connection.id
        for item, connection in resolve_declared(declared, live).matching.pairs
        if connection is not None
        and _listable(item.declared, connection)
        and _unknown(_own_calendars(item.declared, documents, connection), actions.known_calendars(connection, None))
    ]


def _unknown(wanted: Sequence[CalendarRef], known: Sequence[CalendarRef]) -> bool:
    # A sync config may keep a name that it was once given: only the account's list tells that one has changed.
    names = {calendar.id: calendar.name for calendar in known}
    uncompared = (ref for ref in wanted if ref.id is not None and ref.name not in {None, names.get(ref.id)})
    return lookup.calendars_unresolved(wanted, known) or any(uncompared)


def _listable(declared: DeclaredConnection, connection: LiveConnection) -> bool:
    return declared.state is State.PRESENT and connection.status != Status.ERROR


def _own_calendars(
    declared: DeclaredConnection, documents: Documents, connection: LiveConnection
) -> tuple[CalendarRef, ...]:
    """The calendars that the connection's own document names and that matter; none where its policy names them."""
    if not _says(documents[declared.address], _LIST):
        return ()
    managed = diff.managed(declared.sync, declared.lifecycle.ignore_changes).imports
    # A list may leave out the direction, on or off.
    return lookup.named_calendars(managed, connection.sync.imports)


def _says(document: ConnectionDocument, path: str) -> bool:
    """Whether a connection says a field itself, and does not have it from its set's template."""
    return any(own == path for own, _, _ in document.sources.own)


def find_pins(site: Site, declared: Sequence[DeclaredConnection], documents: Documents, live: LiveSite) -> SitePins:
    """What can be pinned of a site's declared connections."""
    return _Finder(site, declared, documents, live).found()


class _Finder:
    def __init__(
        self, site: Site, declared: Sequence[DeclaredConnection], documents: Documents, live: LiveSite
    ) -> None:
        self._documents = documents
        self._declared = declared
        self._live = live
        self._resolved: ResolvedSite = resolve_declared(declared, live)
        self._schedules = lookup.schedules_of(live)
        self._pairs = {item.declared.address: connection for item, connection in self._resolved.matching.pairs}
        self._found = SitePins(site)
        self._faults: dict[str, list[Fault]] = {}
        for fault in (*self._resolved.faults, *self._resolved.matching.faults, *self._resolved.unread):
            self._faults.setdefault(fault.where, []).append(fault)
        self._renamed: dict[str, list[RenamedReference]] = {}
        for one in renamed(self._resolved, live):
            self._renamed.setdefault(one.address, []).append(one)

    def found(self) -> SitePins:
        for one in self._declared:
            if not self._concerns(one):
                continue
            if one.address in self._faults:
                self._found.faults += self._faults[one.address]
                continue
            pins = [*self._schedule(one), *self._calendars(one), *self._new_names(one)]
            if pins:
                self._found.connections.append(PinnedConnection(one, tuple(pins)))
        return self._found

    def _concerns(self, one: DeclaredConnection) -> bool:
        """Whether a connection gives anything by name, pinned or not."""
        imports = one.sync.imports
        calendars = imports.calendars if imports is not None and one.state is State.PRESENT else ()
        named = one.schedule.by is not ScheduleKey.ID or one.schedule.label is not None
        return named or any(ref.name is not None for ref in calendars)

    def _schedule(self, one: DeclaredConnection) -> Iterator[Pin]:
        ref = one.schedule
        if ref.by is not ScheduleKey.ID and not _says(self._documents[one.address], "schedule"):
            self._add_set(one)
        elif ref.by is not ScheduleKey.ID:
            id_ = self._resolved.schedule_ids[one.address]
            if GUID.fullmatch(id_):
                yield Pin(SCHEDULE, id_)
            else:
                self._found.remarks.append(f"{one.address}: its schedule has no id that a manifest can hold")
        elif ref.label is not None and not self._schedules.meant(ref):
            same = self._schedules.named(ref.label)
            hint = (
                f"what is called {ref.label.value} now has the id {same[0].id}" if same else "look for it in the site"
            )
            message = f"the site has no active schedule {ref}"
            self._found.faults.append(Fault(one.sources.at("schedule"), one.address, message, hint))

    def _calendars(self, one: DeclaredConnection) -> Iterator[Pin]:
        if one.state is State.ABSENT:
            return
        connection = self._pairs.get(one.address)
        if not _says(self._documents[one.address], _LIST):
            self._inherited(one)
            return
        if connection is None:
            if _names(one):
                self._found.waiting.append(one.name)
            return
        if connection.status == Status.ERROR:
            # Such an account may not be asked for what it has: neither a name's id nor whether an id is there is known.
            if any(ref.name is not None for ref in _own_calendars(one, self._documents, connection)):
                self._found.broken.append(one.name)
            return
        if connection.id in self._live.unlisted:
            message = f"its account's calendars could not be listed: {self._live.unlisted[connection.id]}"
            self._found.faults.append(Fault(one.sources.root, one.address, message, "pin again later"))
            return
        known = actions.known_calendars(connection, self._live.calendars.get(connection.id))
        yield from self._pinned(one, _own_calendars(one, self._documents, connection), known)

    def _inherited(self, one: DeclaredConnection) -> None:
        """Tell of calendars that a connection has from its set's template, or from its policy."""
        document = self._documents[one.address]
        imports = document.sync.imports
        if not _names(one):
            return
        if imports is not None and imports.arm is Arm.CALENDARS:
            self._add_set(one)
        elif document.policy is not None:
            self._found.policies.add(document.policy)

    def _add_set(self, one: DeclaredConnection) -> None:
        """Tell that what a set's template names stays a name: all its connections have it."""
        member = self._documents[one.address].member
        if member is not None:
            self._found.sets.add(member.set_name)

    def _pinned(
        self, one: DeclaredConnection, wanted: Sequence[CalendarRef], known: Sequence[CalendarRef]
    ) -> Iterator[Pin]:
        taken = {ref.id for ref in wanted}
        for index, ref in enumerate(wanted):
            try:
                id_ = lookup.resolve_calendars([ref], known)[0].id or ""
            except lookup.UnresolvedCalendarError as error:
                source = one.sources.at("syncConfig.listEventFromCalendars.calendars")
                self._found.faults.append(Fault(source, one.address, error.message, error.hint))
                continue
            if ref.id is not None:
                continue
            if id_ in taken:
                self._found.remarks.append(
                    f"{one.address}: the calendar {ref} is in the list by its id, too: remove it"
                )
            elif not is_declarable(id_, LONGEST_CALENDAR):
                self._found.remarks.append(f"{one.address}: the calendar {ref} has no id that a manifest can hold")
            else:
                taken.add(id_)
                yield Pin((*CALENDARS, index), id_)

    def _new_names(self, one: DeclaredConnection) -> Iterator[Pin]:
        document = self._documents[one.address]
        for each in self._renamed.get(one.address, ()):
            if not _says(document, "schedule" if each.index is None else _LIST):
                continue
            self._found.renamed.append(each)
            if each.index is None:
                field_ = "externalId" if each.by_external_id else "name"
                if is_declarable(each.after, LONGEST_NAME):
                    yield Pin(SCHEDULE, each.after, field_)
            elif is_declarable(each.after, LONGEST_CALENDAR):
                yield Pin((*CALENDARS, each.index), each.after, "name")


def _names(one: DeclaredConnection) -> bool:
    """Whether a calendar is given by its name alone and matters."""
    managed = diff.managed(one.sync, one.lifecycle.ignore_changes).imports
    return any(ref.id is None for ref in lookup.named_calendars(managed))


def _after(one: DeclaredConnection, pins: Sequence[Pin]) -> DeclaredConnection:
    """What a connection will declare with these pins."""
    for pin in pins:
        if pin.place == SCHEDULE:
            one = replace(one, schedule=_pinned_schedule(one.schedule, pin))
            continue
        imports = one.sync.imports or Direction()
        calendars = tuple(
            _pinned_calendar(ref, pin) if index == pin.place[-1] else ref for index, ref in enumerate(imports.calendars)
        )
        one = replace(one, sync=replace(one.sync, imports=replace(imports, calendars=calendars)))
    return one


def _pinned_schedule(ref: ScheduleRef, pin: Pin) -> ScheduleRef:
    if pin.field:
        return replace(ref, label=ScheduleRef(ScheduleKey(pin.field), pin.text))
    return ScheduleRef(ScheduleKey.ID, pin.text, label=ScheduleRef(ref.by, ref.value))


def _pinned_calendar(ref: CalendarRef, pin: Pin) -> CalendarRef:
    return replace(ref, name=pin.text) if pin.field else replace(ref, id=pin.text)
