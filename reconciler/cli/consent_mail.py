"""Mail to owners at the command line (`--consent mail`): their links go into messages, and are shown nowhere."""

import asyncio
import os
import threading
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from reconciler.cli.consent_options import ConsentOptions
from reconciler.cli.console import Console
from reconciler.cli.options import GlobalOptions
from reconciler.cli.progress import Progress
from reconciler.consent.mail_files import check_mail_folder
from reconciler.consent.mail_settings import MailSettings
from reconciler.consent.mail_words import WordsBySite, read_words
from reconciler.errors import UsageError
from reconciler.model.account import shown
from reconciler.model.action import Action
from reconciler.model.consent import MailRules
from reconciler.model.plan import Plan
from reconciler.model.result import Outcome, OutcomeStatus, Result
from reconciler.workflow import AskedOwners, MailedOwner, OwnerMail, Service, Stop

_DEAD_LINKS = (
    "--consent mail: the sandbox of --sandbox ends with this command, and the links that it mails with it. Run extcal "
    "sandbox serve and apply with its --endpoint, or look at the messages: add --dry-mail DIR."
)
_INTERRUPTED = "not mailed: interrupted; apply again"


@dataclass(frozen=True, slots=True)
class MailSetup:
    """How owners are mailed; with a `folder` their messages are written there instead."""

    settings: MailSettings
    words: WordsBySite
    rules: MailRules
    folder: Path | None

    def mailer(self, service: Service, console: Console) -> "OwnerMailer":
        """Who mails the owners of one run."""
        return OwnerMailer(self, service, console)


def mail_setup(options: ConsentOptions, globals_: GlobalOptions, sites: Collection[str]) -> MailSetup:
    """What the operator says about mail about these sites; raises UsageError for whatever is wrong with it."""
    if options.mail_folder is None and globals_.sandbox_folder() is not None:
        raise UsageError(_DEAD_LINKS)
    settings = MailSettings.of(os.environ, dry=options.mail_folder is not None)
    words = read_words(settings.templates, sites)
    if options.mail_folder is not None:
        check_mail_folder(options.mail_folder)
    return MailSetup(settings, words, options.mail_rules, options.mail_folder)


class OwnerMailer:
    """Mails the owners of one run of apply, and tells how far it has come."""

    def __init__(self, setup: MailSetup, service: Service, console: Console) -> None:
        self._secrets = service.secrets
        self._console = console
        self._asked = AskedOwners(service.machine, setup.settings, setup.rules)
        self._defect: str | None = None
        self._mail = OwnerMail(setup.settings, setup.words, self._asked, service, setup.folder)

    def why_not_asked(self, action: Action) -> str | None:
        """Why the owner that an action needs gets no link now; may raise ExtcalError."""
        return self._asked.why_not(action)

    def keep(self, outcome: Outcome) -> None:
        """Keep a link out of all that is shown from now on."""
        if outcome.consent_url is not None:
            self._secrets.remember(outcome.consent_url)

    async def mailed(self, result: Result, named: Plan, stop: Stop) -> Result:
        """Mail the links of a result, and give it back without them; `named` has names of schedules, for owners."""
        names = {action.address: action.schedule_name for action in named.actions}
        linked = [
            replace(each, action=replace(each.action, schedule_name=names.get(each.action.address)))
            for each in result.outcomes
            if each.consent_url is not None
        ]
        ended = await self._ended(linked, stop) if linked else {}
        outcomes = tuple(self._without_link(each, ended) for each in result.outcomes)
        return replace(result, outcomes=outcomes, interrupted=result.interrupted or stop.gently.is_set())

    def _without_link(self, outcome: Outcome, ended: Mapping[str, Outcome]) -> Outcome:
        if outcome.consent_url is None:
            return outcome
        if (after := ended.get(outcome.action.address)) is not None:
            return replace(after, action=outcome.action)
        status = OutcomeStatus.AWAITING_CONSENT if self._defect is None else OutcomeStatus.FAILED
        why = "; ".join(filter(None, (outcome.error, self._defect or _INTERRUPTED)))
        return replace(outcome, status=status, consent_url=None, error=why)

    async def _ended(self, linked: Sequence[Outcome], stop: Stop) -> dict[str, Outcome]:
        """What became of each, by address; of those that nobody was mailed about, nothing."""
        coming: asyncio.Queue[MailedOwner | None] = asyncio.Queue()
        progress = Progress(self._console, "connections mailed about", len(linked))
        ended: dict[str, Outcome] = {}

        async def collect() -> None:
            async with progress.kept_shown():
                while (mailed := await coming.get()) is not None:
                    for outcome in mailed.outcomes:
                        ended[outcome.action.address] = outcome
                        # A terminal that has gone away must not end what is under way.
                        with suppress(OSError):
                            progress.step(shown(mailed.account))

        self._begin(linked, stop, coming)
        tasks = asyncio.create_task(collect()), asyncio.create_task(stop.at_once.wait())
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            # Before the locks of the sites are released, since another run may mail then.
            under_way = self._mail.close()
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        if under_way is not None:
            ended |= {outcome.action.address: outcome for outcome in under_way.outcomes}
        return ended

    def _begin(self, linked: Sequence[Outcome], stop: Stop, coming: "asyncio.Queue[MailedOwner | None]") -> None:
        """Mail in a thread that nobody need wait for, and put what became of each message, and None at the end."""
        loop = asyncio.get_running_loop()

        def put(mailed: MailedOwner | None) -> None:
            # Once nobody waits, the loop may be gone.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(coming.put_nowait, mailed)

        def work() -> None:
            try:
                for mailed in self._mail.mail(linked, stop.gently.is_set):
                    put(mailed)
            except Exception as error:  # noqa: BLE001 - a defect must not take the report of what was done along
                self._defect = f"not mailed: internal error, {type(error).__name__}; please report it"
            put(None)

        threading.Thread(target=work, name="mail to owners", daemon=True).start()
