"""`extcal watch` as its users run it: a process with signals, lines and a port."""

import json
import re
import signal
import socket
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from reconciler.sandbox.server import RunningSandbox, running
from reconciler.sandbox.store import DATABASE
from tests.support.cli.command import Extcal
from tests.support.cli.watcher import watching
from tests.support.cli.worlds import (
    BUSY,
    EXPORTING,
    KEY,
    PASSWORD,
    PASSWORD_ENV,
    connection,
    email,
    harbor,
    site,
    world,
)
from tests.support.tools import needs_git
from tests.watching.repositories import git

_MANY = 12
# At two requests a round and 190 a minute, three minutes.
_LONG = 280


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sandbox's data folder."""
    return tmp_path_factory.mktemp("sandbox")


@pytest.fixture(scope="module")
def sandbox(data: Path) -> Iterator[RunningSandbox]:
    """A sandbox whose database a test can get at."""
    with running(data, world=world(), api_key=KEY) as served:
        yield served


def test_a_watch_tells_counts_and_stops(extcal: Extcal) -> None:
    """Drift is a line and a metric; a round may be asked for; SIGTERM ends it with 0, and stdout stays empty."""
    extcal.on(world(harbor(0)))
    extcal.write(site(), connection(0, more=BUSY))
    with watching(extcal, "--verbose") as watcher:
        watcher.ready()
        watcher.until("round good: 1 sites, 2 requests, 0 actions pending")
        assert watcher.get("/healthz").text == "alive\n"
        assert watcher.get("/readyz").status_code == 200
        assert watcher.sample("extcal_connections", site="harbor", status="ok") == 1
        extcal.write(site(), connection(0, more=EXPORTING))
        watcher.hurry()
        line = watcher.until("drifted")
        assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ harbor/staff-0: drifted: sync config differs", line)
        watcher.until("1 actions pending")
        assert watcher.sample("extcal_drift_actions", site="harbor") == 1
        assert watcher.sample("extcal_rounds_total", result="good") == 2
        metrics = watcher.get("/metrics").text
        assert email(0) not in metrics
        assert KEY not in metrics
        assert watcher.end() == 0
        assert watcher.lines[-1] == "stopping"
        assert watcher.process.stdout is not None
        assert watcher.process.stdout.read() == ""
    assert extcal.writes == []


def test_a_watch_serves_and_tells_no_secret(extcal: Extcal) -> None:
    """Neither figures nor lines hold one, whoever has put it there: here it is what a site is called."""
    extcal.on(world(harbor(0)))
    extcal.write(site(KEY), connection(0, of=KEY, more=EXPORTING))
    with watching(extcal, "--verbose") as watcher:
        watcher.ready()
        assert "[secret]/staff-0" in watcher.until("drifted")
        # What is told comes before the figures of its round.
        deadline = time.monotonic() + 120
        while 'site="[secret]"' not in (metrics := watcher.get("/metrics").text):
            assert KEY not in metrics
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert KEY not in metrics
        assert watcher.end() == 0
    assert KEY not in "\n".join(watcher.lines)


def test_a_watch_applies_and_keeps_quiet_about_what_is_well(extcal: Extcal) -> None:
    """With --quiet nothing is told of what goes well; what goes wrong is, without its secrets."""
    extcal.on(world(harbor()))
    extcal.write(site(), connection(0, more=BUSY))
    extcal.env |= PASSWORD_ENV
    with watching(extcal, "--quiet", "--apply", "--auto-approve") as watcher:
        deadline = time.monotonic() + 120
        while not any(request.method == "PATCH" for request in extcal.writes):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        extcal.write(site(), connection(0, more="syncPolicy: nowhere"))
        watcher.hurry()
        assert "nowhere" in watcher.until("syncPolicy")
        assert watcher.end(signal.SIGINT) == 0
    assert len(watcher.lines) == 1
    assert PASSWORD not in str(watcher.lines)
    done = json.loads(extcal("history", "--format", "json").out)
    assert [(entry["action"], entry["status"]) for entry in done] == [("connect", "done")]


@needs_git
def test_a_watch_records_each_round_with_its_commit(extcal: Extcal) -> None:
    """The lines are those of the history; what is committed between two rounds is what the second one is of."""
    extcal.on(world(harbor()))
    extcal.env |= PASSWORD_ENV | {"EXTCAL_STATE_DIR": str(extcal.folder / "state")}
    extcal.write(site(), connection(0, more=BUSY))
    git(extcal.folder, "init", "--quiet")
    commits = [_committed(extcal.folder)]
    record = extcal.folder / "record.jsonl"
    with watching(extcal, "--apply", "--auto-approve", "--record", str(record)) as watcher:
        watcher.until("done connect harbor/staff-0")
        extcal.write(site(), connection(0, more=BUSY), connection(1, more=BUSY))
        commits.append(_committed(extcal.folder))
        watcher.hurry()
        watcher.until("done connect harbor/staff-1")
        assert watcher.end() == 0
    lines = [json.loads(line) for line in record.read_text().splitlines()]
    assert [(line["action"], line["address"], line["commit"]) for line in lines] == [
        ("connect", f"harbor/staff-{number}", commit) for number, commit in enumerate(commits)
    ]
    shown = json.loads(extcal("history", "--format", "json").out)
    assert [entry["id"] for entry in shown] == [line["id"] for line in lines]
    assert PASSWORD not in record.read_text()


