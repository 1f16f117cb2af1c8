"""Signals: whatever moment they come at, the report is true and the exit code tells which signal it was."""

import signal
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from tests.support.cli.command import Extcal, Ran
from tests.support.cli.schema import valid
from tests.support.cli.worlds import BUSY, PASSWORD_ENV, connection, harbor, site, world
from tests.support.servers.proxy import Held, stand_in
from tests.support.timeouts import TIMEOUT

_MANY = 8
_AT_ONCE = 4
"""How many actions of a site are under way at once, once the first is done."""
_FINISHING = "interrupted: finishing the actions under way. Press Ctrl-C again to abandon them.\n"
_GIVING_UP = "interrupted: abandoning the actions under way. Press Ctrl-C again to end without a report.\n"


@pytest.fixture
def many(extcal: Extcal) -> Extcal:
    """The command, with many connects to be done."""
    extcal.on(world(harbor(schedules=_MANY), accounts=_MANY))
    extcal.write(site(), *(connection(number) for number in range(_MANY)))
    extcal.env |= PASSWORD_ENV
    return extcal


@contextmanager
def holding(extcal: Extcal) -> Iterator[Held]:
    """Let the command meet a service that holds its connects; what it has asked for is done when the block is over."""
    held = Held()
    with stand_in(extcal.sandbox.endpoint, held) as endpoint:
        extcal.env["EXTCAL_ENDPOINT"] = endpoint
        try:
            yield held
        finally:
            held.let_go()


@pytest.mark.parametrize(
    ("number", "output"),
    [
        (signal.SIGINT, "text"),
        (signal.SIGTERM, "json"),
        pytest.param(signal.SIGINT, "json", marks=pytest.mark.soak),
        pytest.param(signal.SIGTERM, "text", marks=pytest.mark.soak),
    ],
)
def test_an_interrupted_apply_finishes_what_is_under_way_and_reports(
    many: Extcal, number: signal.Signals, output: str
) -> None:
    """What was begun is finished, nothing new is begun, the report says which is which; the exit code tells why."""
    with holding(many) as held:
        with many.started("apply", "manifests", "--auto-approve", "--format", output) as process:
            assert process.stderr is not None
            held.until(_AT_ONCE)
            process.send_signal(number)
            assert process.stderr.readline() == _FINISHING
            held.let_go()
            out, err = process.communicate(timeout=TIMEOUT)
        ran = Ran(process.returncode, out, err)
        assert (ran.code, ran.err) == (128 + number, "")
        done = 1 + _AT_ONCE
        assert len(many.writes) == done
        if output == "json":
            document = valid(ran.document)
            assert Counter(action["status"] for action in ran.actions) == {"done": done, "skipped": _MANY - done}
            assert "remaining" not in document
            assert {action["error"] for action in ran.actions} == {None, "interrupted before it began"}
        else:
            assert ran.out.endswith(f"\nInterrupted: {done} done, {_MANY - done} skipped.\n")
        again = many("apply", "manifests", "--auto-approve")
    assert again.out.endswith(f"\nApplied: {_MANY - done} done.\n")


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.soak)])
def test_a_second_signal_gives_up_what_is_under_way(many: Extcal, number: signal.Signals) -> None:
    """Who insists does not wait for answers: what was asked for is said to be unknown, and the next run settles it."""
    with holding(many) as held:
        with many.started("apply", "manifests", "--auto-approve") as process:
            assert process.stderr is not None
            held.until(_AT_ONCE)
            for said in (_FINISHING, _GIVING_UP):
                process.send_signal(number)
                assert process.stderr.readline() == said
            out, err = process.communicate(timeout=TIMEOUT)
        assert (process.returncode, err) == (128 + number, "")
        assert out.count("UNKNOWN         connect harbor/staff-") == _AT_ONCE
        held.let_go()
        again = many("apply", "manifests", "--auto-approve")
    assert again.code == 0
    assert again.err.count("an earlier connect was left open: it has made ") == _AT_ONCE
    assert len([request for request in many.writes if "connectByCredentials" in request.path]) == _MANY


def test_a_third_signal_ends_without_a_report(many: Extcal) -> None:
    """Who can't wait for the report either is told where to go on."""
    with holding(many) as held:
        with many.started("apply", "manifests", "--auto-approve", "--undo-out", "undo.json") as process:
            assert process.stderr is not None
            held.until(_AT_ONCE)
            # What the first connect has made must be looked up for its undo.
            held.reads_too = True
            for said in (_FINISHING, _GIVING_UP):
                process.send_signal(signal.SIGINT)
                assert process.stderr.readline() == said
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=TIMEOUT)
        assert process.returncode == 130
        assert "it first looks up what became of the actions under way" in err
        assert "Interrupted:" not in out


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.soak)])
def test_a_signal_while_planning_ends_it(extcal: Extcal, number: signal.Signals) -> None:
    """Waiting for the service's answer can be interrupted: no report, no traceback, nothing written."""
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        silent.settimeout(TIMEOUT)
        extcal.env["EXTCAL_ENDPOINT"] = f"http://127.0.0.1:{silent.getsockname()[1]}"
        extcal.write(site(), connection(0))
        with extcal.started("apply", "manifests", "--auto-approve") as process:
            accepted, _ = silent.accept()
            with accepted:
                assert accepted.recv(1)
                process.send_signal(number)
                out, err = process.communicate(timeout=TIMEOUT)
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
            released.wait(TIMEOUT)
        return method, path

    with stand_in(extcal.sandbox.endpoint, passing) as endpoint:
        args = ("apply", "manifests", "--auto-approve", "--endpoint", endpoint)
        with extcal.started(*args) as process:
            assert looking.wait(TIMEOUT)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=TIMEOUT)
        released.set()
    assert process.returncode == 130
    assert err == _FINISHING
    assert out.endswith("\ndone            update harbor/staff-0\n\nInterrupted: 1 done.\n")
