"""Speaks SMTP to the operator's mail server: a connection that is encrypted and known before anything is said on it.

smtplib's own timeouts are for each piece that comes; a server that sends a byte now and then would hold it for ever. So
each step here has an end: then the line is cut, whatever waits on it.
"""

import contextlib
import re
import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final, cast

from reconciler.consent.mail_settings import CA_FILE, SMTP_PASSWORD, SmtpServer
from reconciler.text import clipped

_CODES: Final = range(200, 600)
_YES: Final = range(200, 300)
_PERMANENT: Final = range(500, 600)
_DOT: Final = re.compile(rb"^\.", re.MULTILINE)
# Bytes of what a server says that are looked at.
_LONGEST_ANSWER: Final = 16_384
_MOST_LINES: Final = 1_000


@dataclass(frozen=True, slots=True)
class SmtpAnswer:
    """What a server answers: its code, and its words, which may repeat what it was told in confidence."""

    code: int
    words: bytes

    @property
    def is_yes(self) -> bool:
        """Whether it agrees."""
        return self.code in _YES

    @property
    def is_permanent(self) -> bool:
        """Whether asking again would get the same answer."""
        return self.code in _PERMANENT

    def __str__(self) -> str:
        return f"{self.code} {self.words[:_LONGEST_ANSWER].decode('utf-8', 'replace')}".strip()


class LineError(Exception):
    """There is no line to the server, or no more; `is_permanent` tells whether trying again can't help."""

    def __init__(self, why: str, *, is_permanent: bool = False) -> None:
        super().__init__(why)
        self.is_permanent = is_permanent


class _FewLines:
    """What a server says, up to so many lines."""

    def __init__(self, reader: BinaryIO) -> None:
        self._reader = reader
        self._left = _MOST_LINES

    def readline(self, most: int) -> bytes:
        """The next line; raises ValueError where there were too many."""
        self._left -= 1
        if self._left < 0:
            raise ValueError("too many lines")
        return self._reader.readline(most)

    def close(self) -> None:
        """Close what is read from."""
        self._reader.close()


class _BoundedSmtp(smtplib.SMTP):
    """smtplib's client, which would keep all that a server says until its answer ends, if it ever does."""

    def getreply(self) -> tuple[int, bytes]:
        """The code and the words of an answer; raises ValueError where it has too many lines."""
        if self.file is None:
            self.file = cast("socket.socket", self.sock).makefile("rb")
        reader = self.file
        self.file = _FewLines(reader)
        try:
            return super().getreply()
        finally:
            if self.file is not None:
                self.file = reader


