"""Resolves documents together: names made unique, references resolved, policies merged in, overlaps refused."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import TYPE_CHECKING

from reconciler.manifests.convert import NO_SYNC, ConnectionDocument, PolicyDocument, SiteDocument
from reconciler.manifests.declarations import Declaration, Name
from reconciler.manifests.faults import shown
from reconciler.manifests.files import Stray
from reconciler.manifests.limits import Limit, ManifestBudget
from reconciler.manifests.sync_config import merge, merge_sources
from reconciler.model.desired import BOOKINGS_APP_ID, DeclaredConnection, Desired, ScheduleKey, ScheduleRef
from reconciler.model.source import Fault, FieldSources, Source, SourceMap
from reconciler.model.sync import SyncConfig
from reconciler.planning.overlaps import Meeting, meetings
from reconciler.text import Suggestions, escaped

if TYPE_CHECKING:
    from reconciler.manifests.connection_sets import Roster, SetDocument

# Thousands are put in order: comparing their places themselves takes several times as long.
_AT_ROOT = attrgetter("root.file", "root.line", "root.column")
_AT_SOURCE = attrgetter("sources.root.file", "sources.root.line", "sources.root.column")


@dataclass(slots=True)
class Documents:
    """All that the files hold.

    `incomplete` is the first fault that says that something could not be read, so that names may be missing; `strays`
    are the files that may say that they are manifests, and are not read.
    """

    declarations: list[Declaration] = field(default_factory=list)
    sites: list[SiteDocument] = field(default_factory=list)
    policies: list[PolicyDocument] = field(default_factory=list)
    connections: list[ConnectionDocument] = field(default_factory=list)
    """All of them, those of sets as well."""

    sets: list["SetDocument"] = field(default_factory=list)
    incomplete: Fault | None = None
    strays: list[Stray] = field(default_factory=list)


def resolve(documents: Documents, budget: ManifestBudget) -> tuple[Desired, list[Fault]]:
    """What the documents declare together, and everything that is wrong with them together; raises LimitError."""
    names = _Names(documents)
    policies = {policy.name: policy for policy in sorted(documents.policies, key=lambda document: document.name)}
    apps = {document.site.name: document.site.schedules_app_id for document in documents.sites}
    connections, merged = [], _MergedSources()
    for document in sorted(documents.connections, key=_AT_SOURCE):
        site = document.site or names.only_site
        if site is not None and (document.policy is None or document.policy in policies):
            policy = policies.get(document.policy or "")
            if policy is not None and not budget.allows(Limit.CALENDARS, _inherited(policy.sync, document.sync)):
                raise budget.exceeded(Limit.CALENDARS, document.root)
            connections.append(_connection(document, site, policy, apps.get(site, BOOKINGS_APP_ID), merged))
    faults = [*names.faults(), *_same_site(documents.sites), *find_overlaps(connections)]
    sites = sorted((document.site for document in documents.sites), key=lambda site: site.name)
    connections.sort(key=lambda connection: (connection.site, connection.name))
    return Desired(tuple(sites), tuple(connections), notes=tuple(_notes(documents.sets))), faults


def _notes(sets: Iterable["SetDocument"]) -> Iterator[Fault]:
    """A note for all rosters that have the same columns beside those of connections, at the first of them."""
    rosters: defaultdict[tuple[str, ...], list[Roster]] = defaultdict(list)
    for one in sets:
        if one.roster is not None and one.roster.ignored:
            rosters[tuple(cell.text for cell in one.roster.ignored)].append(one.roster)
    for columns, having in rosters.items():
        named = ", ".join(shown(text) for text in columns[:_MOST_NAMED] if text) or "without a name"
        rest = f" and {len(columns) - _MOST_NAMED} more" if len(columns) > _MOST_NAMED else ""
        verb = "columns are" if len(columns) > 1 else "column is"
        more = f", in {len(having):,} rosters" if len(having) > 1 else ""
        first = min(having, key=lambda roster: roster.file.shown)
        cell = first.ignored[0]
        source = Source(first.file.shown, cell.line + 1, cell.column + 1)
        yield Fault(source, "", f"the {verb} not read: {named}{rest}{more}")


_MOST_NAMED = 5


def _inherited(policy: SyncConfig, own: SyncConfig) -> int:
    """How many calendars a connection takes over from its policy."""
    replaced = own.imports is not None and own.imports.arm is not None
    return 0 if replaced or policy.imports is None else len(policy.imports.calendars)


class _MergedSources:
    """The places of a policy's fields below those of a template, made once for all members that have both."""

    def __init__(self) -> None:
        self._made: dict[tuple[int, int, int], FieldSources] = {}

    def of(self, policy: PolicyDocument, document: ConnectionDocument) -> SourceMap:
        """The places of a document's fields, those of its policy as well."""
        own = document.sources
        if not own.inherited:
            return merge_sources(policy.sources, own, document.sync)
        # All three are kept by the documents as long as this is.
        key = id(policy), id(own.inherited), id(document.sync)
        if key not in self._made:
            self._made[key] = merge_sources(policy.sources, own, document.sync).inherited
        return SourceMap(own.root, own.own, self._made[key], own.within)


def _connection(
    document: ConnectionDocument, site: str, policy: PolicyDocument | None, app_id: str, merged: _MergedSources
) -> DeclaredConnection:
    sync, sources = document.sync, document.sources
    if policy is not None:
        sources = merged.of(policy, document)
        sync = policy.sync if sync is NO_SYNC else merge(policy.sync, sync)
    schedule = document.schedule
    if schedule.by is not ScheduleKey.ID and schedule.app_id != app_id:
        schedule = replace(schedule, app_id=app_id)
    return DeclaredConnection(
        site=site,
        name=document.name,
        schedule=schedule,
        provider=document.provider,
        account=document.account,
        password=document.password,
        state=document.state,
        sync=sync,
        lifecycle=document.lifecycle,
        sources=sources,
    )


class _Names:
    """Every name that is declared, and the faults of names and of references to them."""

    def __init__(self, documents: Documents) -> None:
        self._incomplete = documents.incomplete
        self._declarations = sorted(documents.declarations, key=_AT_ROOT)
        self._declared = {"Site": set[str](), "SyncPolicy": set[str]()}
        for declaration in documents.declarations:
            if declaration.name is not None and declaration.kind in self._declared:
                self._declared[declaration.kind].add(declaration.name.text)
        self._suggestions = {kind: Suggestions(names) for kind, names in self._declared.items()}
        sites = self._declared["Site"]
        self.only_site = next(iter(sites)) if len(sites) == 1 else None

    def faults(self) -> Iterator[Fault]:
        """Names declared twice, and references to nothing; where a part was not read, how many may be."""
        yield from self._duplicates()
        if self._incomplete is None:
            yield from self._dangling()
        elif count := sum(1 for _ in self._dangling()):
            yield _unchecked(count, self._incomplete)

    def _dangling(self) -> Iterator[Fault]:
        for declaration in self._declarations:
            if declaration.site is not None:
                yield from self._unknown("Site", declaration, declaration.site, declaration.path("site"))
            if declaration.policy is not None:
                yield from self._unknown("SyncPolicy", declaration, declaration.policy, declaration.path("syncPolicy"))
            if declaration.needs_site and self.only_site is None:
                yield self._no_site(declaration)

    def _duplicates(self) -> Iterator[Fault]:
        first: dict[tuple[str, str | None, str], Declaration] = {}
        for declared in self._declarations:
            if declared.name is None:
                continue
            connection = declared.kind == "Connection"
            own = declared.site.text if declared.site else declared.shared_site or self.only_site
            site = own if connection else None
            known = first.setdefault((declared.kind, site, declared.name.text), declared)
            if known is not declared and known.name is not None:
                place = f" on site {shown(site)}" if site else ""
                message = f"the {declared.kind} {shown(declared.name.text)} is declared twice{place}"
                hint = f"first at {known.source(known.name)}"
                yield Fault(declared.source(declared.name), declared.named, message, hint)

    def _unknown(self, kind: str, declaration: Declaration, name: Name, where: str) -> Iterator[Fault]:
        if name.text not in self._declared[kind]:
            # Whoever names one file of several gets here.
            what = (
                f"name a {kind} that is declared" if self._declared[kind] else "give the folder that declares it, too"
            )
            hint = self._suggestions[kind].hint(name.text) or f"declare it, or {what}"
            yield Fault(declaration.source(name), where, f"no {kind} is called {shown(name.text)}", hint)

    def _no_site(self, declaration: Declaration) -> Fault:
        count = len(self._declared["Site"])
        if count == 0:
            return Fault(declaration.root, declaration.within, "no Site is declared", "add a Site manifest")
        message = f"missing field 'site', and {count:,} Sites are declared"
        return Fault(declaration.root, declaration.within, message, "set site to one of them")


def _unchecked(count: int, why: Fault) -> Fault:
    """One fault in place of those that may go away with another one."""
    references = "1 reference is" if count == 1 else f"{count:,} references are"
    cause = f"{why.source.file} could not be read completely" if why.source else why.message
    return Fault(why.source, "", f"{references} not checked: {cause}", "fix that first, then run validate again")


def _same_site(sites: Iterable[SiteDocument]) -> Iterator[Fault]:
    first: dict[str, SiteDocument] = {}
    for document in sorted(sites, key=lambda document: document.site_id_at):
        known = first.setdefault(document.site.site_id, document)
        # A copy is told by its name already.
        if known.site.name != document.site.name:
            message = f"the Sites {shown(known.site.name)} and {shown(document.site.name)} have the same siteId"
            yield Fault(document.site_id_at, "spec.siteId", message, f"first at {known.site_id_at}")


_Slot = tuple[str, ScheduleRef]
_Account = tuple[str, str, str]
"""How a provider is named, its name, and the normal form of an account."""


def find_overlaps(connections: Iterable[DeclaredConnection]) -> Iterator[Fault]:
    """The faults of all connections that meet an earlier one; each names the first that it meets.

    `connections` come in the order of their places. What only the service can tell, such as that two spellings mean
    the same provider, is left to planning.
    """
    by_account: defaultdict[_Account, dict[_Slot, DeclaredConnection]] = defaultdict(dict)
    for connection in connections:
        provider = connection.provider
        slots = by_account[provider.by, provider.value, connection.account.normal]
        first = slots.setdefault((connection.site, connection.schedule), connection)
        if first is not connection:
            message = f"would match the same live connection as {first.address}"
            hint = f"that one is at {first.sources.root}; keep one for this schedule, provider and account"
            yield Fault(connection.sources.at("account"), connection.sources.path("account"), message, hint)
    for slots in by_account.values():
        if len(slots) > 1:
            yield from (_fault(meeting) for meeting in meetings(slots.values()))


def _fault(meeting: Meeting) -> Fault:
    one, other = meeting.connection, meeting.other
    # A name and an id may be of one schedule, which is no better: planning finds two manifests of one connection then.
    surely = one.site != other.site or one.schedule.by is other.schedule.by
    message = escaped(meeting.message("another schedule" if surely else "the same schedule or another"))
    return Fault(one.sources.at("account"), one.sources.path("account"), message, meeting.hint)
