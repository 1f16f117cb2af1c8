"""Reads what the operator says about mail to owners from their environment; no manifest can set any of it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn
from urllib.parse import SplitResult, unquote, urlsplit

from reconciler.api.endpoint import is_loopback
from reconciler.api.redaction import SHORTEST
from reconciler.consent.mail_address import Mailbox, NoMailboxError, domain_of, owner_mailbox, read_mailbox
from reconciler.errors import UsageError
from reconciler.model.account import Account, shown
from reconciler.text import clipped, listed

SMTP_URL = "EXTCAL_SMTP_URL"
SMTP_PASSWORD = "EXTCAL_SMTP_PASSWORD"  # noqa: S105 - the variable's name
MAIL_FROM = "EXTCAL_MAIL_FROM"
MAIL_REPLY_TO = "EXTCAL_MAIL_REPLY_TO"
MAIL_DOMAINS = "EXTCAL_MAIL_DOMAINS"
MAIL_TEMPLATES = "EXTCAL_MAIL_TEMPLATES"
CA_FILE = "EXTCAL_CA_FILE"

_PORTS = {"smtp": 587, "smtps": 465}
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|[0-9A-Fa-f:.]+")
_URL_EXAMPLE = "expected a URL such as smtp://user@mail.example:587 or smtps://user@mail.example"
_LONGEST_URL = 2048
_LARGEST_PASSWORD = 4096


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """The mail server that takes the messages, and how it is spoken to."""

    host: str
    port: int
    tls_from_start: bool
    """Whether TLS comes first (`smtps`); otherwise STARTTLS does, which only a server on loopback may lack."""

    user: str | None = None
    """Whom it is told that messages come from; None where it asks nobody."""

    password: str | None = field(default=None, repr=False)
    """The user's password."""

    ca_file: Path | None = None
    """Certificate authorities that are trusted beside the system's, in PEM."""

    @property
    def on_loopback(self) -> bool:
        """Whether it runs on this machine."""
        return is_loopback(self.host)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class MailSettings:
    """Who writes to owners, through which server, and who may be written to."""

    sender: Mailbox
    reply_to: Mailbox
    domains: frozenset[str]
    """The domains whose accounts may receive links, as they are looked up; none of their subdomains is meant."""

    server: SmtpServer | None
    """None where messages are only written to files."""

    templates: Path | None = None
    """The folder of the operator's words; None for those that come with extcal."""

    @classmethod
    def of(cls, environ: Mapping[str, str], *, dry: bool = False) -> "MailSettings":
        """Read them; raises UsageError, which names the variable.

        With `dry` nothing is sent, so that no server is needed, and what is said about one is not read.
        """
        sender = _mailbox(environ, MAIL_FROM)
        templates = environ.get(MAIL_TEMPLATES)
        return cls(
            sender=sender,
            reply_to=_mailbox(environ, MAIL_REPLY_TO) if environ.get(MAIL_REPLY_TO) else sender,
            domains=_domains(environ.get(MAIL_DOMAINS, "")),
            server=None if dry else _server(environ),
            templates=Path(templates) if templates else None,
        )

    def allows(self, account: Account | None) -> str | None:
        """Why a link must not be sent to an account; None where it may be."""
        if account is None:
            return "the account's address is not known"
        try:
            mailbox = owner_mailbox(account)
        except NoMailboxError as error:
            return f"{clipped(shown(account))} can't be mailed to: {error}"
        if mailbox.domain in self.domains:
            return None
        return f"{clipped(shown(account))} is not in a domain that may receive links ({MAIL_DOMAINS}: {self._listed})"

    @property
    def _listed(self) -> str:
        return listed(self.domains)


def _refuse(variable: str, why: str) -> NoReturn:
    # The cause may hold what must not be shown.
    raise UsageError(f"{variable}: {why}") from None


def _required(environ: Mapping[str, str], variable: str, what: str) -> str:
    value = environ.get(variable, "").strip()
    if not value:
        _refuse(variable, f"not set. Set it to {what}.")
    return value


def _mailbox(environ: Mapping[str, str], variable: str) -> Mailbox:
    given = _required(environ, variable, "the address that mail comes from, such as Calendars <calendars@mail.example>")
    try:
        return read_mailbox(given)
    except NoMailboxError as error:
        _refuse(variable, f"{error}; expected an address such as Calendars <calendars@mail.example>")


def _domains(given: str) -> frozenset[str]:
    names = [name.strip() for name in given.split(",") if name.strip()]
    if not names:
        _refuse(MAIL_DOMAINS, "not set. Set it to the domains that may receive links, separated by commas.")
    found = {name: domain_of(name) for name in names}
    for name, domain in found.items():
        if domain is None:
            _refuse(MAIL_DOMAINS, f"'{clipped(name)}' is not a domain such as mail.example; name each one in full")
    return frozenset(domain for domain in found.values() if domain is not None)


def _server(environ: Mapping[str, str]) -> SmtpServer:
    given = _required(environ, SMTP_URL, "the mail server, such as smtp://user@mail.example:587")
    url, port = _split(given)
    if url.path not in {"", "/"} or url.query or url.fragment or "?" in given or "#" in given:
        _refuse(SMTP_URL, "it must end after the port; a user's special characters are written as %40 and the like")
    host = (url.hostname or "").lower()
    if not _HOST.fullmatch(host):
        _refuse(SMTP_URL, f"it names no host; {_URL_EXAMPLE}")
    user = _user(url)
    ca_file = environ.get(CA_FILE)
    return SmtpServer(
        host=host,
        port=_PORTS[url.scheme] if port is None else port,
        tls_from_start=url.scheme == "smtps",
        user=user,
        password=None if user is None else _password(environ),
        ca_file=Path(ca_file) if ca_file else None,
    )


def _split(given: str) -> tuple[SplitResult, int | None]:
    """The parts of the URL, which is never repeated: somebody may have put a password there."""
    # Where a slash ends the host early, what is before it may be half of a password.
    if len(given) > _LONGEST_URL or not given.isascii() or not given.isprintable() or re.search(r"[\s\\<>\"]", given):
        _refuse(SMTP_URL, _URL_EXAMPLE)
    try:
        url = urlsplit(given)
        port = url.port
    except ValueError:
        _refuse(SMTP_URL, _URL_EXAMPLE)
    if url.scheme not in _PORTS or port == 0:
        _refuse(SMTP_URL, _URL_EXAMPLE)
    return url, port


def _user(url: SplitResult) -> str | None:
    if "@" not in url.netloc:
        return None
    if url.password is not None:
        _refuse(SMTP_URL, f"it must not hold a password. Take it out, and set {SMTP_PASSWORD}.")
    user = unquote(url.username or "")
    if not user or not user.isascii() or not user.isprintable():
        _refuse(SMTP_URL, "the user before the @ must be printable ASCII text")
    return user


def _password(environ: Mapping[str, str]) -> str:
    password = environ.get(SMTP_PASSWORD, "")
    if not password:
        _refuse(SMTP_PASSWORD, f"not set. Set it to the password of the user in {SMTP_URL}.")
    if len(password) < SHORTEST:
        _refuse(SMTP_PASSWORD, f"fewer than {SHORTEST} characters are too few to be kept out of outputs; use more")
    if len(password) > _LARGEST_PASSWORD or not password.isascii() or not password.isprintable():
        _refuse(SMTP_PASSWORD, "it must be printable ASCII text, without a line break")
    return password
