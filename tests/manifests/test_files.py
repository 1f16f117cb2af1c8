"""Which files are read: regular ones below what the command line names, each once."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.manifests import load
from tests.manifests.conftest import refusals
from tests.support.builders.manifests import CONNECTION, SITE, connection
from tests.support.tools import needs_no_root

NAME_ONE = "(name a manifest file, or a folder of them)"
OUTSIDE = (
    "is a link that points outside the folder"
    " (put the file itself into the folder, or name the other place on the command line)"
)


def test_folders_are_searched(folder: Path) -> None:
    """Folders are searched whole, for three suffixes; hidden files and folders, and others, are skipped."""
    texts = {
        "m/site.yaml": SITE,
        "m/deep/deeper/a.yml": connection("a", account="a@harbor-dental.example"),
        "m/folder.yaml/b.yaml": connection("b", account="b@harbor-dental.example"),
        "m/.hidden.yaml": "[",
        "m/.hidden/x.yaml": "[",
        "m/notes.txt": "[",
        "m/x.yaml~": "[",
    }
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    desired = load([Path("m")])
    assert [one.sources.root.file for one in desired.connections] == ["m/deep/deeper/a.yml", "m/folder.yaml/b.yaml"]


def test_files_are_shown_as_they_were_named(folder: Path) -> None:
    """A fault begins with the path as given, so that it can be followed from where the command ran."""
    (folder / "m").mkdir()
    (folder / "m" / "a.yaml").write_text("x")
    names = [refusals(path)[0].partition(":")[0] for path in (Path("m"), Path(), folder, Path("m/../m"))]
    assert names == ["m/a.yaml", "m/a.yaml", f"{folder}/m/a.yaml", "m/../m/a.yaml"]


def test_a_file_that_is_named_may_be_called_anything(folder: Path) -> None:
    """Naming a file is enough, whatever its suffix, hidden or not."""
    (folder / ".site").write_text(SITE)
    assert load([Path(".site")]).sites


def test_a_file_is_read_once(folder: Path) -> None:
    """However often a file is reached, by name, by folder, by link or by hard link, it is read once."""
    (folder / "m").mkdir()
    (folder / "m" / "site.yaml").write_text(SITE)
    (folder / "m" / "again.yaml").symlink_to("site.yaml")
    (folder / "m" / "hard.yaml").hardlink_to(folder / "m" / "site.yaml")
    assert len(load([Path("m"), Path("m/site.yaml"), folder / "m", Path("m/again.yaml")]).sites) == 1


@pytest.mark.parametrize(
    ("make", "fault"),
    [
        (lambda _: None, f"the path 'm' does not exist {NAME_ONE}"),
        (lambda path: path.symlink_to("m"), f"the path 'm' is a link that points to itself {NAME_ONE}"),
        (lambda path: path.mkdir(), "the folder 'm' contains no manifests (their names end in .yaml, .yml or .json)"),
        (os.mkfifo, "m:1:1: is a pipe, not a file (manifests are read from regular files only)"),
    ],
)  # fmt: skip
def test_paths_that_hold_no_manifests(folder: Path, make: Callable[[Path], None], fault: str) -> None:
    """A path that can't give manifests is a fault that says why; a pipe is not waited for."""
    make(folder / "m")
    assert refusals(Path("m")) == [fault]


def test_no_path() -> None:
    """Nothing named is a fault, not an empty answer."""
    assert refusals() == ["no path is given (name manifest files, or folders of them)"]


def test_every_bad_path_is_told(folder: Path) -> None:
    """One bad path does not hide another, nor the faults of good ones; names may be odd."""
    (folder / "a.yaml").write_text("x")
    told = refusals(Path("missing"), Path("a\x1b.yaml"), Path("a.yaml"), Path("nul\x00"), Path("x" * 5_000))
    assert len(told) == 5
    assert any("'a\\x1b.yaml' does not exist" in fault for fault in told)
    assert any("is not a path" in fault for fault in told)
    assert any("File name too long" in fault for fault in told)
    assert all(fault.isprintable() for fault in told)


