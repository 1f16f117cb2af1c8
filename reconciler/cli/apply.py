"""`extcal apply`: make it so."""

import asyncio
import contextlib
import itertools
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace

import click

from reconciler import workflow
from reconciler.cli.arguments import (
    allow_option,
    manifest_paths,
    parse_allowances,
    paths_argument,
    select_connections,
    select_sites,
    selection_options,
)
from reconciler.cli.console import Console
from reconciler.cli.options import Globals, global_options, said_globals
from reconciler.cli.report import failing_as_json, report_troubles
from reconciler.cli.target import target
from reconciler.errors import UsageError
from reconciler.execution.steps import Consent
from reconciler.manifests import load
from reconciler.model.desired import Desired
from reconciler.model.plan import Action, Plan
from reconciler.model.result import Outcome, OutcomeStatus, Result
from reconciler.planning.guards import Allowance
from reconciler.render.plan_json import result_json
from reconciler.render.plan_text import plan_text
from reconciler.render.result_text import outcome_line, result_text

FAILED = 1
AWAITING = 3
INTERRUPTED = 130
_FINISHING = "interrupted: finishing what is under way; once more to end at once"
_ENDING = "ended at once: plan again to see where it stands"


@click.command
@paths_argument
@selection_options
@allow_option
@click.option("--auto-approve", is_flag=True, help="Do not ask before writing.")
@click.option(
    "--consent",
    type=click.Choice([choice.value for choice in Consent]),
    default=Consent.LINK.value,
    show_default=True,
    help="For connections that only their owner can approve: list the links, or do not ask for any.",
)
@click.option("--format", "output", type=click.Choice(["text", "json"]), default="text", help="How to show the result.")
@global_options
def apply(
    paths: tuple[str, ...],
    sites: tuple[str, ...],
    connections: tuple[str, ...],
    allowances: tuple[str, ...],
    auto_approve: bool,  # noqa: FBT001 - click hands flags over as arguments
    consent: str,
    output: str,
) -> int:
    """Plan, ask, carry out the plan, and look again at what still differs.

    PATH is a manifest file or a folder of them.
    """
    said = said_globals()
    as_json = output == "json"
    with failing_as_json(said.console, as_json=as_json):
        desired = load(manifest_paths(paths))
        selection = workflow.Selection(select_sites(desired, sites), select_connections(desired, connections))
        allowed = parse_allowances(allowances)
        how = _How(selection, allowed, Consent(consent), auto_approve=auto_approve, as_json=as_json)
        try:
            return asyncio.run(_apply(desired, said, how))
        except asyncio.CancelledError:
            return INTERRUPTED


@dataclass(frozen=True, slots=True)
class _How:
    """What the command line asks for."""

    selection: workflow.Selection
    allowed: frozenset[Allowance]
    consent: Consent
    auto_approve: bool
    as_json: bool


async def _apply(desired: Desired, said: Globals, how: _How) -> int:
    console = said.console
    with target(said) as found:
        async with workflow.sessions(workflow.selected_sites(desired, how.selection), found.service) as opened:
            made = await workflow.plan(desired, opened, how.selection, how.allowed)
            if not how.as_json:
                console.result(plan_text(made, console.paint) + "\n")
            report_troubles(made, console)
            todo = [action for site in made.sites if site.applyable for action in site.actions if action.kind.writes]
            if todo and not how.auto_approve:
                _ask(made, todo, console, as_json=how.as_json)
            stop = _stop_on_signals(console)
            result = await workflow.apply(
                made,
                opened,
                consent=how.consent,
                stop=stop,
                told=_progress(console),
            )
            if todo and not result.interrupted:
                verified = await _unless_stopped(workflow.verify(result, desired, opened, how.selection), stop)
                result = verified or replace(result, interrupted=True)
    _show(result, said, as_json=how.as_json)
    return exit_code(result)


def _ask(made: Plan, todo: Sequence[Action], console: Console, *, as_json: bool) -> None:
    """Ask whether to go on; raises UsageError where nobody can answer, Abort where the answer is no."""
    if not sys.stdin.isatty():
        raise UsageError("apply asks before it writes, and there is no terminal to ask on; add --auto-approve")
    if as_json:
        console.say(plan_text(made))
    lost = sum(action.kind.disconnects for action in todo)
    warning = f" {lost} of them would take a connection away." if lost else ""
    question = f"Carry out {len(todo)} action{'' if len(todo) == 1 else 's'}?{warning}"
    # While it waits for a line, the event loop can't act on Ctrl-C: let it end the question itself.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        answer = click.confirm(question, err=True)
    except click.Abort:
        console.say("\nNothing was changed.")
        raise
    finally:
        signal.signal(signal.SIGINT, before)
    if not answer:
        console.say("Nothing was changed.")
        raise click.Abort


def _progress(console: Console) -> Callable[[Outcome], None]:
    ended = itertools.count(1)

    def told(outcome: Outcome) -> None:
        # A terminal that has gone away must not end what is under way.
        with contextlib.suppress(OSError):
            console.progress(f"{next(ended)} ended, the latest: {outcome_line(outcome).splitlines()[0]}")

    return told


def _stop_on_signals(console: Console) -> asyncio.Event:
    """An event that Ctrl-C and SIGTERM set; a second one cancels the task that asks."""
    stop, task = asyncio.Event(), asyncio.current_task()

    def interrupted() -> None:
        if stop.is_set() and task is not None:
            task.cancel()
        stop.set()
        with contextlib.suppress(OSError):
            console.say(_ENDING if task is not None and task.cancelling() else _FINISHING)

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, interrupted)
    return stop


async def _unless_stopped(looking: Coroutine[object, object, Result], stop: asyncio.Event) -> Result | None:
    """The result, or None where it is stopped before."""
    tasks = asyncio.create_task(looking), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return None if stop.is_set() else await tasks[0]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


def _show(result: Result, said: Globals, *, as_json: bool) -> None:
    said.console.result(result_json(result) if as_json else result_text(result, said.console.paint))


def exit_code(result: Result) -> int:
    """The contract's exit code for a result."""
    if result.interrupted:
        return INTERRUPTED
    failed = {OutcomeStatus.FAILED, OutcomeStatus.SKIPPED, OutcomeStatus.UNKNOWN}
    whole = result.plan.whole and (result.remaining is None or result.remaining.whole)
    if not whole or result.unsettled or any(outcome.status in failed for outcome in result.outcomes):
        return FAILED
    return AWAITING if result.count(OutcomeStatus.AWAITING_CONSENT) else 0
