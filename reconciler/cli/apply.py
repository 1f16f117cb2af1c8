"""`extcal apply`: make it so."""

import asyncio
import contextlib
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from pathlib import Path

import click

from reconciler import planfile, workflow
from reconciler.cli.allowances import (
    allow_option,
    check_allowances,
    parse_allowances,
    places_of_manifests,
    places_of_plan,
    warn_of_unused,
)
from reconciler.cli.apply_run import Manifests, Running, Saved, by_workers, here
from reconciler.cli.arguments import (
    digest_option,
    manifest_paths,
    optional_paths_argument,
    parallelism_option,
    refuse_empty,
    refuse_stdout,
)
from reconciler.cli.consent import ConsentLinks, answerable, consent_session, name_losses
from reconciler.cli.consent_options import ConsentOptions, consent_options
from reconciler.cli.console import Console, Progress, agreed
from reconciler.cli.dask.options import for_workers, runner_options
from reconciler.cli.formats import failing_as_json, report_troubles, tell_overlooked
from reconciler.cli.options import Globals, global_options, said_globals
from reconciler.cli.redaction import redacted
from reconciler.cli.selection import Selecting, selecting_options
from reconciler.cli.signals import ENDING, Ending, run
from reconciler.cli.target import target
from reconciler.errors import ExtcalError, UsageError
from reconciler.manifests import Limits, load
from reconciler.model.action import Action
from reconciler.model.plan import Plan
from reconciler.model.result import Outcome, OutcomeStatus, Result
from reconciler.planning.guards import Allowance
from reconciler.render.plan_json import result_json
from reconciler.render.plan_text import plan_text
from reconciler.render.result_text import outcome_line, result_text
from reconciler.safe_paths import MisplacedError, check_file
from reconciler.workflow import Stop, Work, to_do

FAILED = 1
AWAITING = 3
_FINISHING = "interrupted: finishing what is under way; once more to give it up"
_GIVING_UP = "giving up what is under way; once more to end without a report"
_DEAD_LINKS = (
    "The embedded API ends with this command, and the links with it: to open one, run extcal sandbox serve and apply "
    "against its endpoint, or apply --consent wait on a terminal."
)
_ENDING = "ended at once: apply again, and what became of what was under way is looked for first"


@click.command
@optional_paths_argument
@click.option("--plan", "saved", metavar="FILE", help="Carry out a plan that plan --out saved, instead of planning.")
@digest_option
@click.option("--undo-out", metavar="FILE", help="Save the plan that undoes what was done, for apply --plan.")
@selecting_options
@allow_option
@click.option("--auto-approve", is_flag=True, help="Do not ask before writing.")
@consent_options
@click.option("--format", "output", type=click.Choice(["text", "json"]), default="text", help="How to show the result.")
@parallelism_option
@runner_options
@global_options
def apply(
    paths: tuple[str, ...],
    limits: Limits,
    saved: str | None,
    digest: str | None,
    undo_out: str | None,
    selecting: Selecting,
    allowances: tuple[str, ...],
    auto_approve: bool,  # noqa: FBT001 - click hands flags over as arguments
    consent: ConsentOptions,
    output: str,
    parallelism: int,
    scheduler: str | None,
) -> int:
    """Plan, ask, carry out the plan, and look again at what still differs.

    PATH is a manifest file or a folder of them. With --plan FILE the very plan that was reviewed is carried out, as
    far as the live state that each of its actions rests on is still what it was; with --shard too, the part of it that
    is this shard's, but for what waits for another shard: apply the whole plan once more for that.

    A saved plan is for one use. Applied again it does what was not done the first time; what was done and was taken
    away or changed since is refused (exit code 1): plan again.
    """
    refuse_empty(plan=saved)
    refuse_stdout(undo_out=undo_out)
    if bool(paths) == (saved is not None):
        raise UsageError(f"say what to apply: a PATH with manifests, or --plan FILE{', not both' if paths else ''}")
    if saved is None and digest is not None:
        raise UsageError("--digest is that of a saved plan: add --plan FILE")
    if saved is not None and selecting.names_any:
        raise UsageError(
            "--plan FILE is carried out as it is; narrow it when it is made: extcal plan --site … --out FILE"
        )
    said = said_globals()
    as_json = output == "json"
    with failing_as_json(said.console, as_json=as_json):
        work: Work
        if saved is not None:
            work = Saved(Path(saved), selecting.shards, digest)
            places = places_of_plan(work.whole)
            selecting.tell_if_empty(work.sites, said.console)
        else:
            desired = load(manifest_paths(paths), limits)
            tell_overlooked(desired, said.console, planned=True)
            work = Manifests(desired, selecting.of(desired, said.console))
            places = places_of_manifests(desired)
        if scheduler is not None:
            for_workers(said, consent, undo_out)
        allowed = parse_allowances(allowances)
        check_allowances(allowed, places)
        how = _How(
            allowed,
            consent,
            None if undo_out is None else _new_file(undo_out),
            parallelism,
            scheduler,
            auto_approve=auto_approve,
            as_json=as_json,
        )
        ending = Ending()
        try:
            return run(_apply(work, said, how, ending))
        except asyncio.CancelledError:
            return ending.exit_code


