"""Sending to owners through real servers: what each answer comes to, who is told what, and nothing is sent twice."""

import base64
import time
from contextlib import closing

import pytest

from reconciler.consent.mail_delivery import MailLimits, MailOutcome, deliver
from reconciler.consent.mail_message import ConsentMail
from reconciler.errors import UsageError
from tests.consent.deliveries import ANN, KIM, LEE, outcomes, sent
from tests.consent.mails import STATE, URL, composed, dry_settings, requested, server_settings
from tests.support.mail_server import PASSWORD, USER, mail_server
from tests.support.smtp_script import Conversation, scripted_smtp

_BRIEF = MailLimits(step=0.3)


def test_each_owner_gets_their_message_over_one_connection() -> None:
    """As it was composed, to the letter, in the order that was asked, each told of just before and just after."""
    told: list[str] = []
    mails = [composed(LEE), composed(KIM, requested(".\n..\r\n."), requested("x" * 2000))]
    with mail_server() as server:
        settings = server_settings(server.port)
        for done in deliver(mails, settings, before_sending=lambda mail: told.append(f"before {mail.owner}")):
            told.append(f"{done.outcome} {done.mail.owner} {len(server.received)}")
            assert done.detail == ""
        assert told == [f"before {LEE}", f"sent {LEE} 1", f"before {KIM}", f"sent {KIM} 2"]
        assert [(each.sender, each.recipients) for each in server.received] == [
            ("calendars@mail.example", (LEE,)),
            ("calendars@mail.example", (KIM,)),
        ]
        assert [each.content for each in server.received] == [mail.content for mail in mails]
        assert server.connections == 1


def test_a_line_that_begins_with_a_dot_arrives() -> None:
    """What would end a message early is doubled on the way, and single again when it is there."""
    mail = composed(LEE)
    mail.message.set_payload([])
    mail.message.preamble = ".\r\n..\r\nnot the end\r\n."
    with mail_server() as server:
        (done,) = deliver([mail], server_settings(server.port), before_sending=lambda _mail: None)
        assert done.outcome is MailOutcome.SENT
        assert server.received[0].content == mail.content


def test_a_refused_recipient_is_nobody_elses_trouble() -> None:
    """A permanent no is refused, one for now is later, in the server's words; the others get theirs, and none waits."""
    told: list[str] = []
    with mail_server() as server:
        server.recipient_answers = {LEE: "550 5.1.1 No such user", KIM: "451 4.7.1 Greylisted, come back"}
        done = sent(server_settings(server.port), LEE, KIM, ANN, before=lambda mail: told.append(str(mail.owner)))
        assert outcomes(done) == ["refused", "later", "sent"]
        assert done[0].detail == f"127.0.0.1:{server.port}: 550 5.1.1 No such user"
        assert done[1].detail == f"127.0.0.1:{server.port}: 451 4.7.1 Greylisted, come back"
        assert told == [ANN]
        assert server.tried == [LEE, KIM, ANN]
        assert server.connections == 1


def test_a_refused_message_was_about_to_be_sent_and_was_not() -> None:
    """What the server says of the message itself counts as what it says of its recipient."""
    told: list[str] = []
    with mail_server() as server:
        server.data_answers = {LEE: "554 5.7.1 Looks like spam", KIM: "452 4.3.1 Disk full"}
        done = sent(server_settings(server.port), LEE, KIM, ANN, before=lambda mail: told.append(str(mail.owner)))
        assert outcomes(done) == ["refused", "later", "sent"]
        assert told == [LEE, KIM, ANN]
        assert [each.recipients for each in server.received] == [(ANN,)]


@pytest.mark.parametrize(
    "echo",
    [URL, STATE, f"x{STATE}x", PASSWORD, base64.b64encode(PASSWORD.encode()).decode(), f"{'x' * 290} {URL}"],
)
def test_a_server_that_repeats_a_secret_is_not_quoted_with_it(echo: str) -> None:
    """Neither the link, nor what makes it one, nor the password comes back by the server's words, cut or whole."""
    with mail_server(login=True) as server:
        environ = {"EXTCAL_SMTP_URL": f"smtp://{USER}@127.0.0.1:{server.port}", "EXTCAL_SMTP_PASSWORD": PASSWORD}
        server.data_answers = {LEE: f"550 blocked: {echo}"}
        (done,) = sent(server_settings(server.port, environ), LEE)
        assert done.outcome is MailOutcome.REFUSED
        assert "550 blocked: " in done.detail
        for length in (len(echo), 16):
            assert echo[-length:] not in done.detail
        assert len(done.detail) <= 300


