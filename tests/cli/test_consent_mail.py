"""`extcal apply --consent mail`: owners get their links by mail, and nobody else does."""

import stat
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.support.cli.command import Extcal
from tests.support.cli.mail import Mailing, agree, google, links_in, quay_site, text_of
from tests.support.cli.schema import valid
from tests.support.cli.worlds import BUSY, PASSWORD_ENV, connection, email, harbor, schedule_id, site, world
from tests.support.hostile_texts import PAYLOADS, assert_inert
from tests.support.mail_server import mail_server

_STRANGER = "attacker@elsewhere.example"


@pytest.fixture
def mailing(extcal: Extcal) -> Iterator[Mailing]:
    """The command and a mail server that takes everything; one Google connection is to be made."""
    with mail_server() as server:
        yield Mailing(extcal, server)


def test_an_owner_gets_their_link_and_nobody_sees_it(mailing: Mailing) -> None:
    """The link goes to the declared account's address alone; the report says to whom, and the exit code is 3."""
    ran = mailing()
    assert ran.code == 3
    (received,) = mailing.server.received
    assert received.recipients == (email(1),)
    (link,) = links_in(received.message)
    assert link.startswith(mailing.extcal.sandbox.endpoint)
    assert f"awaits consent  connect harbor/staff-1\n{'':18}mailed to staff1@harbor-dental.example\n" in ran.out
    assert ran.out.endswith("\nApplied: 1 awaiting consent.\n")


def test_a_message_names_the_schedule_as_people_know_it(mailing: Mailing) -> None:
    """Its manifest gives the schedule's id alone; its owner reads its name."""
    mailing()
    text = text_of(mailing.server.received[0].message)
    assert "Staff 1" in text
    assert schedule_id(1) not in text


def test_no_file_of_the_state_holds_a_link(mailing: Mailing) -> None:
    """What is kept is who was asked when, for its user alone; the link is nowhere but in the message."""
    mailing()
    (link,) = links_in(mailing.server.received[0].message)
    for path in (mailing.extcal.folder / "state").rglob("*"):
        if path.is_file():
            assert link.rpartition("/")[2] not in path.read_text(errors="replace"), path
    assert [stat.S_IMODE(path.stat().st_mode) for path in mailing.records] == [0o600]
    assert mailing.asked == {"harbor/staff-1": 1}
    assert "/consent/" not in mailing.extcal("history", "--format", "json").out


def test_json_says_who_was_mailed_and_holds_no_link(mailing: Mailing) -> None:
    """The document is valid; the action awaits consent, its error says to whom it was mailed."""
    ran = mailing("--format", "json")
    valid(ran.document)
    (action,) = ran.actions
    found = action["status"], action["error"], action["consent_url"]
    assert found == ("awaiting-consent", "mailed to staff1@harbor-dental.example", None)


def test_the_next_apply_finishes_what_an_owner_agreed_to(mailing: Mailing) -> None:
    """The owner opens the link of the mail and agrees; the next apply sets the sync config and forgets the request."""
    mailing()
    (link,) = links_in(mailing.server.received[0].message)
    agree(link, email(1))
    assert mailing().code == 0
    assert (len(mailing.server.received), mailing.records) == (1, [])
    assert mailing.extcal("plan", "manifests", "--detailed-exitcode").code == 0


def test_an_owner_gets_one_message_with_the_links_of_all_their_sites(mailing: Mailing) -> None:
    """Two sites declare the account; one message has both links, and both sites remember it."""
    mailing.declare(1, 2, also=(quay_site(), google(1, of="quay")))
    ran = mailing()
    assert ran.code == 3, ran.out + ran.err
    (message,) = mailing.server.to(email(1))
    assert len(set(links_in(message))) == 2
    assert len(mailing.server.to(email(2))) == 1
    assert mailing.asked == {"harbor/staff-1": 1, "harbor/staff-2": 1, "quay/staff-1": 1}
    assert len(mailing.records) == 2


