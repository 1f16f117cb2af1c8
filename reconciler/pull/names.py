"""Names what is pulled: connections, policies, password variables, and the files they go to."""

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from reconciler.manifests.contents import is_json
from reconciler.model.desired import SecretKind, SecretRef, Site
from reconciler.model.sync import Arm, Direction, SyncConfig
from reconciler.pull.declare import UNSET
from reconciler.pull.folder import Folder
from reconciler.pull.values import Addition

_LONGEST = 48
_LONGEST_VARIABLE = 100
_LONGEST_NAME = 128


def slug(text: str) -> str:
    """`Dr. Łukasz` as `dr-lukasz`: ASCII letters and digits joined by dashes; empty where nothing can be read."""
    return re.sub("[^a-z0-9]+", "-", _in_ascii(text).lower())[:_LONGEST].strip("-")


def _in_ascii(text: str) -> str:
    """The text as ASCII letters spell it; the marks that would stand for letters ASCII lacks are left out."""
    if text.isascii():
        return text
    from anyascii import anyascii  # noqa: PLC0415 - most names need none of its tables

    # What is composed and what is not reads the same.
    composed = unicodedata.normalize("NFC", text)
    return "".join(one if one.isascii() else re.sub("['`]", "", anyascii(one)) for one in composed)


class Taken:
    """Names in use, whatever their case: file systems may ignore it."""

    def __init__(self, names: Iterable[str], joint: str = "-") -> None:
        """`joint` stands before the numbers of names that are numbered."""
        self._names = {name.casefold() for name in names}
        self._joint = joint

    def __contains__(self, name: str) -> bool:
        return name.casefold() in self._names

    def take(self, *candidates: str) -> str:
        """The first candidate that is free, else the last one with a number; it is in use from now on.

        None is longer than a manifest's name may be.
        """
        fitting = [_cut(candidate) for candidate in candidates]
        name = next((candidate for candidate in fitting if candidate not in self), None)
        number = 2
        while name is None:
            numbered = _cut(fitting[-1], f"{self._joint}{number}")
            name = None if numbered in self else numbered
            number += 1
        self._names.add(name.casefold())
        return name


def _cut(name: str, end: str = "") -> str:
    room = _LONGEST_NAME - len(end)
    return f"{name if len(name) <= room else name[:room].rstrip('-._')}{end}"


def local_part(account: str) -> str:
    """The slug of what stands before the @ of an account."""
    return slug(account.partition("@")[0])


def password_variable(name: str) -> str:
    """The environment variable that shall hold a connection's password, by the connection's name."""
    return f"EXTCAL_{re.sub('[^A-Z0-9]+', '_', name.upper())[:_LONGEST_VARIABLE].strip('_')}_PASSWORD"


def named(
    additions: Sequence[Addition], site: str, names: Taken, variables: Taken, *, short: bool = False
) -> list[Addition]:
    """The additions of a site with names (`dr-lee-apple`) and variables that are not in use yet.

    The account tells those apart that are alike otherwise; what has no name in letters is named by it too. Those that
    manifests elsewhere name keep their names and password references. With `short`, names leave the provider out
    where a schedule has one connection (`dr-lee`).
    """
    counts = Counter(_schedule_slug(addition) for addition in additions)
    alone = {schedule for schedule, count in counts.items() if short and count == 1}
    kept = {addition.live.id: names.take(addition.declared.name) for addition in additions if addition.declared.name}
    for addition in additions:
        password = addition.declared.password
        if password is not None and password is not UNSET and password.name not in variables:
            variables.take(password.name)
    made = []
    for addition in additions:
        name = kept.get(addition.live.id) or names.take(*_candidates(addition, alone))
        made.append(_with_name(addition, name, site, variables))
    return made


def _schedule_slug(addition: Addition) -> str:
    return slug(addition.schedule_name) or local_part(addition.declared.account.given) or "schedule"


def _candidates(addition: Addition, alone: Collection[str]) -> list[str]:
    """What a connection may be called, the best first."""
    schedule, account = _schedule_slug(addition), local_part(addition.declared.account.given)
    base = f"{schedule}-{slug(addition.declared.provider.value) or 'other'}"
    plain = [schedule] if schedule in alone else []
    return [*plain, base, *([f"{base}-{account}"] if account else [])]


