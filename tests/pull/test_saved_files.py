"""Writing to the disk: whole files or none, inside the folder only, and never over what somebody else wrote."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.errors import ExtcalError
from reconciler.model.sync import SyncConfig
from reconciler.pull.folder import Folder, open_folder, save
from reconciler.workflow.pull import pull_into
from tests.pull.live import BUSY_TIMES as BUSY
from tests.pull.live import GOOGLE, LEE, OFF, PATEL, live, observed, pull
from tests.support.tools import needs_no_root


def files(folder: Path) -> list[str]:
    """Every file of a folder, hidden ones too."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


def test_an_existing_folder_that_is_empty_is_fine(folder: Path) -> None:
    """A folder that holds nothing yet, or nothing of ours, is pulled into."""
    folder.mkdir()
    (folder / "README.md").write_text("ours")
    pull(folder, observed(live()))
    assert files(folder) == ["README.md", "harbor-dental/schedules/dr-lee.yaml", "harbor-dental/site.yaml"]


def test_a_file_is_no_folder(folder: Path) -> None:
    """An output path that is a file is refused."""
    folder.write_text("mine")
    with pytest.raises(ExtcalError, match="can't write into 'manifests': it is a file; name a folder"):
        open_folder(folder)


@pytest.mark.parametrize("path", ["file/below", "loop", "nowhere", "\0", "x" * 300])
def test_a_path_that_can_be_no_folder_is_refused(folder: Path, path: str) -> None:
    """Below a file, a link that leads nowhere or to itself, or no path at all: each is told, none is a traceback."""
    Path("file").write_text("mine")
    Path("loop").symlink_to("loop")
    Path("nowhere").symlink_to("gone")
    with pytest.raises(ExtcalError, match="can't write into '"):
        open_folder(Path(path))
    assert not folder.exists()


def test_a_link_that_leads_out_is_not_followed(folder: Path, tmp_path: Path) -> None:
    """Nothing is written outside the folder, and then nothing inside either."""
    (tmp_path / "outside").mkdir()
    folder.mkdir()
    (folder / "harbor-dental").symlink_to(tmp_path / "outside", target_is_directory=True)
    opened = open_folder_of_nothing(folder)
    saved = save(opened, {"harbor-dental/site.yaml": b"site", "other/site.yaml": b"site"})
    assert saved.created == []
    (failure,) = saved.failures
    assert failure.startswith(
        "can't write manifests/harbor-dental/site.yaml: a link in its path points outside the folder"
    )
    assert files(tmp_path / "outside") == []
    assert not (folder / "other/site.yaml").exists()


def open_folder_of_nothing(folder: Path) -> Folder:
    """The folder as it is seen before a link comes into it."""
    link = folder / "harbor-dental"
    target = link.readlink()
    link.unlink()
    opened = open_folder(folder)
    link.symlink_to(target)
    return opened


def test_the_folder_itself_may_be_a_link(folder: Path, tmp_path: Path) -> None:
    """It is where the user says it is."""
    (tmp_path / "real").mkdir()
    folder.symlink_to("real")
    pull(folder, observed(live()))
    assert "harbor-dental/site.yaml" in files(tmp_path / "real")


def test_a_file_that_is_a_link_inside_is_edited_where_it_leads(folder: Path) -> None:
    """The link stays a link."""
    pull(folder, observed(live()))
    path = folder / "harbor-dental/schedules/dr-lee.yaml"
    path.rename(folder / "real.yaml")
    path.symlink_to("../../real.yaml")
    done = pull(folder, observed(live(sync=SyncConfig(OFF, OFF))))
    assert done.saved.failures == []
    assert path.is_symlink()
    assert "{enabled: false, primaryCalendar: {}}" in (folder / "real.yaml").read_text()


def test_what_was_changed_meanwhile_is_not_overwritten(folder: Path) -> None:
    """An edit that was saved while the pull was under way stays, and the failure says to pull again."""
    pull(folder, observed(live(), live(PATEL, GOOGLE)))
    opened = open_folder(folder)
    off = SyncConfig(OFF, OFF)
    made = pull_into(opened, [observed(live(sync=off), live(PATEL, GOOGLE, sync=off))])
    path = folder / "harbor-dental/schedules/dr-lee.yaml"
    path.write_text("# mine\n")
    saved = save(opened, made.files)
    assert saved.updated == ["harbor-dental/schedules/dr-patel.yaml"]
    assert saved.failures == [f"can't write {path}: it was changed meanwhile; run this again"]
    assert path.read_text() == "# mine\n"


def test_what_came_into_being_meanwhile_is_not_overwritten(folder: Path) -> None:
    """A file that somebody made while the pull was under way stays."""
    opened = open_folder(folder)
    made = pull_into(opened, [observed(live())])
    path = folder / "harbor-dental/site.yaml"
    path.parent.mkdir(parents=True)
    path.write_text("# mine\n")
    saved = save(opened, made.files)
    assert saved.failures == [f"can't write {path}: it was created meanwhile; run this again"]
    assert path.read_text() == "# mine\n"


def test_a_file_in_the_place_of_a_folder_is_told(folder: Path) -> None:
    """Where a folder can't be made, nothing is written."""
    folder.mkdir()
    (folder / "harbor-dental").write_text("mine")
    done = pull(folder, observed(live()))
    assert len(done.saved.failures) == 2
    assert done.saved.failures[0].startswith("can't write manifests/harbor-dental/site.yaml: ")
    assert files(folder) == ["harbor-dental"]


@needs_no_root
def test_a_folder_that_nobody_may_write_to_is_told(folder: Path) -> None:
    """A folder without permission to write is a failure in words, and nothing is left behind."""
    folder.mkdir(mode=0o500)
    done = pull(folder, observed(live()))
    assert "check who may write there" in done.saved.failures[0]
    assert files(folder) == []


def test_permissions_stay_and_new_files_obey_the_umask(folder: Path) -> None:
    """What only its owner may read stays so."""
    pull(folder, observed(live()))
    path = folder / "harbor-dental/schedules/dr-lee.yaml"
    path.chmod(0o600)
    before = os.umask(0o027)
    try:
        pull(folder, observed(live(sync=SyncConfig(OFF, OFF)), live(LEE, GOOGLE, sync=BUSY), live(PATEL)))
    finally:
        os.umask(before)
    new = folder / "harbor-dental/schedules/dr-patel.yaml"
    assert [stat.S_IMODE(one.stat().st_mode) for one in (path, new)] == [0o600, 0o640]


_CRAMPED = """
import resource
from pathlib import Path
from reconciler.pull.folder import open_folder
from reconciler.pull.folder import save

opened = open_folder(Path("manifests"))
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
for failure in save(opened, {"harbor-dental/site.yaml": b"x" * 10, "harbor-dental/z.yaml": b"x" * 5000}).failures:
    print(failure)
"""


def test_where_one_file_can_not_be_written_to_its_end_none_is(folder: Path) -> None:
    """A disk that is full leaves every file as it was, and nothing behind."""
    pull(folder, observed(live()))
    before = {name: (folder / name).read_text() for name in files(folder)}
    root = str(Path(__file__).parents[2])
    command = [sys.executable, "-c", _CRAMPED]
    ran = subprocess.run(command, env={**os.environ, "PYTHONPATH": root}, capture_output=True, text=True, check=True)
    why = "File too large; check who may write there and whether there is room"
    assert ran.stdout == f"can't write manifests/harbor-dental/z.yaml: {why}\n"
    assert {name: (folder / name).read_text() for name in files(folder)} == before
