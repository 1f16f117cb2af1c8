"""`--record` appends what the history has to a file, and the history knows the commit of the manifests."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.machine.record import RecordFile
from tests.support.cli.command import Extcal
from tests.support.cli.worlds import BUSY, PASSWORD_ENV, connection, harbor, site, world
from tests.support.servers.proxy import Held, stand_in
from tests.support.timeouts import TIMEOUT, until

APPLY = ("apply", "manifests", "--auto-approve")
RECORD = (*APPLY, "--record", "record.jsonl")
ABSENT = "state: absent"
_MANY = 8


@pytest.fixture
def declared(extcal: Extcal) -> Extcal:
    """One connection that is yet to be connected."""
    extcal.on(world(harbor()))
    extcal.env |= PASSWORD_ENV | {"EXTCAL_STATE_DIR": str(extcal.folder / "state")}
    extcal.write(site(), connection(0, more=BUSY))
    return extcal


def history_lines(extcal: Extcal) -> list[str]:
    """The lines of the history's own file."""
    (file,) = (extcal.folder / "state").rglob("history")
    return [line for line in file.read_text().splitlines() if line]


def test_it_has_the_same_lines(declared: Extcal) -> None:
    """Each run adds to it; it is its user's alone."""
    assert declared(*RECORD).code == 0
    declared.write(site(), connection(0, more=ABSENT))
    assert declared(*RECORD).code == 0
    file = declared.folder / "record.jsonl"
    assert file.read_text().splitlines() == history_lines(declared)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_half_a_line_spoils_no_other(declared: Extcal) -> None:
    """What a crash has cut off stays a line of its own."""
    file = declared.folder / "record.jsonl"
    file.write_text('{"at": "20')
    assert declared(*RECORD).code == 0
    assert file.read_text().splitlines()[1:] == history_lines(declared)


@pytest.mark.parametrize("kind", ["pipe", "link", "hard link", "folder", "/dev/full", "nowhere/file", "-", ""])
def test_no_place_for_it_is_wrong_usage(declared: Extcal, kind: str) -> None:
    """It is seen before anything is written."""
    name = kind if kind in {"/dev/full", "nowhere/file", "-", ""} else "record.jsonl"
    file, other = declared.folder / "record.jsonl", declared.folder / "other"
    other.write_text("")
    match kind:
        case "pipe":
            os.mkfifo(file)
        case "link":
            file.symlink_to(other)
        case "hard link":
            file.hardlink_to(other)
        case "folder":
            file.mkdir()
    ran = declared(*APPLY, "--record", name)
    assert ran.code == 64, ran.err
    assert "--record" in ran.err
    assert not declared.writes
    assert other.read_text() == ""


def test_several_may_append_at_a_time(tmp_path: Path) -> None:
    """Each line stays whole, whoever writes between."""
    file = tmp_path / "record.jsonl"
    script = "import sys; from pathlib import Path; from reconciler.machine.record import RecordFile\n"
    script += "for _ in range(50): RecordFile(Path(sys.argv[1])).add(sys.argv[2].encode() * 9000)"
    runs = [subprocess.Popen([sys.executable, "-c", script, file, letter]) for letter in "ab"]
    assert [run.wait() for run in runs] == [0, 0]
    RecordFile(file).add(b"c")
    lines = [line for line in file.read_text().splitlines() if line]
    assert sorted(lines) == ["a" * 9000] * 50 + ["b" * 9000] * 50 + ["c"]


def test_watch_records_what_it_writes_alone(declared: Extcal) -> None:
    """Without --apply there is nothing to record."""
    ran = declared("watch", "manifests", "--record", "record.jsonl")
    assert ran.code == 64
    assert "Add --apply" in ran.err


def test_workers_keep_their_own(declared: Extcal) -> None:
    """With Dask it is refused, with where the history is."""
    ran = declared(*RECORD, "--runner", "dask", "--scheduler", "tcp://127.0.0.1:1", "--consent", "skip")
    assert ran.code == 64
    assert "each worker keeps the history in its own state folder" in ran.err


def git(folder: Path, *words: str) -> str:
    """Run git in a folder."""
    who = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
    command = ["git", *who, *words]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


