"""Composes the message that asks an owner for their consent: its headers, and the same in plain text and in HTML."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime

from reconciler.consent.mail_address import Mailbox, owner_mailbox
from reconciler.consent.mail_content import mail_content
from reconciler.consent.mail_html import html_of
from reconciler.consent.mail_request import RequestedConsent
from reconciler.consent.mail_settings import MailSettings
from reconciler.consent.mail_text import text_of
from reconciler.consent.mail_words import WordsBySite
from reconciler.model.account import Account
from reconciler.text import cut

_LONGEST_SUBJECT = 150
_MESSAGE_ID = re.compile(r"<[A-Za-z0-9._+-]+@[A-Za-z0-9.-]+>")
# A folded header that holds one long word would be encoded, and a Message-ID is one word.
_AS_SENT = policy.SMTP.clone(max_line_length=900)


@dataclass(frozen=True, slots=True)
class ConsentMail:
    """A message to one owner, and what of it must be kept from everybody else."""

    owner: Account
    message: EmailMessage = field(repr=False)
    secrets: frozenset[str] = field(repr=False)
    """Its links, and parts of them."""

    @property
    def content(self) -> bytes:
        """The message as it goes over the wire, and into a file."""
        return self.message.as_bytes(policy=_AS_SENT)


def new_message_id(sender: Mailbox) -> str:
    """A Message-ID that nobody has used, in the sender's domain; it says nothing about the message."""
    return f"<{secrets.token_hex(16)}@{sender.domain}>"


def compose(
    owner: Account,
    requests: Sequence[RequestedConsent],
    words: WordsBySite,
    settings: MailSettings,
    *,
    reminder: bool,
    message_id: str,
    thread: str | None,
    now: datetime,
) -> ConsentMail:
    """The message to one owner with all their links.

    `thread` is the Message-ID of the first message about this, which a reminder belongs to; `now` has its zone.
    Raises NoMailboxError where `owner` is no mailbox, which `settings.allows` says before.
    """
    content = mail_content(owner, requests, words, settings, reminder=reminder)
    message = EmailMessage(policy=policy.SMTP)
    message["From"] = settings.sender.header
    message["To"] = owner_mailbox(owner).header
    message["Reply-To"] = settings.reply_to.header
    message["Subject"] = cut(content.subject.text, _LONGEST_SUBJECT)
    message["Date"] = format_datetime(now)
    message["Message-ID"] = message_id
    if thread is not None and thread != message_id and _MESSAGE_ID.fullmatch(thread):
        message["In-Reply-To"] = thread
        message["References"] = thread
    message["Auto-Submitted"] = "auto-generated"
    # Quoted-printable whatever it holds: so no server on the way has a reason to recode it, or to break a line.
    message.set_content(text_of(content), cte="quoted-printable")
    message.add_alternative(html_of(content), subtype="html", cte="quoted-printable")
    # Short enough for its header's line, and nothing that quoted-printable could hold.
    message.set_boundary(f"=={secrets.token_hex(8)}==")
    message["Content-Language"] = content.lang
    return ConsentMail(owner, message, frozenset().union(*(each.secrets for each in requests)))
