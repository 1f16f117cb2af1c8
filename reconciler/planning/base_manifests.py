"""Finds a site's manifests as they were before a change, whatever it was called then.

A Site that is reached as an app is where that app's instance is, whatever siteId is given beside it. So two Sites are
the same where they share a siteId or an instance, and maybe the same where one is reached in another way.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace

from reconciler.model.desired import AppAuth, DeclaredConnection, Desired, Site


class BaseManifests:
    """The Sites and connections of a base; `whole` tells that all of them could be read."""

    def __init__(self, base: Desired, *, whole: bool) -> None:
        self.whole = whole
        self._by_name: dict[str, list[DeclaredConnection]] = defaultdict(list)
        self._by_identity: dict[tuple[str, str], list[Site]] = defaultdict(list)
        self._by_app: dict[str | None, list[Site]] = defaultdict(list)
        self._sites = base.sites
        for connection in base.connections:
            self._by_name[connection.site].append(connection)
        for site in base.sites:
            self._by_app[_app(site)].append(site)
            for identity in _identities(site):
                self._by_identity[identity].append(site)

    def of(self, site: Site) -> tuple[Site, list[DeclaredConnection]]:
        """The same site as it was, with its connections, under the name that it has now.

        One that was not declared is taken as it is now, without connections. Where not everything could be read nothing
        is pruned: what seems undeclared may have been declared.
        """
        same = self._same(site)
        former = next((each for each in same if each.name == site.name), same[0] if same else site)
        # Only a base with faults has two connections of one address.
        unique = {connection.name: connection for connection in self._connections(same)}
        connections = [c if c.site == site.name else replace(c, site=site.name) for c in unique.values()]
        return replace(former, name=site.name, prune=former.prune and self.whole), connections

    def kept(self, site: Site) -> bool:
        """Whether the site was declared once, and reached as it is now: else its former plan says little of it."""
        same = self._same(site)
        return len({each.name for each in same}) == 1 and _identities(same[0]) == _identities(site)

    def protecting(self, site: Site) -> Iterator[DeclaredConnection]:
        """The connections that are, or may be, of the same site, as their manifests name them."""
        others = (each for app, sites in self._by_app.items() if app != _app(site) for each in sites)
        yield from self._connections([*self._same(site), *others])
        # Those whose Site could not be read may be of any.
        read = {each.name for each in self._sites}
        for name in () if self.whole else sorted(self._by_name.keys() - read):
            yield from self._by_name[name]

    def gone(self, heads: Iterable[Site]) -> list[tuple[str, int]]:
        """The Sites that are none of the head's, by name, and how many connections each has."""
        known = {identity for site in heads for identity in _identities(site)}
        gone = [site for site in self._sites if not _identities(site) & known]
        return sorted((site.name, len(self._connections([site]))) for site in gone)

    def _same(self, site: Site) -> list[Site]:
        return [former for identity in sorted(_identities(site)) for former in self._by_identity.get(identity, ())]

    def _connections(self, sites: Iterable[Site]) -> list[DeclaredConnection]:
        names = dict.fromkeys(site.name for site in sites)
        return [connection for name in names for connection in self._by_name.get(name, ())]


def _identities(site: Site) -> set[tuple[str, str]]:
    """What tells sites apart: those that share any of these are the same."""
    identities = {("siteId", site.site_id)}
    if isinstance(site.auth, AppAuth):
        identities.add(("instanceId", site.auth.instance_id))
    return identities


def _app(site: Site) -> str | None:
    """The app as which a site is reached; the instances of one app, like siteIds, are as many as the sites."""
    return site.auth.app_id if isinstance(site.auth, AppAuth) else None