def test_a_servers_words_are_inert() -> None:
    """They are one line, short, and move nothing."""

    def talk(line: Conversation) -> None:
        line.greet()
        line.hear()
        line.say("550-\x1b[2J\u202eevil", "550 ::error::x" + "y" * 500)
        line.hear()
        line.say("250 OK")
        line.hear()

    with scripted_smtp(talk) as server:
        (done,) = sent(server_settings(server.port), LEE)
    assert done.outcome is MailOutcome.REFUSED
    assert done.detail.isprintable()
    assert "550 [2Jevil" in done.detail
    assert len(done.detail) == 300


def test_what_cannot_be_noted_is_not_sent() -> None:
    """Where the caller can't write down that a message is about to be sent, the server never gets it."""

    def failing(mail: ConsentMail) -> None:
        raise OSError(f"disk full for {mail.owner}")

    with mail_server() as server:
        with pytest.raises(OSError, match="disk full"):
            sent(server_settings(server.port), LEE, KIM, before=failing)
        assert server.received == []
        assert server.tried == [LEE]


def test_nobody_outside_the_domains_is_even_tried() -> None:
    """A message that was composed for a stranger is refused here, too, and the server never hears of them."""
    settings = dry_settings(EXTCAL_MAIL_DOMAINS="evil.example")
    with mail_server() as server:
        stranger = composed("a@evil.example", settings=settings)
        (done,) = deliver([stranger], server_settings(server.port), before_sending=lambda _mail: None)
        assert done.outcome is MailOutcome.REFUSED
        assert "EXTCAL_MAIL_DOMAINS" in done.detail
        assert server.connections == 0


def test_a_caller_may_stop_between_two_messages() -> None:
    """What was not asked for is not sent."""
    with mail_server() as server:
        deliveries = deliver(map(composed, (LEE, KIM)), server_settings(server.port), before_sending=lambda _mail: None)
        with closing(deliveries):
            assert next(deliveries).outcome is MailOutcome.SENT
        assert [each.recipients for each in server.received] == [(LEE,)]


def test_without_a_server_there_is_nothing_to_send_by() -> None:
    """Settings for dry mail can't send."""
    with pytest.raises(UsageError, match="EXTCAL_SMTP_URL"):
        sent(dry_settings(), LEE)


def test_where_no_server_listens_all_is_left_for_later() -> None:
    """It is tried once, not once for each message."""
    with scripted_smtp(lambda _line: None) as server:
        port = server.port
    done = sent(server_settings(port), LEE, KIM)
    assert outcomes(done) == ["later", "later"]
    assert done[0].detail == done[1].detail == f"127.0.0.1:{port}: Connection refused"


def test_a_login_that_is_refused_is_tried_once() -> None:
    """Each further try would count against the user; the server's words may repeat the password, and are left out."""
    with mail_server(login=True) as server:
        environ = {
            "EXTCAL_SMTP_URL": f"smtp://{USER}@127.0.0.1:{server.port}",
            "EXTCAL_SMTP_PASSWORD": "wrong password",
        }
        done = sent(server_settings(server.port, environ), LEE, KIM)
        assert outcomes(done) == ["refused", "refused"]
        assert "refused the user or the password; check EXTCAL_SMTP_PASSWORD (535)" in done[0].detail
        assert "wrong password" not in str(done)
        assert server.logins == [(USER, "wrong password")]
        environ["EXTCAL_SMTP_PASSWORD"] = PASSWORD
        assert outcomes(sent(server_settings(server.port, environ), LEE)) == ["sent"]
        assert server.received[0].user == USER


def test_a_server_without_a_login_is_not_sent_to_in_vain() -> None:
    """Where a user is set, mail does not go out without them."""
    heard: list[str] = []

    def talk(line: Conversation) -> None:
        line.greet("AUTH CRAM-MD5 XOAUTH2")
        heard.append(line.hear())

    with scripted_smtp(talk) as server:
        environ = {"EXTCAL_SMTP_URL": f"smtp://{USER}@127.0.0.1:{server.port}", "EXTCAL_SMTP_PASSWORD": PASSWORD}
        (done,) = sent(server_settings(server.port, environ), LEE)
    assert done.outcome is MailOutcome.REFUSED
    assert "no way to log in" in done.detail
    assert heard == [""]


def test_a_line_that_is_lost_in_a_message_leaves_it_in_doubt() -> None:
    """It may have been sent, and is not sent again; one more line is opened, and no third."""
    with mail_server() as server:
        server.breaks_off = {LEE, KIM}
        done = sent(server_settings(server.port), LEE, ANN, KIM, ANN, ANN)
        assert outcomes(done) == ["unknown", "sent", "unknown", "later", "later"]
        assert "may have been sent" in done[0].detail
        assert "not tried, since the connection was lost again and again" in done[4].detail
        assert server.connections == 2
        assert [each.recipients for each in server.received] == [(LEE,), (ANN,), (KIM,)]


