"""`extcal apply` plans, asks, carries the plan out, and reads again what still differs."""

import asyncio
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler import planfile
from reconciler.cli.allowances import (
    allow_option,
    check_allowances,
    parse_allowances,
    places_of_manifests,
    places_of_plan,
)
from reconciler.cli.apply_progress import carried_out, stop_on_signals
from reconciler.cli.apply_run import (
    ApplyRun,
    dask_run,
    local_run,
    new_undo_file,
    save_undo,
)
from reconciler.cli.approval import Approval
from reconciler.cli.arguments import (
    Command,
    digest_option,
    manifest_paths,
    optional_paths_argument,
    parallelism_option,
    refuse_empty,
    refuse_stdout,
)
from reconciler.cli.consent import consent_session
from reconciler.cli.consent_options import ConsentOptions, consent_options
from reconciler.cli.consent_requests import known_after, known_requests
from reconciler.cli.console import Console
from reconciler.cli.dask.options import for_workers, runner_options
from reconciler.cli.formats import failures_as_json, report_view, warn_of_overlooked
from reconciler.cli.options import GlobalOptions, current_options, global_options
from reconciler.cli.record import record_option, recorded
from reconciler.cli.selection import SelectionOptions, selection_options
from reconciler.cli.signals import Ending, run
from reconciler.cli.target import target
from reconciler.errors import UsageError
from reconciler.machine.record import RecordFile
from reconciler.manifests import Limits, load
from reconciler.model.consent import ConsentMode
from reconciler.model.consent_request import NO_REQUESTS, KnownRequests
from reconciler.model.plan import Allowance
from reconciler.model.result import OutcomeStatus, Result
from reconciler.planning.partition import partition_of
from reconciler.render.plan_json import result_json
from reconciler.render.result_text import result_text
from reconciler.render.view import ReportView
from reconciler.workflow import ConsentWork, ManifestWork, SavedWork, Work

if TYPE_CHECKING:
    from reconciler.cli.consent_mail import MailSetup

FAILED = 1
AWAITING = 3
_DEAD_LINKS = (
    "The sandbox ends with this command, and its authorization links with it. To open one, run extcal sandbox serve "
    "and apply with its --endpoint, or apply --consent wait on a terminal."
)

_SECTIONS = {
    "Which connections": ("sites", "connections", "schedules", "shard"),
    "Consent of owners": (
        "consent", "consent_timeout", "open_browser", "consent_file", "remind_after", "most_mails", "dry_mail",
        "only_consents",
    ),
    "Where and how it runs": (
        "parallelism", "runner", "scheduler", "endpoint", "sandbox", "sandbox_config", "verbose", "quiet", "limits",
    ),
}  # fmt: skip


@click.command(
    cls=Command,
    examples=["extcal apply manifests", "extcal apply --plan change.plan --auto-approve --consent link"],
    sections=_SECTIONS,
)
@optional_paths_argument
@click.option("--plan", "saved", metavar="FILE", help="Apply this plan, saved by plan --out, instead of planning.")
@digest_option
@click.option(
    "--undo-out",
    metavar="FILE",
    help="Save a plan that undoes what was done, for apply --plan; warnings name what it can't undo. "
    "Change the manifests back, too.",
)
@record_option
@selection_options
@allow_option
@click.option("--auto-approve", is_flag=True, help="Write without asking.")
@consent_options
@click.option(
    "--format",
    "output",
    type=click.Choice(["text", "json"]),
    default="text",
    help="The format of the result on stdout.",
)
@parallelism_option
@runner_options
@global_options
def apply(
    paths: tuple[str, ...],
    limits: Limits,
    saved: str | None,
    digest: str | None,
    undo_out: str | None,
    selection: SelectionOptions,
    allowances: tuple[str, ...],
    auto_approve: bool,  # noqa: FBT001 - click hands flags over as arguments
    consent: ConsentOptions,
    output: str,
    parallelism: int,
    scheduler: str | None,
    *,
    record: RecordFile | None,
) -> int:
    """Change live connections to match the manifests.

    Use it after reading a plan. It plans again, asks, applies the plan, and reports what still differs. Owners approve
    Google and Microsoft accounts in their browsers: --consent says whether to wait for them, mail them their links,
    list the links, or skip them.

    With --consent mail, each owner gets one message with their links, once all else is done: at the account's own
    address, if EXTCAL_MAIL_DOMAINS names its domain. EXTCAL_SMTP_URL, EXTCAL_SMTP_PASSWORD and EXTCAL_MAIL_FROM say how
    to send. Apply again to remind them.

    A link attaches whatever account its holder picks. Those of --consent wait work in browsers on this machine only,
    unless the service refuses to send browsers here; then, as with poll, owners use any device. --consent poll, mail
    and link need oauth.redirectUrl in the Site: extcal consent-page makes a page to put there. The exit code is 3 while
    consent is awaited: apply again later.

    Ctrl-C once finishes the actions under way, twice abandons them, three times ends at once; the next apply looks up
    what became of them.

    With --plan FILE exactly the saved plan is applied. Actions whose live connection has changed since are refused;
    plan again. A saved plan is for one use: applied again, it does only what was not done before. With --shard, apply
    only its sites; actions that wait for another shard are skipped, so apply the whole plan once more.

    PATH is a manifest file or a folder of them.
    """
    refuse_empty(plan=saved)
    refuse_stdout(undo_out=undo_out)
    _check_usage(paths, saved, digest, selection)
    if consent.only and (saved is not None or scheduler is not None):
        raise UsageError(
            f"--only-consents plans what is awaited on this machine. Leave {'--plan' if saved else '--runner'} out."
        )
    globals_ = current_options()
    console, as_json = globals_.console, output == "json"
    with failures_as_json(console, as_json=as_json):
        work: Work
        if saved is not None:
            whole = planfile.load(Path(saved), digest)
            work = SavedWork(partition_of(whole, selection.shards))
            places = places_of_plan(whole)
            selection.note_if_empty(len(work.sites), console)
        else:
            desired = load(manifest_paths(paths), limits)
            warn_of_overlooked(desired, console, planned=True)
            chosen = selection.looked_up(desired, globals_).of(desired, console)
            work = (ConsentWork if consent.only else ManifestWork)(desired, chosen)
            places = places_of_manifests(desired)
        if scheduler is not None:
            for_workers(globals_, consent, undo_out, records=record is not None)
        mail: MailSetup | None = None
        if consent.mode is ConsentMode.MAIL:
            from reconciler.cli.consent_mail import mail_setup  # noqa: PLC0415 - slow, and few runs mail anybody

            mail = mail_setup(consent, globals_, [site.name for site in work.sites])
        allowed = parse_allowances(allowances)
        check_allowances(allowed, places)
        undo_file = None if undo_out is None else new_undo_file("--undo-out", undo_out)
        if record is not None:
            record.check()
        options = ApplyOptions(
            allowed,
            consent,
            mail,
            undo_file,
            tuple(manifest_paths(paths)),
            record,
            parallelism,
            scheduler,
            auto_approve=auto_approve,
            as_json=as_json,
            # Who approves a saved plan sees ids: its digest does not vouch for names.
            view=report_view(paths, globals_, wide=True),
        )
        ending = Ending()
        try:
            return run(_apply(work, globals_, options, ending))
        except asyncio.CancelledError:
            return ending.exit_code


