"""Mail over TLS: what is encrypted, which certificates are trusted, and what never goes in the clear."""

import base64
from pathlib import Path

import pytest

from reconciler.consent.mail_delivery import MailOutcome
from reconciler.consent.mail_settings import MailSettings
from tests.consent.deliveries import KIM, LEE, outcomes, sent
from tests.consent.mails import ENVIRON
from tests.support.certificates import Certificate, make_certificate
from tests.support.mail_server import PASSWORD, USER, mail_server
from tests.support.smtp_script import Conversation, scripted_smtp
from tests.support.tools import needs_openssl

_OFF_LOOPBACK = "127.1"
"""Leads to this machine, and is not known to: so a server that is far away can be tried."""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """What a server shows under its names here."""
    return make_certificate(tmp_path_factory.mktemp("certificate"), f"DNS:{_OFF_LOOPBACK}", "IP:127.0.0.1")


def settings_for(
    port: int, *, scheme: str = "smtp", host: str = _OFF_LOOPBACK, ca_file: Path | None = None
) -> MailSettings:
    """Settings for a server with a login that is far away."""
    environ = {
        **ENVIRON,
        "EXTCAL_SMTP_URL": f"{scheme}://{USER}@{host}:{port}",
        "EXTCAL_SMTP_PASSWORD": PASSWORD,
        "EXTCAL_CA_FILE": "" if ca_file is None else str(ca_file),
    }
    return MailSettings.of(environ)


@needs_openssl
def test_starttls_comes_before_the_login_and_the_message(certificate: Certificate) -> None:
    """A server far away is trusted by EXTCAL_CA_FILE, and gets all that is secret encrypted."""
    with mail_server(starttls=certificate.context, login=True) as server:
        assert outcomes(sent(settings_for(server.port, ca_file=certificate.file), LEE, KIM)) == ["sent", "sent"]
        assert all(each.encrypted and each.user == USER for each in server.received)
        assert server.connections == 1


@needs_openssl
def test_tls_from_the_start(certificate: Certificate) -> None:
    """So with smtps, on loopback as elsewhere."""
    with mail_server(smtps=certificate.context, login=True) as server:
        for host in (_OFF_LOOPBACK, "127.0.0.1"):
            settings = settings_for(server.port, scheme="smtps", host=host, ca_file=certificate.file)
            assert outcomes(sent(settings, LEE)) == ["sent"]
            (done,) = sent(settings_for(server.port, scheme="smtps", host=host), LEE)
            assert done.outcome is MailOutcome.LATER
            assert "its certificate is not trusted" in done.detail


@needs_openssl
def test_a_certificate_that_is_not_trusted_gets_nothing(certificate: Certificate, tmp_path: Path) -> None:
    """Neither one of an unknown authority, nor one for another name; nobody logs in, nothing is sent."""
    other = make_certificate(tmp_path, "DNS:elsewhere.example")
    for shown, trusted in ((certificate, None), (certificate, other.file), (other, other.file)):
        with mail_server(starttls=shown.context, login=True) as server:
            done = sent(settings_for(server.port, ca_file=trusted), LEE, KIM)
            assert outcomes(done) == ["later", "later"]
            assert "its certificate is not trusted" in done[0].detail
            assert (server.logins, server.received, server.connections) == ([], [], 1)


@needs_openssl
def test_on_loopback_starttls_is_used_with_whatever_certificate(tmp_path: Path) -> None:
    """A mail server of this machine has made its own; without it, it would be spoken to in the clear."""
    other = make_certificate(tmp_path, "DNS:elsewhere.example")
    with mail_server(starttls=other.context, login=True) as server:
        assert outcomes(sent(settings_for(server.port, host="127.0.0.1"), LEE)) == ["sent"]
        assert server.received[0].encrypted


def test_off_loopback_nothing_goes_in_the_clear() -> None:
    """A server without STARTTLS, or one whose offer was taken out on the way, gets no login and no message."""
    with mail_server(login=True) as server:
        done = sent(settings_for(server.port), LEE, KIM)
        assert outcomes(done) == ["refused", "refused"]
        assert "does not offer STARTTLS, so that nothing was sent; use smtps://" in done[0].detail
        assert (server.logins, server.received, server.connections) == ([], [], 1)


def test_off_loopback_a_refused_starttls_ends_it() -> None:
    """It is not gone on in the clear."""
    heard: list[str] = []

    def talk(line: Conversation) -> None:
        line.greet("STARTTLS", "AUTH PLAIN")
        heard.append(line.hear())
        line.say("454 4.7.0 not now")
        heard.append(line.hear())

    with scripted_smtp(talk) as server:
        (done,) = sent(settings_for(server.port), LEE)
    assert done.outcome is MailOutcome.LATER
    assert "it refused STARTTLS (454 4.7.0 not now)" in done.detail
    assert heard == ["STARTTLS", ""]


@needs_openssl
def test_what_was_said_before_the_encryption_counts_for_nothing(certificate: Certificate) -> None:
    """An answer that is slipped in behind STARTTLS is not taken for one of the server (CVE-2011-0411)."""
    heard: list[str] = []

    def talk(line: Conversation) -> None:
        line.greet("STARTTLS")
        line.hear()
        line.say("220 go", "250-evil", "250 AUTH PLAIN", "235 welcome")
        with certificate.context.wrap_socket(line.line, server_side=True) as encrypted:
            inside = Conversation(encrypted)
            heard.append(inside.hear())
            inside.say("250-mail.example", "250 AUTH LOGIN")
            heard.append(inside.hear())

    with scripted_smtp(talk) as server:
        (done,) = sent(settings_for(server.port, ca_file=certificate.file), LEE)
    assert done.outcome is MailOutcome.LATER
    # TLS took what was slipped in for its own beginning and failed, or a new greeting was heard and believed.
    assert heard in ([], ["ehlo mail.example", f"AUTH LOGIN {base64.b64encode(USER.encode()).decode()}"])


def test_a_ca_file_that_cannot_be_read_is_told_by_name(tmp_path: Path) -> None:
    """Nothing is sent on the system's authorities alone."""
    (tmp_path / "no.pem").write_text("nothing")
    with mail_server() as server:
        for name, why in (("gone.pem", "No such file or directory"), ("no.pem", "not PEM")):
            (done,) = sent(settings_for(server.port, ca_file=tmp_path / name), LEE)
            assert done.outcome is MailOutcome.REFUSED
            assert f"EXTCAL_CA_FILE: {tmp_path / name}: {why}" in done.detail
        assert server.connections == 0
