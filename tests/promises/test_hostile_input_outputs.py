"""Output files hurt nobody: never written through a link that a stranger put there, nor over what is no file."""

import os
import socket
import stat
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.support.cli.command import Extcal, Ran
from tests.support.cli.worlds import HARBOR, PASSWORD_ENV, connection, harbor, site, world
from tests.support.tools import needs_another_user

_MINE = "what was here before"

Writing = Callable[[Extcal, str], Ran]


def plan(extcal: Extcal, path: str) -> Ran:
    """Save a plan."""
    return extcal("plan", "manifests", "--out", path)


def undo(extcal: Extcal, path: str) -> Ran:
    """Apply, and save the way back."""
    return extcal("apply", "manifests", "--auto-approve", "--connection", "staff-0", "--undo-out", path)


def links(extcal: Extcal, path: str) -> Ran:
    """Apply, and write the consent links down."""
    return extcal("apply", "manifests", "--auto-approve", "--connection", "staff-1", "--consent-file", path)


def merged(extcal: Extcal, path: str) -> Ran:
    """Save a plan, and join it with none."""
    extcal("plan", "manifests", "--out", "part.json")
    return extcal("merge", "part.json", "--out", path)


def page(extcal: Extcal, path: str) -> Ran:
    """Write the page for owners."""
    return extcal("consent-page", "--output", path)


def pulled(extcal: Extcal, path: str) -> Ran:
    """Write manifests."""
    return extcal("pull", "--site-id", HARBOR, "--output", path)


def each_met(paths: Sequence[str], *by_all: str) -> pytest.MarkDecorator:
    """A plan meets every path, what else writes a file in the same way those of `by_all`; in a soak, everything."""
    return pytest.mark.parametrize(
        ("write", "path"),
        [
            pytest.param(write, path, marks=() if write is plan or path in by_all else pytest.mark.soak)
            for write in (plan, undo, links, merged, page)
            for path in paths
        ],
    )


FILES = pytest.mark.parametrize("write", [plan, undo, links, merged, page])
ANYTHING = pytest.mark.parametrize("write", [plan, undo, links, merged, page, pulled])


@pytest.fixture
def at_work(extcal: Extcal) -> Extcal:
    """The command in the folder `work`, with a connect by password and one by consent to do."""
    (extcal.folder / "work").mkdir()
    os.chdir(extcal.folder / "work")
    extcal.folder /= "work"
    extcal.env |= PASSWORD_ENV
    extcal.on(world(harbor(2)))
    extcal.write(site(), connection(0), connection(1, provider="google"))
    return extcal


@FILES
@pytest.mark.parametrize("there", [True, False])
def test_no_link_is_written_through(at_work: Extcal, write: Writing, *, there: bool) -> None:
    """What a link leads to stays as it was, be it there or not; the link is replaced or refused."""
    target = at_work.folder.parent / "precious"
    if there:
        target.write_text(_MINE)
    (at_work.folder / "out.json").symlink_to(target)
    ran = write(at_work, "out.json")
    assert target.exists() == there
    assert not there or target.read_text() == _MINE
    assert (ran.code == 64) == (at_work.folder / "out.json").is_symlink()


@ANYTHING
@pytest.mark.parametrize("kind", ["pipe", "socket", "link to a device"])
def test_what_is_no_file_stays_what_it_is(at_work: Extcal, write: Writing, kind: str) -> None:
    """Pipes and sockets are not waited for and not replaced; a device is not written to."""
    path = at_work.folder / "out.json"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind("out.json")
    else:
        path.symlink_to("/dev/full")
    before = path.lstat()
    ran = write(at_work, "out.json")
    assert "Traceback" not in ran.err
    if kind == "link to a device":
        assert stat.S_ISCHR(Path("/dev/full").stat().st_mode)
    else:
        assert ran.code in {1, 64}
        assert "out.json" in ran.err
        assert stat.S_IFMT(path.lstat().st_mode) == stat.S_IFMT(before.st_mode)


@each_met(
    ["/dev/null", "/dev/full", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "/dev/new"], "/dev/null", "/dev/new"
)
def test_devices_stay_devices(at_work: Extcal, write: Writing, path: str) -> None:
    """Not even root replaces a device by a file, or makes one among devices."""
    before = os.path.lexists(path) and os.lstat(path).st_mode
    ran = write(at_work, path)
    assert ran.code in {1, 64}
    assert path in ran.err
    assert (os.path.lexists(path) and os.lstat(path).st_mode) == before


@ANYTHING
def test_a_folder_and_its_neighbours_stay(at_work: Extcal, write: Writing) -> None:
    """A folder with something in it is not replaced by a file, and what is in it stays."""
    (at_work.folder / "taken").mkdir()
    (at_work.folder / "taken" / "notes.txt").write_text(_MINE)
    ran = write(at_work, "taken")
    assert ran.code == 0 if write is pulled else ran.code in {1, 64}
    assert (at_work.folder / "taken" / "notes.txt").read_text() == _MINE


@ANYTHING
@pytest.mark.parametrize("path", ["out/x", "out/deeper/x"])
def test_no_folder_is_a_way_out(at_work: Extcal, write: Writing, path: str) -> None:
    """A link in the working folder, which may have come with a pull request, leads no file out of it."""
    elsewhere = at_work.folder.parent / "elsewhere"
    (elsewhere / "deeper").mkdir(parents=True)
    (at_work.folder / "out").symlink_to(elsewhere)
    ran = write(at_work, path)
    assert ran.code in {1, 64}
    assert "a link leads out of this folder" in ran.err
    assert [*elsewhere.rglob("*")] == [elsewhere / "deeper"]


