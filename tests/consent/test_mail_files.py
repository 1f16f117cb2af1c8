"""Messages as files: where they are put, under which names, and who can read them."""

import resource
import stat
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from reconciler.consent.mail_files import check_mail_folder, write_mail
from reconciler.errors import ExtcalError, UsageError
from tests.consent.mails import composed, dry_settings

_ANYWHERE = dry_settings(EXTCAL_MAIL_DOMAINS="harbor-dental.example,xn--bcher-kva.example")


def test_a_message_is_a_file_that_a_mail_reader_opens(tmp_path: Path) -> None:
    """It is named after its owner, whole, and readable by its user alone."""
    folder = tmp_path / "new" / "mail"
    check_mail_folder(folder)
    mail = composed()
    file = write_mail(mail, folder)
    assert file == folder / "lee@harbor-dental.example.eml"
    assert file.read_bytes() == mail.content
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert message_from_bytes(file.read_bytes(), policy=policy.default)["To"] == "lee@harbor-dental.example"


def test_nothing_is_written_over(tmp_path: Path) -> None:
    """A file or a link that is there already stays as it is, and so does what a link leads to."""
    victim = tmp_path / "victim"
    victim.write_text("mine")
    folder = tmp_path / "mail"
    folder.mkdir()
    (folder / "lee@harbor-dental.example.eml").symlink_to(victim)
    (folder / "lee@harbor-dental.example-2.eml").symlink_to(tmp_path / "nowhere")
    assert write_mail(composed(), folder).name == "lee@harbor-dental.example-3.eml"
    assert write_mail(composed(), folder).name == "lee@harbor-dental.example-4.eml"
    assert victim.read_text() == "mine"
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        ("Lee.O'Brien+Cal@harbor-dental.example", "lee.o-brien+cal@harbor-dental.example.eml"),
        ("lee@BÜCHER.example", "lee@xn--bcher-kva.example.eml"),
        ("-rf~#@harbor-dental.example", "rf-@harbor-dental.example.eml"),
        ("x" * 64 + "@harbor-dental.example", "x" * 64 + "@harbor-dental.example.eml"),
    ],
)
def test_names_are_safe(tmp_path: Path, owner: str, name: str) -> None:
    """No name leads elsewhere, hides, or is an option."""
    assert write_mail(composed(owner, settings=_ANYWHERE), tmp_path).name == name


def test_what_is_no_folder_is_refused_before_anything_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file in its place, a link that leads out of the working folder, or the system's own."""
    (tmp_path / "file").touch()
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "link").symlink_to(tmp_path)
    monkeypatch.chdir(tmp_path / "work")
    for folder in (tmp_path / "file", tmp_path / "file" / "x", Path("link"), Path("/proc/self"), Path("x\0y")):
        with pytest.raises(UsageError, match=r"^--dry-mail "):
            check_mail_folder(folder)


def test_a_file_in_a_folders_place_is_told(tmp_path: Path) -> None:
    """What it is and what to do, in place of the system's words."""
    (tmp_path / "mails").write_text("mine")
    with pytest.raises(UsageError, match=r"mails: it is not a folder\. Name one, or a new one\.$"):
        check_mail_folder(tmp_path / "mails")
    assert (tmp_path / "mails").read_text() == "mine"


def test_a_folder_that_is_gone_is_an_error(tmp_path: Path) -> None:
    """What can't be written is told by its name."""
    with pytest.raises(ExtcalError, match=r"^--dry-mail .*/gone/lee@.*The message was not written"):
        write_mail(composed(), tmp_path / "gone")


def test_half_a_message_is_no_message(tmp_path: Path) -> None:
    """Where a file can't be written to its end, none is left behind."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(ExtcalError, match="The message was not written"):
            write_mail(composed(), tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []
