"""`extcal watch`: reconcile in a loop, and serve its metrics and health."""

import asyncio
import functools
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click

from reconciler import workflow
from reconciler.api.clock import OnWait, SystemClock
from reconciler.api.retry import RetryBudget
from reconciler.cli.allowances import allow_option, check_allowances, parse_allowances, places_of_manifests
from reconciler.cli.arguments import Command, manifest_paths, parallelism_option, paths_argument
from reconciler.cli.console import Console
from reconciler.cli.notify_urls import notify_channels
from reconciler.cli.options import GlobalOptions, current_options, global_options
from reconciler.cli.record import record_option, recorded
from reconciler.cli.redaction import keep_secret, redact
from reconciler.cli.selection import SelectionOptions, selection_options
from reconciler.cli.signals import Ending, run
from reconciler.cli.target import target
from reconciler.cli.watch_support import ConsoleReporter, address, obey_signals, seconds
from reconciler.errors import ExtcalError, ManifestError, UsageError
from reconciler.machine.record import RecordFile
from reconciler.manifests import Limits, load
from reconciler.model.desired import Desired
from reconciler.model.plan import Allowance
from reconciler.watching.alert_state import AlertLimits
from reconciler.watching.alerts import AlertOptions
from reconciler.watching.loop import Watch
from reconciler.watching.round import WatchOptions
from reconciler.watching.server import Address, MonitoringPage, serve_pages
from reconciler.workflow import Stop

_DAY = 24 * 3600.0


@click.command(
    cls=Command,
    examples=[
        "extcal watch manifests --interval 10m --notify",
        "extcal watch manifests --apply --auto-approve --git-pull",
    ],
)
@paths_argument
@selection_options
@allow_option
@click.option(
    "--interval",
    callback=seconds,
    metavar="INTERVAL",
    default="5m",
    show_default=True,
    help="Time between the starts of two rounds, varied by a tenth: 30s, 5m, 2h.",
)
@click.option("--apply", "applies", is_flag=True, help="Apply each plan, and not only report it.")
@click.option("--auto-approve", is_flag=True, help="Write without asking. Required with --apply.")
@click.option("--git-pull", is_flag=True, help="Run git pull --ff-only in the manifests' repository before each round.")
@click.option(
    "--listen",
    callback=address,
    metavar="HOST:PORT",
    default="127.0.0.1:9464",
    show_default=True,
    help="Where to serve /metrics, /healthz and /readyz, without a password. Port 0 picks a free one.",
)
@record_option
@click.option("--notify", is_flag=True, help="Send alerts to the URLs that extcal notify tries.")
@click.option(
    "--consent-after",
    type=click.IntRange(0, 365),
    metavar="DAYS",
    default=3,
    show_default=True,
    help="With --notify, how long an owner's consent is awaited before that is an alert.",
)
@parallelism_option
@global_options
def watch(
    paths: tuple[str, ...],
    limits: Limits,
    selection: SelectionOptions,
    allowances: tuple[str, ...],
    *,
    interval: float,
    applies: bool,
    auto_approve: bool,
    git_pull: bool,
    listen: Address,
    record: RecordFile | None,
    notify: bool,
    consent_after: int,
    parallelism: int,
) -> int:
    """Plan in a loop and report what changes; optionally apply.

    Use it as a service that notices drift. The manifests are read anew in each round, and news goes to stderr, a line
    each. A site that fails is retried after a delay that grows up to an hour, or at once when its manifests change.
    Connections that need their owner's consent are counted; extcal apply asks for it.

    With --notify people are alerted, by mail, chats, push or webhooks, when a connection breaks, recovers, is stuck or
    drifts, a guard stops an apply, a consent is awaited for days, or a site or the manifests can't be read. They hear
    of each change once: what they were told is remembered across restarts.

    SIGTERM and SIGINT stop it once the actions under way have ended, with exit code 0. SIGHUP begins a round now, with
    the sites that are being delayed.

    PATH is a manifest file or a folder of them.
    """
    if applies != auto_approve:
        raise UsageError(
            "--apply writes without asking. Confirm that with --auto-approve."
            if applies
            else "--auto-approve is for writing. Add --apply."
        )
    if record is not None:
        if not applies:
            raise UsageError("--record is for what is written. Add --apply and --auto-approve.")
        record.check()
    globals_, ending = current_options(), Ending()
    options = _Options(
        tuple(manifest_paths(paths)),
        limits,
        _looked_up(selection, paths, limits, globals_),
        parse_allowances(allowances),
        interval,
        listen,
        record,
        parallelism,
        applies=applies,
        git_pull=git_pull,
        notify=notify,
        consent_after=consent_after,
    )
    try:
        return run(_watch(options, globals_, ending))
    except asyncio.CancelledError:
        return ending.exit_code


