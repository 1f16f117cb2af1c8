"""Puts a site's new connections into sets: those that its manifests keep, or a new one.

Of several sets a connection goes to the one whose template says most of it; as a row where the set has a roster whose
columns can say it, else as an entry. What fits no set is left for a document of its own.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from reconciler.manifests.connection_sets import SetDocument
from reconciler.model.desired import ScheduleKey, ScheduleRef
from reconciler.model.source import Source
from reconciler.pull.file_changes import FileChanges
from reconciler.pull.folder import Folder
from reconciler.pull.names import SiteFiles, Taken
from reconciler.pull.set_members import MOST_DOCUMENTS, Member, Policies, common_template, member
from reconciler.pull.set_text import added_entries, roster_text, set_text
from reconciler.pull.splices import UneditableError
from reconciler.pull.values import Addition, Layout, PulledSite
from reconciler.pull.yaml_edit import as_in

MOST_ENTRIES = 30
"""How many connections of a set stand in its manifest; of more there is a roster."""


@dataclass(slots=True)
class Placed:
    """New connections as they read where they are, each with its file, and those that are nowhere yet."""

    there: list[tuple[Addition, str]]
    left: list[Addition]


class SiteSets:
    """The sets of one site."""

    def __init__(self, folder: Folder, site: PulledSite, wanted: Layout | None) -> None:
        """`wanted` is the layout that was asked for."""
        self._folder = folder
        self._site = site
        self._wanted = wanted
        sites = folder.desired.sites
        self._only = sites[0].name if len(sites) == 1 else None
        name = site.site.name
        self._known = [
            one
            for one in folder.documents.sets
            if name in {one.template.site, *(each.site or self._only for each in one.members)}
        ]
        rosters = [one.roster.file.real for one in folder.documents.sets if one.roster is not None]
        self._shared_rosters = {real for real in rosters if rosters.count(real) > 1}

    def layout(self, count: int) -> Layout:
        """As what so many new connections are written."""
        if self._wanted is not None:
            return self._wanted
        if self._known:
            return Layout.ROSTERS if any(one.roster is not None for one in self._known) else Layout.SETS
        if count <= MOST_DOCUMENTS or any(one.site == self._site.site.name for one in self._folder.desired.connections):
            return Layout.DOCUMENTS
        return Layout.SETS if count <= MOST_ENTRIES else Layout.ROSTERS

    def place(
        self, additions: Sequence[Addition], places: SiteFiles, changes: FileChanges, names: Taken, policies: Policies
    ) -> Placed:
        """Put connections into sets; `names` are those of all sets."""
        layout = self.layout(len(additions))
        if layout is Layout.DOCUMENTS or not additions:
            return Placed([], list(additions))
        known = [one for one in self._known if one.roster is not None or self._wanted is not Layout.ROSTERS]
        if known:
            return self._place_in(known, additions, changes, policies)
        return self._place_anew(additions, layout, places, changes, names.take(self._site.site.name), policies)

    def _place_anew(
        self,
        additions: Sequence[Addition],
        layout: Layout,
        places: SiteFiles,
        changes: FileChanges,
        name: str,
        policies: Policies,
    ) -> Placed:
        """Write a new set."""
        template = common_template(additions, self._site.site.name, policies)
        path, roster = places.set(), changes.free(places.roster())
        entries: list[Member] = []
        rows: list[tuple[Member, dict[str, str]]] = []
        made = Placed([], [])
        for addition in additions:
            one = member(addition, template, policies, None)
            row = one.row if one is not None and layout is Layout.ROSTERS else None
            if one is None:
                made.left.append(addition)
            elif row is None:
                entries.append(one)
                made.there.append((one.addition, path))
            else:
                rows.append((one, row))
                made.there.append((one.addition, roster))
        if rows:
            changes.create(roster, roster_text([row for _, row in rows]))
        changes.add(path, set_text(name, template, entries, [one for one, _ in rows], roster.rpartition("/")[2]))
        return made

    def _place_in(
        self, known: Sequence[SetDocument], additions: Sequence[Addition], changes: FileChanges, policies: Policies
    ) -> Placed:
        """Add to sets that are there."""
        made = Placed([], [])
        entries: dict[Source, list[Member]] = defaultdict(list)
        for addition in additions:
            fitting = [
                (len(one.fields), -len(each.members), each.name, each, one)
                for each in known
                if (one := member(self._taken_over(addition, each), each.template, policies, self._only)) is not None
            ]
            if not fitting:
                made.left.append(addition)
                continue
            *_, chosen, one = min(fitting, key=lambda fit: fit[:3])
            row = self._added_row(one, chosen, changes)
            if row is not None:
                made.there.append(row)
            else:
                entries[chosen.root].append(one)
        for root, members in entries.items():
            path = self._folder.files[root.file].path
            try:
                changes.edit(path, as_in(path, [added_entries(*changes.document(root), members)]))
            except UneditableError:
                made.left += (one.addition for one in members)
            else:
                made.there += ((one.addition, path) for one in members)
        return made

    def _taken_over(self, addition: Addition, chosen: SetDocument) -> Addition:
        """The connection with the protections and the password that a set has for all, unless it has its own."""
        if addition.live.id in self._site.known:
            return addition
        declared, template = addition.declared, chosen.template
        password = declared.password and (template.password or declared.password)
        return replace(addition, declared=replace(declared, lifecycle=template.lifecycle, password=password))

    def _added_row(self, one: Member, chosen: SetDocument, changes: FileChanges) -> tuple[Addition, str] | None:
        """Add a row to the roster of a set, None where it has none that can hold it."""
        roster, row = chosen.roster, one.row
        if roster is None or row is None or self._wanted is Layout.SETS or roster.file.real in self._shared_rosters:
            return None
        path = self._folder.files[roster.file.shown].path
        table = changes.roster(path)
        lacking = {column for column in row if not table.has_column(column)}
        addition = one.addition
        if "schedule_id" in lacking:
            by_name = self._by_name(addition)
            if by_name is None or "schedule_name" in lacking:
                return None
            addition = by_name
        if lacking - {"schedule_id", "schedule_name"}:
            return None
        table.append_row(_without(row, lacking))
        return addition, path

    def _by_name(self, addition: Addition) -> Addition | None:
        """The connection with its schedule by its name alone, None where that is not known to mean it."""
        declared, live = addition.declared, self._site.live
        name = declared.schedule.name
        if name is None or [one.id for one in live.schedules if one.name == name] != [declared.schedule.value]:
            return None
        schedule = ScheduleRef(ScheduleKey.NAME, name, self._site.site.schedules_app_id)
        return replace(addition, declared=replace(declared, schedule=schedule))


def _without(row: dict[str, str], lacking: Collection[str]) -> dict[str, str]:
    return {column: text for column, text in row.items() if column not in lacking}