def _with_name(addition: Addition, name: str, site: str, variables: Taken) -> Addition:
    declared, password = addition.declared, addition.declared.password
    if password is UNSET:
        variable = variables.take(password_variable(name), password_variable(f"{site}-{name}"))
        password = SecretRef(SecretKind.ENV, variable)
    return replace(addition, declared=replace(declared, name=name, password=password))


SCHEDULES = "schedules"
"""The folder of a site's connections, a file for each schedule."""

_ID_SHOWN = 8


class SiteFiles:
    """The files of one site, as paths relative to the folder that is pulled into."""

    def __init__(self, folder: Folder, site: Site, schedules: Mapping[str, str]) -> None:
        """`schedules` are the ids of the schedules of the site's declared connections, by address."""
        self._folder = folder
        self._home = self._find_home(site)
        self._by_schedule: dict[str, str] = {}
        # A file of JSON holds one document, and what a set's holds are no documents of their own.
        connections = [
            one
            for one in folder.desired.connections
            if one.site == site.name
            and folder.connections[one.address].member is None
            and not is_json(self._path(one.sources.root.file))
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

    def set(self) -> str:
        """The file for a new set."""
        return str(self._home / "connections.yaml")

    def roster(self) -> str:
        """The file for its roster, unless something is there."""
        return str(self._home / "staff.csv")

    def name_schedules(self, additions: Sequence[Addition]) -> None:
        """Give each schedule of the additions a slug of its own."""
        names = {addition.declared.schedule.value: addition.schedule_name for addition in additions}
        counts = Counter(slug(name) for name in names.values())
        for schedule_id, name in names.items():
            short, own = slug(name), f"schedule-{schedule_id[:_ID_SHOWN]}"
            taken = counts[short] > 1 or self._file(short) in self._folder.by_path
            self._slugs[schedule_id] = own if not short else f"{short}-{schedule_id[:_ID_SHOWN]}" if taken else short

    def connection(self, addition: Addition) -> str:
        """The file for a new connection, whose schedule has got its slug."""
        schedule_id = addition.declared.schedule.value
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


SHARED_BY = 2
"""How many connections share what is worth a policy."""


@dataclass(frozen=True, slots=True)
class Policy:
    """A sync config to share."""

    name: str
    sync: SyncConfig


def factor_out(
    additions: Sequence[Addition],
    existing: Mapping[SyncConfig, str],
    site: str,
    taken: Taken,
    shared_by: int = SHARED_BY,
) -> tuple[list[Addition], list[Policy]]:
    """The additions with their policies, and those policies that are new: of what so many say.

    `existing` are policies that connections of the site use already, by what they say.
    """
    counts = Counter(addition.declared.sync for addition in additions if sharable(addition.declared.sync))
    names = {sync: existing[sync] for sync in counts if sync in existing}
    new: list[Policy] = []
    for sync in sorted((sync for sync in counts if sync not in names), key=policy_name):
        if counts[sync] >= shared_by:
            name = policy_name(sync)
            names[sync] = taken.take(name, f"{site}-{name}")
            new.append(Policy(names[sync], sync))
    return [replace(addition, policy=names.get(addition.declared.sync)) for addition in additions], new


def sharable(sync: SyncConfig) -> bool:
    """Whether it may hold for other accounts: one that names calendars is its account's own."""
    return sync != SyncConfig() and not (sync.imports is not None and sync.imports.arm is Arm.CALENDARS)


def policy_name(sync: SyncConfig) -> str:
    """What a sync config does, as a name: `import-primary-export-dedicated`."""
    parts = [*_parts("import", sync.imports), *_parts("export", sync.exports)]
    return "-".join(parts) or "no-sync"


def _parts(verb: str, direction: Direction | None) -> Iterable[str]:
    if direction is None or not direction.enabled:
        return ()
    return (verb,) if direction.arm is None else (verb, direction.arm.removesuffix("Calendar"))
