"""Signals: whatever moment they come at, the report is true and the exit code tells which signal it was."""

import signal
import socket
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from reconciler.sandbox.faults import Delay, Fault, Faults, Operation
from reconciler.sandbox.server import RunningSandbox, running
from reconciler.sandbox.store import DATABASE
from tests.cli.command import Extcal, Ran
from tests.cli.stand_in import stand_in
from tests.cli.test_plan import valid
from tests.cli.worlds import BUSY, KEY, PASSWORD_ENV, connection, harbor, site, world

_MANY = 30
_FINISHING = "interrupted: finishing what is under way; once more to give it up\n"
_GIVING_UP = "giving up what is under way; once more to end without a report\n"


@pytest.fixture
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sandbox's data folder."""
    return tmp_path_factory.mktemp("sandbox")


@pytest.fixture
def sandbox(data: Path) -> Iterator[RunningSandbox]:
    """A sandbox for one test, whose database it can get at: what a killed process asked for may be answered late."""
    with running(data, world=world(), api_key=KEY) as served:
        yield served


@pytest.fixture
def many(extcal: Extcal) -> Extcal:
    """The command, with many connects to be done."""
    extcal.on(world(harbor(schedules=_MANY), accounts=_MANY))
    extcal.write(site(), *(connection(number) for number in range(_MANY)))
    extcal.env |= PASSWORD_ENV
    return extcal


@contextmanager
def writes_held(data: Path) -> Iterator[None]:
    """Let the sandbox's writes wait, as another writer's transaction does, until the block ends."""
    with closing(sqlite3.connect(data / DATABASE, isolation_level=None, timeout=20)) as database:
        database.execute("BEGIN IMMEDIATE")
        yield
        database.execute("ROLLBACK")


def until(condition: Callable[[], object]) -> None:
    """Wait until `condition` holds."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("output", ["text", "json"])
def test_an_interrupted_apply_finishes_what_is_under_way_and_reports(
    many: Extcal, data: Path, number: signal.Signals, output: str
) -> None:
    """What was begun is finished, nothing new is begun, the report says which is which; the exit code tells why."""
    with many.started("apply", "manifests", "--auto-approve", "--format", output) as process:
        assert process.stderr is not None
        until(lambda: many.writes)
        with writes_held(data):
            process.send_signal(number)
            assert process.stderr.readline() == _FINISHING
        out, err = process.communicate(timeout=30)
    ran = Ran(process.returncode, out, err)
    assert (ran.code, ran.err) == (128 + number, "")
    done = len(many.writes)
    assert 0 < done < _MANY
    if output == "json":
        document = valid(ran.document)
        assert Counter(action["status"] for action in ran.actions) == {"done": done, "skipped": _MANY - done}
        assert "remaining" not in document
        assert {action["error"] for action in ran.actions} == {None, "interrupted before it began"}
    else:
        assert ran.out.endswith(f"\nInterrupted: {done} done, {_MANY - done} skipped.\n")
    again = many("apply", "manifests", "--auto-approve")
    assert again.out.endswith(f"\nApplied: {_MANY - done} done.\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_gives_up_what_is_under_way(many: Extcal, number: signal.Signals) -> None:
    """Who insists does not wait for answers: what was asked for is said to be unknown, and the next run settles it."""
    many.sandbox.inject(Faults((Fault(Delay(3), on={Operation.CONNECT_BY_CREDENTIALS}),)))
    with many.started("apply", "manifests", "--auto-approve") as process:
        assert process.stderr is not None
        until(lambda: any("scheduleIds" in request.query for request in many.sandbox.requests))
        time.sleep(0.5)
        process.send_signal(number)
        process.stderr.readline()
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    many.sandbox.inject(None)
    assert process.returncode == 128 + number
    assert err == _GIVING_UP
    assert "UNKNOWN" in out
    again = many("apply", "manifests", "--auto-approve")
    assert again.code == 0
    assert "an earlier connect was left open; it has made " in again.err
    assert len([request for request in many.writes if "connectByCredentials" in request.path]) == _MANY


def test_a_third_signal_ends_without_a_report(many: Extcal) -> None:
    """Who can't wait for the report either is told where to go on."""
    with many.started("apply", "manifests", "--auto-approve", "--undo-out", "undo.json") as process:
        assert process.stderr is not None
        # The first connect goes alone: a second one means that it is done, and so that its undo must be looked up.
        until(lambda: len(many.writes) > 1)
        many.sandbox.inject(Faults((Fault(Delay(5), on={Operation.LIST_CONNECTIONS}),)))
        for said in (_FINISHING, _GIVING_UP):
            process.send_signal(signal.SIGINT)
            assert process.stderr.readline() == said
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "what became of what was under way is looked for first" in err
    assert "Interrupted:" not in out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_planning_ends_it(extcal: Extcal, number: signal.Signals) -> None:
    """Waiting for the service's answer can be interrupted: no report, no traceback, nothing written."""
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        silent.settimeout(30)
        extcal.env["EXTCAL_ENDPOINT"] = f"http://127.0.0.1:{silent.getsockname()[1]}"
        extcal.write(site(), connection(0))
        with extcal.started("apply", "manifests", "--auto-approve") as process:
            accepted, _ = silent.accept()
            with accepted:
                assert accepted.recv(1)
                process.send_signal(number)
                out, err = process.communicate(timeout=30)
    assert process.returncode == 128 + number
    assert (out, err.strip()) == ("", "")


def test_a_signal_while_looking_again_does_not_cost_the_report(extcal: Extcal) -> None:
    """What was done is told even where the check after applying is cut short; the exit code is 130."""
    extcal.on(world(harbor(0)))
    extcal.write(site(), connection(0, more=BUSY.replace("true", "false")))
    written, looking, released = threading.Event(), threading.Event(), threading.Event()

    def passing(method: str, path: str) -> tuple[str, str]:
        if method == "PATCH":
            written.set()
        elif written.is_set():
            looking.set()
            released.wait(30)
        return method, path

    with stand_in(extcal.sandbox.endpoint, passing) as endpoint:
        args = ("apply", "manifests", "--auto-approve", "--endpoint", endpoint)
        with extcal.started(*args) as process:
            assert looking.wait(30)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=30)
        released.set()
    assert process.returncode == 130
    assert err == _FINISHING
    assert out.endswith("\ndone            update harbor/staff-0\n\nInterrupted: 1 done.\n")
