"""Accounts as folders: names of any kind, files of any kind, and writing that disturbs nothing."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.sandbox import SandboxError, reset
from reconciler.sandbox.calendars.errors import (
    BadCredentialsError,
    CalendarGoneError,
    ConflictError,
    CreationRefusedError,
    UnreachableError,
    UnreadableError,
    WriteRefusedError,
)
from reconciler.sandbox.calendars.folder.backend import FolderCalendars
from reconciler.sandbox.calendars.folder.files import file_name, plain_name
from reconciler.sandbox.calendars.protocol import Login
from reconciler.sandbox.server import running
from reconciler.sandbox.world import Account, Calendar, Site, World
from tests.support.sandbox.ics import calendar, event

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOGIN = Login("lee@harbor-dental.example", "right")
WHEN = datetime(2026, 3, 2, tzinfo=UTC)
MINE = calendar(event("mine", "DTSTART:20260302T090000Z"), "X-MINE:as  it is").encode()
OURS = calendar(event("ours", "DTSTART:20260303T090000Z")).encode()


@pytest.fixture
def account(tmp_path: Path) -> Path:
    """An account with the calendars Work and `home`, the second of which has no name of its own."""
    folder = tmp_path / LOGIN.email
    folder.mkdir()
    (folder / "account.json").write_text(json.dumps({"password": "right", "calendars": ["work", "gone", "home"]}))
    (folder / "work.ics").write_bytes(MINE.replace(b"VERSION", b"X-WR-CALNAME;X=y:Wo\r\n rk\\, mostly\r\nVERSION"))
    (folder / "home.ics").write_bytes(MINE)
    (folder / "added.ics").write_bytes(b"")
    return folder


@pytest.fixture
def folders(account: Path) -> FolderCalendars:
    """The provider of that account."""
    return FolderCalendars(account.parent)


@given(
    name=st.text(min_size=1, max_size=60) | st.sampled_from(["..", ".", "../../x", "a/b", "~", "-rf", "a\0b", "%2F"])
)
def test_any_name_is_a_safe_name_of_a_file(name: str) -> None:
    """It leaves no folder, hides nothing, and can be read back."""
    encoded = file_name(name)
    if encoded is None:
        assert len(name.encode("utf-8", "surrogatepass")) > 60
        return
    assert "/" not in encoded
    assert "\0" not in encoded
    assert not encoded.startswith((".", "-", "~"))
    assert encoded.isascii()
    assert plain_name(encoded) == name


def test_names_that_no_file_can_have() -> None:
    """An empty one, and one that is too long."""
    assert file_name("") is None
    assert file_name("x" * 201) is None


def test_calendars_and_their_order(folders: FolderCalendars) -> None:
    """The account's file orders them, the first is the primary; what it doesn't name comes last."""
    assert [(each.id, each.name) for each in folders.calendars(LOGIN)] == [
        ("work", "Work, mostly"),
        ("home", "home"),
        ("added", "added"),
    ]
    assert folders.sign_in(Login("LEE@harbor-dental.example", "right")) == LOGIN.email
    assert folders.accounts() == (LOGIN.email,)


def test_writing_changes_one_event_alone(folders: FolderCalendars, account: Path) -> None:
    """Put, replace, delete: what was there before is there afterwards, byte for byte, permissions too."""
    path = account / "home.ics"
    path.chmod(0o640)
    folders.put(LOGIN, "home", "ours", OURS, etag=None)
    both = path.read_bytes()
    assert both.replace(b"END:VCALENDAR\r\n", b"").startswith(MINE.replace(b"END:VCALENDAR\r\n", b""))
    first = folders.get(LOGIN, "home", "ours")
    assert first is not None
    assert first.name == "ours"
    folders.put(LOGIN, "home", "ours", OURS.replace(b"20260303", b"20260304"), etag=first.etag)
    with pytest.raises(ConflictError):
        folders.put(LOGIN, "home", "ours", OURS, etag=first.etag)
    with pytest.raises(ConflictError):
        folders.put(LOGIN, "home", "ours", OURS, etag=None)
    with pytest.raises(ConflictError):
        folders.delete(LOGIN, "home", "ours", etag=first.etag)
    second = folders.get(LOGIN, "home", "ours")
    assert second is not None
    folders.delete(LOGIN, "home", "ours", etag=second.etag)
    assert path.read_bytes() == MINE
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert folders.get(LOGIN, "home", "ours") is None
    assert sorted(each.name for each in account.iterdir()) == ["account.json", "added.ics", "home.ics", "work.ics"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=st.binary(max_size=80), after=st.binary(max_size=80))
def test_writing_into_any_file(folders: FolderCalendars, account: Path, before: bytes, after: bytes) -> None:
    """What is put can be taken out again and leaves the file as it was, or it is refused and nothing is written."""
    content = before + b"\r\n" + MINE + after
    path = account / "home.ics"
    path.write_bytes(content)
    try:
        folders.put(LOGIN, "home", "ours", OURS, etag=None)
    except WriteRefusedError:
        assert path.read_bytes() == content
        return
    found = folders.get(LOGIN, "home", "ours")
    assert found is not None
    folders.delete(LOGIN, "home", "ours", etag=found.etag)
    assert path.read_bytes() == content


def test_an_empty_file_becomes_a_calendar(folders: FolderCalendars, account: Path) -> None:
    """An owner may `touch` one."""
    folders.put(LOGIN, "added", "ours", OURS, etag=None)
    assert (account / "added.ics").read_bytes().startswith(b"BEGIN:VCALENDAR\r\n")
    assert folders.get(LOGIN, "added", "ours") is not None


def test_what_is_not_there(folders: FolderCalendars, account: Path) -> None:
    """Accounts, passwords and calendars that don't exist, and files that are no accounts."""
    for login in (
        Login("kim@harbor-dental.example", "right"),
        Login(LOGIN.email, "wrong"),
        Login("../x", "right"),
        Login("\ud800", "right"),
    ):
        with pytest.raises(BadCredentialsError):
            folders.calendars(login)
    for calendar_id in ("gone", "../lee@harbor-dental.example/work", ""):
        with pytest.raises(CalendarGoneError):
            folders.read(LOGIN, calendar_id, WHEN, WHEN)
    for content in ("{", "[]", '{"password": 5}', '{"calendars": "x"}', "[" * 100_000):
        (account / "account.json").write_text(content)
        with pytest.raises(UnreachableError):
            folders.calendars(LOGIN)
    (account / "account.json").write_text("{}")
    with pytest.raises(BadCredentialsError):
        folders.sign_in(LOGIN)
    assert len(folders.calendars(Login(LOGIN.email))) == 3
    assert FolderCalendars(account / "nowhere").accounts() == ()


