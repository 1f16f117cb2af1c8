"""A run of the tests: the same everywhere, nothing left behind, and a line about what could not be tried."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.folders import memory
from tests.support.tools import ROOT

_LEAVES_A_FOLDER = """
import tempfile
def test_it():
    tempfile.mkdtemp(prefix="forgotten-")
"""
_LEAVES_A_PROCESS = """
import subprocess, sys
def test_it():
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)  # forgotten"])
"""
_TIDY = """
import tempfile, subprocess, sys
def test_it(tmp_path):
    with tempfile.TemporaryDirectory():
        subprocess.run([sys.executable, "-c", ""], check=True)
"""
_FAILS = """
def test_it(tmp_path):
    (tmp_path / "evidence").write_text("")
    assert not tmp_path
"""
_TELLS = """
import tempfile
def test_it():
    print("lies in", tempfile.gettempdir())
"""
_SKIPS = """
import pytest
@pytest.mark.parametrize("number", range(3))
@pytest.mark.skipif(True, reason="a rare thing: install it")
def test_skipped(number):
    pass
"""
_DRAWS = """
import random
from hypothesis import given, strategies as st
from tests.support import profiles
profiles.load()
drawn = []
@given(st.integers())
def test_it(number):
    drawn.append(number)
def test_what_was_drawn():
    print("drawn", hash(tuple(drawn)))
"""


def run(folder: Path, test: str, *options: str, told_where: bool = True) -> "subprocess.CompletedProcess[str]":
    """Run one test file as a run of its own, which may be told to have its temporary files below `folder`."""
    (folder / "test_it.py").write_text(test)
    (folder / "tmp").mkdir(exist_ok=True)
    environ = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST_", "TESTS_", "EXTCAL_", "TMPDIR"))
    }
    if told_where:
        environ["TMPDIR"] = str(folder / "tmp")
    plugins = ["-p", "tests.support.leftovers", "-p", "tests.support.skips", "-p", "no:cacheprovider"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-c", os.devnull, "--rootdir", str(folder), *plugins, *options, str(folder)],
        cwd=ROOT,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def left(folder: Path) -> list[str]:
    """What lies where the run had its temporary files."""
    return sorted(path.name for path in (folder / "tmp").rglob("*"))


def test_a_run_that_passes_leaves_nothing(tmp_path: Path) -> None:
    """Neither its own folder nor pytest's; what could not be tried is one line, with what it wants."""
    ran = run(tmp_path, _TIDY + _SKIPS)
    assert (ran.returncode, left(tmp_path)) == (0, []), ran.stdout
    assert "\nnot tried here: 3: a rare thing: install it\n" in ran.stdout


def test_a_folder_that_is_left_fails_the_run(tmp_path: Path) -> None:
    """Its name is told, though every test has passed."""
    ran = run(tmp_path, _LEAVES_A_FOLDER)
    assert ran.returncode == 1
    assert "1 passed" in ran.stdout
    assert "not tried here" not in ran.stdout
    assert "forgotten-" in ran.stdout


def test_temporary_files_lie_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is room no test waits for a disk, unless who runs them has said where temporary files belong."""
    assert f"lies in {tmp_path / 'tmp'}/extcal-tests-" in run(tmp_path, _TELLS, "-s").stdout
    monkeypatch.delenv("TMPDIR")
    if (place := memory()) is None:
        pytest.skip("temporary files in memory: a /dev/shm with a GiB of room")
    assert f"lies in {place}/extcal-tests-" in run(tmp_path, _TELLS, "-s", told_where=False).stdout


@pytest.mark.skipif(not Path("/proc").exists(), reason="processes that are left: a system with /proc")
def test_a_process_that_is_left_fails_the_run(tmp_path: Path) -> None:
    """Its number and its command are told, and that a worker had started it does not hide it."""
    ran = run(tmp_path, _LEAVES_A_PROCESS, "-n", "1")
    (line,) = (line for line in ran.stdout.splitlines() if line.startswith("process "))
    os.kill(int(line.removeprefix("process ").partition(":")[0]), signal.SIGKILL)
    assert ran.returncode == 1
    assert "# forgotten" in line


def test_what_a_failed_test_wrote_can_be_looked_at(tmp_path: Path) -> None:
    """The folder of a run that failed stays, and the run says where it is."""
    ran = run(tmp_path, _FAILS)
    assert ran.returncode == 1
    assert f"kept: {tmp_path / 'tmp'}/extcal-tests-" in ran.stdout
    assert "evidence" in left(tmp_path)


def test_the_same_examples_are_drawn_in_each_run(tmp_path: Path) -> None:
    """Whoever runs the tests draws what everybody else does."""
    first, second = (run(tmp_path, _DRAWS, "-s", "-p", "no:randomly").stdout for _ in range(2))
    assert [line for line in first.splitlines() if "drawn" in line]
    assert [line for line in first.splitlines() if "drawn" in line] == [
        line for line in second.splitlines() if "drawn" in line
    ]