def test_sites_that_speak_otherwise_write_a_message_of_their_own(mailing: Mailing) -> None:
    """Where the operator has other words for a site, an owner of two sites gets two messages, each with one link."""
    mailing.declare(1, also=(quay_site(), google(1, of="quay")))
    words = mailing.extcal.folder / "words"
    words.mkdir()
    (words / "quay.yaml").write_text("greeting: Guten Tag,\n")
    mailing(EXTCAL_MAIL_TEMPLATES=str(words))
    texts = sorted(map(text_of, mailing.server.to(email(1))), key=lambda text: "Guten Tag," in text)
    assert ["Guten Tag," in text for text in texts] == [False, True]
    assert [text.count("/consent/") for text in texts] == [1, 1]


def test_everything_else_is_done_before_anybody_is_mailed(mailing: Mailing) -> None:
    """A connect by password is done in the same run; the exit code says that somebody is awaited."""
    mailing.declare(1, also=(connection(0, more=BUSY),))
    ran = mailing(**PASSWORD_ENV)
    assert ran.code == 3
    assert ran.out.endswith("\nApplied: 1 done, 1 awaiting consent.\n")


def test_who_is_outside_the_domains_gets_nothing(mailing: Mailing) -> None:
    """A manifest that names a stranger's address gets them no link: the report names them and the variable."""
    stranger = google(1).replace(email(1), _STRANGER)
    mailing.extcal.write(site(), stranger, google(2))
    ran = mailing()
    assert ran.code == 3
    assert mailing.server.tried == [email(2)]
    assert f"not mailed: {_STRANGER} is not in a domain that may receive links (EXTCAL_MAIL_DOMAINS:" in ran.out
    assert mailing.asked == {"harbor/staff-1": 0, "harbor/staff-2": 1}
    # Not even a link was made.
    assert sum(path.path.endswith("connectByOAuth") for path in mailing.extcal.sandbox.requests) == 1


def test_a_manifest_that_is_changed_later_gets_a_stranger_nothing(mailing: Mailing) -> None:
    """Who was asked before does not vouch for the account that takes their place."""
    mailing()
    mailing.extcal.write(site(), google(1).replace(email(1), _STRANGER))
    assert mailing().code == 3
    assert mailing.server.tried == [email(1)]
    assert mailing.asked == {"harbor/staff-1": 0}


@pytest.mark.parametrize(
    "account",
    [
        "staff1@harbor-dental.example.elsewhere.example",
        "staff1@sub.harbor-dental.example",
        "attacker@elsewhere.example,staff1@harbor-dental.example",
        '"attacker@elsewhere.example"@harbor-dental.example',
        "staff1%elsewhere.example@harbor-dental.example",
        "staff1@harbor-dental.example\\r\\nBcc: attacker@elsewhere.example",
    ],
)
def test_an_account_that_only_looks_allowed_gets_nothing(mailing: Mailing, account: str) -> None:
    """No spelling of an address leads to anybody but the account of a domain that is allowed."""
    quoted = account.replace('"', '\\"')
    mailing.extcal.write(site(), google(1).replace(f"account: {email(1)}", f'account: "{quoted}"'))
    ran = mailing()
    assert ran.code in {1, 3}
    assert mailing.server.tried == []


def test_nobody_is_asked_again_within_the_time_to_answer(mailing: Mailing) -> None:
    """Applied two days later, no link is made, and the report says when they were asked and when they will be."""
    mailing()
    mailing.pass_time(timedelta(days=2))
    ran = mailing()
    assert ran.code == 3
    assert "asked 2 days ago (1 mail), reminded after 3 days\n" in ran.out
    assert len(mailing.server.received) == 1


def test_a_reminder_has_a_new_link_and_belongs_to_the_first_message(mailing: Mailing) -> None:
    """After three days they are reminded, in the thread of the first message; the report says so."""
    mailing()
    mailing.pass_time(timedelta(days=3))
    ran = mailing()
    assert "reminded by mail to staff1@harbor-dental.example\n" in ran.out
    first, second = (each.message for each in mailing.server.received)
    assert second["In-Reply-To"] == second["References"] == first["Message-ID"]
    assert second["Message-ID"] != first["Message-ID"]
    assert links_in(first) != links_in(second)
    assert "reminder" in second["Subject"]


