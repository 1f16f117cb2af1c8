"""`extcal resolve`: connects whose answer was lost, what became of them, and a person's word on those left open."""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import click

from reconciler import workflow
from reconciler.cli.arguments import manifest_paths, paths_argument
from reconciler.cli.console import Console
from reconciler.cli.options import Globals, global_options, said_globals
from reconciler.cli.target import target
from reconciler.errors import ExtcalError, UsageError
from reconciler.manifests import load
from reconciler.model.desired import Site
from reconciler.model.encoding import Json
from reconciler.model.intent import Settled
from reconciler.render.inert import inert
from reconciler.render.json_text import json_text
from reconciler.workflow import resolving

FAILED = 1


@click.command
@paths_argument
@click.option(
    "--keep",
    "kept",
    metavar="ADDRESS=ID",
    multiple=True,
    help="Of the connections that appeared for SITE/NAME keep this one, and disconnect the others.",
)
@click.option(
    "--forget", metavar="ADDRESS", multiple=True, help="Ask no longer what became of the connect of SITE/NAME."
)
@click.option("--auto-approve", is_flag=True, help="Do not ask before disconnecting.")
@click.option("--format", "output", type=click.Choice(["text", "json"]), default="text", help="How to show it.")
@global_options
def resolve(
    paths: tuple[str, ...],
    kept: tuple[str, ...],
    forget: tuple[str, ...],
    auto_approve: bool,  # noqa: FBT001 - click hands flags over as arguments
    output: str,
) -> int:
    """Settle connects whose answer was lost: look what became of each, and close those that are clear.

    PATH is a manifest file or a folder of them. A connect is written down on this machine before it is sent, and apply
    settles what an earlier run left open before it does anything else. Where one connect has made several connections
    a person must say which one stays: --keep. The exit code is 1 while anything is left open.
    """
    said = said_globals()
    asked = _Asked(_pairs(kept), frozenset(forget), auto_approve=auto_approve)
    if double := sorted(set(asked.keep) & asked.forget):
        raise UsageError(f"{double[0]}: either --keep or --forget")
    return asyncio.run(_resolve(load(manifest_paths(paths)).sites, said, asked, as_json=output == "json"))


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the command line asks for."""

    keep: Mapping[str, str]
    forget: frozenset[str]
    auto_approve: bool


def tell_settled(settled: Settled, console: Console) -> None:
    """Tell what became of a connect that an earlier run left open."""
    console.note(f"{settled.pending.intent.address}: an earlier connect was left open; {_found(settled)}")


def _found(settled: Settled) -> str:
    return resolving.described(settled.finding)


def _pairs(texts: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in texts:
        address, _, connection_id = text.partition("=")
        if not address or not connection_id:
            raise UsageError(f"--keep {text}: write it as SITE/NAME=ID")
        if address in found:
            raise UsageError(f"--keep {text}: {address} is named twice")
        found[address] = connection_id
    return found


async def _resolve(sites: Sequence[Site], said: Globals, asked: _Asked, *, as_json: bool) -> int:
    console = said.console
    with target(said) as found, workflow.locked(sites, found.service.machine, "extcal resolve") as taken:
        for fault in (fault for faults in taken.values() for fault in faults):
            console.fault(fault)
        free = [site for site in sites if site.name not in taken]
        machine = found.service.machine
        async with workflow.sessions(free, found.service) as opened:
            examined = await resolving.examine(free, opened, machine)
            choices = resolving.choose(examined, asked.keep, asked.forget)
            _ask(choices, console, auto_approve=asked.auto_approve)
            failed = await _carry_out(choices, free, opened, found.service, console)
    left = [settled for settled in examined if resolving.is_open(settled, choices)]
    console.result(_as_json(examined, left) if as_json else _as_text(examined, left))
    return FAILED if left or taken or failed else 0


def _ask(choices: Sequence[resolving.Choice], console: Console, *, auto_approve: bool) -> None:
    losing = [choice for choice in choices if choice.give_up]
    if not losing or auto_approve:
        return
    if not sys.stdin.isatty():
        raise UsageError("resolve asks before it disconnects, and there is no terminal to ask on; add --auto-approve")
    for choice in losing:
        gone = ", ".join(choice.give_up)
        console.say(inert(f"{choice.pending.intent.address}: {choice.keep} stays, {gone} is disconnected"))
    if not click.confirm(f"Disconnect {sum(len(choice.give_up) for choice in losing)}?", err=True):
        console.say("Nothing was changed.")
        raise click.Abort


async def _carry_out(
    choices: Sequence[resolving.Choice],
    sites: Sequence[Site],
    opened: workflow.Sessions,
    service: workflow.Service,
    console: Console,
) -> bool:
    """Carry out what was decided; whether anything went wrong."""
    by_name = {site.name: site for site in sites}
    failed = False
    for choice in choices:
        try:
            await resolving.carry_out(choice, by_name, opened, service.machine)
        except ExtcalError as error:
            failed = True
            console.error(f"{choice.pending.intent.address}: {error}")
    return failed


def _as_text(examined: Sequence[Settled], left: Sequence[Settled]) -> str:
    if not examined:
        return "No connect was left open."
    lines = [
        f"{'LEFT OPEN' if settled in left else 'settled'}  {settled.pending.intent.address}"
        f"  {settled.pending.intent.provider} {settled.pending.intent.account}: {_found(settled)}"
        for settled in examined
    ]
    lines += ["", f"{len(examined) - len(left)} settled, {len(left)} left open."]
    return "\n".join(map(inert, lines))


def _as_json(examined: Sequence[Settled], left: Sequence[Settled]) -> str:
    rows: list[dict[str, Json]] = [
        {
            "address": settled.pending.intent.address,
            "account": settled.pending.intent.account,
            "settled": settled not in left,
            "finding": _found(settled),
        }
        for settled in examined
    ]
    return json_text(rows)
