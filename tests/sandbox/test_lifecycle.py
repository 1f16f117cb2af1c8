"""Starting, stopping, restarting, sharing and resetting a sandbox and its data folder."""

from __future__ import annotations

import json
import re
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from reconciler.sandbox import SandboxError, reset, schema
from reconciler.sandbox.calendars.directory import FOLDER
from reconciler.sandbox.contract import BOOKINGS_APP_ID, BUSINESS_SCHEDULE_EXTERNAL_ID
from reconciler.sandbox.seed import LAKESIDE_ID, SITE_ID
from reconciler.sandbox.server import running
from reconciler.sandbox.store import DATABASE
from reconciler.sandbox.world import Site, World
from tests.sandbox.server_process import opened, served
from tests.support import web
from tests.support.sandbox.api import APPLE_EMAIL, APPLE_PASSWORD, LEE
from tests.support.timeouts import TIMEOUT

if TYPE_CHECKING:
    from pathlib import Path


def test_the_ready_line(tmp_path: Path) -> None:
    """It says all that one needs to begin: endpoint, key, app, sites, schedules, and accounts with their passwords."""
    with running(tmp_path / "data") as sandbox:
        ready: dict[str, Any] = sandbox.ready()
        assert ready["endpoint"] == sandbox.endpoint
        assert ready["api_key"] == sandbox.api_key
        assert set(ready["app"]) == {"app_id", "app_secret", "instance_id"}
    site, second = ready["sites"]
    assert (site["site_id"], site["name"]) == (SITE_ID, "Harbor Dental")
    assert (second["site_id"], second["name"]) == (LAKESIDE_ID, "Lakeside Physio")
    assert ready["app"]["instance_id"] == site["instance_id"] != second["instance_id"]
    assert {"id": LEE, "name": "Dr. Lee", "app_id": BOOKINGS_APP_ID} in site["schedules"]
    accounts = site["accounts"]
    assert {"provider": "apple", "email": APPLE_EMAIL, "password": APPLE_PASSWORD} in accounts
    assert {"provider": "google", "email": "patel@harbor-dental.example"} in accounts
    assert {account["provider"] for account in accounts} == {"apple", "google", "microsoft", "tidewater"}
    assert json.loads(json.dumps(ready)) == ready
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", ready["endpoint"])
    assert BUSINESS_SCHEDULE_EXTERNAL_ID not in json.dumps(ready)


def test_a_restart_keeps_the_data(tmp_path: Path) -> None:
    """The keys, the connections and the links that wait for an answer."""
    with running(tmp_path) as first, opened(first.endpoint, first.api_key) as api:
        connection = api.connect()
        link = api.consent_url(redirect="https://harbor-dental.example/")
        before = first.ready()
    with running(tmp_path) as second, opened(second.endpoint, second.api_key) as api:
        assert second.ready() | {"endpoint": ""} == before | {"endpoint": ""}
        assert [each["id"] for each in api.connections()] == [connection["id"]]
        assert web.get(second.endpoint + link.removeprefix(first.endpoint)).status_code == 200
    assert sorted(path.name for path in tmp_path.iterdir()) == [FOLDER, DATABASE]


def test_a_fresh_folder_gets_a_key_of_its_own(tmp_path: Path) -> None:
    """Unless one is given; nobody else may read it."""
    with running(tmp_path / "a") as first, running(tmp_path / "b") as second:
        assert first.api_key != second.api_key
    with running(tmp_path / "c", api_key="mine") as third, opened(third.endpoint, "mine") as api:
        assert third.api_key == "mine"
        assert api.connections() == []
    assert stat.S_IMODE((tmp_path / "a" / DATABASE).stat().st_mode) == 0o600
    with running(tmp_path / "c", api_key="mine"):
        pass
    with pytest.raises(SandboxError, match="another API key"), running(tmp_path / "c", api_key="other"):
        pass


def test_a_world_of_ones_own(tmp_path: Path) -> None:
    """It fills a fresh folder, and is refused where one lives already."""
    world = World(sites=(Site(id=SITE_ID, name="Pier Optics"),))
    with running(tmp_path, world=world) as sandbox:
        ready: dict[str, Any] = sandbox.ready()
        optics: dict[str, Any] = {
            "site_id": SITE_ID,
            "name": "Pier Optics",
            "instance_id": None,
            "schedules": [],
            "accounts": [],
        }
        assert ready["sites"] == [optics]
        assert ready["app"]["instance_id"] is None
    with pytest.raises(SandboxError, match="already holds a world"), running(tmp_path, world=world):
        pass


