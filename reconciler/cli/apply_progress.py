"""Carries out a plan at the command line: shows how far it has come, keeps its links, and obeys signals."""

import contextlib
import time

from reconciler.cli.apply_run import ApplyRun
from reconciler.cli.consent import ConsentSession
from reconciler.cli.console import Console
from reconciler.cli.progress import Progress
from reconciler.cli.redaction import redacted
from reconciler.cli.signals import Ending, StopStep, stop_by_signals
from reconciler.model.plan import Plan
from reconciler.model.result import Outcome, Result
from reconciler.planning.requests import requests_by_site, requests_of
from reconciler.planning.time_left import TimeLeft
from reconciler.render.result_text import outcome_line
from reconciler.workflow import Stop

_STOPPING = {
    StopStep.GENTLY: "interrupted: finishing the actions under way. Press Ctrl-C again to abandon them.",
    StopStep.AT_ONCE: "interrupted: abandoning the actions under way. Press Ctrl-C again to end without a report.",
    StopStep.ENDED: "ended without a report. Apply again: it first looks up what became of the actions under way.",
}


def stop_on_signals(console: Console, ending: Ending) -> Stop:
    """What the signals of a run set, from now on; each is announced."""
    stop = Stop()
    stop_by_signals(stop, ending, lambda step: console.say(_STOPPING[step]))
    return stop


async def carried_out(
    plan: Plan, running: ApplyRun, consent: ConsentSession, stop: Stop, sites_at_once: int, console: Console
) -> Result:
    """Carry it out, keep the link of each outcome, and show how many actions have ended and how long the rest takes."""
    writing = [action for action in plan.actions if action.kind.writes]
    left = TimeLeft(requests_by_site(plan), sites_at_once, time.monotonic, running.traffic)

    def seconds_left() -> float:
        # How long what is under way takes when nothing more is begun is not known.
        return 0.0 if stop.gently.is_set() else left.seconds()

    progress = Progress(console, "actions ended", len(writing), left=seconds_left)
    held_back = plan.held_back

    def ended(outcome: Outcome) -> None:
        consent.keep(outcome)
        action = outcome.action
        left.ended(action.site, 0 if action.address in held_back else requests_of(action))
        # A terminal that has gone away must not end what is under way.
        with contextlib.suppress(OSError):
            progress.step(" ".join(outcome_line(redacted(outcome)).splitlines()[0].split()))

    # Where owners are awaited, the line says who.
    awaiting = consent.prompt is not None and any(action.needs_owner for action in writing)
    async with contextlib.nullcontext() if awaiting else progress.kept_shown():
        return await running.apply(plan, consent.mode, consent.prompt, stop, ended, consent.why_not_asked)
