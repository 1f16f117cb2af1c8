"""Promise: the state folder is its user's alone. One that another user has made, or may write to, is not used.

Nor is a file in it that another user can have put there to have something else written to.
"""

import grp
import os
import pwd
import stat
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from reconciler import safe_paths
from reconciler.machine import journal as journal_module
from reconciler.machine.journal import FileJournal
from reconciler.model.intent import Fate
from tests.support.cli.command import Extcal
from tests.support.cli.journals import folder_of, intent
from tests.support.cli.worlds import PASSWORD_ENV, connection, site
from tests.support.tools import needs_another_user

_APPLY = ("apply", "manifests", "--auto-approve")
_NAME_ANOTHER = "set EXTCAL_STATE_DIR to a folder of your own (with --sandbox: choose another DIR)"
_NOBODY = 65534
_MINE = b"a file of the user's own\n"


@pytest.fixture
def armed(extcal: Extcal) -> Extcal:
    """The command, with one connect to be done and a state folder in a folder of its own."""
    extcal.env |= PASSWORD_ENV | {"EXTCAL_STATE_DIR": str(extcal.folder / "above" / "state")}
    extcal.write(site(), connection(0))
    (extcal.folder / "above" / "state").mkdir(parents=True, mode=0o700)
    return extcal


def _open(place: Path) -> None:
    place.chmod(0o777)


def _open_above(place: Path) -> None:
    place.parent.chmod(0o777)


def _open_behind_a_link(place: Path) -> None:
    place.rename(place.parent / "elsewhere")
    place.symlink_to("../above/elsewhere")
    (place.parent / "elsewhere").chmod(0o722)


def _a_link_in_an_open_folder(place: Path) -> None:
    between = place.parent.parent / "beside"
    between.mkdir()
    place.rename(place.parent / "elsewhere")
    (between / "link").symlink_to(place.parent / "elsewhere")
    place.symlink_to(between / "link")
    between.chmod(0o777)


def _not_yet_there(place: Path) -> None:
    place.rmdir()
    place.parent.chmod(0o777)


_REACHED: dict[str, tuple[Callable[[Path], None], str]] = {
    "open to all": (_open, "others may write to {above}/state: chmod 700 {above}/state, or "),
    "in a folder open to all": (_open_above, "others may write to {above}: chmod go-w {above}, or "),
    "not yet there, in a folder open to all": (_not_yet_there, "others may write to {above}: chmod go-w {above}, or "),
    "behind a link": (_open_behind_a_link, "others may write to {above}/elsewhere: chmod 700 {above}/elsewhere, or "),
    "behind a link that others may turn": (
        _a_link_in_an_open_folder,
        "others may write to {beside}: chmod go-w {beside}, or ",
    ),
}


@pytest.mark.parametrize(("reach", "said"), _REACHED.values(), ids=_REACHED)
def test_a_place_that_others_may_write_to_is_refused(armed: Extcal, reach: Callable[[Path], None], said: str) -> None:
    """Nothing is connected, the error says which folder and what to do, and a plan is made without it."""
    place = armed.folder / "above" / "state"
    reach(place)
    assert armed("plan", "manifests").code == 0
    for args in (_APPLY, ("resolve", "manifests")):
        ran = armed(*args)
        assert (ran.code, armed.writes) == (1, [])
        assert said.format(above=armed.folder / "above", beside=armed.folder / "beside") + _NAME_ANOTHER in ran.err
    assert not place.exists() or list(place.iterdir()) == []


def _sticky(place: Path) -> None:
    place.parent.chmod(0o1777)


def _own_link(place: Path) -> None:
    place.rename(place.parent / "elsewhere")
    place.symlink_to("elsewhere")


def _readable(place: Path) -> None:
    place.chmod(0o755)


@pytest.mark.parametrize("reach", [_sticky, _own_link, _readable])
def test_a_place_that_others_may_only_read_will_do(armed: Extcal, reach: Callable[[Path], None]) -> None:
    """In a folder like /tmp nobody can move what is another's; one's own links lead where one wants."""
    reach(armed.folder / "above" / "state")
    ran = armed(*_APPLY)
    assert (ran.code, ran.err) == (0, "")


@needs_another_user
@pytest.mark.parametrize("private", [True, False])
def test_a_group_is_others_unless_it_is_ones_own(armed: Extcal, monkeypatch: pytest.MonkeyPatch, private: bool) -> None:  # noqa: FBT001 - pytest hands it over
    """Where each user has a group of their own, umask 002 is usual: what that group may write to will do."""
    place, user = armed.folder / "above", os.geteuid()
    others = [] if private else [SimpleNamespace(pw_name="kim", pw_uid=user + 1, pw_gid=user)]
    monkeypatch.setattr(grp, "getgrgid", lambda _: SimpleNamespace(gr_mem=[]))
    monkeypatch.setattr(pwd, "getpwall", lambda: others)
    os.chown(place, -1, user)
    place.chmod(0o770)
    ran = armed(*_APPLY)
    assert ran.code == (0 if private else 1)
    assert (f"others may write to {place}: chmod go-w {place}, or {_NAME_ANOTHER}" in ran.err) is not private