def _check_usage(paths: tuple[str, ...], saved: str | None, digest: str | None, selection: SelectionOptions) -> None:
    """Raise UsageError for options that exclude each other."""
    if bool(paths) == (saved is not None):
        raise UsageError(
            "PATH and --plan FILE exclude each other. Give one."
            if paths
            else "nothing to apply is given. Give a PATH with manifests, or --plan FILE."
        )
    if saved is None and digest is not None:
        raise UsageError("--digest checks a saved plan. Add --plan FILE.")
    if saved is not None and selection.names_any:
        raise UsageError(
            "--plan FILE is applied as a whole. Select sites when planning: extcal plan --site NAME --out FILE"
        )


@dataclass(frozen=True, slots=True)
class ApplyOptions:
    """How a plan is carried out."""

    allowed: frozenset[Allowance]
    consent: ConsentOptions
    mail: "MailSetup | None"
    undo_file: Path | None
    manifests: tuple[Path, ...]
    record: RecordFile | None
    parallelism: int
    scheduler: str | None
    auto_approve: bool
    as_json: bool
    view: ReportView


async def _apply(work: Work, globals_: GlobalOptions, options: ApplyOptions, ending: Ending) -> int:
    """Plan, show the plan, ask, carry it out, save the undo, and show the result; the exit code."""
    console = globals_.console
    approval = Approval(
        console,
        options.allowed,
        auto_approve=options.auto_approve,
        as_json=options.as_json,
        sites_at_once=options.parallelism,
        view=options.view,
    )
    with target(globals_) as found:
        service = replace(found.service, parallelism=options.parallelism)
        service = recorded(service, options.manifests, options.record)
        begun: AbstractAsyncContextManager[ApplyRun] = (
            local_run(work, service, options.allowed, console)
            if options.scheduler is None
            else dask_run(work, options.scheduler, service.endpoint, options.allowed)
        )
        mailer = None if options.mail is None else options.mail.mailer(service, console)
        asking = consent_session(options.consent, console, mailer, as_json=options.as_json)
        async with asking as consent, begun as running:
            plan = approval.approvable(await running.plan())
            requests = known_requests(plan.actions, service, console)
            replace(approval, view=replace(options.view, requests=requests)).ask(plan, await running.failing(plan))
            stop = stop_on_signals(console, ending)
            result = await carried_out(plan, running, consent, stop, options.parallelism, console)
            # Before links are taken out: what may still be connected by one belongs to the way back.
            undo_file = options.undo_file
            undo_saved = undo_file is None or await save_undo(result, running, undo_file, console)
            result = await consent.ended(result, running.named, stop)
    # Who mails says of each owner when they were asked.
    known = NO_REQUESTS if mailer is not None else known_after(requests, plan.actions, service)
    _show(result, console, known, as_json=options.as_json)
    if found.sandbox_sites is not None and any(outcome.consent_url for outcome in result.outcomes):
        console.note(_DEAD_LINKS)
    code = ending.exit_code if result.interrupted else exit_code(result)
    return FAILED if not undo_saved and code in {0, AWAITING} else code


def _show(result: Result, console: Console, requests: KnownRequests, *, as_json: bool) -> None:
    console.show(result_json if as_json else lambda result: result_text(result, console.paint, requests), result)
    if as_json:
        # Text has it on stdout; what reads the JSON may keep it from those who read the log.
        for fault in result.unchecked:
            console.fault(fault)


def exit_code(result: Result) -> int:
    """The exit code for a result that was not interrupted: 0, 1 or 3."""
    failed = {OutcomeStatus.FAILED, OutcomeStatus.SKIPPED, OutcomeStatus.UNKNOWN}
    # A guard in the way of what remains is no failure to look: what remains is counted below.
    whole = result.plan.whole and not result.unchecked and not result.unsettled
    if not whole or any(outcome.status in failed and not outcome.held_up for outcome in result.outcomes):
        return FAILED
    return AWAITING if result.count(OutcomeStatus.AWAITING_CONSENT) else 0