def _committed(folder: Path) -> str:
    """Commit the manifests as they are; the commit."""
    git(folder, "add", "manifests")
    git(folder, "commit", "--quiet", "--message", "manifests")
    return git(folder, "rev-parse", "HEAD")


@pytest.mark.parametrize("insist", [False, True])
def test_a_watch_that_is_told_to_stop_finishes_what_it_writes(extcal: Extcal, data: Path, *, insist: bool) -> None:
    """What was begun is finished, nothing new is begun, the exit code is 0; who insists gets that of the signal."""
    extcal.on(world(harbor(schedules=_MANY), accounts=_MANY))
    extcal.write(site(), *(connection(number) for number in range(_MANY)))
    extcal.env |= PASSWORD_ENV
    with watching(extcal, "--apply", "--auto-approve") as watcher:
        watcher.until("done connect")
        with closing(sqlite3.connect(data / DATABASE, isolation_level=None, timeout=120)) as database:
            database.execute("BEGIN IMMEDIATE")
            watcher.process.send_signal(signal.SIGTERM)
            watcher.until("stopping: finishing the actions under way. Press Ctrl-C again to abandon them.")
            if insist:
                watcher.process.send_signal(signal.SIGTERM)
                watcher.until("abandoning the actions under way")
            database.execute("ROLLBACK")
        assert watcher.ended() == (143 if insist else 0)
    assert 0 < len(extcal.writes) < _MANY
    again = extcal("apply", "manifests", "--auto-approve")
    assert again.code == 0
    assert extcal("plan", "manifests", "--detailed-exitcode").code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--apply"], "Confirm that with --auto-approve"),
        (["--auto-approve"], "Add --apply"),
        (["--interval", "5"], "Write 30s, 5m or 2h"),
        (["--interval", "0s"], "not an interval from 1s to 24h"),
        (["--interval", "25h"], "not an interval from 1s to 24h"),
        (["--listen", "9464"], "is not HOST:PORT"),
        (["--listen", "127.0.0.1:70000"], "is not HOST:PORT"),
        (["--listen", "127.0.0.1:0", "--site", "habor"], "did you mean harbor?"),
        (["--allow", "max-disconnects"], "the address is missing"),
        (["--listen", "127.0.0.1:0", "--allow", "max-disconnects:habor"], "did you mean harbor?"),
    ],
)
def test_wrong_usage_is_told_at_once(bare: Extcal, words: list[str], said: str) -> None:
    """Whoever says something wrong is told what is right, and nothing is asked of the service."""
    bare.write(site())
    ran = bare("watch", "manifests", "--endpoint", bare.sandbox.endpoint, *words)
    assert ran.code == 64
    assert said in ran.err
    assert len(bare.sandbox.requests) == 0


@pytest.mark.soak
def test_a_watch_does_not_swell(extcal: Extcal) -> None:
    """After hundreds of rounds, of which half find something new, the process is as large as after a few."""
    extcal.on(world(harbor(0)))
    wanted = [(site(), connection(0, more=more)) for more in (BUSY, EXPORTING)]
    extcal.write(*wanted[0])
    sizes: list[float] = []
    with watching(extcal, "--verbose") as watcher:
        watcher.ready()
        for number in range(_LONG):
            watcher.until("round good", patience=120)
            if number in {_LONG // 4, _LONG - 1}:
                sizes.append(watcher.sample("process_resident_memory_bytes") or 0)
            extcal.write(*wanted[number % 2])
            watcher.hurry()
        assert watcher.end() == 0
    assert 0 < sizes[1] < sizes[0] + 4 * 1024 * 1024, sizes


def test_an_address_that_is_taken_is_told(extcal: Extcal) -> None:
    """Two watches can't listen at one place: the second says so, and what to do."""
    extcal.write(site())
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ran = extcal("watch", "manifests", "--listen", f"127.0.0.1:{port}")
    assert ran.code == 1
    assert f"can't listen on 127.0.0.1:{port}" in ran.err
    assert "choose another address: --listen HOST:PORT" in ran.err


def test_a_missing_extra_is_named(extcal: Extcal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra the error says how to install it, and other commands do not need it."""
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    monkeypatch.delitem(sys.modules, "reconciler.watching.metrics", raising=False)
    extcal.write(site())
    ran = extcal("watch", "manifests")
    assert ran.code == 1
    assert ran.err == "error: watch needs prometheus_client. Install it: pip install 'extcal[watch]'\n"
    assert extcal("plan", "manifests").code == 0