@needs_another_user
@pytest.mark.parametrize("whose", ["state", "link", "above", "service", "site"])
def test_another_users_place_is_refused(armed: Extcal, whose: str) -> None:
    """A folder or a link on the way that is another user's, from the first to the last, whatever its mode."""
    above = armed.folder / "above"
    folder_of(armed).make()
    armed.env["EXTCAL_STATE_DIR"] = str(above / "state")
    step = above / "state"
    if whose == "link":
        step = above / "link"
        step.symlink_to("state")
        armed.env["EXTCAL_STATE_DIR"] = str(step)
    elif whose == "above":
        step = above
    elif whose in {"service", "site"}:
        assert armed(*_APPLY).code == 0
        (service,) = step.iterdir()
        step = service if whose == "service" else next(service.iterdir())
        armed.sandbox.requests.clear()
    os.chown(step, _NOBODY, _NOBODY, follow_symlinks=False)
    ran = armed(*_APPLY)
    assert (ran.code, armed.writes) == (1, [])
    assert f"{step} is another user's {'link' if whose == 'link' else 'folder'}: {_NAME_ANOTHER}" in ran.err


@pytest.mark.parametrize("link", [os.symlink, os.link])
@pytest.mark.parametrize("name", ["journal", "lock", "requests"])
def test_nothing_is_written_through_a_link(armed: Extcal, name: str, link: Callable[[Path, Path], None]) -> None:
    """A file that was put there while the folder was open to others, and is another one's name, stays as it is."""
    mine = armed.folder / "mine"
    mine.write_bytes(_MINE)
    place = folder_of(armed)
    place.make()
    link(mine, place.path / name)
    ran = armed(*_APPLY)
    assert mine.read_bytes() == _MINE
    # Requests are counted by each run for itself then.
    assert (ran.code, len(armed.writes)) == ((0, 1) if name == "requests" else (1, 0))
    if name != "requests":
        assert str(place.path / name) in ran.err


@needs_another_user
@pytest.mark.parametrize("name", ["journal", "lock"])
def test_another_users_file_is_none_of_ours(armed: Extcal, name: str) -> None:
    """One that another user may still write to tells nothing, and locks nothing."""
    place = folder_of(armed)
    place.make()
    (place.path / name).touch(mode=0o600)
    os.chown(place.path / name, _NOBODY, _NOBODY)
    ran = armed(*_APPLY)
    assert (ran.code, armed.writes) == (1, [])
    assert "not a file of this user alone; check what it is, then delete it" in ran.err


def test_a_journal_is_emptied_through_no_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even through one that is put in its place at the last moment."""
    mine, path = tmp_path / "mine", tmp_path / "journal"
    mine.write_bytes(_MINE)
    monkeypatch.setattr(journal_module, "COMPACT_SIZE", 1)

    def swapped(_: FileJournal) -> tuple[()]:
        path.unlink()
        path.symlink_to(mine)
        return ()

    monkeypatch.setattr(FileJournal, "pending", swapped)
    book = FileJournal(path, lambda: None)
    book.begin(intent(0))
    book.end(intent(0), Fate.DONE)
    assert path.is_symlink()
    assert mine.read_bytes() == _MINE


def test_a_folder_that_comes_to_be_there_after_the_look_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where another user may make the folder first, nothing is written into it unseen."""
    place = tmp_path / "state"

    def look(_: Path) -> bool:
        place.mkdir()
        return False

    monkeypatch.setattr(safe_paths, "check_own_folder", look)
    with pytest.raises(FileNotFoundError):
        safe_paths.opened(place / "lock", os.O_RDWR | os.O_CREAT)
    assert list(place.iterdir()) == []


def test_the_state_of_the_sandbox_is_its_users_alone(armed: Extcal) -> None:
    """Where the API of this machine keeps its data, too."""
    args = ("apply", "manifests", "--auto-approve", "--sandbox", "data")
    env = {"EXTCAL_ENDPOINT": None}
    before = os.umask(0)
    try:
        armed(*args, env=env)
        place = armed.folder / "data" / "state"
        assert stat.S_IMODE(place.stat().st_mode) == 0o700
        place.chmod(0o777)
        ran = armed(*args, env=env)
    finally:
        os.umask(before)
    assert ran.code == 1
    assert "data/state: others may write to it. chmod go-w data/state, or name a folder of your own" in ran.err
