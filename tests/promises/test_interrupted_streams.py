"""Interrupted is not broken: a standard stream that is closed, full or has no reader ends nothing half way."""

import pytest

from tests.promises.interruptions import with_gone_reader, with_streams
from tests.support.cli.command import Extcal
from tests.support.cli.worlds import HARBOR, PASSWORD_ENV, connection, harbor, site, world

_SITE = ("--site-id", HARBOR)
_APPLY = ("apply", "manifests", "--auto-approve")
_CLOSED = "error: stdout is closed. To discard the result, redirect it to /dev/null.\n"
_FULL = "error: stdout can't be written: No space left on device\n"


@pytest.fixture
def pending(extcal: Extcal) -> Extcal:
    """The command, with one connect to be done."""
    extcal.env |= PASSWORD_ENV
    extcal.write(site(), connection(0))
    return extcal


@pytest.mark.parametrize(
    "args", [pytest.param(("plan", "manifests", "--format", "html"), marks=pytest.mark.soak), _APPLY]
)
def test_a_closed_stdout_is_told_before_anything_is_done(pending: Extcal, args: tuple[str, ...]) -> None:
    """Where no result can be shown nothing is begun: no request is sent."""
    ran = with_streams(pending, ">&-", *args)
    assert (ran.code, ran.err) == (1, _CLOSED)
    assert list(pending.sandbox.requests) == []


@pytest.mark.parametrize("output", ["text", pytest.param("csv", marks=pytest.mark.soak)])
def test_a_full_stdout_is_told(extcal: Extcal, output: str) -> None:
    """The exit code and one line say that the result is not whole."""
    ran = with_streams(extcal, ">/dev/full", "schedules", *_SITE, "--format", output)
    assert (ran.code, ran.err) == (1, _FULL)


@pytest.mark.parametrize("args", [("--help",), ("validate", "manifests")])
def test_a_full_stdout_is_told_by_what_asks_no_service_too(pending: Extcal, args: tuple[str, ...]) -> None:
    """Help and the offline commands end with 1 and the reason as well."""
    ran = with_streams(pending, ">/dev/full", *args)
    assert ran.code == 1
    assert ran.err.startswith("error: ")
    assert ran.err.endswith("No space left on device\n")
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize("output", ["text", pytest.param("json", marks=pytest.mark.soak)])
def test_a_reader_that_has_gone_is_nothing_to_talk_about(extcal: Extcal, output: str) -> None:
    """`extcal … | head` ends with 1, since not all was written, and says nothing."""
    extcal.on(world(harbor(schedules=300)))
    ran = with_gone_reader(extcal, "stdout", "schedules", *_SITE, "--format", output)
    assert (ran.code, ran.err) == (1, "")


def test_a_reader_that_goes_costs_no_write(pending: Extcal) -> None:
    """What is under way is finished, though nobody reads the report; the exit code says that it is lost."""
    ran = with_gone_reader(pending, "stdout", *_APPLY, "--format", "json")
    assert ran.code == 1
    assert "Traceback" not in ran.err
    assert [request.path.rpartition("/")[2] for request in pending.writes] == ["connections:connectByCredentials"]


@pytest.mark.parametrize("redirection", ["2>&-", "2>/dev/full"])
def test_a_stderr_that_takes_nothing_costs_no_result(pending: Extcal, redirection: str) -> None:
    """Warnings, errors and the log are lost, and nothing else: the result and the exit code are as ever."""
    assert with_streams(pending, redirection, "plan", "nowhere").code == 1
    assert with_streams(pending, redirection, "plan", "--nonsense").code == 64
    applied = with_streams(pending, redirection, *_APPLY, "--verbose")
    assert applied.code == 0
    assert applied.out.endswith("\nApplied: 1 done.\n")


def test_a_reader_of_stderr_that_has_gone_costs_no_result(pending: Extcal) -> None:
    """The same where the other end of stderr was closed."""
    ran = with_gone_reader(pending, "stderr", *_APPLY, "--verbose")
    assert ran.code == 0
    assert ran.out.endswith("\nApplied: 1 done.\n")


def test_a_closed_stdin_is_no_terminal(pending: Extcal) -> None:
    """Nobody can be asked: apply says which option it needs, and everything else goes on."""
    ran = with_streams(pending, "<&-", "apply", "manifests")
    assert ran.code == 64
    assert "--auto-approve" in ran.err
    assert with_streams(pending, "<&-", "plan", "manifests").code == 0
    assert pending.writes == []


def test_no_stream_at_all_is_no_traceback(pending: Extcal) -> None:
    """With all three closed nothing is done, and no file of ours takes their place."""
    assert with_streams(pending, "<&- >&- 2>&-", *_APPLY).code == 1
    assert pending.writes == []
