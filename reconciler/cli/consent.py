"""Consent at the command line: authorization links, and where they may be shown.

A link lets whoever holds it attach a calendar: links go to stdout, to the terminal, or to the file that was asked
for, and nowhere else.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reconciler.cli.consent_links import LinkFile
from reconciler.cli.consent_options import ConsentOptions
from reconciler.cli.consent_server import OwnerPrompt
from reconciler.cli.console import Console
from reconciler.cli.redaction import redact, redacted
from reconciler.consent.callback_server import serve_callbacks
from reconciler.errors import ExtcalError, UsageError
from reconciler.model.action import Action
from reconciler.model.consent import ConsentMode
from reconciler.model.plan import Plan
from reconciler.model.result import Outcome, Result
from reconciler.render.result_text import consent_lines
from reconciler.workflow import ConsentPrompt, Stop, WhyNotAsked

if TYPE_CHECKING:
    from reconciler.cli.consent_mail import OwnerMailer


class ConsentLinks:
    """Shows authorization links at the one place where they may be seen, and keeps which of them it has written."""

    def __init__(self, console: Console, *, as_json: bool, file: LinkFile | None) -> None:
        self._console = console
        self._as_json = as_json
        self._file = file

    def keep(self, outcome: Outcome) -> None:
        """Keep the link of an outcome, so that it outlives whatever happens before the report."""
        if self._file is not None and outcome.consent_url is not None:
            try:
                self._file.write(outcome.action, outcome.consent_url)
            except ExtcalError as error:
                self._console.error(str(error))

    def show_link(self, action: Action, url: str) -> None:
        """Show a link right now, to the one place that it may be seen at."""
        if self._file is not None:
            self._file.write(action, url)
        elif self._as_json or (not sys.stdout.isatty() and sys.stderr.isatty()):
            self._console.say("\n".join(consent_lines(redacted(action), url)))
        else:
            self._console.show(lambda shown: "\n".join(consent_lines(shown, url)), action)

    def shown(self, result: Result) -> Result:
        """The result as it may be shown: links that are in a file are nowhere else."""
        if self._file is None:
            return result
        return replace(result, outcomes=tuple(self._without_link(outcome) for outcome in result.outcomes))

    def _without_link(self, outcome: Outcome) -> Outcome:
        if self._file is None or outcome.consent_url is None:
            return outcome
        place = f"in {self._file.path}" if self._file.holds(outcome.consent_url) else "lost; apply again for a new one"
        why = f"{outcome.error}; " if outcome.error else ""
        return replace(outcome, consent_url=None, error=f"{why}its link is {place}")


@dataclass(frozen=True, slots=True)
class ConsentSession:
    """How one run asks for consent; `prompt` is there where it waits for owners, `mailer` where it mails them."""

    mode: ConsentMode
    links: ConsentLinks
    prompt: ConsentPrompt | None = None
    mailer: "OwnerMailer | None" = None

    @property
    def why_not_asked(self) -> WhyNotAsked | None:
        """Says who gets no link now, where owners are mailed."""
        return None if self.mailer is None else self.mailer.why_not_asked

    def keep(self, outcome: Outcome) -> None:
        """Keep the link of an outcome, so that it outlives whatever happens before the report, or out of sight."""
        if self.mailer is None:
            self.links.keep(outcome)
        else:
            self.mailer.keep(outcome)

    async def ended(self, result: Result, named: Callable[[Plan], Awaitable[Plan]], stop: Stop) -> Result:
        """The result as it may be shown, once owners were mailed; `named` looks up names of schedules for them."""
        if self.mailer is None:
            return self.links.shown(result)
        linked = {outcome.action.address for outcome in result.outcomes if outcome.consent_url is not None}
        sites = (
            replace(site, actions=tuple(action for action in site.actions if action.address in linked))
            for site in result.plan.sites
        )
        plan = Plan(tuple(sites))
        return await self.mailer.mailed(result, plan if stop.gently.is_set() else await named(plan), stop)


@asynccontextmanager
async def consent_session(
    options: ConsentOptions, console: Console, mailer: "OwnerMailer | None", *, as_json: bool
) -> AsyncIterator[ConsentSession]:
    """Be ready for owners for the length of the block; raises UsageError where links could be shown nowhere."""
    waits = options.mode in {ConsentMode.WAIT, ConsentMode.POLL}
    if waits and as_json and options.file is None and not sys.stderr.isatty():
        raise UsageError(
            f"--consent {options.mode} --format json has no terminal to show links on; add --consent-file FILE, "
            "or list them in the JSON: --consent link"
        )
    with ExitStack() as stack:
        file = None if options.file is None else stack.enter_context(LinkFile(options.file))
        links = ConsentLinks(console, as_json=as_json, file=file)
        if not waits:
            yield ConsentSession(options.mode, links, mailer=mailer)
            return
        served = options.mode is ConsentMode.WAIT
        pending = stack.enter_context(serve_callbacks(redact=redact)) if served else None
        prompt = OwnerPrompt(pending, links, console, options)
        ticking = asyncio.create_task(prompt.keep_showing())
        try:
            yield ConsentSession(options.mode, links, prompt)
        finally:
            ticking.cancel()
            await asyncio.wait([ticking])