@dataclass(frozen=True, slots=True)
class _How:
    """What the command line asks for."""

    allowed: frozenset[Allowance]
    consent: ConsentOptions
    undo_file: Path | None
    parallelism: int
    scheduler: str | None
    auto_approve: bool
    as_json: bool


async def _apply(work: Work, said: Globals, how: _How, ending: Ending) -> int:
    console = said.console
    with target(said) as found:
        service = replace(found.service, parallelism=how.parallelism)
        begun: AbstractAsyncContextManager[Running] = (
            here(work, service, how.allowed, console)
            if how.scheduler is None
            else by_workers(work, how.scheduler, service.endpoint, how.allowed)
        )
        async with consent_session(how.consent, console, as_json=how.as_json) as consent, begun as running:
            made = _answerable(await running.plan(), how)
            approved = _shown_and_agreed(made, await running.failing(made), console, how)
            stop = _stop_on_signals(console, ending)
            result = await running.apply(approved, consent, stop, _progress(console, consent.links, approved))
            # Before links are taken out: what may still be connected by one belongs to the way back.
            saved = how.undo_file is None or await _write_undo(result, running, how.undo_file, console)
            result = consent.links.shown(result)
    _show(result, said, as_json=how.as_json)
    if how.as_json:
        # Text says it on stdout; what reads the JSON may keep it from those who read the log.
        for fault in result.unchecked:
            console.fault(fault)
    if found.sandbox_sites is not None and any(outcome.consent_url for outcome in result.outcomes):
        console.note(_DEAD_LINKS)
    code = ending.exit_code if result.interrupted else exit_code(result)
    return FAILED if not saved and code in {0, AWAITING} else code


def _answerable(made: Plan, how: _How) -> Plan:
    """The plan as a person may allow it, where one is asked."""
    return answerable(made) if not how.auto_approve and sys.stdin.isatty() else made


def _shown_and_agreed(made: Plan, failing: Sequence[Outcome], console: Console, how: _How) -> Plan:
    """Show a plan, and what of it is known to fail, and ask whether to go on; the plan."""
    if not how.as_json:
        console.show(lambda plan: plan_text(plan, console.paint) + "\n", made)
    report_troubles(made, console)
    warn_of_unused(how.allowed, made, console)
    for outcome in failing:
        console.error(f"{outcome.action.address}: {outcome.error}")
    hopeless = {outcome.action.address for outcome in failing}
    todo = [action for action in to_do(made) if action.address not in hopeless]
    if todo and not how.auto_approve:
        _ask(made, todo, console, as_json=how.as_json)
    return made


