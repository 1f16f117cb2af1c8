"""Selects what a command is about: sites, connections, schedules, a shard of the fleet."""

import functools
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import click

from reconciler import workflow
from reconciler.cli.arguments import select_connections, select_sites
from reconciler.cli.console import Console
from reconciler.errors import UsageError
from reconciler.model.desired import DeclaredConnection, Desired, ScheduleKey, Site
from reconciler.model.shards import Shards
from reconciler.text import did_you_mean

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

    @property
    def names_any(self) -> bool:
        """Whether sites, connections or schedules are named."""
        return bool(self.sites or self.connections or self.schedules)

    def of(self, desired: Desired, console: Console) -> workflow.Selection:
        """The selection; raises UsageError for a name that no manifest has. A shard without a site is noted."""
        selection = workflow.Selection(
            select_sites(desired, self.sites),
            _both(select_connections(desired, self.connections), select_schedules(desired, self.schedules)),
            self.shards,
        )
        self.note_if_empty(workflow.selected_sites(desired, selection), console)
        return selection

    def note_if_empty(self, sites: Sequence[Site], console: Console) -> None:
        """Note that a shard has none of the sites, which is no failure."""
        if self.shards is not None and not sites:
            console.note(f"{self.shards} holds none of the sites: nothing to do.")


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
        click.option("--site", "sites", metavar="NAME", multiple=True, help="Only this site; may be repeated."),
        click.option(
            "--connection",
            "connections",
            metavar="NAME",
            multiple=True,
            help="Only this connection, as NAME or SITE/NAME; may be repeated.",
        ),
        click.option(
            "--schedule",
            "schedules",
            metavar="NAME|ID",
            multiple=True,
            help="Only connections on this schedule, by name, id or external id as the manifests write it; may be "
            "repeated.",
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


def select_schedules(desired: Desired, names: tuple[str, ...]) -> frozenset[str] | None:
    """The addresses of the connections on the chosen schedules, None for all; raises UsageError for an unknown one."""
    found: set[str] = set()
    for name in names:
        matching = {c.address for c in desired.connections if _is_on(c, name)}
        if not matching:
            hint = did_you_mean(name, sorted({(c.schedule.label or c.schedule).value for c in desired.connections}))
            advice = hint or "write its name, id or external id as the manifests do"
            raise UsageError(f"--schedule {name}: no manifest names it; {advice}")
        found |= matching
    return frozenset(found) or None


def _is_on(connection: DeclaredConnection, name: str) -> bool:
    ref = connection.schedule
    if ref.label is not None and ref.label.value == name:
        return True
    return ref.value == name or (ref.by is ScheduleKey.ID and ref.value == name.lower())


def _both(connections: frozenset[str] | None, on_schedules: frozenset[str] | None) -> frozenset[str] | None:
    if connections is None or on_schedules is None:
        return on_schedules if connections is None else connections
    if not connections & on_schedules:
        raise UsageError("no connection fits both --connection and --schedule. Leave one out.")
    return connections & on_schedules