def test_stopping_twice_is_fine_and_frees_the_port(tmp_path: Path) -> None:
    """After `stop` nothing listens, and the port can be had again at once."""
    with running(tmp_path) as sandbox:
        port = int(sandbox.endpoint.rpartition(":")[2])
        sandbox.stop()
        assert not sandbox.alive()
        with pytest.raises(httpx.ConnectError):
            web.get(sandbox.endpoint)
    with running(tmp_path, port=port) as again:
        assert again.endpoint == sandbox.endpoint


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    """The error names the port, and no data folder is left open."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SandboxError, match=f"can't listen on 127.0.0.1:{port}"), running(tmp_path, port=port):
            pass
    with pytest.raises(SandboxError, match="can't listen"), running(tmp_path, port=70_000):
        pass


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """The error names the folder."""
    (tmp_path / "file").write_text("")
    with pytest.raises(SandboxError, match="can't write the sandbox's data"), running(tmp_path / "file" / "data"):
        pass
    (tmp_path / DATABASE).mkdir()
    with pytest.raises(SandboxError, match="can't be used"), running(tmp_path):
        pass


@pytest.mark.parametrize("content", [b"not a database, but as long as one" * 50, b"SQLite format 3\0torn"])
def test_a_damaged_database(tmp_path: Path, content: bytes) -> None:
    """The error says so and what to do; resetting mends it."""
    (tmp_path / DATABASE).write_bytes(content)
    with pytest.raises(SandboxError, match=r"damaged.*Reset"), running(tmp_path):
        pass
    reset(tmp_path)
    with running(tmp_path):
        pass


def test_damage_inside_the_database_is_noticed(tmp_path: Path) -> None:
    """A file with a page overwritten is refused at the start, not in the middle of a request."""
    with running(tmp_path):
        pass
    path = tmp_path / DATABASE
    content = bytearray(path.read_bytes())
    content[3 * 4096 : 5 * 4096] = b"\xa5" * 8192
    path.write_bytes(content)
    with pytest.raises(SandboxError, match=r"damaged.*Reset"), running(tmp_path):
        pass


def test_a_database_of_another_program(tmp_path: Path) -> None:
    """It is neither used nor removed."""
    with closing(sqlite3.connect(tmp_path / DATABASE)) as other:
        other.execute("CREATE TABLE precious (x)")
    with pytest.raises(SandboxError, match="not a sandbox database"), running(tmp_path):
        pass
    with pytest.raises(SandboxError, match="not a sandbox database"):
        reset(tmp_path)
    assert (tmp_path / DATABASE).exists()


def test_a_folder_of_a_newer_version(tmp_path: Path) -> None:
    """It is left alone."""
    with running(tmp_path):
        pass
    with closing(sqlite3.connect(tmp_path / DATABASE)) as database:
        database.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    with pytest.raises(SandboxError, match="made by a newer version"), running(tmp_path):
        pass


def test_a_folder_of_an_older_version(tmp_path: Path) -> None:
    """It is left alone, and a reset makes it fresh."""
    with running(tmp_path):
        pass
    with closing(sqlite3.connect(tmp_path / DATABASE)) as database:
        database.execute(f"PRAGMA user_version = {schema.VERSION - 1}")
    with pytest.raises(SandboxError, match=r"made by an older version.*Reset"), running(tmp_path):
        pass
    reset(tmp_path)
    with running(tmp_path):
        pass


def test_a_locked_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the start an error that says so; while serving 503, and all is well once the lock is gone."""
    monkeypatch.setattr("reconciler.sandbox.store.BUSY_SECONDS", 0.1)
    with running(tmp_path) as sandbox, opened(sandbox.endpoint, sandbox.api_key) as api:
        apple = api.provider("Apple")
        with closing(sqlite3.connect(tmp_path / DATABASE, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            busy = api.by_credentials(providerId=apple)
            assert busy.status_code == 503
            assert "busy" in busy.json()["message"]
            assert busy.headers["x-wix-request-id"]
            with pytest.raises(SandboxError, match="another program is using"), running(tmp_path):
                pass
        api.connect()
    with closing(sqlite3.connect(tmp_path / DATABASE, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(SandboxError, match="another program is using"), running(tmp_path):
            pass


def test_a_data_folder_that_vanishes_is_no_crash(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A request is answered with 503 in the standard shape; the log says what happened, without a traceback."""
    data = tmp_path / "data"
    with running(data) as sandbox:
        for path in data.glob(f"{DATABASE}*"):
            path.unlink()
        answer = web.get(f"{sandbox.endpoint}/consent/x")
        assert answer.status_code == 503
        assert answer.json()["details"] == {}
        assert "database can't be used (unable to open database file)" in answer.json()["message"]
        request_id = answer.headers["x-wix-request-id"]
    (record,) = [each for each in caplog.records if each.name.startswith("reconciler.sandbox")]
    assert request_id in record.getMessage()
    assert not record.exc_info


def test_two_sandboxes_share_one_folder(tmp_path: Path) -> None:
    """Both begin on a fresh folder at once, hold the same world, and see each other's writes."""
    with ThreadPoolExecutor(4) as pool, ExitStack() as stack:
        (_, first), (_, second) = pool.map(lambda _: stack.enter_context(served(tmp_path)), range(2))
        assert first | {"endpoint": ""} == second | {"endpoint": ""}
        one, two = (stack.enter_context(opened(each["endpoint"], first["api_key"])) for each in (first, second))
        ids = list(pool.map(lambda n: (one, two)[n % 2].connect()["id"], range(20)))
        assert {each["id"] for each in one.connections()} == set(ids)
        # How far a connection is depends on when it is asked for.
        seen, also = ([{**each, "status": ""} for each in api.connections()] for api in (one, two))
        assert seen == also


def test_many_sandboxes_begin_at_once(tmp_path: Path) -> None:
    """Whoever comes first fills the folder; the others wait for it."""
    with ThreadPoolExecutor(6) as pool, ExitStack() as stack:
        boxes = list(pool.map(lambda _: stack.enter_context(running(tmp_path)), range(6)))
        assert len({box.api_key for box in boxes}) == 1
        assert len({box.endpoint for box in boxes}) == 6


@pytest.mark.soak  # `test_kill_9_in_the_middle_of_writes_again_and_again` is in every run
def test_a_kill_in_the_middle_of_writes_loses_nothing_that_was_answered(tmp_path: Path) -> None:
    """After kill -9 the folder opens, and every connect that was answered is there."""
    answered: list[str] = []
    with served(tmp_path) as (process, ready), opened(ready["endpoint"], ready["api_key"]) as api:

        def write() -> None:
            try:
                while True:
                    answered.append(api.connect()["id"])
            except httpx.TransportError:
                return

        writers = [threading.Thread(target=write) for _ in range(3)]
        for writer in writers:
            writer.start()
        deadline = time.monotonic() + TIMEOUT
        while len(answered) < 20 and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        for writer in writers:
            writer.join()
    with running(tmp_path) as sandbox, opened(sandbox.endpoint, sandbox.api_key) as api:
        assert set(answered) <= {each["id"] for each in api.connections()}


@pytest.mark.parametrize("number", [pytest.param(signal.SIGINT, marks=pytest.mark.soak), signal.SIGTERM])
def test_serving_ends_in_good_order(tmp_path: Path, number: signal.Signals) -> None:
    """On SIGINT and SIGTERM it stops with 0, quietly, and leaves its calendars and a single file."""
    with served(tmp_path) as (process, ready):
        assert web.get(f"{ready['endpoint']}/nowhere").status_code == 404
        process.send_signal(number)
        out, err = process.communicate(timeout=TIMEOUT)
        assert (process.returncode, out, err) == (0, "", "")
    assert sorted(path.name for path in tmp_path.iterdir()) == [FOLDER, DATABASE]


def test_reset_removes_what_the_sandbox_made_and_nothing_else(tmp_path: Path) -> None:
    """Other files stay; the next start is a fresh one."""
    (tmp_path / "notes.txt").write_text("mine")
    with running(tmp_path) as sandbox:
        old = sandbox.api_key
    reset(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
    with running(tmp_path) as sandbox:
        assert sandbox.api_key != old


def test_reset_of_what_is_no_data_folder(tmp_path: Path) -> None:
    """An absent or empty folder is fine; any other is refused."""
    reset(tmp_path / "absent")
    reset(tmp_path)
    assert not (tmp_path / "absent").exists()
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(SandboxError, match="Nothing was removed"):
        reset(tmp_path)
    with pytest.raises(SandboxError, match="Nothing was removed"):
        reset(tmp_path / "notes.txt")


def test_reset_while_a_sandbox_runs(tmp_path: Path) -> None:
    """It is refused, and the sandbox goes on."""
    with running(tmp_path) as sandbox, opened(sandbox.endpoint, sandbox.api_key) as api:
        with pytest.raises(SandboxError, match=r"running on this data\. Stop it first"):
            reset(tmp_path)
        api.connect()
        assert len(api.connections()) == 1


def test_the_extra_is_needed_to_serve_alone() -> None:
    """Importing and resetting need neither starlette nor uvicorn; starting without them says what to install."""
    code = """
import sys, tempfile
from pathlib import Path
sys.modules["uvicorn"] = None
import reconciler.sandbox
from reconciler.sandbox.server import running
assert not {"starlette", "anyio"} & set(sys.modules)
try:
    with running(Path(tempfile.gettempdir()) / "never-made-by-this-test"):
        pass
except reconciler.sandbox.SandboxError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "the sandbox needs uvicorn. Install it: pip install 'extcal[sandbox]'\n"
