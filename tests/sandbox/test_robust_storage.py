"""The data folder through bad times: killed in the middle of writes, damaged, locked, foreign, read-only."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from click.testing import CliRunner

from reconciler.cli.main import main
from reconciler.sandbox import schema
from reconciler.sandbox.contract import Status
from reconciler.sandbox.server import running
from reconciler.sandbox.store import DATABASE
from tests.sandbox.server_process import SERVE, opened, served
from tests.support.folders import folder_for_all
from tests.support.sandbox.api import APPLE_EMAIL, APPLE_PASSWORD, LEE, PATEL, Api
from tests.support.timeouts import TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(slots=True)
class _Answered:
    """What one writer was told: its connection's latest known state, and whether a further write was under way."""

    connected: list[str] = field(default_factory=list)
    importing: dict[str, bool] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    doubtful: str | None = None


def _write(api: Api, apple: str, answered: _Answered) -> None:
    """Connect, switch the import off and on, disconnect every second one; over and over until the server dies."""
    try:
        while True:
            answered.doubtful = None
            connection = str(api.connect(providerId=apple)["id"])
            answered.connected.append(connection)
            answered.doubtful = connection
            for enabled in (False, True, False):
                sync_config = {"listEventFromCalendars": {"enabled": enabled}}
                assert api.update(connection, sync_config).status_code == 200
                answered.importing[connection] = enabled
            if len(answered.connected) % 2:
                assert api.disconnect(connection).status_code == 200
                answered.ended.add(connection)
    except httpx.TransportError:
        return


def _killed_while_writing(data: Path, after: float) -> list[_Answered]:
    """Serve, write from four threads, and kill -9 `after` that many seconds of writing."""
    everyone = [_Answered() for _ in range(4)]
    with served(data) as (process, ready), opened(ready["endpoint"], ready["api_key"]) as api:
        apple = api.provider("Apple")
        writers = [threading.Thread(target=_write, args=(api, apple, each)) for each in everyone]
        for writer in writers:
            writer.start()
        deadline = time.monotonic() + TIMEOUT
        while not all(each.connected for each in everyone) and time.monotonic() < deadline:
            time.sleep(0.005)
        time.sleep(after)
        process.send_signal(signal.SIGKILL)
        for writer in writers:
            writer.join(TIMEOUT)
    assert all(each.connected for each in everyone)
    return everyone


