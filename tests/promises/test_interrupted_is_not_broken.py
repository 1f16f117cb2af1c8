"""Interrupted is not broken: Ctrl-C and SIGTERM end any command with 130 or 143, and nothing half done stays behind.

What an interrupted apply finishes, gives up and reports is in tests/cli/test_interrupted.py.
"""

import signal

import pytest

from reconciler.cli.signals import INTERRUPTED, TERMINATED
from tests.promises.interruptions import files, interrupted, waiting
from tests.support.cli.command import Extcal
from tests.support.cli.worlds import HARBOR, PASSWORD_ENV, connection, site
from tests.support.timeouts import until

_CODE = {signal.SIGINT: INTERRUPTED, signal.SIGTERM: TERMINATED}
_WAITING = (
    ("providers", "manifests"),
    ("schedules", "--site-id", HARBOR),
    ("connections", "manifests", "--format", "json"),
    ("calendars", "manifests", "--format", "csv"),
    ("events", "manifests"),
    ("status", "manifests", "--format", "html"),
    ("plan", "manifests", "--out", "plan.json"),
    ("apply", "manifests", "--auto-approve", "--undo-out", "undo.json", "--consent-file", "links.jsonl"),
    ("pull", "manifests", "--output", "pulled"),
    ("pin", "manifests"),
)


@pytest.fixture
def declared(extcal: Extcal) -> Extcal:
    """The command, with manifests and the password that they need."""
    extcal.env |= PASSWORD_ENV
    extcal.write(site(), connection(0), connection(1, provider="google"))
    return extcal


# All commands end by the same handler: each meets one signal or the other; in a soak, both.
@pytest.mark.parametrize(
    ("number", "commands"),
    [
        (signal.SIGINT, _WAITING[::2]),
        (signal.SIGTERM, _WAITING[1::2]),
        pytest.param(signal.SIGINT, _WAITING, marks=pytest.mark.soak),
        pytest.param(signal.SIGTERM, _WAITING, marks=pytest.mark.soak),
    ],
)
def test_a_signal_ends_whatever_waits(
    declared: Extcal, number: signal.Signals, commands: tuple[tuple[str, ...], ...]
) -> None:
    """130 or 143, no traceback, no half result, and the folder as it was."""
    before = files(declared.folder)
    with waiting(declared, *commands) as processes:
        for args, process in zip(commands, processes, strict=True):
            ran = interrupted(process, number)
            assert (args, ran.code, ran.out, ran.err.strip()) == (args, _CODE[number], "", "")
    assert files(declared.folder) == before


_ROWS = ([signal.SIGINT] * 2, [signal.SIGTERM] * 3, [*_CODE], [*reversed(_CODE)])


@pytest.mark.parametrize(
    ("signals", "commands"),
    [
        (_ROWS[0], _WAITING[-2:-1]),
        (_ROWS[3], _WAITING[-3:-2]),
        *(pytest.param(signals, _WAITING[-3:], marks=pytest.mark.soak) for signals in _ROWS),
    ],
)
def test_signals_in_a_row_end_it_as_well(
    declared: Extcal, signals: list[signal.Signals], commands: tuple[tuple[str, ...], ...]
) -> None:
    """Those who insist get no traceback either, and no process that hangs.

    A signal that finds Python itself at its end is none of ours: a shell calls that 130 or 143 too.
    """
    before = files(declared.folder)
    with waiting(declared, *commands) as processes:
        for process in processes:
            ran = interrupted(process, *signals)
            assert ran.code in {code for number in signals for code in (_CODE[number], -number)}
            assert (ran.out, ran.err.strip()) == ("", "")
    assert files(declared.folder) == before


@pytest.mark.parametrize("number", [pytest.param(signal.SIGINT, marks=pytest.mark.soak), signal.SIGTERM])
def test_an_embedded_sandbox_that_is_interrupted_opens_again(bare: Extcal, number: signal.Signals) -> None:
    """However far its start had come, the next command finds its data whole."""
    with bare.started("providers", "--sandbox", "data") as process:
        until(lambda: (bare.folder / "data").exists() or process.poll() is not None)
        ran = interrupted(process, number)
    assert ran.code in {0, _CODE[number]}
    assert "Traceback" not in ran.err
    again = bare("providers", "--sandbox", "data", "--format", "json")
    assert (again.code, again.err) == (0, "")
    assert again.rows