def test_devices_and_sockets(folder: Path) -> None:
    """Devices and sockets are refused, named or found."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("m.yaml")
        assert refusals(Path()) == ["m.yaml:1:1: is a socket, not a file (manifests are read from regular files only)"]
    assert refusals(Path("/dev/null")) == [
        "/dev/null:1:1: is a device, not a file (manifests are read from regular files only)"
    ]
    os.mkfifo(folder / "p.yaml")
    assert "p.yaml:1:1: is a pipe, not a file (manifests are read from regular files only)" in refusals(Path())


def test_links_that_leave_the_folder(folder: Path) -> None:
    """No link leads out of the folder that is named, be it to a file or a folder, be it named itself."""
    (folder / "secret.yaml").write_text(SITE)
    (folder / "elsewhere").mkdir()
    (folder / "elsewhere" / "x.yaml").write_text(SITE)
    (folder / "m-too").mkdir()
    inside = folder / "m"
    inside.mkdir()
    (inside / "a.yaml").symlink_to("../secret.yaml")
    (inside / "b").symlink_to("../elsewhere")
    (inside / "c").symlink_to(folder / "m-too")
    (inside / "d.txt").symlink_to("../secret.yaml")
    assert refusals(Path("m")) == [f"m/{name}:1:1: {OUTSIDE}" for name in ("a.yaml", "b", "c")]
    assert refusals(Path("m/a.yaml")) == [f"m/a.yaml:1:1: {OUTSIDE}"]


def test_links_that_stay_inside(folder: Path) -> None:
    """Links within the folder are followed, as mounted ConfigMaps have them, hidden folders included."""
    inside = folder / "m"
    (inside / "..2024").mkdir(parents=True)
    (inside / "..2024" / "site.yaml").write_text(SITE)
    (inside / "..2024" / "more").mkdir()
    (inside / "..2024" / "more" / "c.yaml").write_text(CONNECTION)
    (inside / "..data").symlink_to("..2024")
    (inside / "site.yaml").symlink_to("..data/site.yaml")
    (inside / "more").symlink_to("..data/more")
    (folder / "link").symlink_to("m")
    for path in (Path("m"), Path("link")):
        (one,) = load([path]).connections
        assert one.sources.root.file == f"{path}/more/c.yaml"


def test_links_in_circles(folder: Path) -> None:
    """Links that lead nowhere, to themselves or back to a folder around them are told, and end."""
    (folder / "m" / "in").mkdir(parents=True)
    (folder / "m" / "site.yaml").write_text(SITE)
    (folder / "m" / "in" / "up").symlink_to("..")
    (folder / "m" / "in" / "self").symlink_to(".")
    (folder / "m" / "gone.yaml").symlink_to("nowhere.yaml")
    (folder / "m" / "gone").symlink_to("nowhere")
    (folder / "m" / "loop.yaml").symlink_to("loop.yaml")
    assert refusals(Path("m")) == [
        "m/gone.yaml:1:1: is a broken link (fix or remove it)",
        "m/in/self:1:1: is a link to a folder that contains it (remove it)",
        "m/in/up:1:1: is a link to a folder that contains it (remove it)",
        "m/loop.yaml:1:1: is a link that points to itself (fix or remove it)",
    ]


def test_folders_that_link_to_each_other_end(folder: Path) -> None:
    """Every folder is searched once, however many links lead to it."""
    for name in ("a", "b"):
        (folder / "m" / name).mkdir(parents=True)
    for name in ("x", "y", "z"):
        (folder / "m" / "a" / name).symlink_to("../b")
        (folder / "m" / "b" / name).symlink_to("../a")
    (folder / "m" / "a" / "site.yaml").write_text(SITE)
    assert load([Path("m")]).sites[0].source.file == "m/a/site.yaml"


def test_a_file_that_is_too_large(folder: Path) -> None:
    """A file is read up to a limit, however large it says it is."""
    with (folder / "m.yaml").open("wb") as stream:
        stream.truncate(2**40)
    assert refusals(Path("m.yaml")) == ["m.yaml:1:1: the file is larger than 16 MiB (split it into several files)"]


@needs_no_root
def test_what_may_not_be_read(folder: Path) -> None:
    """A file or a folder that may not be read is a fault, and the others are read."""
    (folder / "closed.yaml").write_text(SITE)
    (folder / "closed.yaml").chmod(0)
    (folder / "shut").mkdir(mode=0)
    (folder / "x.yaml").write_text("x")
    told = refusals(Path())
    (folder / "shut").chmod(0o700)
    reason = "can't be read: Permission denied (check that it exists and who may read it)"
    assert told[:2] == [f"closed.yaml:1:1: {reason}", f"shut:1:1: {reason}"]
    assert len(told) == 3


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="there is no file here that fails while it is read")
def test_what_fails_while_it_is_read() -> None:
    """A file that fails in the middle is a fault, not a crash."""
    (fault,) = refusals(Path("/proc/self/mem"))
    assert "/mem:1:1: can't be read: " in fault


def test_names_that_are_no_text(folder: Path) -> None:
    """File names that are not UTF-8, or hold line breaks, are shown harmless."""
    for name in (b"\xff.yaml", b"a\nb.yaml"):
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).write_text("x")
    assert [fault.partition(":")[0] for fault in refusals(Path())] == ["\\xff.yaml", "a\\nb.yaml"]
