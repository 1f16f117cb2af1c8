"""Proposes files: manifests of drifted connections edited in place, new ones added; nothing is written here.

Steps: compare each site; take out what an earlier proposal was refused for; drop what can't be declared side by side;
edit the drifted manifests; name and add the new ones; put the bytes of every changed file together.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from reconciler.model.desired import DeclaredConnection, Scope, Site
from reconciler.model.live import Status
from reconciler.model.source import Source
from reconciler.model.sync import CalendarRef, SyncConfig
from reconciler.planning import actions, lookup
from reconciler.pull.compare import Drift, SiteComparison, compare_site, left_out
from reconciler.pull.conflicts import drop_conflicts
from reconciler.pull.file_changes import FileChanges
from reconciler.pull.folder import Folder
from reconciler.pull.names import SHARED_BY, Policy, SiteFiles, Taken, factor_out, named
from reconciler.pull.row_policies import Drifts, RowPolicies
from reconciler.pull.shared_policies import SHARED_FILE, SHARED_NOTE, kept_policies, needed_policies
from reconciler.pull.site_sets import SiteSets
from reconciler.pull.splices import UneditableError, check_apart
from reconciler.pull.values import BY_SIZE, Addition, Layout, LiveKey, PulledSite, PullOptions, effective
from reconciler.pull.yaml_edit import Identify, as_in
from reconciler.pull.yaml_emit import connection_text, policy_text, site_text

SYNC_POLICY = "sync_policy"
"""The column of a roster that names a policy."""

Refused = Mapping[LiveKey, str]
"""Live connections whose manifests are not to be edited, and why."""


@dataclass(frozen=True, slots=True)
class Edit:
    """A live connection whose manifest is written or edited, in which file; `addition` is there if it is new."""

    key: LiveKey
    address: str
    path: str
    addition: Addition | None = None


@dataclass(slots=True)
class Proposal:
    """The bytes of every file that would change, by path relative to the folder, with warnings and failures."""

    files: dict[str, bytes] = field(default_factory=dict)
    edits: list[Edit] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def propose(folder: Folder, pulled: Sequence[PulledSite], refused: Refused, options: PullOptions = BY_SIZE) -> Proposal:
    """What a pull would write into the folder, leaving those alone that are refused."""
    return _Proposer(folder, refused, options).propose(pulled)


class _Proposer:
    def __init__(self, folder: Folder, refused: Refused, options: PullOptions) -> None:
        self._folder = folder
        self._options = options
        self._refused = refused
        self._made = Proposal()
        self._changes = FileChanges(folder)
        self._variables = Taken([one.password.name for one in folder.desired.connections if one.password], joint="_")
        self._policies = Taken(policy.name for policy in folder.documents.policies)
        self._syncs = {policy.name: policy.sync for policy in folder.documents.policies}
        self._sets = Taken(one.name for one in folder.documents.sets)
        self._row_policies = RowPolicies(folder, self._policies)
        self._homes: dict[str, str] = {}
        self._new_policies: dict[str, dict[SyncConfig, str]] = defaultdict(dict)

    def propose(self, pulled: Sequence[PulledSite]) -> Proposal:
        by_site: dict[str, list[DeclaredConnection]] = defaultdict(list)
        for one in self._folder.desired.connections:
            by_site[one.site].append(one)
        comparisons = [compare_site(site, by_site[site.site.name]) for site in pulled]
        for found in comparisons:
            self._made.warnings += found.warnings
            self._made.failures += found.failures
            self._refuse(found)
        self._made.failures += drop_conflicts(self._folder.desired.connections, comparisons)
        rows: dict[tuple[str, int], list[tuple[PulledSite, Drift]]] = defaultdict(list)
        for found in comparisons:
            for drift in found.drifts:
                root = drift.declared.sources.root
                path = self._folder.files[root.file].path
                if path in self._folder.rosters:
                    rows[path, root.line].append((found.site, drift))
                else:
                    self._edit(found.site, drift)
        for (path, line), drifts in rows.items():
            self._edit_row(path, line, drifts)
        shared = self._shared(comparisons)
        for found in comparisons:
            self._add(found, shared)
        self._made.files = self._changes.contents()
        return self._made

    def _refuse(self, found: SiteComparison) -> None:
        """Take out what an earlier proposal was refused for."""
        for drift in found.drifts:
            if why := self._refused.get(found.site.key(drift.live)):
                self._made.failures.append(f"{drift.declared.address}: not updated: {why}")
        for addition in found.additions:
            if why := self._refused.get(found.site.key(addition.live)):
                self._made.failures.append(left_out(found.site, addition.live, why))
        found.drifts = [one for one in found.drifts if found.site.key(one.live) not in self._refused]
        found.additions = [one for one in found.additions if found.site.key(one.live) not in self._refused]

    def _edit(self, site: PulledSite, drift: Drift) -> None:
        document = self._folder.connections[drift.declared.address]
        member = document.member
        root = document.root if member is None else member.set_root
        path = self._folder.files[root.file].path
        try:
            entry = None if member is None else member.index
            listed = document.sync.imports.calendars if document.sync.imports else ()
            splices = self._changes.amender(root).amend(entry, drift.changes, _identify(site, drift, listed))
            check_apart(splices)
        except UneditableError as error:
            self._made.failures.append(_uneditable(drift, error))
            return
        self._changes.edit(path, as_in(path, splices))
        self._made.edits.append(Edit(site.key(drift.live), drift.declared.address, path))

    def _edit_row(self, path: str, line: int, drifts: Drifts) -> None:
        """Let a row of a roster name the policy that says what is live."""
        roster = self._changes.roster(path)
        try:
            policy = self._row_policies.choose(drifts, roster.cell(line, SYNC_POLICY))
            if policy.edited is not None:
                self._edit_policy(policy.edited, policy.listed, *drifts[0])
            if not roster.has_column(SYNC_POLICY):
                roster.add_column(SYNC_POLICY)
            roster.set_cell(line, SYNC_POLICY, policy.name)
        except UneditableError as error:
            why = f"differs from the live connection, and its row can't say what is live: {error}"
            declared = (drift.declared for _, drift in drifts)
            self._made.failures += (f"{one.sources.root}: {one.address} {why}" for one in declared)
            return
        if policy.new is not None:
            site = drifts[0][0].site
            self._add_policy(self._policies_file(site), policy.new, policy.note)
            self._new_policies[site.name][policy.new.sync] = policy.name
        self._made.edits += (Edit(site.key(drift.live), drift.declared.address, path) for site, drift in drifts)

    def _policies_file(self, site: Site) -> str:
        """The file for new policies of a site."""
        if site.name not in self._homes:
            self._homes[site.name] = SiteFiles(self._folder, site, {}).policies()
        return self._homes[site.name]

    def _edit_policy(self, root: Source, listed: tuple[CalendarRef, ...], site: PulledSite, drift: Drift) -> None:
        """Let the policy that a row alone names say what is live; raises UneditableError."""
        path = self._folder.files[root.file].path
        try:
            splices = self._changes.amender(root).amend(None, drift.changes, _identify(site, drift, listed))
            check_apart(splices)
        except UneditableError as error:
            raise UneditableError(
                f"its SyncPolicy at {root} can't be edited in place: {error}; edit it by hand"
            ) from error
        self._changes.edit(path, as_in(path, splices))

    def _shared(self, comparisons: Sequence[SiteComparison]) -> dict[SyncConfig, str]:
        """The policies of the file that the sites share, with those that several of them need from now on."""
        if not self._options.shared_policies:
            return {}
        kept = kept_policies(self._folder)
        used = {found.site.site.name: self._used_policies(found.site.site.name) for found in comparisons}
        new = needed_policies(comparisons, used, kept, self._policies)
        for policy in new:
            self._add_policy(SHARED_FILE, policy, SHARED_NOTE)
        return {**kept, **{policy.sync: policy.name for policy in new}}

    def _add_policy(self, path: str, policy: Policy, note: str) -> None:
        self._changes.add(path, policy_text(policy.name, policy.sync, [note]))
        self._syncs[policy.name] = policy.sync

    def _add(self, found: SiteComparison, shared: Mapping[SyncConfig, str]) -> None:
        """Add what is new of a site; `shared` are the policies that all sites share."""
        site = found.site.site
        places = SiteFiles(self._folder, site, found.schedules)
        if all(one.site_id != site.site_id for one in self._folder.desired.sites):
            self._add_site(found, places.site())
        sets = SiteSets(self._folder, found.site, self._options.layout)
        layout = sets.layout(len(found.additions))
        names = Taken(one.name for one in self._folder.desired.connections if one.site == site.name)
        additions = named(found.additions, site.name, names, self._variables, short=layout is not Layout.DOCUMENTS)
        # A row has no sync config of its own.
        shared_by = 1 if layout is Layout.ROSTERS else SHARED_BY
        used = {**shared, **self._used_policies(site.name)}
        additions, policies = factor_out(additions, used, site.name, self._policies, shared_by)
        for policy in policies:
            note = f"Shared by connections of {site.name} that sync in the same way; each can override it."
            self._add_policy(places.policies(), policy, note)
        placed = sets.place(additions, places, self._changes, self._sets, self._syncs)
        places.name_schedules(placed.left)
        for addition in placed.left:
            path = places.connection(addition)
            self._changes.add(path, connection_text(addition))
            placed.there.append((addition, path))
        self._made.edits += (
            Edit(found.site.key(addition.live), addition.declared.address, path, addition)
            for addition, path in placed.there
        )

    def _add_site(self, found: SiteComparison, path: str) -> None:
        site = found.site.site
        notes = ["Pulled from the live state. Edit it freely: pulling again changes only what differs."]
        if found.disconnected:
            notes.append(f"Connections left out because they were already disconnected: {found.disconnected}.")
        if site.prune and (endangered := _endangered(found)):
            site = replace(site, prune=False)
            notes.append("prune: true was not carried over: not all that is live is declared yet.")
            why = f"it would disconnect what is left out ({', '.join(endangered)})"
            hint = "once that is declared or disconnected, set prune: true"
            self._made.failures.append(f"{site.name}: prune: true is not written: {why}; {hint}")
        self._changes.add(path, site_text(site, notes))

    def _used_policies(self, site: str) -> dict[SyncConfig, str]:
        """The policies that connections of a site use, or will, by what they say."""
        used = {one.policy for one in self._folder.documents.connections if (one.site or site) == site}
        policies = sorted(self._folder.documents.policies, key=lambda policy: policy.name, reverse=True)
        known = {effective(policy.sync): policy.name for policy in policies if policy.name in used}
        return known | self._new_policies[site]


def _endangered(found: SiteComparison) -> list[str]:
    """What a Site that prunes would come to disconnect: live connections in scope that no addition declares."""
    live, site = found.site.live, found.site.site
    declared = {addition.live.id for addition in found.additions}
    schedules = {addition.declared.schedule.value for addition in found.additions}
    names = {provider.id: provider.name for provider in live.providers}
    hidden = [f"connections of provider {names.get(failed, failed)}" for failed in live.failed_provider_ids]
    left_out = (
        one.id
        for one in live.connections
        if one.status != Status.DISCONNECTED
        and one.id not in declared
        and (site.scope is Scope.SITE or one.schedule_id in schedules)
    )
    return sorted([*left_out, *hidden])


def _uneditable(drift: Drift, error: UneditableError) -> str:
    one = drift.declared
    why = f"differs from the live connection and can't be edited in place: {error}; edit it by hand"
    return f"{one.sources.root}: {one.address} {why}"


def _identify(site: PulledSite, drift: Drift, listed: tuple[CalendarRef, ...]) -> Identify:
    """Which calendar an item of a list means, of the connection's own or of its policy's."""
    known = actions.known_calendars(drift.live, site.live.calendars.get(drift.live.id))

    def identify(index: int) -> str | None:
        try:
            return lookup.resolve_calendars(listed[index : index + 1], known)[0].id
        except lookup.UnresolvedCalendarError:
            return None

    return identify


def order(pulled: Iterable[PulledSite]) -> list[PulledSite]:
    """Sites, and what they hold, as they are worked on, so that all comes out the same on every run."""
    return sorted(map(_in_order, pulled), key=lambda one: one.site.name)


def _in_order(site: PulledSite) -> PulledSite:
    live = site.live
    return replace(
        site,
        live=replace(
            live,
            providers=tuple(sorted(live.providers, key=lambda one: one.id)),
            connections=tuple(sorted(live.connections, key=lambda one: one.id)),
            failed_provider_ids=tuple(sorted(live.failed_provider_ids)),
            schedules=tuple(sorted(live.schedules, key=lambda one: one.id)),
            other_schedules=tuple(sorted(live.other_schedules, key=lambda one: one.id)),
        ),
    )
