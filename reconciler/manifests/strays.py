"""Keeps sites from being pruned that strays may be about: files that declare manifests and are not read.

A stray is read as a manifest would be, for the sites that its documents name and nothing else. It may be
about any site where it can't be read or parsed, is of another version or an unknown kind, or names a site that nobody
declares. A Site that it declares may have the id of a declared one, which is then the one that is meant.

Which names look like manifests: `contents.resembles_manifest_name`.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from reconciler.errors import LimitError
from reconciler.manifests.contents import decode
from reconciler.manifests.convert import text_at
from reconciler.manifests.faults import FileReport, SpoiledError
from reconciler.manifests.files import Stray, is_manifest, read
from reconciler.manifests.limits import Limit, ManifestBudget
from reconciler.manifests.parse_cache import ParseCache, read_cached
from reconciler.manifests.schema import API_VERSION
from reconciler.manifests.values import YamlMapping, YamlSequence
from reconciler.model.desired import Desired, Overlooked, Site
from reconciler.model.source import Fault, Source

MOST_NAMED = 20
"""How many strays are named one by one."""

_OURS = "extcal/"
_HINT = "rename or move it to have it read, or remove it from the folder"
_HINT_FOR_UNSEEN = "make it readable, or remove it from the folder"
_HINT_FOR_MANY = "rename or move them to have them read, or remove them from the folder"
_MOST_SITES = 3


@dataclass(slots=True)
class _Stray:
    """What a stray declares: its Sites as (name, id), and the sites of its Connections; `anything` if that is unknown.

    A Connection that names no site has None.
    """

    stray: Stray
    why: str = ""
    hint: str = _HINT
    sites: list[tuple[str, str]] = field(default_factory=list)
    connections: list[str | None] = field(default_factory=list)
    anything: bool = False


def spare(desired: Desired, strays: Sequence[Stray], budget: ManifestBudget) -> Desired:
    """The same with the strays that say that they are manifests, and their sites not pruned.

    `budget` bounds how much is looked at; what is read to tell the sites has limits of its own, beyond which they are
    unknown.
    """
    apart, cache = ManifestBudget(budget.limits), ParseCache()
    known_strays = [found for stray in strays if (found := _declared(stray, budget, apart, cache)) is not None]
    if not known_strays:
        return desired
    about = _About(desired.sites, known_strays)
    overlooked = tuple(_named([(one, about.sites_of(one)) for one in known_strays], len(desired.sites)))
    warnings: defaultdict[str, list[str]] = defaultdict(list)
    for one in overlooked:
        for name in one.sites:
            warnings[name].append(str(one.warning))
    sites = (
        replace(site, prune=False, warnings=tuple(warnings[site.name]), spared=site.prune)
        if site.name in warnings
        else site
        for site in desired.sites
    )
    return replace(desired, sites=tuple(sites), overlooked=overlooked)


def _declared(stray: Stray, budget: ManifestBudget, apart: ManifestBudget, cache: ParseCache) -> _Stray | None:
    """What a stray declares; None where it is no manifest."""
    unseen = stray.unseen or is_manifest(stray.file, budget)
    if isinstance(unseen, str):
        return _Stray(stray, f"can't be read: {unseen}", _HINT_FOR_UNSEEN, anything=True)
    if not unseen:
        return None
    found = _Stray(stray, f"declares apiVersion: {_OURS}… but is not read: {stray.why}")
    content = read(stray.file)
    if isinstance(content, Fault) or not apart.allows(Limit.BYTES, len(content)):
        found.anything = True
        return found
    report = FileReport(stray.file.shown, budget=apart)
    ours: list[bool] = []
    try:
        ours += (_add(document, found) for document in read_cached(decode(content, report), report, cache))
    except (SpoiledError, LimitError):
        found.anything = True
        return found
    if any(ours):
        return found
    # The apiVersion is in a comment, or in another tool's document; what is no mapping was reported and passed over.
    return None if ours or not report.faults else replace(found, anything=True)


def _add(document: YamlMapping, found: _Stray) -> bool:
    """Add a document of a stray; whether it is a manifest."""
    version = text_at(document, "apiVersion")
    if version is None or not version.lower().startswith(_OURS):
        return False
    kind, name, site_id = text_at(document, "kind"), text_at(document, "metadata", "name"), None
    if version != API_VERSION:
        found.anything = True
    elif kind == "Site":
        site_id = text_at(document, "spec", "siteId")
        found.sites.append((name or "", (site_id or "").lower()))
    elif kind == "Connection":
        spec = document.get("spec")
        named = isinstance(spec, YamlMapping) and "site" in spec
        found.connections.append((text_at(document, "spec", "site") or "") if named else None)
    elif kind == "ConnectionSet":
        found.connections += _sites_of_set(document)
    elif kind != "SyncPolicy":
        found.anything = True
    return True


def _sites_of_set(document: YamlMapping) -> Iterator[str | None]:
    """The sites that the entries of a set name, themselves or by its template; None where one names none.

    Rows may be about any site, and are not read; what is no list of entries may be meant as anything.
    """
    shared, spec = text_at(document, "spec", "template", "site"), document.get("spec")
    if not isinstance(spec, YamlMapping) or "roster" in spec:
        yield None
        return
    given = spec.get("connections")
    if not isinstance(given, YamlSequence):
        yield shared
        return
    for entry in given:
        yield (text_at(entry, "site") if isinstance(entry, YamlMapping) else None) or shared


class _About:
    """Which declared sites strays are about."""

    def __init__(self, declared: Sequence[Site], known_strays: Sequence[_Stray]) -> None:
        self._all = frozenset(site.name for site in declared)
        self._by_id = {site.site_id: site.name for site in declared}
        self._ids: defaultdict[str, set[str]] = defaultdict(set)
        for one in known_strays:
            for name, site_id in one.sites:
                self._ids[name].add(site_id)

    def sites_of(self, one: _Stray) -> frozenset[str]:
        """Those that a stray is about, by name."""
        if one.anything:
            return self._all
        found: set[str] = set()
        for name in dict.fromkeys([*(name for name, _ in one.sites), *one.connections]):
            found |= self._all if name is None else self._called(name)
        return frozenset(found)

    def _called(self, name: str) -> frozenset[str]:
        """Those that a name of a stray may mean: the declared one, and those that its own Site has the id of."""
        ids = self._ids.get(name, set())
        if name not in self._all and (not ids or "" in ids):
            return self._all
        by_id = {self._by_id[site_id] for site_id in ids if site_id in self._by_id}
        return frozenset(by_id | ({name} & self._all))


def _named(known_strays: Sequence[tuple[_Stray, frozenset[str]]], declared: int) -> Iterator[Overlooked]:
    """The strays, the first of them by name, and how many more there are."""
    for one, sites in known_strays[:MOST_NAMED]:
        message = f"{one.why}{_spared(sites, declared)}"
        yield Overlooked(Fault(Source(one.stray.file.shown, 1, 1), "", message, one.hint), tuple(sorted(sites)))
    if rest := known_strays[MOST_NAMED:]:
        sites = frozenset[str]().union(*(sites for _, sites in rest))
        more = f"{len(rest):,} more file{'' if len(rest) == 1 else 's'} like {known_strays[0][0].stray.file.shown}"
        message = f"{more} are not read{_spared(sites, declared)}"
        yield Overlooked(Fault(None, "", message, _HINT_FOR_MANY), tuple(sorted(sites)))


def _spared(sites: frozenset[str], declared: int) -> str:
    """What that has for a consequence."""
    if not sites:
        return ""
    if len(sites) == declared and declared > 1:
        return "; no site is pruned"
    if len(sites) > _MOST_SITES:
        return f"; {len(sites):,} sites are not pruned"
    return f"; {', '.join(sorted(sites))} {'is' if len(sites) == 1 else 'are'} not pruned"
