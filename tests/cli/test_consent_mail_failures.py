"""`apply --consent mail` where mailing fails: what the report says, who counts as asked, and that nobody is flooded."""

import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.cli.command import Extcal, Ran
from tests.support.cli.mail import Mailing, google, links_in, quay_site
from tests.support.cli.schema import valid
from tests.support.cli.worlds import email
from tests.support.mail_server import PASSWORD, USER, mail_server
from tests.support.smtp_script import Conversation, scripted_smtp
from tests.support.timeouts import TIMEOUT

_MAIL = ("apply", "manifests", "--auto-approve", "--consent", "mail")
_WRONG = "not the mail password"


@pytest.fixture
def mailing(extcal: Extcal) -> Iterator[Mailing]:
    """The command and a mail server that takes everything; three Google connections are to be made."""
    with mail_server() as server:
        found = Mailing(extcal, server)
        found.declare(1, 2, 3)
        yield found


def _errors(ran: Ran) -> dict[str, tuple[object, str]]:
    """How each connection's action ended, and why, by the number of its account."""
    valid(ran.document)
    return {str(each["address"])[-1]: (each["status"], str(each["error"])) for each in ran.actions}


def test_a_message_that_is_put_off_fails_and_the_next_run_asks_at_once(mailing: Mailing) -> None:
    """A greylisting server takes nothing yet: exit 1 and its words; nobody counts as asked, and the next run mails."""
    mailing.declare(1)
    mailing.server.recipient_answers[email(1)] = "451 4.7.1 greylisted"
    ran = mailing()
    assert ran.code == 1
    assert f"FAILED          connect harbor/staff-1\n{'':18}not mailed to {email(1)}: " in ran.out
    assert "451 4.7.1 greylisted; apply again: it makes a new link and mails it\n" in ran.out
    assert mailing.asked == {"harbor/staff-1": 0}
    mailing.server.recipient_answers.clear()
    assert mailing().code == 3
    assert len(mailing.server.to(email(1))) == 1
    assert mailing.asked == {"harbor/staff-1": 1}


@pytest.mark.parametrize("answer", ["550 5.1.1 no such user", "452 4.2.2 mailbox full"])
def test_a_message_that_is_refused_at_its_end_is_taken_back(mailing: Mailing, answer: str) -> None:
    """Refused when all of it was there, it was noted already: the note is gone, and the others got theirs."""
    mailing.server.data_answers[email(2)] = answer
    ran = mailing("--format", "json")
    assert ran.code == 1
    found = _errors(ran)
    assert [found[each][0] for each in "123"] == ["awaiting-consent", "failed", "awaiting-consent"]
    assert answer in found["2"][1]
    assert "apply again" in found["2"][1]
    assert mailing.asked == {"harbor/staff-1": 1, "harbor/staff-2": 0, "harbor/staff-3": 1}


def test_a_reminder_that_is_refused_leaves_the_first_message_counted(mailing: Mailing) -> None:
    """Only the note of the message that was refused is taken back, whether it was made by then or not."""
    mailing()
    for when in (mailing.server.data_answers, mailing.server.recipient_answers):
        when[email(2)] = "550 5.7.1 refused"
        mailing("--remind-after", "1h")
        assert set(mailing.asked.values()) == {1}
        mailing.server.data_answers.clear()
        mailing.server.recipient_answers.clear()


def test_a_server_that_is_down_fails_every_message_at_once(mailing: Mailing) -> None:
    """It is tried once; each action says so and what to do, and nobody counts as asked."""
    ran = mailing("--format", "json", EXTCAL_SMTP_URL="smtp://127.0.0.1:1")
    assert ran.code == 1
    assert {status for status, _ in _errors(ran).values()} == {"failed"}
    assert all("Connection refused; apply again" in why for _, why in _errors(ran).values())
    assert set(mailing.asked.values()) == {0}


