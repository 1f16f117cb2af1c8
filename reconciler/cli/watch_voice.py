"""What `extcal watch` tells on stderr."""

from collections.abc import Sequence
from datetime import UTC, datetime

from reconciler.cli.border import redacted
from reconciler.cli.options import Globals
from reconciler.cli.resolve import tell_settled
from reconciler.model.intent import Settled
from reconciler.model.result import Outcome, OutcomeStatus
from reconciler.render.result_text import outcome_line
from reconciler.watching.figures import Ended
from reconciler.watching.standing import Line
from reconciler.watching.visit import Visit


class ConsoleVoice:
    """Tells each thing on a line with its time; with `--quiet` only what is bad, with `--verbose` each round, too."""

    def __init__(self, said: Globals) -> None:
        self._console = said.console
        self._verbose = said.verbose

    def line(self, line: Line) -> None:
        """Something is new."""
        text = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {line.text}"
        if line.bad:
            self._console.error(text)
        else:
            self._console.note(text)

    def settled(self, settled: Settled) -> None:
        """It is known what became of a connect that an earlier run left open."""
        tell_settled(settled, self._console)

    def outcome(self, outcome: Outcome) -> None:
        """An action was done; what was not is told at the end of the round, where it is new."""
        if outcome.status is OutcomeStatus.DONE:
            self.line(Line(" ".join(outcome_line(redacted(outcome)).split())))

    def round(self, ended: Ended, took: float, visits: Sequence[Visit]) -> None:
        """A round has ended."""
        if self._verbose:
            requests, pending = sum(visit.requests for visit in visits), sum(visit.pending for visit in visits)
            what = f"{len(visits)} sites, {requests} requests, {pending} actions pending, {took:.1f} s"
            self.line(Line(f"round {ended}: {what}"))
