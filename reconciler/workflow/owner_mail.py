"""Mails owners their links once everything else of a run is done: one message to each, with all of their links.

Steps, for each message:

1. The mail server agrees to take it. Only then it is noted, for each connection that it is about, that its owner was
   asked: on the disk before the message goes out, so that whatever happens next nobody is asked twice.
2. It is sent. Where the server refuses it, nobody has got it, and the note is taken back: the next run asks at once.
3. Where it may have been sent, the note stands.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from reconciler.consent.mail_delivery import MailDelivery, MailOutcome, deliver
from reconciler.consent.mail_files import write_mail
from reconciler.consent.mail_message import ConsentMail, compose, new_message_id
from reconciler.consent.mail_request import LinkError, RequestedConsent
from reconciler.consent.mail_settings import MailSettings
from reconciler.consent.mail_words import MailWords, WordsBySite
from reconciler.errors import ExtcalError
from reconciler.model.account import Account, shown
from reconciler.model.result import Outcome, OutcomeStatus
from reconciler.workflow.asked_owners import AskedOwners
from reconciler.workflow.service import Service

_Link = tuple[Outcome, RequestedConsent]
_STATUS = {
    MailOutcome.SENT: OutcomeStatus.AWAITING_CONSENT,
    MailOutcome.UNKNOWN: OutcomeStatus.UNKNOWN,
    MailOutcome.LATER: OutcomeStatus.FAILED,
    MailOutcome.REFUSED: OutcomeStatus.FAILED,
}
_AGAIN = "apply again: it makes a new link and mails it"


@dataclass(frozen=True, slots=True)
class MailedOwner:
    """What became of the message to one owner, as outcomes of the actions that it was about, without their links."""

    account: Account
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True, slots=True)
class _Message:
    """The message to one owner: which actions it is about, and the link of each."""

    owner: Account
    outcomes: tuple[Outcome, ...]
    requests: tuple[RequestedConsent, ...]
    message_id: str
    thread: str | None
    reminder: bool

    @property
    def site_ids(self) -> frozenset[str]:
        """The sites where it is noted that they were asked."""
        return frozenset(outcome.action.site_id for outcome in self.outcomes)

    def ended(self, status: OutcomeStatus, why: str) -> MailedOwner:
        """What became of it."""
        ended = tuple(_ended(outcome, status, why) for outcome in self.outcomes)
        return MailedOwner(self.owner, ended)


class _NotNotedError(Exception):
    """What was asked could not be noted for a site, so that nothing was sent."""

    def __init__(self, site_id: str, why: str) -> None:
        super().__init__(why)
        self.site_id = site_id


class _AbandonedError(Exception):
    """Nobody waits for the rest any more."""


class OwnerMail:
    """Mails the owners of one run; with a `folder` it writes the messages there, and nobody is asked.

    `asked` is what was asked before. Whoever uses it holds the locks of the sites of every outcome that it is given,
    until it was closed. Its iterator may run in a thread of its own.
    """

    def __init__(
        self, settings: MailSettings, words: WordsBySite, asked: AskedOwners, service: Service, folder: Path | None
    ) -> None:
        self._settings = settings
        self._words = words
        self._asked = asked
        self._machine = service.machine
        self._secrets = service.secrets
        self._folder = folder
        self._lock = threading.Lock()
        self._closed = False
        self._under_way: _Message | None = None
        self._noted: list[Outcome] = []

    def mail(self, outcomes: Sequence[Outcome], is_stopped: Callable[[], bool]) -> Iterator[MailedOwner]:
        """Mail every link of these outcomes, and yield what became of each message before the next one is begun.

        Once `is_stopped`, no other one is begun.
        """
        left, unfit = self._messages(outcomes)
        yield from unfit
        yield from self._filed(left, is_stopped) if self._folder is not None else self._sent(left, is_stopped)

    def close(self) -> MailedOwner | None:
        """Note and send nothing from now on; what is known of the message that was under way, if any was."""
        with self._lock:
            self._closed = True
            if self._under_way is None or not self._noted:
                return None
            why = "interrupted while it was mailed: it may have been sent, and counts as sent"
            return self._under_way.ended(OutcomeStatus.UNKNOWN, why)

    def _messages(self, outcomes: Sequence[Outcome]) -> tuple[deque[_Message], list[MailedOwner]]:
        """A message for each owner, and for each language that their sites speak; and what can't be mailed."""
        by_owner: dict[Account, list[tuple[MailWords, list[_Link]]]] = {}
        unfit: list[MailedOwner] = []
        for outcome in outcomes:
            action, url = outcome.action, outcome.consent_url
            if url is None or action.account is None:
                continue
            try:
                # A secret that the service repeats in a schedule's name is nobody else's.
                request = RequestedConsent.of(self._secrets.redacted(action), url)
            except LinkError as error:
                unfit.append(MailedOwner(action.account, (_ended(outcome, OutcomeStatus.FAILED, str(error)),)))
                continue
            words = self._words.of([action.site])
            messages = by_owner.setdefault(action.account, [])
            links = next((links for spoken, links in messages if spoken == words), None)
            if links is None:
                messages.append((words, links := []))
            links.append((outcome, request))
        return deque(self._message(owner, links) for owner, each in by_owner.items() for _, links in each), unfit

    def _message(self, owner: Account, links: Sequence[_Link]) -> _Message:
        before = [self._asked.request(outcome.action) for outcome, _ in links]
        asked = [request for request in before if request is not None and request.asked_at]
        first = min(asked, key=lambda request: request.asked_at, default=None)
        return _Message(
            owner,
            tuple(outcome for outcome, _ in links),
            tuple(request for _, request in links),
            new_message_id(self._settings.sender),
            None if first is None else first.thread,
            reminder=len(asked) == len(links),
        )

    def _composed(self, message: _Message) -> ConsentMail:
        return compose(
            message.owner,
            message.requests,
            self._words,
            self._settings,
            reminder=message.reminder,
            message_id=message.message_id,
            thread=message.thread,
            now=datetime.now(UTC),
        )

    def _filed(self, left: deque[_Message], is_stopped: Callable[[], bool]) -> Iterator[MailedOwner]:
        assert self._folder is not None  # noqa: S101 - looked at by whoever calls this
        while left and not is_stopped():
            message = left.popleft()
            try:
                path = write_mail(self._composed(message), self._folder)
            except ExtcalError as error:
                yield message.ended(OutcomeStatus.FAILED, str(error))
            else:
                why = f"not mailed: the message to {shown(message.owner)} is in {path}"
                yield message.ended(OutcomeStatus.AWAITING_CONSENT, why)

    def _sent(self, left: deque[_Message], is_stopped: Callable[[], bool]) -> Iterator[MailedOwner]:
        def mails() -> Iterator[ConsentMail]:
            while left and not is_stopped():
                message = left.popleft()
                with self._lock:
                    self._under_way, self._noted = message, []
                yield self._composed(message)

        while left and not is_stopped():
            try:
                for delivery in deliver(mails(), self._settings, before_sending=self._note):
                    yield self._delivered(delivery)
            except _AbandonedError:
                return
            except _NotNotedError as error:
                # What can't be noted for one site can't be for its other owners either: the server is not asked again.
                lost = [message for message in left if error.site_id in message.site_ids]
                left = deque(message for message in left if message not in lost)
                for message in (self._current, *lost):
                    yield message.ended(OutcomeStatus.FAILED, f"not mailed: {error}")

    @property
    def _current(self) -> _Message:
        """The message under way."""
        assert self._under_way is not None  # noqa: S101 - begun before it is asked for
        return self._under_way

    def _note(self, _mail: ConsentMail) -> None:
        """Note that an owner was asked for each connection of the message under way, or for none of them."""
        with self._lock:
            if self._closed:
                raise _AbandonedError
            message, now = self._current, datetime.now(UTC).replace(microsecond=0)
            for outcome in message.outcomes:
                action = outcome.action
                try:
                    requests = self._machine.site(action.site_id).consent_requests
                    requests.asked(action.address, action.account, now, message.message_id)
                except ExtcalError as error:
                    again = self._take_back()
                    raise _NotNotedError(action.site_id, f"{error}{again}") from error
                self._noted.append(outcome)

    def _take_back(self) -> str:
        """Note that nobody got the message under way; what to add to what is said where that can't be noted."""
        for outcome in self._noted:
            try:
                requests = self._machine.site(outcome.action.site_id).consent_requests
                requests.not_asked(outcome.action.address, outcome.action.account)
            except ExtcalError as error:
                return f"; it counts as sent all the same: {error}"
        self._noted = []
        return ""

    def _delivered(self, delivery: MailDelivery) -> MailedOwner:
        """What a delivery comes to; what surely nobody got is taken back."""
        with self._lock:
            message = self._current
            owner = shown(message.owner)
            status, counts = _STATUS[delivery.outcome], ""
            if status is OutcomeStatus.FAILED and not self._closed:
                counts = self._take_back()
            not_mailed = f"not mailed to {owner}: {delivery.detail}{counts}"
            why = {
                MailOutcome.SENT: f"{'reminded by mail to' if message.reminder else 'mailed to'} {owner}",
                MailOutcome.UNKNOWN: f"it may have been mailed to {owner}, and counts as sent: {delivery.detail}",
                MailOutcome.LATER: f"{not_mailed}; {_AGAIN}",
                MailOutcome.REFUSED: f"{not_mailed}; when that is put right, {_AGAIN}",
            }[delivery.outcome]
            self._under_way, self._noted = None, []
            return message.ended(status, why)


def _ended(outcome: Outcome, status: OutcomeStatus, why: str) -> Outcome:
    lacking = f"{outcome.error}; " if outcome.error else ""
    return replace(outcome, status=status, error=f"{lacking}{why}", consent_url=None)
