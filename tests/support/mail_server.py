"""A real mail server on loopback that keeps what it gets, and refuses or breaks off as a test says."""

import asyncio
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from queue import Queue
from ssl import SSLContext
from typing import cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.support.timeouts import TIMEOUT

PASSWORD = "a password for mail"
USER = "calendars"


@dataclass(frozen=True)
class Received:
    """A message that the server has taken."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes
    encrypted: bool
    user: str | None

    @property
    def message(self) -> EmailMessage:
        """What was sent."""
        return message_from_bytes(self.content, policy=policy.default)


@dataclass
class MailServer:
    """What the server got, and what it answers to whom."""

    port: int = 0
    received: list[Received] = field(default_factory=list)
    tried: list[str] = field(default_factory=list)
    """Every recipient that it was told of, refused or not."""

    connections: int = 0
    logins: list[tuple[str, str]] = field(default_factory=list)
    recipient_answers: dict[str, str] = field(default_factory=dict)
    """What is said of a recipient, in place of 250."""

    data_answers: dict[str, str] = field(default_factory=dict)
    """What is said of a message to a recipient when it is there."""

    breaks_off: set[str] = field(default_factory=set)
    """Recipients whose messages are taken, and then the line is cut without an answer."""

    @property
    def url(self) -> str:
        """For EXTCAL_SMTP_URL, without a user."""
        return f"smtp://127.0.0.1:{self.port}"

    def environ(self, **more: str) -> dict[str, str]:
        """The operator's settings for mail through it, to the domain of the seeded accounts."""
        return {
            "EXTCAL_SMTP_URL": self.url,
            "EXTCAL_MAIL_FROM": "Calendars <calendars@mail.example>",
            "EXTCAL_MAIL_DOMAINS": "harbor-dental.example",
            **more,
        }

    def to(self, recipient: str) -> list[EmailMessage]:
        """The messages to one recipient."""
        return [each.message for each in self.received if each.recipients == (recipient,)]


class _Handler:
    def __init__(self, server: MailServer, *, login: bool) -> None:
        self._server = server
        self._login = login

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, _smtp: SMTP, session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self._login and not session.authenticated:
            return "530 5.7.0 Authentication required"
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(  # noqa: N802 - as above
        self, _smtp: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        self._server.tried.append(address)
        if answer := self._server.recipient_answers.get(address):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, smtp: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - as above
        (recipient,) = envelope.rcpt_tos
        if answer := self._server.data_answers.get(recipient):
            return answer
        user = cast("LoginPassword", session.auth_data).login.decode() if session.authenticated else None
        content = envelope.original_content or b""
        received = Received(envelope.mail_from or "", (recipient,), content, session.ssl is not None, user)
        self._server.received.append(received)
        if recipient in self._server.breaks_off:
            cast("asyncio.Transport", smtp.transport).abort()
        return "250 OK"


@contextmanager
def mail_server(
    *,
    starttls: SSLContext | None = None,
    smtps: SSLContext | None = None,
    login: bool = False,
    users: Mapping[str, str] = {USER: PASSWORD},
) -> Iterator[MailServer]:
    """A mail server for the length of the block; with `login` it takes mail of its users alone."""
    found = MailServer()

    def authenticate(_smtp: SMTP, _session: Session, _envelope: Envelope, _way: str, data: object) -> AuthResult:
        assert isinstance(data, LoginPassword)
        user, password = data.login.decode(), data.password.decode()
        found.logins.append((user, password))
        return AuthResult(success=users.get(user) == password, handled=False, auth_data=data)

    def speak() -> SMTP:
        found.connections += 1
        return SMTP(
            _Handler(found, login=login),
            hostname="mail.example",
            ident="test",
            tls_context=starttls,
            authenticator=authenticate if login else None,
            auth_require_tls=starttls is not None,
        )

    async def listen() -> None:
        stopped = asyncio.Event()
        server = await asyncio.get_running_loop().create_server(speak, "127.0.0.1", 0, ssl=smtps)
        found.port = server.sockets[0].getsockname()[1]
        listening.put((asyncio.get_running_loop(), stopped))
        async with server:
            await stopped.wait()

    listening: Queue[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Queue()
    thread = threading.Thread(target=asyncio.run, args=(listen(),))
    thread.start()
    loop, stopped = listening.get(timeout=TIMEOUT)
    try:
        yield found
    finally:
        loop.call_soon_threadsafe(stopped.set)
        thread.join()
