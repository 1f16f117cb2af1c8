"""Asks a person to approve a plan, which is shown with what is wrong with it."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.cli.allowances import warn_of_unused
from reconciler.cli.console import Console, confirm
from reconciler.cli.formats import report_findings
from reconciler.cli.progress import note_duration
from reconciler.cli.redaction import redacted
from reconciler.errors import UsageError
from reconciler.model.action import Action
from reconciler.model.plan import Allowance, Plan
from reconciler.model.result import Outcome
from reconciler.planning.guards import CONSENT_LOSS, consent_losses, overruled
from reconciler.render.emphasis import plain
from reconciler.render.plan_text import headline, plan_text
from reconciler.render.view import ReportView
from reconciler.workflow import to_do


@dataclass(frozen=True, slots=True)
class Approval:
    """How a plan is approved: `auto_approve` asks nobody; with `as_json` stdout is kept for the result.

    `view` is how the plan is shown; how long it takes follows from how many `sites_at_once` are worked on.
    """

    console: Console
    allowed: frozenset[Allowance]
    auto_approve: bool
    as_json: bool
    sites_at_once: int
    view: ReportView

    def approvable(self, plan: Plan) -> Plan:
        """The plan as it may be carried out: where a person is asked, the answer yes overrules its consent losses."""
        if self.auto_approve or not sys.stdin.isatty():
            return plan
        losses = [v for site in plan.sites for v in site.violations if v.guard == CONSENT_LOSS]
        return overruled(plan, frozenset(Allowance(v.guard, v.address) for v in losses))

    def ask(self, plan: Plan, failing: Sequence[Outcome]) -> None:
        """Show a plan, and what of it is known to fail, and ask whether to go on.

        Raises Exit where the answer is no, Abort where there is none, and UsageError where nobody can be asked.
        """
        if not self.as_json:
            self.console.show(lambda shown: plan_text(shown, self.console.paint, self.view) + "\n", plan)
        report_findings(plan, self.console)
        warn_of_unused(self.allowed, plan, self.console)
        for outcome in failing:
            self.console.error(f"{outcome.action.address}: {outcome.error}")
        hopeless = {outcome.action.address for outcome in failing}
        note_duration(plan, self.sites_at_once, self.console)
        todo = [action for action in to_do(plan) if action.address not in hopeless]
        if todo and not self.auto_approve:
            self._confirm(plan, todo)

    def _confirm(self, plan: Plan, todo: Sequence[Action]) -> None:
        if not sys.stdin.isatty():
            raise UsageError("apply asks before it writes, and there is no terminal. Add --auto-approve.")
        if self.as_json:
            self.console.say(plan_text(redacted(plan), view=self.view))
        self._name_losses(todo)
        lost = sum(action.kind.disconnects for action in todo)
        warning = f" {lost} of them disconnect a calendar account." if lost else ""
        confirm(f"Carry out {len(todo)} action{'' if len(todo) == 1 else 's'}?{warning}", self.console)

    def _name_losses(self, todo: Sequence[Action]) -> None:
        """Name every consent that would be lost, before the question."""
        lost = tuple(consent_losses(todo))
        if lost:
            self.console.say("Consents that only their owners can give again:")
            for action in lost:
                self.console.say(f"  {headline(redacted(action), plain, name=action.address)}")