def _looked_up(
    selection: SelectionOptions, paths: Sequence[str], limits: Limits, options: GlobalOptions
) -> SelectionOptions:
    """The selection with what the service says of words that the manifests don't hold, asked once for all rounds.

    What is wrong with the manifests is for the first round to tell.
    """
    if not selection.names_any:
        return selection
    try:
        desired = load(manifest_paths(paths), limits)
    except ManifestError:
        return selection
    found = selection.looked_up(desired, options)
    if found.live:
        # Where a site can't be asked now, no round would know better.
        found.of(desired, options.console)
    return found


@dataclass(frozen=True, slots=True)
class _Options:
    """The options of the command; `interval` is in seconds."""

    paths: tuple[Path, ...]
    limits: Limits
    selection: SelectionOptions
    allowed: frozenset[Allowance]
    interval: float
    listen: Address
    record: RecordFile | None
    parallelism: int
    applies: bool
    git_pull: bool
    notify: bool
    consent_after: int

    def alerts(self, service: workflow.Service) -> AlertOptions | None:
        """Who gets alerts of what; None where nobody does."""
        if not self.notify:
            return None
        return AlertOptions(
            notify_channels(service.secrets),
            service.machine,
            "\n".join(str(path.absolute()) for path in self.paths),
            AlertLimits(consent_seconds=self.consent_after * _DAY),
            redact,
        )

    def choosing(self) -> Callable[[Desired], workflow.Selection]:
        """What makes the selection for the manifests as they are.

        That a shard has no site yet is no news in each round. Guards are overruled at places that must be there when
        it begins: later on one may be gone, and that must not end the watch.
        """
        unchecked = [self.allowed]

        def chosen(desired: Desired) -> workflow.Selection:
            if unchecked:
                check_allowances(unchecked.pop(), places_of_manifests(desired))
            return self.selection.of(desired, Console(quiet=True))

        return chosen


async def _watch(options: _Options, globals_: GlobalOptions, ending: Ending) -> int:
    stop, console = Stop(), globals_.console
    with target(globals_) as found:
        watch_options = WatchOptions(
            options.paths,
            options.choosing(),
            _service_for_a_round(found.service, options),
            options.interval,
            options.allowed,
            applies=options.applies,
            git_pull=options.git_pull,
            limits=options.limits,
            alerts=options.alerts(found.service),
        )
        watching = Watch(
            watch_options, ConsoleReporter(globals_), stop, clock=SystemClock(), chance=random.SystemRandom().random
        )
        obey_signals(watching, stop, console, ending)
        with serve_pages(options.listen, _pages(watching)) as at:
            console.note(_begun(options, at))
            await watching.run()
    if stop.at_once.is_set():
        return ending.exit_code
    return 0


def _service_for_a_round(lasting: workflow.Service, options: _Options) -> Callable[[OnWait], workflow.Service]:
    """What makes the service of a round: tokens learned in one, and its failures, are nothing to the next."""

    def service(on_wait: OnWait) -> workflow.Service:
        secrets = lasting.secrets.apart()
        keep_secret(secrets)

        def waits(seconds: float, why: str) -> None:
            on_wait(seconds, why)
            lasting.on_wait(seconds, why)

        anew = replace(lasting, secrets=secrets, budget=RetryBudget(), on_wait=waits, parallelism=options.parallelism)
        # A round that plans writes no history, and the commit may be another one in each.
        return recorded(anew, options.paths, options.record) if options.applies else anew

    return service


def _pages(watching: Watch) -> dict[str, Callable[[], MonitoringPage]]:
    try:
        from reconciler.watching.metrics import CONTENT_TYPE, exposition  # noqa: PLC0415 - an extra, for this command
    except ModuleNotFoundError as error:
        raise ExtcalError(f"watch needs {error.name}. Install it: pip install 'extcal[watch]'") from error
    metrics = exposition(lambda: watching.figures)
    pages: dict[str, Callable[[], MonitoringPage]] = {
        "/metrics": lambda: MonitoringPage(metrics(), CONTENT_TYPE),
        "/healthz": lambda: MonitoringPage.of(watching.readiness.alive()),
        "/readyz": lambda: MonitoringPage.of(watching.readiness.ready()),
    }
    return {path: functools.partial(_redacted, page) for path, page in pages.items()}


def _redacted(page: Callable[[], MonitoringPage]) -> MonitoringPage:
    made = page()
    return replace(made, body=redact(made.body.decode()).encode())


def _begun(options: _Options, at: Address) -> str:
    what = "applying" if options.applies else "planning only"
    return f"watching every {options.interval:g} s, {what}; metrics and health on http://{at}"
