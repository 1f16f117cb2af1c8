"""`extcal resolve` settles connects whose answer was lost, and duplicates as a person decides."""

import sys
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import click

from reconciler import workflow
from reconciler.cli.arguments import Command, manifest_paths, paths_argument
from reconciler.cli.console import Console, confirm
from reconciler.cli.formats import warn_of_overlooked
from reconciler.cli.options import GlobalOptions, current_options, global_options
from reconciler.cli.selectors import DeclaredIndex, one_connection
from reconciler.cli.signals import run
from reconciler.cli.target import target
from reconciler.errors import ExtcalError, UsageError
from reconciler.manifests import Limits, load
from reconciler.model.desired import Desired
from reconciler.model.intent import Settled
from reconciler.render.resolution import Resolution, resolution_json, resolution_text
from reconciler.text import inert
from reconciler.workflow import resolve as resolution

FAILED = 1


@click.command(
    cls=Command, examples=["extcal resolve manifests", "extcal resolve manifests --keep harbor-dental/dr-lee=4f1c2a9e"]
)
@paths_argument
@click.option(
    "--keep",
    "kept",
    metavar="NAME=ID",
    multiple=True,
    help="Of the duplicates of NAME or SITE/NAME keep this connection, and disconnect the others, which are of the "
    "same schedule, provider and account; may be repeated.",
)
@click.option(
    "--forget",
    metavar="NAME",
    multiple=True,
    help="Stop looking up the lost connect of NAME or SITE/NAME; may be repeated.",
)
@click.option("--auto-approve", is_flag=True, help="Disconnect without asking.")
@click.option(
    "--format",
    "output",
    type=click.Choice(["text", "json"]),
    default="text",
    help="The format of the result on stdout.",
)
@global_options
def resolve(
    paths: tuple[str, ...],
    limits: Limits,
    kept: tuple[str, ...],
    forget: tuple[str, ...],
    auto_approve: bool,  # noqa: FBT001 - click hands flags over as arguments
    output: str,
) -> int:
    """Settle lost connects and duplicate connections.

    Use it when a plan or an apply says that a connect was left open, or that several connections fit one manifest. Lost
    connects are looked up, and closed where the answer is clear. Of duplicates, choose which stays with --keep; without
    it they are listed. The exit code is 1 while anything is left open.

    PATH is a manifest file or a folder of them.
    """
    options = current_options()
    keep = _pairs(kept)
    desired = load(manifest_paths(paths), limits)
    wanted = _options(desired, keep, forget, auto_approve=auto_approve)
    warn_of_overlooked(desired, options.console)
    return run(_resolve(desired, options, wanted, ("extcal", "resolve", *paths), as_json=output == "json"))


@dataclass(frozen=True, slots=True)
class _Options:
    """What the command line wants kept and forgotten."""

    keep: Mapping[str, str]
    forget: frozenset[str]
    auto_approve: bool

    def without(self, sites: Collection[str]) -> tuple[dict[str, str], frozenset[str]]:
        """`keep` and `forget`, but for those of these sites, about which nothing can be done now."""
        keep = {address: kept for address, kept in self.keep.items() if address.partition("/")[0] not in sites}
        return keep, frozenset(address for address in self.forget if address.partition("/")[0] not in sites)


def _options(desired: Desired, keep: Mapping[str, str], forget: Sequence[str], *, auto_approve: bool) -> _Options:
    """The options with the addresses of what they name; raises UsageError for what can't be meant."""
    index = DeclaredIndex(desired.connections)

    def address(option: str, word: str) -> str:
        # What is open may be declared no more: then it has its address alone.
        found = index.named(word)
        one_connection(option, word, found)
        return found[0].address if found else word

    kept: dict[str, str] = {}
    for word, connection_id in keep.items():
        if (named := address("--keep", word)) in kept:
            raise UsageError(f"--keep {word}={connection_id}: {named} is given twice. Give it once.")
        kept[named] = connection_id
    forgotten = frozenset(address("--forget", word) for word in forget)
    if both := sorted(kept.keys() & forgotten):
        raise UsageError(f"{both[0]}: --keep and --forget exclude each other. Give one.")
    return _Options(kept, forgotten, auto_approve=auto_approve)


def _pairs(texts: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in texts:
        address, _, connection_id = text.partition("=")
        if not address or not connection_id:
            raise UsageError(f"--keep {text}: not a NAME=ID. Write SITE/NAME=ID.")
        if address in found:
            raise UsageError(f"--keep {text}: {address} is given twice. Give it once.")
        found[address] = connection_id
    return found


async def _resolve(
    desired: Desired, options: GlobalOptions, wanted: _Options, command: Sequence[str], *, as_json: bool
) -> int:
    console, sites = options.console, desired.sites
    with target(options) as found, workflow.locked(sites, found.service.machine, "extcal resolve") as taken:
        free = [site for site in sites if site.name not in taken]
        machine = found.service.machine
        async with workflow.sessions(free, found.service) as opened:
            examined = await resolution.examine(desired, free, opened, machine)
            locks = (fault for faults in taken.values() for fault in faults)
            for fault in dict.fromkeys((*locks, *examined.faults.values(), *examined.unread.values())):
                console.fault(fault)
            for warning in examined.warnings:
                console.warning(warning)
            held_back = {*taken, *examined.faults}
            decisions = resolution.choose(examined, *wanted.without(held_back))
            _ask(decisions, console, auto_approve=wanted.auto_approve)
            resolutions = [
                await _carried_out(each, decisions, lambda choice: resolution.carry_out(choice, free, opened, machine))
                for each in examined.open
            ]
    held_back |= examined.unread.keys()
    if resolutions or not held_back or as_json:
        console.show(resolution_json if as_json else lambda found: resolution_text(found, command), resolutions)
    return FAILED if held_back or any(each.ending is None for each in resolutions) else 0


def _ask(choices: Sequence[resolution.Decision], console: Console, *, auto_approve: bool) -> None:
    losing = [choice for choice in choices if choice.give_up]
    if not losing or auto_approve:
        return
    if not sys.stdin.isatty():
        raise UsageError("resolve asks before it disconnects, and there is no terminal. Add --auto-approve.")
    for choice in losing:
        gone = ", ".join(choice.give_up)
        console.say(inert(f"{_address(choice.about)}: keeping {choice.keep}, disconnecting {gone}"))
    confirm(f"Disconnect {sum(len(choice.give_up) for choice in losing)}?", console)


def _address(about: resolution.Open) -> str:
    return about.pending.intent.address if isinstance(about, Settled) else about.address


async def _carried_out(
    about: resolution.Open,
    choices: Sequence[resolution.Decision],
    carry_out: Callable[[resolution.Decision], Awaitable[None]],
) -> Resolution:
    """How one ends: as it was chosen, or left open."""
    choice = next((choice for choice in choices if choice.about is about), None)
    if choice is None:
        return Resolution(about)
    try:
        await carry_out(choice)
    except ExtcalError as error:
        return Resolution(about, error=str(error))
    return Resolution(about, choice.fate, choice.keep, choice.give_up)
