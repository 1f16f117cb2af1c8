"""Sends messages to owners, one after the other over one connection, and says what became of each.

A message is never sent twice in a run. Where the connection is lost, one more is opened for the messages that are left,
and after that none: who is not asked today is asked by the next run.
"""

import time
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from enum import StrEnum

from reconciler.api.redaction import Redactor
from reconciler.consent.mail_address import owner_mailbox
from reconciler.consent.mail_message import ConsentMail
from reconciler.consent.mail_settings import SMTP_URL, MailSettings, SmtpServer
from reconciler.consent.smtp_line import LineError, SmtpAnswer, SmtpLine, open_line
from reconciler.errors import UsageError
from reconciler.text import cut, one_line

_MOST_CONNECTIONS = 2
_GO_AHEAD = 354
_CLOSING = 421
_LONGEST_DETAIL = 300


class MailOutcome(StrEnum):
    """What became of a message."""

    SENT = "sent"
    """The server has taken it."""

    REFUSED = "refused"
    """Nobody got it, and trying again would change nothing before somebody else does."""

    LATER = "later"
    """Nobody got it; a later run may have more luck."""

    UNKNOWN = "unknown"
    """The connection was lost while the server took it: it may have been sent."""


@dataclass(frozen=True, slots=True)
class MailDelivery:
    """A message, and what became of it; `detail` says why where it was not sent, and is empty where it was."""

    mail: ConsentMail
    outcome: MailOutcome
    detail: str = ""


@dataclass(frozen=True, slots=True)
class MailLimits:
    """How long the server may take, in seconds."""

    step: float = 60.0
    """For one answer, or for taking one message."""

    total: float = 900.0
    """For all messages; no other one is begun after that."""


def deliver(
    mails: Iterable[ConsentMail],
    settings: MailSettings,
    *,
    before_sending: Callable[[ConsentMail], None],
    limits: MailLimits = MailLimits(),
) -> Generator[MailDelivery, None, None]:
    """Send each message to its owner and nobody else, and yield what became of it before the next one is begun.

    `before_sending` is called when the server has agreed to take a message and before it gets it; what that raises is
    passed on, and the message is not sent. An account that `settings` does not allow is refused here, too. This blocks;
    to close it hangs up. Raises UsageError where `settings` name no server.
    """
    if settings.server is None:
        raise UsageError(f"{SMTP_URL}: not set, so that nothing can be sent")
    office = _PostOffice(settings, settings.server, before_sending, limits)
    try:
        for mail in mails:
            yield office.send(mail)
    finally:
        office.close()


class _PostOffice:
    def __init__(
        self,
        settings: MailSettings,
        server: SmtpServer,
        before_sending: Callable[[ConsentMail], None],
        limits: MailLimits,
    ) -> None:
        self._settings = settings
        self._server = server
        self._before_sending = before_sending
        self._limits = limits
        self._ends = time.monotonic() + limits.total
        self._line: SmtpLine | None = None
        self._opened = 0
        # Why no line is opened any more.
        self._given_up: LineError | None = None

    def send(self, mail: ConsentMail) -> MailDelivery:
        """Send one message."""
        outcome, why = self._send(mail)
        redactor = Redactor()
        for secret in (*mail.secrets, self._server.password or ""):
            redactor.learn(secret)
        # Redacted while it is whole: of a secret that was cut, a part would be left.
        return MailDelivery(mail, outcome, cut(one_line(redactor.redact(why)), _LONGEST_DETAIL))

    def close(self) -> None:
        """Hang up."""
        if self._line is not None:
            self._line.close(politely=True)
            self._line = None

    def _send(self, mail: ConsentMail) -> tuple[MailOutcome, str]:
        if (forbidden := self._settings.allows(mail.owner)) is not None:
            return MailOutcome.REFUSED, forbidden
        recipient, content = owner_mailbox(mail.owner).address, mail.content
        in_doubt = False
        try:
            line = self._ready()
            for command in (f"MAIL FROM:<{self._settings.sender.address}>", f"RCPT TO:<{recipient}>"):
                if not (answer := line.ask(command)).is_yes:
                    return self._refused(line, answer)
            self._before_sending(mail)
            if (answer := line.ask("DATA")).code != _GO_AHEAD:
                return self._not_begun(line, answer)
            in_doubt = True
            answer = line.send(content)
        except LineError as error:
            self._lost()
            if in_doubt:
                return MailOutcome.UNKNOWN, f"{self._server}: {error}; the message may have been sent"
            return _unsent(is_permanent=error.is_permanent), f"{self._server}: {error}"
        except BaseException:
            self._lost()
            raise
        return (MailOutcome.SENT, "") if answer.is_yes else self._refused(line, answer)

    def _ready(self) -> SmtpLine:
        """The line that is open, or another one; raises LineError where there is none and shall be none."""
        if time.monotonic() >= self._ends:
            raise LineError(f"not tried, since the mail took longer than {self._limits.total:g} seconds")
        if self._line is None:
            if self._given_up is not None:
                raise self._given_up
            self._opened += 1
            try:
                self._line = open_line(self._server, self._settings.sender.domain, self._limits.step)
            except LineError as error:
                self._given_up = error
                raise
        return self._line

    def _not_begun(self, line: SmtpLine, answer: SmtpAnswer) -> tuple[MailOutcome, str]:
        """What comes of a server that does not wait for the message; one that agrees to what it has not got is none."""
        if not answer.is_yes:
            return self._refused(line, answer)
        self._lost()
        return MailOutcome.LATER, f"{self._server}: its answer is not SMTP"

    def _refused(self, line: SmtpLine, answer: SmtpAnswer) -> tuple[MailOutcome, str]:
        """What an answer that is no yes comes to; the server is told to forget the message."""
        try:
            if answer.code == _CLOSING or not line.ask("RSET").is_yes:
                self._lost()
        except LineError:
            self._lost()
        return _unsent(is_permanent=answer.is_permanent), f"{self._server}: {answer}"

    def _lost(self) -> None:
        """Hang up, and count it."""
        if self._line is not None:
            self._line.close(politely=False)
            self._line = None
            if self._opened == _MOST_CONNECTIONS:
                self._given_up = LineError("not tried, since the connection was lost again and again")


def _unsent(*, is_permanent: bool) -> MailOutcome:
    return MailOutcome.REFUSED if is_permanent else MailOutcome.LATER
