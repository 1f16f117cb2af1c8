"""The options of `apply --consent mail`: what is refused before anything is asked of the service, and `--dry-mail`."""

import stat
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes, policy

import pytest

from tests.support.cli.command import Extcal
from tests.support.cli.mail import Mailing, agree, links_in
from tests.support.cli.worlds import email
from tests.support.mail_server import mail_server

_SMTP_PASSWORD = "a password nobody must see"


@pytest.fixture
def mailing(extcal: Extcal) -> Iterator[Mailing]:
    """The command and a mail server that takes everything; one Google connection is to be made."""
    with mail_server() as server:
        yield Mailing(extcal, server)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--remind-after", "3d"), "--remind-after is for mailing owners. Add --consent mail."),
        (("--most-mails", "2"), "--most-mails is for mailing owners. Add --consent mail."),
        (("--consent", "link", "--dry-mail", "out"), "--dry-mail is for mailing owners. Add --consent mail."),
        (("--consent", "mail", "--consent-file", "links"), "--consent-file and --consent mail exclude each other"),
        (("--consent", "mail", "--open-browser"), "--open-browser is for waiting for owners"),
        (("--consent", "mail", "--consent-timeout", "9"), "--consent-timeout is for waiting for owners"),
        (("--consent", "mail", "--dry-mail", "-"), "--dry-mail -: stdout is for the report"),
        (("--consent", "mail", "--dry-mail", ""), "--dry-mail is empty"),
        (("--consent", "mail", "--dry-mail", "manifests/all.yaml"), "--dry-mail manifests/all.yaml: "),
        (("--consent", "mail", "--most-mails", "0"), "--most-mails"),
        (
            ("--consent", "mail", "--runner", "dask", "--scheduler", "tcp://127.0.0.1:1"),
            "--runner dask can't mail owners",
        ),
        *(
            (("--consent", "mail", "--remind-after", given), "not a time between 1h and 90d")
            for given in ("", "0h", "59m", "91d", "2161h", "3", "-3d", "3 days", "٣d", "9" * 400 + "d")
        ),
    ],
)
def test_what_makes_no_sense_is_refused(mailing: Mailing, options: tuple[str, ...], said: str) -> None:
    """It is wrong usage, said in a line with what to do; nothing is asked of the service, nobody is mailed."""
    ran = mailing.extcal("apply", "manifests", "--auto-approve", *options)
    assert (ran.code, ran.out) == (64, "")
    assert said in ran.err
    assert list(mailing.extcal.sandbox.requests) == []
    assert mailing.server.connections == 0


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"EXTCAL_SMTP_URL": None}, "EXTCAL_SMTP_URL: not set"),
        ({"EXTCAL_MAIL_FROM": None}, "EXTCAL_MAIL_FROM: not set"),
        ({"EXTCAL_MAIL_DOMAINS": None}, "EXTCAL_MAIL_DOMAINS: not set"),
        ({"EXTCAL_SMTP_URL": f"smtp://me:{_SMTP_PASSWORD}@127.0.0.1"}, "EXTCAL_SMTP_URL"),
        ({"EXTCAL_MAIL_TEMPLATES": "nowhere"}, "EXTCAL_MAIL_TEMPLATES: nowhere"),
        ({"EXTCAL_SANDBOX": "1", "EXTCAL_ENDPOINT": None}, "the sandbox of --sandbox ends with this command"),
    ],
)
def test_settings_that_lack_or_are_wrong_are_refused_before_planning(
    mailing: Mailing, env: dict[str, str | None], said: str
) -> None:
    """The variable is named, and no password is shown; nothing is asked of the service."""
    ran = mailing(**env)
    assert (ran.code, ran.out) == (64, "")
    assert said in ran.err
    assert _SMTP_PASSWORD not in ran.err
    assert list(mailing.extcal.sandbox.requests) == []


def test_a_site_without_a_page_to_land_on_is_told_to_have_one(mailing: Mailing) -> None:
    """An owner's browser must land somewhere: without oauth.redirectUrl the action fails, and nobody is mailed."""
    path = mailing.extcal.folder / "manifests" / "all.yaml"
    path.write_text("".join(line for line in path.read_text().splitlines(keepends=True) if "redirectUrl" not in line))
    ran = mailing()
    assert ran.code == 1
    assert "give the Site an oauth.redirectUrl" in ran.out
    assert mailing.server.tried == []


def test_dry_mail_writes_messages_and_sends_none(mailing: Mailing) -> None:
    """Messages are files that their user alone can read; nobody counts as asked, and no server is needed."""
    mailing.declare(1, 2)
    first = mailing("--dry-mail", "out", EXTCAL_SMTP_URL=None)
    ran = mailing("--dry-mail", "out", EXTCAL_SMTP_URL=None)
    assert (first.code, ran.code) == (3, 3)
    folder = mailing.extcal.folder / "out"
    names = [f"{email(number)}{more}.eml" for number in (1, 2) for more in ("", "-2")]
    assert sorted(path.name for path in folder.iterdir()) == sorted(names)
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert f"not mailed: the message to {email(1)} is in out/{email(1)}-2.eml\n" in ran.out
    assert mailing.asked == {"harbor/staff-1": 0, "harbor/staff-2": 0}
    assert mailing.server.connections == 0
    assert mailing().code == 3
    assert len(mailing.server.received) == 2


def test_the_links_of_dry_messages_are_good(mailing: Mailing) -> None:
    """The message is the one that would be sent: its owner could agree by it."""
    mailing("--dry-mail", "out")
    (path,) = (mailing.extcal.folder / "out").iterdir()
    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    assert message["To"] == email(1)
    (link,) = links_in(message)
    agree(link, email(1))
    assert mailing().code == 0


def test_dry_mail_keeps_to_the_same_rules(mailing: Mailing) -> None:
    """Who was asked, or must not be, has no file; a file that can't be written fails its action."""
    mailing()
    ran = mailing("--dry-mail", "out")
    assert "asked less than a minute ago" in ran.out
    assert list((mailing.extcal.folder / "out").iterdir()) == []
    assert mailing("--dry-mail", "out", EXTCAL_MAIL_DOMAINS="elsewhere.example").code == 3
    assert list((mailing.extcal.folder / "out").iterdir()) == []


def test_dry_mail_through_a_link_is_refused(mailing: Mailing, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A link of the working folder, which anybody may have put into the repository, leads no message out of it."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (mailing.extcal.folder / "out").symlink_to(elsewhere)
    ran = mailing("--dry-mail", "out/deeper")
    assert (ran.code, ran.out) == (64, "")
    assert "--dry-mail out/deeper: " in ran.err
    assert list(elsewhere.iterdir()) == []


def test_the_time_to_answer_is_said_in_its_own_unit(mailing: Mailing) -> None:
    """--remind-after 12h is told as 12 hours, 48h as two days."""
    mailing()
    mailing.pass_time(timedelta(hours=5))
    assert "asked 5 hours ago (1 mail), reminded after 12 hours\n" in mailing("--remind-after", "12h").out
    assert "asked 5 hours ago (1 mail), reminded after 2 days\n" in mailing("--remind-after", "48h").out