def test_a_server_that_dies_after_the_first_message_loses_no_other_twice(mailing: Mailing) -> None:
    """The first is sent, the second may have been and counts as sent; the rest is mailed now or by the next run."""
    talks = 0

    def talk(line: Conversation) -> None:
        nonlocal talks
        talks += 1
        line.greet()
        line.take_until_data()
        while line.hear() != ".":
            pass
        line.say("250 OK")
        line.take_until_data()
        line.cut()

    with scripted_smtp(talk) as dying:
        ran = mailing("--format", "json", EXTCAL_SMTP_URL=f"smtp://127.0.0.1:{dying.port}")
    assert ran.code == 1
    statuses = sorted(str(status) for status, _ in _errors(ran).values())
    assert statuses == ["awaiting-consent", "awaiting-consent", "unknown"]
    (unknown,) = [why for status, why in _errors(ran).values() if status == "unknown"]
    assert "it may have been mailed to" in unknown
    assert "counts as sent" in unknown
    # Who may have got a message gets no other one now.
    assert set(mailing.asked.values()) == {1}
    mailing()
    assert mailing.server.received == []


def test_a_wrong_password_is_shown_nowhere(extcal: Extcal) -> None:
    """A server that takes no such user is said to; its words, the password and the links are shown nowhere."""
    with mail_server(login=True) as server:
        mailing = Mailing(extcal, server)
        env = {"EXTCAL_SMTP_URL": f"smtp://{USER}@127.0.0.1:{server.port}", "EXTCAL_SMTP_PASSWORD": _WRONG}
        ran = mailing(**env)
        assert ran.code == 1
        assert "EXTCAL_SMTP_PASSWORD" in ran.out
        assert _WRONG not in ran.out + ran.err
        assert mailing.asked == {"harbor/staff-1": 0}
        assert mailing(**env | {"EXTCAL_SMTP_PASSWORD": PASSWORD}).code == 3
        assert server.received[0].user == USER


def test_a_server_that_repeats_the_link_does_not_bring_it_into_the_report(mailing: Mailing) -> None:
    """What a server says of a message is shown without the links of the message."""
    mailing.declare(1)

    def talk(line: Conversation) -> None:
        line.greet()
        line.take_until_data()
        text = ""
        while (heard := line.hear()) != ".":
            text += heard.removesuffix("=")
        line.say(f"554 5.7.1 spam: {text[text.index('http:') :][:120].replace('=3D', '=')}")
        line.hear()

    with scripted_smtp(talk) as telling:
        ran = mailing(EXTCAL_SMTP_URL=f"smtp://127.0.0.1:{telling.port}")
    assert ran.code == 1
    assert "554 5.7.1 spam: [secret]" in ran.out


def test_what_cannot_be_noted_is_not_sent(mailing: Mailing) -> None:
    """Where it can't be written down that somebody was asked, they are not asked; owners of another site are."""
    mailing.declare(1, 2, 3, also=(quay_site(), google(4, of="quay")))
    mailing.server.recipient_answers = {email(number): "451 later" for number in range(1, 5)}
    mailing()
    mailing.server.recipient_answers.clear()
    (harbor,) = [path for path in mailing.records if "harbor/" in path.read_text()]
    _block(harbor)
    ran = mailing("--format", "json")
    assert ran.code == 1
    found = _errors(ran)
    assert {found[each][0] for each in "123"} == {"failed"}
    assert all(found[each][1].startswith("not mailed: ") for each in "123")
    assert found["4"] == ("awaiting-consent", f"mailed to {email(4)}")
    assert [each.recipients for each in mailing.server.received] == [(email(4),)]


def test_where_it_is_not_known_who_was_asked_nobody_is(mailing: Mailing) -> None:
    """A record that is broken is no reason to ask everybody anew: no link is made, and the report says what to do."""
    mailing()
    (record,) = mailing.records
    record.write_text('{"format": 1, "requests": [')
    ran = mailing("--format", "json")
    assert ran.code == 1
    assert all(status == "failed" and "repair or delete the file" in why for status, why in _errors(ran).values())
    assert len(mailing.server.received) == 3


def test_of_two_applies_at_once_one_mails(mailing: Mailing) -> None:
    """The sites are locked until all is mailed: another run meanwhile is told so, and mails nobody."""
    with _held(mailing) as held:
        other = mailing()
        assert other.code == 1
        assert mailing.server.received == []
        held.let_go()
        assert held.ended().code == 3
    assert mailing().code == 3
    assert mailing.server.received == []