def _new_file(name: str) -> Path:
    """The file that the undo shall go to; raises UsageError before anything is done where it can't be made.

    One that is there already may be the only way back from an earlier run.
    """
    file = Path(name)
    if file.exists() or file.is_symlink():
        raise UsageError(f"--undo-out {name}: it is there already; name a new file")
    if not file.parent.is_dir() or not os.access(file.parent, os.W_OK):
        raise UsageError(f"--undo-out {name}: its folder can't be written to")
    try:
        check_file(file)
    except MisplacedError as error:
        raise UsageError(f"--undo-out {name}: {error}") from error
    return file


async def _write_undo(result: Result, running: Running, file: Path, console: Console) -> bool:
    """Save how to go back: whether that went well. What could not be saved must not cost the report."""
    try:
        inverse = await running.undo(result)
        if inverse.plan.sites:
            planfile.save(workflow.leaving(inverse.plan, redacted), file)
    except ExtcalError as error:
        console.error(f"no undo was saved: {error}")
        return False
    for remark in inverse.remarks:
        console.warning(f"undo: {remark}")
    if not inverse.plan.sites:
        why = "nothing of it can be undone" if inverse.remarks else "there is nothing to undo"
        console.note(f"{file} was not written: {why}")
    return True


def _ask(made: Plan, todo: Sequence[Action], console: Console, *, as_json: bool) -> None:
    """Ask whether to go on; raises UsageError where nobody can answer; what the answer no raises ends the command."""
    if not sys.stdin.isatty():
        raise UsageError("apply asks before it writes, and there is no terminal to ask on; add --auto-approve")
    if as_json:
        console.say(plan_text(redacted(made)))
    name_losses(todo, console)
    lost = sum(action.kind.disconnects for action in todo)
    warning = f" {lost} of them would take a connection away." if lost else ""
    question = f"Carry out {len(todo)} action{'' if len(todo) == 1 else 's'}?{warning}"
    agreed(question, console)


def _progress(console: Console, links: ConsentLinks, approved: Plan) -> Callable[[Outcome], None]:
    progress = Progress(console, "actions ended", sum(action.kind.writes for action in approved.actions))

    def told(outcome: Outcome) -> None:
        links.keep(outcome)
        # A terminal that has gone away must not end what is under way.
        with contextlib.suppress(OSError):
            progress.step(outcome_line(redacted(outcome)).splitlines()[0])

    return told


def _stop_on_signals(console: Console, ending: Ending) -> Stop:
    """What Ctrl-C and SIGTERM set: the first one gently, the second at once; a third cancels the task that asks."""
    stop, task = Stop(), asyncio.current_task()

    def interrupted(number: int) -> None:
        ending.heard(number)
        if stop.at_once.is_set() and task is not None:
            task.cancel()
            said = _ENDING
        elif stop.gently.is_set():
            stop.at_once.set()
            said = _GIVING_UP
        else:
            stop.gently.set()
            said = _FINISHING
        # A terminal that has gone away must not end what is under way.
        with contextlib.suppress(OSError):
            console.say(said)

    for number in ENDING:
        asyncio.get_running_loop().add_signal_handler(number, interrupted, number)
    return stop


def _show(result: Result, said: Globals, *, as_json: bool) -> None:
    said.console.show(result_json if as_json else lambda result: result_text(result, said.console.paint), result)


def exit_code(result: Result) -> int:
    """The contract's exit code for a result that was not interrupted."""
    failed = {OutcomeStatus.FAILED, OutcomeStatus.SKIPPED, OutcomeStatus.UNKNOWN}
    # A guard in the way of what remains is no failure to look: what remains is counted below.
    whole = result.plan.whole and not result.unchecked and not result.unsettled
    if not whole or any(outcome.status in failed and not outcome.held_up for outcome in result.outcomes):
        return FAILED
    return AWAITING if result.count(OutcomeStatus.AWAITING_CONSENT) else 0
