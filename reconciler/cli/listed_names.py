"""Finds what the schedules of a listing are called, for people."""

from collections import Counter
from collections.abc import Collection, Mapping

from reconciler.api.client import Reader
from reconciler.cli.arguments import NamesOptions
from reconciler.cli.options import current_options
from reconciler.cli.sites import SiteChoice
from reconciler.errors import ExtcalError
from reconciler.model.desired import ScheduleKey, Site


class ScheduleNames:
    """The names of schedules: those that manifests have beside ids, and for the others one request of each site.

    Where a name can't be had, or `wanted` is False, since a script reads the listing, the id stands for it. So it does
    beside a name that several schedules of the listing have.
    """

    def __init__(self, chosen: SiteChoice, options: NamesOptions, *, wanted: bool) -> None:
        self._chosen = chosen
        self._options = options
        self._wanted = wanted

    async def shown(self, ids: Collection[str], site: Site, reader: Reader) -> Mapping[str, str]:
        """What to show for the ids of schedules of a site; a failing request is a warning."""
        if not self._wanted:
            return {each: each for each in ids}
        names = self._pinned(site)
        if self._options.ask and not names.keys() >= set(ids):
            try:
                names |= {each.id: each.name for each in await reader.query_schedules() if each.name}
            except ExtcalError as error:
                current_options().console.warning(f"{site.name}: ids stand for the names of schedules: {error}")
        count = Counter(names[each] for each in set(ids) if each in names)
        return {each: _told_apart(each, names.get(each, each), count) for each in ids}

    def _pinned(self, site: Site) -> dict[str, str]:
        """The names that the manifests have beside ids."""
        refs = (each.schedule for each in self._chosen.declared.get(site.name, ()))
        return {ref.value: ref.name for ref in refs if ref.by is ScheduleKey.ID and ref.name is not None}


def _told_apart(schedule_id: str, name: str, count: Mapping[str, int]) -> str:
    return f"{name} [{schedule_id}]" if count.get(name, 0) > 1 else name