def test_reading_looks_at_no_other_file(
    folders: FolderCalendars, account: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of many calendars is found by its name, however a person or the sandbox spelled it."""
    for name in ("Vacances d'été", "%C3%A9t%C3%A9", "50% off", "a.b", "%2Fslash", "50%25 on"):
        (account / f"{name}.ics").write_bytes(MINE.replace(b"mine", name.encode()))
    (account / ".ics").write_bytes(MINE)
    (account / ".hidden.ics").write_bytes(MINE)
    ids = {each.id for each in folders.calendars(LOGIN)}
    assert {"Vacances d'été", "été", "50% off", "a.b", "/slash", "50% on"} < ids
    listed: list[Path] = []
    iterdir = type(account).iterdir

    def list_folder(folder: Path) -> Iterator[Path]:
        listed.append(folder)
        return iterdir(folder)

    monkeypatch.setattr(type(account), "iterdir", list_folder)
    read = {calendar_id: folders.read(LOGIN, calendar_id, WHEN, WHEN).objects for calendar_id in ids}
    assert listed == []
    assert b"UID:50% off" in read["50% off"][0].content
    assert b"UID:50%25 on" in read["50% on"][0].content
    for hidden in ("", ".hidden", "/", "a/b", "a\0b", "%C3%A9t%C3%A9"):
        with pytest.raises(CalendarGoneError):
            folders.read(LOGIN, hidden, WHEN, WHEN)


def test_files_that_grow_too_large(folders: FolderCalendars, account: Path) -> None:
    """Too large to be read, or to be written into: said, and left as it is."""
    limit = 10 * 1024 * 1024
    (account / "home.ics").write_bytes(MINE + b" " * (limit - len(MINE)))
    with pytest.raises(WriteRefusedError):
        folders.put(LOGIN, "home", "ours", OURS, etag=None)
    assert (account / "home.ics").stat().st_size == limit
    (account / "home.ics").write_bytes(b" " * (limit + 1))
    with pytest.raises(UnreadableError):
        folders.read(LOGIN, "home", WHEN, WHEN)
    with pytest.raises(WriteRefusedError):
        folders.put(LOGIN, "home", "ours", OURS, etag=None)


def test_new_calendars_have_names_of_their_own(folders: FolderCalendars, account: Path) -> None:
    """One that is taken gets a number; any name can be one; a folder that is gone refuses."""
    made = [folders.create_calendar(LOGIN, "Pier / Optics", key="k1") for _ in range(2)]
    assert [(each.id, each.name) for each in made] == [
        ("Pier / Optics", "Pier / Optics"),
        ("Pier / Optics 2", "Pier / Optics"),
    ]
    assert set(made) <= set(folders.calendars(LOGIN))
    assert folders.create_calendar(LOGIN, "ü" * 300, key="k2").name == "ü" * 300
    for number in range(200):
        (account / f"{number}.ics").touch()
    with pytest.raises(CreationRefusedError):
        folders.create_calendar(LOGIN, "one more", key="k3")


@pytest.mark.parametrize(
    ("accounts", "message"),
    [
        ((Account("apple", "a@x.example"), Account("apple", "A@X.example")), "has a duplicate"),
        ((Account("apple", "a@x.example", None, (Calendar("a", "A"), Calendar("a", "B"))),), "has a duplicate"),
        ((Account("apple", "a" * 300),), "too long"),
        ((Account("apple", "a@x.example", None, (Calendar("", "A"),)),), "empty"),
    ],
)
def test_worlds_that_no_folder_can_hold(tmp_path: Path, accounts: tuple[Account, ...], message: str) -> None:
    """They are refused with what is wrong."""
    with pytest.raises(SandboxError, match=message), running(tmp_path, world=World((), accounts)):
        pass


def test_a_fresh_sandbox_leaves_what_is_there(tmp_path: Path) -> None:
    """An account's folder that was there before the first start stays as its owner made it; a reset takes its files."""
    folder = tmp_path / "calendars" / "apple" / LOGIN.email
    folder.mkdir(parents=True)
    (folder / "mine.ics").write_bytes(MINE)
    (folder / "notes.txt").write_text("mine")
    world = World(
        (Site("7a3f0c1e-5d2b-4f6a-9c8e-1b2d3e4f5a6b", "Pier"),),
        (Account("apple", LOGIN.email), Account("apple", "b@x.example")),
    )
    with running(tmp_path, world=world):
        assert sorted(each.name for each in folder.iterdir()) == ["mine.ics", "notes.txt"]
    reset(tmp_path)
    assert [each.relative_to(tmp_path).as_posix() for each in tmp_path.rglob("*") if each.is_file()] == [
        f"calendars/apple/{LOGIN.email}/notes.txt"
    ]
