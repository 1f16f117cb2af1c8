"""Selects what a command is about: sites, connections, schedules, a shard of the fleet.

A word is looked for in the manifests first, which asks nobody. What they don't hold may still be the id of a live
connection, or what the service calls a schedule: only for such words the sites are asked, before anything else.
"""

import functools
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TypeVar

import click

from reconciler import workflow
from reconciler.cli.console import Console
from reconciler.cli.options import GlobalOptions
from reconciler.cli.selectors import (
    UNDECLARED,
    DeclaredIndex,
    one_connection,
    one_schedule,
    refuse_ambiguous,
    schedules_meant,
    select_sites,
    shown_schedule,
    unknown,
)
from reconciler.cli.signals import run
from reconciler.cli.target import target
from reconciler.errors import ExtcalError, UsageError
from reconciler.model.account import shown
from reconciler.model.desired import DeclaredConnection, Desired
from reconciler.model.live import LiveConnection, Schedule
from reconciler.model.shards import Shards
from reconciler.model.source import Fault
from reconciler.planning.lookup import Schedules, resolve_schedule
from reconciler.planning.providers import shown_type
from reconciler.text import listed

INDEX = "JOB_COMPLETION_INDEX"
_SHARD = re.compile(r"(auto|[0-9]{1,9})/([0-9]{1,9})")
_Command = TypeVar("_Command", bound=Callable[..., object])


@dataclass(frozen=True, slots=True)
class SelectionOptions:
    """The options that choose; a site is chosen where all of them fit."""

    sites: tuple[str, ...]
    connections: tuple[str, ...]
    schedules: tuple[str, ...]
    shards: Shards | None
    live: Mapping[str, workflow.SiteLookup] = field(default_factory=dict)
    """What the service said of each site, for the words that the manifests don't hold; empty where none was asked."""

    @property
    def names_any(self) -> bool:
        """Whether sites, connections or schedules are named."""
        return bool(self.sites or self.connections or self.schedules)

    def of(self, desired: Desired, console: Console) -> workflow.Selection:
        """The selection; raises UsageError for a word that means nothing, or several things.

        A shard without a site is noted.
        """
        sites = select_sites(desired.sites, self.sites)
        words = _Words(desired, sites, self.live)
        connections = _all_of(words.connection, self.connections)
        selection = workflow.Selection(
            sites, _both(connections, _all_of(words.on_schedule, self.schedules)), self.shards
        )
        self.note_if_empty(len(workflow.selected_sites(desired, selection)), console)
        return selection

    def looked_up(self, desired: Desired, options: GlobalOptions) -> "SelectionOptions":
        """These options with what the service says of the words that the manifests don't hold, if there are any.

        Raises UsageError for an unknown site.
        """
        sites = select_sites(desired.sites, self.sites)
        if not self.schedules and not self.connections:
            return self
        index = DeclaredIndex(_declared_on(desired, sites))
        schedules = any(word and not index.on_schedule(word) for word in self.schedules)
        connections = any(not index.named(word) and index.could_be_live(word) for word in self.connections)
        if not schedules and not connections:
            return self
        asked = [site for site in desired.sites if sites is None or site.name in sites]

        async def look_up() -> Mapping[str, workflow.SiteLookup]:
            with target(options) as found:
                return await workflow.look_up(
                    desired, asked, found.service, schedules=schedules, connections=connections
                )

        return replace(self, live=run(look_up()))

    def note_if_empty(self, count: int, console: Console) -> None:
        """Note that a shard has none of the sites, which is no failure."""
        if self.shards is not None and not count:
            console.note(f"{self.shards} holds none of the sites: nothing to do.")


def _declared_on(desired: Desired, sites: frozenset[str] | None) -> list[DeclaredConnection]:
    return [each for each in desired.connections if sites is None or each.site in sites]


def _all_of(find: Callable[[str], Iterable[DeclaredConnection]], words: Sequence[str]) -> frozenset[str] | None:
    """The addresses of all that the words mean, None where there is no word."""
    return frozenset(each.address for word in words for each in find(word)) or None