@pytest.mark.parametrize("change", ["none", "changed", "added", "removed", "beside"])
def test_it_says_at_which_commit_the_manifests_are(declared: Extcal, change: str) -> None:
    """Of their repository, before what CI says; with a mark where the manifests are not as committed."""
    declared.env |= {"GITHUB_SHA": "3f" * 20}
    manifests = declared.folder / "manifests"
    (manifests / "more.yaml").write_text("# nothing yet\n")
    git(declared.folder, "init", "-q")
    git(declared.folder, "add", "manifests")
    git(declared.folder, "commit", "-qm", "manifests: one")
    match change:
        case "changed":
            (manifests / "more.yaml").write_text("# nothing so far\n")
        case "added":
            (manifests / "another.yaml").write_text("# nothing\n")
        case "removed":
            (manifests / "more.yaml").unlink()
        case "beside":
            (declared.folder / "notes.txt").write_text("not a manifest")
    assert declared(*APPLY).code == 0
    (entry,) = json.loads(declared("history", "--format", "json").out)
    mark = "" if change in {"none", "beside"} else "+changes"
    assert entry["commit"] == git(declared.folder, "rev-parse", "HEAD") + mark


def test_markdown_is_for_a_job_summary(declared: Extcal) -> None:
    """It says what was done, by whom."""
    declared.env |= {"GITHUB_ACTOR": "octo`example"}
    assert "Nothing was done." in declared("history", "--format", "markdown").out
    assert declared(*APPLY).code == 0
    shown = declared("history", "--format", "markdown").out
    assert "- `connect` `harbor/staff-0` `done`: by ``octo`example``" in shown


def whole(file: Path) -> list[dict[str, object]]:
    """The lines of a file, each of which is an object."""
    return [json.loads(line) for line in file.read_text().splitlines() if line]


def test_a_run_that_was_killed_leaves_whole_lines_and_the_next_goes_on(extcal: Extcal) -> None:
    """What was done by then is in both files; what the next run does is added to them."""
    extcal.on(world(harbor()))
    extcal.env |= PASSWORD_ENV | {"EXTCAL_STATE_DIR": str(extcal.folder / "state")}
    extcal.write(site(), *(connection(number, more=BUSY) for number in range(_MANY)))
    record, held = extcal.folder / "record.jsonl", Held()
    with stand_in(extcal.sandbox.endpoint, held) as endpoint:
        extcal.env["EXTCAL_ENDPOINT"] = endpoint
        with extcal.started(*RECORD) as process:
            held.until(1)
            until(lambda: record.read_bytes().endswith(b"\n"))
            process.kill()
            process.wait(TIMEOUT)
        first = whole(record)
        assert [(each["action"], each["status"]) for each in first] == [("connect", "done")]
        assert [json.loads(line) for line in history_lines(extcal)] == first
        held.let_go()
        assert extcal(*RECORD).code == 0
    lines = whole(record)
    assert lines[: len(first)] == first
    assert [json.loads(line) for line in history_lines(extcal)] == lines
    assert len(lines) > len(first)
    assert {(each["action"], each["status"]) for each in lines} == {("connect", "done")}
    assert len({each["address"] for each in lines}) == len(lines)


def test_who_is_killed_while_appending_spoils_one_line_at_most(tmp_path: Path) -> None:
    """Whatever is left of it, the next line is one of its own."""
    file = tmp_path / "record.jsonl"
    script = "import sys; from pathlib import Path; from reconciler.machine.record import RecordFile\n"
    script += "file, line = RecordFile(Path(sys.argv[1])), b'a' * 200_000\n"
    script += "while True: file.add(line)"
    for _ in range(3):
        _append_and_be_killed(script, file)
        RecordFile(file).add(b"next")
    lines = file.read_bytes().split(b"\n")
    assert lines.count(b"next") == 3
    assert len([line for line in lines if line not in {b"a" * 200_000, b"next", b""}]) <= 3


def _append_and_be_killed(script: str, file: Path) -> None:
    """Run a script that appends to a file for ever, and kill it in the midst of that."""
    before = file.stat().st_size if file.exists() else 0
    with subprocess.Popen([sys.executable, "-c", script, file]) as process:
        try:
            until(lambda: file.exists() and file.stat().st_size > before + 200_000)
        finally:
            process.kill()