@ANYTHING
@pytest.mark.parametrize(
    "path",
    [
        "sub/../out/x",
        "{here}/out/x",
        "../work/out/x",
        "{above}/as-well/out/x",
        "within/x",
        "out/../beside/x",
    ],
)
def test_no_spelling_is_a_way_out(at_work: Extcal, write: Writing, path: str) -> None:
    """However the path reaches the link of the working folder: absolute, by `..`, by another link, from outside."""
    above = at_work.folder.parent
    for folder in (above / "elsewhere", above / "beside", at_work.folder / "sub"):
        folder.mkdir()
    (above / "as-well").symlink_to("work")
    (at_work.folder / "out").symlink_to("../elsewhere")
    (at_work.folder / "within").symlink_to(at_work.folder / "sub/../out")
    ran = write(at_work, path.format(here=at_work.folder, above=above))
    assert ran.code in {1, 64}
    assert f"a link leads out of this folder, to {(above / 'elsewhere').resolve()}" in ran.err
    assert [*(above / "elsewhere").iterdir(), *(above / "beside").iterdir()] == []


def test_a_folder_that_is_not_there_hides_no_way_out(at_work: Extcal) -> None:
    """What `..` takes back need not be there where folders are made as needed."""
    elsewhere = at_work.folder.parent / "elsewhere"
    elsewhere.mkdir()
    (at_work.folder / "out").symlink_to(elsewhere)
    ran = pulled(at_work, "no/../out/x")
    assert (ran.code, "a link leads out of this folder" in ran.err) == (1, True)
    assert [*elsewhere.iterdir()] == []


@ANYTHING
@pytest.mark.parametrize("path", ["{above}/beside/x", "../beside/x", "{above}/as-well/sub/x", "../led/x", "sub/../x"])
def test_places_that_are_named_are_used(at_work: Extcal, write: Writing, path: str) -> None:
    """Outside, one's own links are followed, also one to the working folder; so is what is named in it by `..`."""
    above = at_work.folder.parent
    for folder in (above / "beside", at_work.folder / "sub"):
        folder.mkdir()
    (above / "as-well").symlink_to("work")
    (above / "led").symlink_to("beside")
    place = Path(path.format(here=at_work.folder, above=above))
    assert write(at_work, str(place)).code in {0, 3}
    assert place.exists()


@ANYTHING
@needs_another_user
def test_no_other_users_link_is_followed_by_ones_own(at_work: Extcal, write: Writing) -> None:
    """A link of one's own that leads through another user's is no better."""
    elsewhere = at_work.folder.parent / "elsewhere"
    elsewhere.mkdir()
    theirs, mine = at_work.folder.parent / "theirs", at_work.folder.parent / "mine"
    theirs.symlink_to(elsewhere)
    mine.symlink_to(theirs)
    os.lchown(theirs, 65534, 65534)
    ran = write(at_work, str(mine / "x"))
    assert ran.code in {1, 64}
    assert f"{theirs} is another user's link" in ran.err
    assert [*elsewhere.iterdir()] == []


@ANYTHING
@needs_another_user
def test_no_other_users_link_is_followed(at_work: Extcal, write: Writing) -> None:
    """In a folder that all may write to, another user can have put a link where a folder was meant."""
    elsewhere = at_work.folder.parent / "elsewhere"
    elsewhere.mkdir()
    link = at_work.folder.parent / "shared"
    link.symlink_to(elsewhere)
    os.lchown(link, 65534, 65534)
    ran = write(at_work, str(link / "x"))
    assert ran.code in {1, 64}
    assert "is another user's link" in ran.err
    assert [*elsewhere.iterdir()] == []


@ANYTHING
def test_links_that_stay_within_are_followed(at_work: Extcal, write: Writing) -> None:
    """A link to a folder inside, or any place that is named itself, is where the user says it is."""
    (at_work.folder / "real").mkdir()
    (at_work.folder / "out").symlink_to("real")
    assert write(at_work, "out/x").code in {0, 3}
    assert (at_work.folder / "real" / "x").exists()


@each_met(["no/such/x", "x" * 300, "file/x", "a\0b", "loop/x"], "file/x", "a\0b")
def test_places_that_are_none(at_work: Extcal, write: Writing, path: str) -> None:
    """Where no file can be, that is said in a line, and nothing is left behind."""
    (at_work.folder / "file").write_text(_MINE)
    (at_work.folder / "loop").symlink_to("loop")
    before = sorted(at_work.folder.iterdir())
    ran = write(at_work, path)
    assert ran.code in {1, 64}
    assert "Traceback" not in ran.err
    assert "internal error" not in ran.err
    assert sorted(file for file in at_work.folder.iterdir() if file.name != "part.json") == before


def test_pulled_manifests_leave_no_folder(at_work: Extcal) -> None:
    """A link below the folder that is pulled into leads no manifest out of it."""
    elsewhere = at_work.folder.parent / "elsewhere"
    elsewhere.mkdir()
    (at_work.folder / "pulled").mkdir()
    (at_work.folder / "pulled" / "harbor-dental").symlink_to(elsewhere)
    at_work.on(world(harbor(0)))
    ran = at_work("pull", "--site-id", HARBOR, "--name", "harbor-dental", "--output", "pulled")
    assert ran.code == 1
    assert "points outside the folder" in ran.err
    assert [*elsewhere.iterdir()] == []