class _Words:
    """Finds the declared connections that a word means, on the chosen sites; raises UsageError where it can't.

    What could not be asked is an ExtcalError: the word may mean something there.
    """

    def __init__(self, desired: Desired, sites: frozenset[str] | None, live: Mapping[str, workflow.SiteLookup]) -> None:
        self._declared = _declared_on(desired, sites)
        self._live = live
        self._apps = {site.name: site.schedules_app_id for site in desired.sites}
        self._where = "" if sites is None else " of the chosen sites"

    @cached_property
    def _index(self) -> DeclaredIndex:
        # Most commands choose nothing, and a fleet has thousands of them.
        return DeclaredIndex(self._declared)

    def connection(self, word: str) -> list[DeclaredConnection]:
        """The one with this address, name, account, or live id."""
        if found := self._index.named(word):
            one_connection("--connection", word, found)
            return found
        live = list(self._live_connections(word)) if self._index.could_be_live(word) else []
        addresses = {self._live[site].addresses.get(each.id) for site, each in live}
        if found := [each for each in self._declared if each.address in addresses]:
            return found
        for site, each in live:
            account = f"{shown_type(each.calendar_type)} {shown(each.account)}"
            raise UsageError(
                f"--connection {word}: no manifest declares it, and it is live on {site}, {account}. extcal pull "
                "writes manifests of what is live."
            )
        missing = f"no manifest{self._where} declares it"
        if self._index.could_be_live(word):
            self._refuse_unread("--connection", word, missing)
        names = {each.name for each in self._declared}
        raise unknown("--connection", word, missing, names, "declared are", self._index.names)

    def _live_connections(self, word: str) -> Iterator[tuple[str, LiveConnection]]:
        for site, found in self._live.items():
            for each in found.connections:
                if word in {each.id, f"{site}{UNDECLARED}{each.id}"}:
                    yield site, each

    def on_schedule(self, word: str) -> list[DeclaredConnection]:
        """Those on the schedule with this id, name or external id, as the manifests or else the service call it."""
        if found := self._index.on_schedule(word):
            one_schedule(word, found)
            return found
        candidates: dict[str, list[DeclaredConnection]] = {}
        for site, there in self._live.items():
            for schedule, declared in self._on_live(word, site, there.schedules):
                candidates[shown_schedule(site, schedule)] = declared
        on_some = {shown: declared for shown, declared in candidates.items() if declared}
        refuse_ambiguous("--schedule", word, "schedules", on_some, "Give the id of one, or add --site.")
        for declared in on_some.values():
            return declared
        missing = f"no manifest{self._where} names it"
        self._refuse_unread("--schedule", word, missing)
        called = dict(self._live_names())
        names = {called.get(each, each) for each in self._index.schedules}
        if candidates:
            raise UsageError(
                f"--schedule {word}: {missing}, and the service has it: {listed(candidates)}; named are {listed(names)}"
            )
        raise unknown("--schedule", word, missing, names, "named are", called.values())

    def _on_live(
        self, word: str, site: str, schedules: Sequence[Schedule]
    ) -> Iterator[tuple[Schedule, list[DeclaredConnection]]]:
        """The schedules of a site that a word means, each with the declared connections on it."""
        there = Schedules(schedules)
        for meant in schedules_meant(word, there, self._apps[site]):
            resolved = ((each, resolve_schedule(each, there)) for each in self._declared if each.site == site)
            on = [each for each, found in resolved if not isinstance(found, Fault) and found.id == meant.id]
            yield meant, on

    def _live_names(self) -> Iterator[tuple[str, str]]:
        """What the service calls schedules, by id, as far as it was asked."""
        for there in self._live.values():
            yield from ((schedule.id, schedule.name) for schedule in there.schedules if schedule.name)

    def _refuse_unread(self, option: str, word: str, missing: str) -> None:
        for site, found in self._live.items():
            if found.error is not None:
                raise ExtcalError(f"{option} {word}: {missing}, and {site} could not be asked: {found.error}")


def selection_options(function: _Command) -> Callable[..., object]:
    """Give a command the options that choose; it gets them as one argument, `selection`."""

    @functools.wraps(function)
    def command(
        *args: object,
        sites: tuple[str, ...],
        connections: tuple[str, ...],
        schedules: tuple[str, ...],
        shard: str | None,
        **others: object,
    ) -> object:
        shards = None if shard is None else parse_shard(shard)
        return function(*args, selection=SelectionOptions(sites, connections, schedules, shards), **others)

    options = [
        click.option(
            "--site",
            "sites",
            metavar="NAME|ID",
            multiple=True,
            help="Only this site, by its name or its site id; may be repeated.",
        ),
        click.option(
            "--connection",
            "connections",
            metavar="NAME|ID",
            multiple=True,
            help="Only this connection: NAME, SITE/NAME, its account's email, or the id of the live one; may be "
            "repeated.",
        ),
        click.option(
            "--schedule",
            "schedules",
            metavar="NAME|ID",
            multiple=True,
            help="Only connections on this schedule, by its name, id or external id; may be repeated. What no manifest "
            "writes is asked of the service.",
        ),
        click.option(
            "--shard",
            metavar="K/N",
            help="Only the sites of shard K of N, such as 2/8. Each site is in exactly one, whatever sites are "
            "added or removed. "
            f"auto/N takes K from {INDEX}, as set in a Kubernetes Indexed Job.",
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def parse_shard(text: str) -> Shards:
    """Read `K/N` (1 to N) or `auto/N`; raises UsageError."""
    match = _SHARD.fullmatch(text)
    if match is None:
        raise UsageError(f"--shard {text}: not a shard. Write K/N, such as 2/8, or auto/N to take K from {INDEX}.")
    number = _number_of_job(int(match[2]), text) if match[1] == "auto" else int(match[1])
    try:
        return Shards(int(match[2]), (number,))
    except ValueError as error:
        raise UsageError(f"--shard {text}: {error}") from error


def _number_of_job(of: int, text: str) -> int:
    """The shard of this pod; Kubernetes counts from 0."""
    index = os.environ.get(INDEX)
    if not index:
        raise UsageError(
            f"--shard {text}: {INDEX} is not set. Set completionMode: Indexed in the Kubernetes Job; elsewhere write "
            f"K/{of}."
        )
    if not re.fullmatch(r"[0-9]{1,9}", index) or int(index) >= of:
        raise UsageError(
            f"--shard {text}: {INDEX} is {index!r}, not from 0 to {of - 1}. Set completions: {of} in the Job."
        )
    return int(index) + 1


def _both(connections: frozenset[str] | None, on_schedules: frozenset[str] | None) -> frozenset[str] | None:
    if connections is None or on_schedules is None:
        return on_schedules if connections is None else connections
    if not connections & on_schedules:
        raise UsageError("no connection fits both --connection and --schedule. Leave one out.")
    return connections & on_schedules
