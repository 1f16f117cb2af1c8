"""A run of the tests leaves no process and no folder behind, or it has failed.

All its temporary files lie in one folder, in memory where there is room, which every process that it starts has in its
environment. When the tests are over, what still has it is a process that a test did not end, and what lies there beside
pytest's own folders is a folder that nobody cleared. The folders themselves go, unless a test failed.
"""

import getpass
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import folders

_FOLDER = "TESTS_RUN_FOLDER"
"""The environment variable that names the folder of this run."""
_PROCESSES = Path("/proc")  # where there is none (macOS), processes are not looked for
_SECONDS_TO_END = 10.0
_MUTANT = "MUTANT_UNDER_TEST"  # what mutation testing sets for runs that are meant to fail
_found = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    """Begin a run; a worker of a run that has begun takes part in it."""
    if _FOLDER in os.environ:
        return
    folder = tempfile.mkdtemp(prefix="extcal-tests-", dir=folders.memory())
    os.environ[_FOLDER] = os.environ["TMPDIR"] = folder
    tempfile.tempdir = folder
    config.stash[_found] = []


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Look for what is left, once the workers of this run are gone; it fails a run that has passed."""
    if _found not in session.config.stash:
        return
    found = session.config.stash[_found]
    found += _processes_left(os.environ[_FOLDER])
    if exitstatus == pytest.ExitCode.OK:
        found += [f"folder {path}" for path in Path(os.environ[_FOLDER]).iterdir() if not _is_expected(path)]
        if found:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what is left, and where a run that failed has kept its files."""
    if _found in config.stash and _failed(config):
        terminalreporter.line(f"kept: {os.environ[_FOLDER]}")
    if found := config.stash.get(_found, []):
        terminalreporter.section("left behind", red=True)
        for line in found:
            terminalreporter.line(line)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Clear the folder of a run that passed; that of one that failed may be looked at."""
    if _found not in config.stash:
        return
    if not _failed(config):
        _clear(Path(os.environ[_FOLDER]))
    del os.environ[_FOLDER], os.environ["TMPDIR"]
    tempfile.tempdir = None


def _failed(config: pytest.Config) -> bool:
    session = config.pluginmanager.get_plugin("session")
    return session is not None and bool(session.testsfailed) and _MUTANT not in os.environ


def _is_expected(path: Path) -> bool:
    return path.name in {f"pytest-of-{getpass.getuser()}", "machines"}


def _clear(place: Path) -> None:
    """Remove a folder, closed ones in it included."""
    for folder, _, _ in os.walk(place):
        Path(folder).chmod(0o700)
    shutil.rmtree(place, ignore_errors=True)


def _processes_left(folder: str) -> list[str]:
    """The processes of a run that are still there after a while; some are about to end when it does."""
    deadline = time.monotonic() + _SECONDS_TO_END
    while (found := list(_processes_of(folder))) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


def _processes_of(folder: str) -> Iterator[str]:
    mark = f"{_FOLDER}={folder}".encode()
    for place in _PROCESSES.glob("[0-9]*") if _PROCESSES.exists() else ():
        if place.name == str(os.getpid()):
            continue
        try:
            environment, command = (place / "environ").read_bytes(), (place / "cmdline").read_bytes()
        except OSError:  # it has ended, or is somebody else's
            continue
        if mark in environment.split(b"\0"):
            yield f"process {place.name}: {command.replace(bytes(1), b' ').decode(errors='replace').strip()}"