def test_ctrl_c_stops_before_the_next_message(mailing: Mailing) -> None:
    """The message under way is finished; the others are not begun, and the report says so without their links."""
    with _held(mailing, "--format", "json") as held:
        held.process.send_signal(signal.SIGINT)
        assert "finishing" in held.told()
        held.let_go()
        ran = held.ended()
    assert ran.code == 130
    assert len(held.taken) == 1
    statuses = [found for found in _errors(ran).values() if found[1] != "not mailed: interrupted; apply again"]
    assert [(status, why.startswith("mailed to ")) for status, why in statuses] == [("awaiting-consent", True)]
    assert sorted(mailing.asked.values()) == [0, 0, 1]
    assert mailing().code == 3
    assert len(mailing.server.received) == 2


def test_a_second_ctrl_c_waits_for_no_server(mailing: Mailing) -> None:
    """The message under way may have been sent, and counts as sent; the process ends though the server does not."""
    with _held(mailing, "--format", "json") as held:
        held.process.send_signal(signal.SIGINT)
        assert "finishing" in held.told()
        held.process.send_signal(signal.SIGINT)
        assert "abandoning" in held.told()
        ran = held.ended()
    assert (ran.code, ran.err) == (130, "")
    found = _errors(ran)
    (unknown,) = [why for status, why in found.values() if status == "unknown"]
    assert unknown == "interrupted while it was mailed: it may have been sent, and counts as sent"
    assert sorted(mailing.asked.values()) == [0, 0, 1]


def test_a_second_ctrl_c_before_the_server_has_said_a_word_leaves_nobody_asked(mailing: Mailing) -> None:
    """A server that lets everybody wait has got no message: nobody counts as asked, and the process ends."""
    come, ended = threading.Event(), threading.Event()

    def talk(_line: Conversation) -> None:
        come.set()
        ended.wait(TIMEOUT)

    with scripted_smtp(talk) as silent:
        env = {"EXTCAL_SMTP_URL": f"smtp://127.0.0.1:{silent.port}"}
        with mailing.extcal.started(*_MAIL, "--format", "json", env=env) as process:
            assert come.wait(TIMEOUT)
            held = _Held(process, [], ended.set)
            for word in ("finishing", "abandoning"):
                process.send_signal(signal.SIGINT)
                assert word in held.told()
            ran = held.ended()
        held.let_go()
    assert ran.code == 130
    assert set(_errors(ran).values()) == {("awaiting-consent", "not mailed: interrupted; apply again")}
    assert set(mailing.asked.values()) == {0}


def test_a_process_that_is_killed_while_it_mails_counts_as_having_mailed(mailing: Mailing) -> None:
    """Killed while the server takes a message: its owner is not mailed again, the others are."""
    with _held(mailing) as held:
        held.process.kill()
        held.process.wait(timeout=TIMEOUT)
    assert sorted(mailing.asked.values()) == [0, 0, 1]
    mailing()
    assert len(mailing.server.received) == 2
    assert all(links_in(each.message) for each in mailing.server.received)


@dataclass
class _Held:
    """An apply whose first message is with the server, which has yet to answer."""

    process: "subprocess.Popen[str]"
    taken: list[str]
    let_go: Callable[[], None]

    def told(self) -> str:
        """The next line of stderr."""
        assert self.process.stderr is not None
        return self.process.stderr.readline()

    def ended(self) -> Ran:
        """How it ends, without a link in anything that it has written."""
        out, err = self.process.communicate(timeout=TIMEOUT)
        assert "/consent/" not in out + err
        return Ran(self.process.returncode, out, err)


@contextmanager
def _held(mailing: Mailing, *options: str) -> Iterator[_Held]:
    begun, answered = threading.Event(), threading.Event()
    taken: list[str] = []

    def talk(line: Conversation) -> None:
        line.greet()
        while heard := line.hear():
            if heard == "DATA":
                line.say("354 go ahead")
                while line.hear() != ".":
                    pass
                begun.set()
                answered.wait(TIMEOUT)
            taken.extend([heard] if heard == "DATA" else [])
            line.say("250 OK")

    with scripted_smtp(talk) as server:
        env = {"EXTCAL_SMTP_URL": f"smtp://127.0.0.1:{server.port}"}
        with mailing.extcal.started(*_MAIL, *options, env=env) as process:
            try:
                assert begun.wait(TIMEOUT)
                yield _Held(process, taken, answered.set)
            finally:
                answered.set()


def _block(record: Path) -> None:
    """Let a record be read, and not be written: a folder is where its new version would be."""
    record.with_name(f"{record.name}.new").mkdir()
