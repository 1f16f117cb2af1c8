"""Where new manifests go: a folder a site, a file a schedule; or where the folder's owner keeps such things."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

from reconciler.manifests.recognition import is_json
from reconciler.manifests.writing.folder import Folder
from reconciler.manifests.writing.naming import slug
from reconciler.manifests.writing.pulled import Entry
from reconciler.model.desired import Site

SCHEDULES = "schedules"
"""The folder of a site's connections, a file for each schedule."""

_ID_SHOWN = 8


class Places:
    """The files of one site, as paths relative to the folder that is pulled into."""

    def __init__(self, folder: Folder, site: Site, schedules: Mapping[str, str]) -> None:
        """`schedules` are the ids of the schedules of the site's declared connections, by address."""
        self._folder = folder
        self._home = self._find_home(site)
        self._by_schedule: dict[str, str] = {}
        # A file of JSON holds one document.
        connections = [
            one
            for one in folder.desired.connections
            if one.site == site.name and not is_json(self._path(one.sources.root.file))
        ]
        held = Counter(self._path(one.sources.root.file) for one in connections)
        for one in connections:
            if one.address in schedules:
                self._by_schedule[schedules[one.address]] = self._path(one.sources.root.file)
        # Where connections are kept otherwise than a file a schedule, new ones go to the file that holds most.
        kept_otherwise = any(PurePosixPath(path).parent.name != SCHEDULES for path in held)
        self._common = min(held, key=lambda path: (-held[path], path)) if kept_otherwise else None
        self._slugs: dict[str, str] = {}

    def site(self) -> str:
        """The file for a Site that is not declared yet."""
        return str(self._home / "site.yaml")

    def policies(self) -> str:
        """The file for new policies."""
        return str(self._home / "policies.yaml")

    def name_schedules(self, entries: Sequence[Entry]) -> None:
        """Give each schedule of the entries a slug of its own."""
        names = {entry.declared.schedule.value: entry.schedule_name for entry in entries}
        counts = Counter(slug(name) for name in names.values())
        for schedule_id, name in names.items():
            short, own = slug(name), f"schedule-{schedule_id[:_ID_SHOWN]}"
            taken = counts[short] > 1 or self._file(short) in self._folder.by_path
            self._slugs[schedule_id] = own if not short else f"{short}-{schedule_id[:_ID_SHOWN]}" if taken else short

    def connection(self, entry: Entry) -> str:
        """The file for a new connection, whose schedule has got its slug."""
        schedule_id = entry.declared.schedule.value
        known = self._by_schedule.get(schedule_id) or self._common
        return known or self._file(self._slugs[schedule_id])

    def _file(self, name: str) -> str:
        return str(self._home / SCHEDULES / f"{name}.yaml")

    def _find_home(self, site: Site) -> PurePosixPath:
        declared = next((one for one in self._folder.desired.sites if one.site_id == site.site_id), None)
        if declared is None:
            return PurePosixPath(site.name)
        return PurePosixPath(self._path(declared.source.file)).parent

    def _path(self, shown: str) -> str:
        return self._folder.files[shown].path