def test_a_line_that_is_lost_before_a_message_leaves_no_doubt() -> None:
    """Nobody got it; what comes after is tried over one more line."""

    def talk(line: Conversation) -> None:
        line.greet()
        line.hear()
        line.cut()

    with scripted_smtp(talk) as server:
        assert outcomes(sent(server_settings(server.port), LEE, KIM, ANN)) == ["later", "later", "later"]
        assert server.connections == 2


def test_a_line_that_is_cut_amid_a_message() -> None:
    """The server has a part of it, and nobody can know what it does with that."""

    def talk(line: Conversation) -> None:
        line.greet()
        line.take_until_data()
        line.hear()
        line.cut()

    with scripted_smtp(talk) as server:
        (done,) = sent(server_settings(server.port), LEE)
    assert done.outcome is MailOutcome.UNKNOWN


def test_a_server_that_agrees_to_what_it_has_not_got_has_got_nothing() -> None:
    """It says 250 to whatever it hears, also where it should wait for the message: nobody is counted as asked."""

    def talk(line: Conversation) -> None:
        line.greet()
        while line.hear():
            line.say("250 OK")

    with scripted_smtp(talk) as server:
        (done,) = sent(server_settings(server.port), LEE)
    assert done.outcome is MailOutcome.LATER
    assert "its answer is not SMTP" in done.detail


def test_a_server_that_closes_says_so() -> None:
    """421 means that it hangs up: what it said it of goes out by a later run, the next message over another line."""

    def talk(line: Conversation) -> None:
        line.greet()
        line.hear()
        line.say("421 4.3.2 shutting down")

    with scripted_smtp(talk) as server:
        done = sent(server_settings(server.port), LEE, KIM, ANN)
        assert outcomes(done) == ["later", "later", "later"]
        assert "421 4.3.2 shutting down" in done[0].detail
        assert server.connections == 2


@pytest.mark.parametrize("stage", ["greeting", "hello", "message", "drops"])
def test_a_server_that_is_silent_is_not_waited_for(stage: str) -> None:
    """Each step has its end, also where something comes now and then; only a message on its way is in doubt."""

    def talk(line: Conversation) -> None:
        if stage == "drops":
            while True:
                line.say("220-still thinking")
                time.sleep(0.01)
        if stage in {"hello", "message"}:
            line.say("220 mail.example")
            line.hear()
        if stage == "message":
            line.say("250 HELP")
            line.take_until_data()
        while line.line.recv(4096):
            pass

    with scripted_smtp(talk) as server:
        done = sent(server_settings(server.port), LEE, KIM, limits=_BRIEF)
    assert outcomes(done) == (["unknown", "unknown"] if stage == "message" else ["later", "later"])
    assert "no answer within 0.3 seconds" in done[0].detail


def test_an_answer_without_an_end_is_not_kept() -> None:
    """A greeting of thousands of lines is no greeting, long before the time for it is over; none fills the memory."""
    heard: list[str] = []

    def talk(line: Conversation) -> None:
        line.say(*["220-still thinking"] * 2000, "220 mail.example")
        heard.append(line.hear())

    with scripted_smtp(talk) as server:
        (done,) = sent(server_settings(server.port), LEE)
    assert done.outcome is MailOutcome.LATER
    assert not any(heard)
    assert "it hung up, or its answer is not SMTP" in done.detail


def test_all_messages_together_have_an_end() -> None:
    """When it has come, no other one is begun."""
    with mail_server() as server:
        done = sent(server_settings(server.port), LEE, limits=MailLimits(total=0.0))
        assert outcomes(done) == ["later"]
        assert "not tried, since the mail took longer than 0 seconds" in done[0].detail
        assert server.connections == 0


@pytest.mark.parametrize("greeting", ["hello", "HTTP/1.1 400 Bad Request", "999 x", "-1 x", "220" + "x" * 9000, "\x00"])
def test_what_is_no_mail_server_gets_nothing(greeting: str) -> None:
    """It is told that it is none; nothing is said to it."""
    heard: list[str] = []

    def talk(line: Conversation) -> None:
        line.say(greeting)
        heard.append(line.hear())

    with scripted_smtp(talk) as server:
        (done,) = sent(server_settings(server.port), LEE)
    assert done.outcome is MailOutcome.LATER
    assert "it hung up, or its answer is not SMTP" in done.detail
    assert heard == [""]


@pytest.mark.parametrize(("greeting", "outcome"), [("554 no service for you", "refused"), ("421 too busy", "later")])
def test_a_server_that_takes_no_mail_says_so_once(greeting: str, outcome: str) -> None:
    """Nothing is tried again within a run."""
    with scripted_smtp(lambda line: line.say(greeting)) as server:
        done = sent(server_settings(server.port), LEE, KIM)
        assert outcomes(done) == [outcome, outcome]
        assert f"it takes no mail now ({greeting})" in done[1].detail
        assert server.connections == 1
