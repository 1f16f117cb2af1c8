"""What `extcal watch` takes, which signals it obeys, and what it writes on stderr."""

import asyncio
import re
import signal
from collections.abc import Sequence
from datetime import UTC, datetime

import click

from reconciler.cli.apply_run import report_settled
from reconciler.cli.console import Console
from reconciler.cli.options import GlobalOptions
from reconciler.cli.redaction import redacted
from reconciler.cli.signals import Ending, StopStep, stop_by_signals
from reconciler.model.intent import Settled
from reconciler.model.result import Outcome, OutcomeStatus
from reconciler.render.result_text import outcome_line
from reconciler.watching.changes import Line
from reconciler.watching.figures import RoundResult
from reconciler.watching.loop import Watch
from reconciler.watching.server import Address
from reconciler.watching.site_round import SiteRound
from reconciler.workflow import Stop

_UNITS = {"s": 1, "m": 60, "h": 3600}
_SPAN = re.compile(r"(?P<count>[0-9]{1,6})(?P<unit>[smh])")
_LONGEST = 24 * 3600
_ADDRESS = re.compile(r"(?:\[(?P<six>[0-9a-fA-F:.]+)\]|(?P<host>[^\s:/\[\]]+)):(?P<port>[0-9]{1,5})")
_LAST_PORT = 65535


def seconds(_context: click.Context, _parameter: click.Parameter, value: str) -> float:
    """Seconds, from `30s`, `5m` or `2h`: one second at least and a day at most; raises BadParameter."""
    match = _SPAN.fullmatch(value)
    found = int(match["count"]) * _UNITS[match["unit"]] if match else 0
    if not 1 <= found <= _LONGEST:
        raise click.BadParameter(f"{value!r} is not an interval from 1s to 24h. Write 30s, 5m or 2h.")
    return float(found)


def address(_context: click.Context, _parameter: click.Parameter, value: str) -> Address:
    """A host and a port, from `127.0.0.1:9464`, `[::1]:9464` or `localhost:9464`; raises BadParameter."""
    match = _ADDRESS.fullmatch(value)
    if match is None or int(match["port"]) > _LAST_PORT:
        raise click.BadParameter(f"{value!r} is not HOST:PORT. Write 127.0.0.1:9464 or [::1]:9464.")
    return Address(match["six"] or match["host"], int(match["port"]))


_STOPPING = {
    StopStep.GENTLY: "stopping: finishing the actions under way. Press Ctrl-C again to abandon them.",
    StopStep.AT_ONCE: "stopping: abandoning the actions under way. Press Ctrl-C again to end at once.",
    StopStep.ENDED: "ended at once. The next run first looks up what became of the actions under way.",
}


def obey_signals(watching: Watch, stop: Stop, console: Console, ending: Ending) -> None:
    """Let SIGINT and SIGTERM stop the watch, and SIGHUP begin a round."""

    def announce(step: StopStep) -> None:
        idle = step is StopStep.GENTLY and not watching.writing
        console.note("stopping" if idle else _STOPPING[step])

    stop_by_signals(stop, ending, announce)
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, watching.hurry)


class ConsoleReporter:
    """Reports each event on a line with its time; with `--quiet` only what is bad, with `--verbose` each round, too."""

    def __init__(self, options: GlobalOptions) -> None:
        self._console = options.console
        self._verbose = options.verbose

    def line(self, line: Line) -> None:
        """Something is new."""
        text = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {line.text}"
        if line.bad:
            self._console.error(text)
        else:
            self._console.note(text)

    def settled(self, settled: Settled) -> None:
        """It is known what became of a connect that an earlier run left open."""
        report_settled(settled, self._console)

    def outcome(self, outcome: Outcome) -> None:
        """An action was done; what was not is reported at the end of the round, where it is new."""
        if outcome.status is OutcomeStatus.DONE:
            self.line(Line(" ".join(outcome_line(redacted(outcome)).split())))

    def round(self, result: RoundResult, took: float, site_rounds: Sequence[SiteRound]) -> None:
        """A round has ended."""
        if self._verbose:
            requests, pending = sum(each.requests for each in site_rounds), sum(each.pending for each in site_rounds)
            what = f"{len(site_rounds)} sites, {requests} requests, {pending} actions pending, {took:.1f} s"
            self.line(Line(f"round {result}: {what}"))