def _assert_sound(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []


@pytest.mark.parametrize("kills", [2, pytest.param(40, marks=pytest.mark.soak)])
def test_kill_9_in_the_middle_of_writes_again_and_again(tmp_path: Path, kills: int) -> None:
    """After each kill the database is sound, and every connect, update and disconnect that was answered is there."""
    everything: list[_Answered] = []
    for number in range(kills):
        after = random.uniform(0, 0.2)  # noqa: S311 -- no secret
        print(f"kill {number}: after {after:.3f} s")  # noqa: T201 -- shown where the test fails
        everything += _killed_while_writing(tmp_path, after)
        _assert_sound(tmp_path / DATABASE)
    with running(tmp_path) as sandbox, opened(sandbox.endpoint, sandbox.api_key) as api:
        live = {each["id"]: each for each in api.connections()}
    for answered in everything:
        assert set(answered.connected) <= set(live)
        assert all(live[each]["status"] == Status.DISCONNECTED for each in answered.ended)
        for connection, enabled in answered.importing.items():
            if connection != answered.doubtful:
                assert live[connection]["syncConfig"]["listEventFromCalendars"]["enabled"] is enabled


@pytest.mark.parametrize("kills", [2, pytest.param(60, marks=pytest.mark.soak)])
def test_kill_9_in_the_middle_of_the_first_start(tmp_path: Path, kills: int) -> None:
    """Whenever the first start was killed, the next one has the whole world: every account with all its calendars."""
    with running(tmp_path / "whole") as sandbox:
        whole = sandbox.ready()["sites"]
        calendars = _tree(tmp_path / "whole" / "calendars")
    for number in range(kills):
        data = tmp_path / str(number)
        command = [sys.executable, "-c", SERVE, str(data)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            deadline = time.monotonic() + TIMEOUT
            # From the first sign of life on, at various moments of the filling.
            while not (data / DATABASE).exists() and time.monotonic() < deadline:
                time.sleep(0.0005)
            time.sleep(0.03 * number / kills)
            process.kill()
        with running(data) as sandbox:
            assert sandbox.ready()["sites"] == whole
        assert _tree(data / "calendars") == calendars


def _tree(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.fixture(autouse=True)
def _no_serving(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that serves, against the promise, ends at once instead of never."""
    monkeypatch.setattr("reconciler.sandbox.server.RunningSandbox.alive", lambda _: False)


def _serve(data: Path) -> tuple[int, str]:
    """`extcal sandbox serve`, which must not get as far as serving: its exit code and stderr."""
    result = CliRunner().invoke(main, ["sandbox", "serve", "--data", str(data)], catch_exceptions=False)
    assert result.stdout == ""
    return result.exit_code, result.stderr


def _marked_by_another(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA application_id = 7")
        database.execute("PRAGMA user_version = 1")


def _newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
        database.execute("PRAGMA journal_mode = DELETE")


def _older(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA user_version = 1")
        database.execute("PRAGMA journal_mode = DELETE")


def _cut(length: int) -> Callable[[Path], None]:
    return lambda path: os.truncate(path, length)


def _cut_in_half(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def _overwritten(path: Path) -> None:
    path.write_bytes(random.Random(6).randbytes(50_000))  # noqa: S311 -- no secret


def _header_kept(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:4096] + random.Random(7).randbytes(len(content) - 4096))  # noqa: S311 -- no secret


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_overwritten, "damaged"),
        (_header_kept, "damaged"),
        (_cut_in_half, "damaged"),
        (_cut(1), "damaged"),
        (_cut(99), "damaged"),
        (_cut(4096), "damaged"),
        (_marked_by_another, "not a sandbox database"),
        (_newer, "made by a newer version"),
        (_older, "made by an older version"),
    ],
    ids=["random bytes", "pages", "half", "a byte", "less than a header", "a page", "another's", "newer", "older"],
)
def test_a_spoilt_database_is_told_and_left_alone(tmp_path: Path, spoil: Callable[[Path], None], message: str) -> None:
    """The command fails with 1 and says what is wrong and what to do; not a byte of the file is changed."""
    with running(tmp_path):
        pass
    path = tmp_path / DATABASE
    spoil(path)
    before = path.read_bytes()
    code, said = _serve(tmp_path)
    assert code == 1
    assert f"{path}: " in said
    assert message in said
    assert "Reset the sandbox" in said or "hoose another data folder" in said
    assert "Traceback" not in said
    assert path.read_bytes() == before


@pytest.mark.parametrize("other", ["fresh", "in WAL mode"])
def test_another_programs_database_keeps_its_content(tmp_path: Path, other: str) -> None:
    """What another program keeps under the same name stays as it was, also what it has not yet moved out of its WAL."""
    path = tmp_path / DATABASE
    with closing(sqlite3.connect(path, isolation_level=None)) as owner:
        if other == "in WAL mode":
            owner.execute("PRAGMA journal_mode = WAL")
        owner.execute("CREATE TABLE precious (x)")
        owner.execute("INSERT INTO precious VALUES ('pearl')")
        code, said = _serve(tmp_path)
        assert (code, "not a sandbox database" in said) == (1, True)
        assert owner.execute("SELECT x FROM precious").fetchall() == [("pearl",)]
    _assert_sound(path)


def test_an_empty_file_is_as_good_as_none(tmp_path: Path) -> None:
    """It is what a start leaves that was killed at once; the next one goes on from there."""
    (tmp_path / DATABASE).touch()
    with running(tmp_path) as sandbox, opened(sandbox.endpoint, sandbox.api_key) as api:
        api.connect()


def test_garbage_beside_the_database_is_harmless(tmp_path: Path) -> None:
    """A torn WAL counts as empty: what was committed before is there."""
    with running(tmp_path) as sandbox, opened(sandbox.endpoint, sandbox.api_key) as api:
        connection = api.connect()
        key = sandbox.api_key
    for suffix in ("-wal", "-shm"):
        (tmp_path / f"{DATABASE}{suffix}").write_bytes(b"\xa5" * 5000)
    with running(tmp_path) as sandbox, opened(sandbox.endpoint, key) as api:
        assert [each["id"] for each in api.connections()] == [connection["id"]]


@pytest.mark.parametrize(
    ("make", "why"),
    [(Path.mkdir, "the sandbox's database can't be used"), (os.mkfifo, "it is neither a file nor a folder")],
    ids=["folder", "pipe"],
)
def test_what_is_no_file_is_told(tmp_path: Path, make: Callable[[Path], None], why: str) -> None:
    """A folder or a pipe in the database's place: an error that names it, at once, and it stays."""
    path = tmp_path / DATABASE
    make(path)
    code, said = _serve(tmp_path)
    assert code == 1
    assert f"{path}: {why}" in said
    assert path.exists()


_AS_ANYBODY = """
import os, sys
from pathlib import Path
import tzlocal, uvicorn, reconciler.sandbox.app  # while they can be read
from reconciler.sandbox import SandboxError
from reconciler.sandbox.server import running
if os.geteuid() == 0:  # for root nothing is read-only
    os.setegid(65534)
    os.seteuid(65534)
try:
    with running(Path(sys.argv[1])):
        print("it serves")
except SandboxError as error:
    print(error)
"""


def as_anybody(data: Path) -> str:
    """What a sandbox says that somebody without special rights starts."""
    command = [sys.executable, "-c", _AS_ANYBODY, str(data)]
    return subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, cwd="/", check=True).stdout


@pytest.mark.parametrize("closed", ["file", "folder"])
def test_what_cannot_be_written_is_told(closed: str) -> None:
    """A database or a folder that is read-only: an error that says so, and nothing is changed."""
    with folder_for_all() as folder:
        data = folder / "data"
        with running(data):
            pass
        path = data / DATABASE
        path.chmod(0o666)
        data.chmod(0o777)
        assert as_anybody(data) == "it serves\n"
        before = path.read_bytes()
        path.chmod(0o444)
        data.chmod(0o777 if closed == "file" else 0o555)
        told = as_anybody(data)
        data.chmod(0o700)
        assert told.startswith(str(data))
        assert "writable folder" in told
        assert path.read_bytes() == before


def test_a_database_that_another_process_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While serving, reads go on and writes get 503 with a message; a start fails with 1; after that all is well."""
    monkeypatch.setattr("reconciler.sandbox.store.BUSY_SECONDS", 0.2)
    hold = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.read()
"""
    command = [sys.executable, "-c", hold, str(tmp_path / DATABASE)]
    with running(tmp_path) as sandbox, opened(sandbox.endpoint, sandbox.api_key) as api:
        apple, connection = api.provider("Apple"), api.connect()["id"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            app = {"grant_type": "client_credentials", "client_id": "a", "client_secret": "b", "instance_id": "c"}
            refused = [
                api.by_credentials(providerId=apple),
                api.update(connection, {"listEventFromCalendars": {"enabled": False}}),
                api.disconnect(connection),
                api.http.post("/oauth2/token", json=app),
            ]
            assert [answer.status_code for answer in refused] == [503] * 4
            assert {answer.json()["message"] for answer in refused} == {"The sandbox's database is busy; try again"}
            assert [each["id"] for each in api.connections()] == [connection]
            code, said = _serve(tmp_path)
            assert (code, "another program is using the sandbox's database" in said) == (1, True)
            holder.communicate()
        assert api.disconnect(connection).status_code == 200


@pytest.mark.parametrize("damage", ["overwritten", "emptied", "gone"])
def test_a_database_that_breaks_while_it_is_served(tmp_path: Path, damage: str) -> None:
    """Every method says with 503 what is wrong, in the standard shape; none answers 500, and the server stays."""
    with running(tmp_path) as sandbox, opened(sandbox.endpoint, sandbox.api_key) as api:
        account = {
            "providerId": api.provider("Apple"),
            "scheduleId": PATEL,
            "email": APPLE_EMAIL,
            "password": APPLE_PASSWORD,
        }
        connection = api.connect()["id"]
        # Not the -shm file: it is memory that SQLite shares between processes, and of no worth.
        for path in (tmp_path / DATABASE, tmp_path / f"{DATABASE}-wal"):
            if damage == "gone":
                path.unlink()
            else:
                path.write_bytes(b"\xa5" * 50_000 if damage == "overwritten" else b"")
        answers = [
            api.get("/providers"),
            api.get("/connections"),
            api.get(f"/connections/{connection}"),
            api.post("/connections:connectByCredentials", account),
            api.disconnect(connection),
            api.http.post("/calendar/v3/schedules/query", json={}),
            api.get("/events", {"from": "2026-03-02T00:00:00Z", "to": "2026-03-03T00:00:00Z", "scheduleIds": LEE}),
            api.http.get("/consent/x"),
        ]
        assert [answer.status_code for answer in answers] == [503] * len(answers)
        assert all("database can't be used" in answer.json()["message"] for answer in answers)
        assert all(answer.headers["x-wix-request-id"] for answer in answers)
        assert api.http.get("/nowhere").status_code == 404