def test_how_soon_and_how_often_they_are_reminded_is_the_operators(mailing: Mailing) -> None:
    """--remind-after and --most-mails hold: the report says when it was enough, and what to do."""
    for _ in range(3):
        mailing("--remind-after", "2h", "--most-mails", "2")
        mailing.pass_time(timedelta(hours=2))
    assert len(mailing.server.received) == 2
    ran = mailing("--remind-after", "2h", "--most-mails", "2")
    assert ran.code == 3
    assert (
        "asked 2 times, the last time 4 hours ago, and not again; ask them yourself, or raise --most-mails" in ran.out
    )


def test_four_messages_are_enough(mailing: Mailing) -> None:
    """Unless the operator says otherwise nobody gets a fifth."""
    for _ in range(6):
        assert mailing().code == 3
        mailing.pass_time(timedelta(days=30))
    assert len(mailing.server.received) == 4


def test_who_renames_a_connection_again_and_again_floods_nobody(mailing: Mailing) -> None:
    """Under each name it is a new connection; its owner gets four messages about a site in three days, and no more."""
    for number in range(6):
        mailing.extcal.write(site(), google(1).replace("name: staff-1", f"name: renamed-{number}"))
        mailing()
        mailing.pass_time(timedelta(hours=1))
    assert len(mailing.server.received) == 4
    ran = mailing()
    assert ran.code == 3
    assert "asked 4 times about this site in the last 3 days, and not again now" in ran.out
    mailing.pass_time(timedelta(days=3))
    mailing()
    assert len(mailing.server.received) == 5


def test_a_clock_that_was_wrong_floods_nobody(mailing: Mailing) -> None:
    """Asked at a time that is yet to come counts as asked, and the report says what is odd."""
    mailing()
    mailing.pass_time(-timedelta(days=400))
    ran = mailing()
    assert "by a clock that was ahead of this one (1 mail)" in ran.out
    assert len(mailing.server.received) == 1


def test_a_new_connection_of_an_owner_who_was_asked_is_asked_for_alone(mailing: Mailing) -> None:
    """The message has the new link only, and belongs to no thread: it is no reminder."""
    mailing()
    mailing.declare(1, also=(google(1, of="quay"), quay_site()))
    mailing()
    _, second = mailing.server.to(email(1))
    assert len(links_in(second)) == 1
    assert "reminder" not in second["Subject"]
    assert mailing.asked == {"harbor/staff-1": 1, "quay/staff-1": 1}


def test_who_agrees_only_to_one_is_reminded_of_the_other(mailing: Mailing) -> None:
    """The reminder has one link, and the connection that was agreed to is forgotten."""
    mailing.declare(1, also=(google(1, of="quay"), quay_site()))
    mailing()
    agree(links_in(mailing.server.received[0].message)[0], email(1))
    mailing.pass_time(timedelta(days=4))
    mailing()
    assert len(links_in(mailing.server.received[1].message)) == 1
    assert list(mailing.asked.values()) == [2]


@pytest.mark.parametrize("name", ["script", "feigned line", "bidi controls", "link and image", "mentions"])
def test_names_that_attack_are_text_in_the_message(mailing: Mailing, name: str) -> None:
    """A schedule's name that is markup, lines, or links is none of it for the owner, and no header is added."""
    hostile = harbor()
    schedules = tuple(replace(each, name=PAYLOADS[name]) for each in hostile.schedules)
    mailing.extcal.on(world(replace(hostile, schedules=schedules)))
    assert mailing().code == 3
    (received,) = mailing.server.received
    assert received.recipients == (email(1),)
    text = text_of(received.message)
    assert_inert(text)
    assert "https://evil.example" not in text
    html = received.message.get_body(("html",))
    assert html is not None
    for element in ("<script", "<img", "<svg", 'href="https://evil'):
        assert element not in str(html.get_content())