class SmtpLine:
    """A connection to the server; its methods raise LineError once it is lost, or one of them takes too long."""

    def __init__(self, plain: socket.socket, name: str, seconds: float) -> None:
        self._seconds = seconds
        self._smtp = _BoundedSmtp(local_hostname=name)
        self._smtp.sock = plain
        # A timeout of the socket's own would come at the same time, and be taken for a line that was lost.
        plain.settimeout(2 * seconds)
        # TLS takes the socket over, and gives none back while it begins: this one can always cut the line.
        self._raw = plain.dup()

    def ask(self, command: str) -> SmtpAnswer:
        """The answer to a command."""
        with self._bounded():
            return _answer(*self._smtp.docmd(command))

    def send(self, content: bytes) -> SmtpAnswer:
        """The answer to a whole message after DATA; its lines end in CRLF."""
        quoted = _DOT.sub(b"..", content)
        with self._bounded():
            self._smtp.send(quoted + (b".\r\n" if quoted.endswith(b"\r\n") else b"\r\n.\r\n"))
            return _answer(*self._smtp.getreply())

    def close(self, *, politely: bool) -> None:
        """Hang up, with a word of goodbye or without."""
        if politely:
            with contextlib.suppress(LineError):
                self.ask("QUIT")
        self._smtp.close()
        self._raw.close()

    def get_ready(self, server: SmtpServer, trust: ssl.SSLContext) -> None:
        """Greet the server, encrypt and log in; raises LineError where any of that can't be."""
        if server.tls_from_start:
            self._encrypt(server, trust)
        with self._bounded():
            greeting = _answer(*self._smtp.getreply())
        _expect(greeting, "it takes no mail now")
        self._greet()
        if not server.tls_from_start:
            self._start_tls(server, trust)
        if server.user is not None and server.password is not None:
            self._log_in(server.user, server.password)

    def _greet(self) -> None:
        with self._bounded():
            answer = _answer(*self._smtp.ehlo())
        _expect(answer, "it refused EHLO")

    def _start_tls(self, server: SmtpServer, trust: ssl.SSLContext) -> None:
        if not self._smtp.has_extn("starttls"):
            if server.on_loopback:
                return
            raise LineError("it does not offer STARTTLS, so that nothing was sent; use smtps://", is_permanent=True)
        _expect(self.ask("STARTTLS"), "it refused STARTTLS")
        # What came before the encryption may be anybody's, and counts for nothing.
        self._smtp.file = None
        self._smtp.esmtp_features = {}
        self._encrypt(server, trust)
        self._greet()

    def _encrypt(self, server: SmtpServer, trust: ssl.SSLContext) -> None:
        with self._bounded():
            plain = self._smtp.sock
            if plain is not None:
                self._smtp.sock = trust.wrap_socket(plain, server_hostname=server.host)

    def _log_in(self, user: str, password: str) -> None:
        """Once, by one way: another one would be refused as well, and count against the user."""
        offered = self._smtp.esmtp_features.get("auth", "").split()
        ways = {"PLAIN": self._smtp.auth_plain, "LOGIN": self._smtp.auth_login}
        way = next((each for each in ways if each in offered), None)
        if way is None:
            raise LineError("it offers no way to log in with a password (PLAIN or LOGIN)", is_permanent=True)
        self._smtp.user, self._smtp.password = user, password
        with self._bounded():
            try:
                code, _ = self._smtp.auth(way, ways[way])
            except smtplib.SMTPAuthenticationError as error:
                code = error.smtp_code
        # Its words are left out: a server may repeat what it was told.
        _expect(SmtpAnswer(code, b""), f"it refused the user or the password; check {SMTP_PASSWORD}")

    @contextlib.contextmanager
    def _bounded(self) -> Iterator[None]:
        """Cut the line after so many seconds, and turn whatever fails into a LineError."""
        late = threading.Event()

        def cut() -> None:
            late.set()
            with contextlib.suppress(OSError):
                self._raw.shutdown(socket.SHUT_RDWR)

        timer = threading.Timer(self._seconds, cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        except (OSError, ValueError) as error:
            raise LineError(f"no answer within {self._seconds:g} seconds" if late.is_set() else _why(error)) from None
        finally:
            timer.cancel()


def open_line(server: SmtpServer, name: str, seconds: float) -> SmtpLine:
    """A line to the server, encrypted and logged in; each step takes at most so many seconds.

    `name` is the domain that this machine speaks for. Raises LineError.
    """
    trust = _trust(server)
    try:
        plain = socket.create_connection((server.host, server.port), timeout=seconds)
    except (OSError, UnicodeError) as error:
        raise LineError(_why(error)) from None
    line = SmtpLine(plain, name, seconds)
    try:
        line.get_ready(server, trust)
    except BaseException:
        line.close(politely=False)
        raise
    return line


def _answer(code: int, words: bytes) -> SmtpAnswer:
    # Where there is no code, smtplib gives -1.
    if code not in _CODES:
        raise ValueError
    return SmtpAnswer(code, words)


def _why(error: Exception) -> str:
    """What happened to a line, in few words and none of the server's own."""
    match error:
        case ssl.SSLCertVerificationError():
            return f"its certificate is not trusted ({clipped(error.verify_message)}); if it is yours, set {CA_FILE}"
        case ssl.SSLError():
            return f"TLS failed ({clipped(error.reason or 'no reason given')})"
        case TimeoutError():
            return "no answer in time"
        case OSError(strerror=str() as reason):
            return clipped(reason)
        case _:
            return "it hung up, or its answer is not SMTP"


def _trust(server: SmtpServer) -> ssl.SSLContext:
    trust = ssl.create_default_context()
    if server.ca_file is not None:
        try:
            trust.load_verify_locations(server.ca_file)
        except (OSError, ValueError) as error:
            why = "not PEM" if isinstance(error, ssl.SSLError | ValueError) else error.strerror
            raise LineError(f"{CA_FILE}: {server.ca_file}: {why}", is_permanent=True) from None
    if server.on_loopback and not server.tls_from_start:
        # A mail server of this machine has a certificate of its own making. Nobody stands between, and one without
        # STARTTLS would be spoken to in the clear.
        trust.check_hostname = False
        trust.verify_mode = ssl.CERT_NONE
    return trust


def _expect(answer: SmtpAnswer, otherwise: str) -> None:
    if not answer.is_yes:
        raise LineError(f"{otherwise} ({answer})", is_permanent=answer.is_permanent)
