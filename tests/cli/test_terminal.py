"""apply at a terminal: the question, its answers, Ctrl-C and colours."""

import re

import pytest

from tests.support.cli.command import Extcal
from tests.support.cli.terminal import terminal
from tests.support.cli.worlds import PASSWORD_ENV, connection, harbor, site, world

_QUESTION = "Carry out 1 action? [y/N]: "


@pytest.fixture
def pending(extcal: Extcal) -> Extcal:
    """The command, with one connect to be done."""
    extcal.env |= PASSWORD_ENV
    extcal.write(site(), connection(0))
    return extcal


def test_yes_carries_the_plan_out(pending: Extcal) -> None:
    """The plan is shown, in colours, before the question, and `y` carries it out."""
    with terminal(pending, "apply", "manifests") as at:
        at.expect(_QUESTION)
        assert "Plan: 1 to connect; 0 as declared, 0 unmanaged." in at.seen
        assert "\x1b[32m+ connect\x1b[0m" in at.seen
        assert pending.writes == []
        at.type("y\n")
        assert at.ended() == 0
    assert at.seen.endswith("Applied: 1 done.\n")
    assert len(pending.writes) == 1


@pytest.mark.parametrize("answer", ["n\n", pytest.param("\n", marks=pytest.mark.soak)])
def test_no_changes_nothing(pending: Extcal, answer: str) -> None:
    """No, which is also what Enter means, writes nothing, says so, and ends with 1: what was planned was not done."""
    with terminal(pending, "apply", "manifests") as at:
        at.expect(_QUESTION)
        at.type(answer)
        assert at.ended() == 1
    assert at.seen.endswith("Nothing was changed.\n")
    assert pending.writes == []


@pytest.mark.parametrize("key", ["\x03", "\x04"])
def test_ctrl_c_and_ctrl_d_at_the_question_change_nothing(pending: Extcal, key: str) -> None:
    """One Ctrl-C, or the end of input, ends the command with 130 and no traceback."""
    with terminal(pending, "apply", "manifests") as at:
        at.answer(_QUESTION, key)
        assert at.ended() == 130
    assert at.seen.endswith("\nNothing was changed.\n")
    assert "Traceback" not in at.seen
    assert pending.writes == []


def test_json_shows_the_plan_before_it_asks(pending: Extcal) -> None:
    """Nobody is asked about a plan that they have not seen, even where stdout is kept for the document."""
    with terminal(pending, "apply", "manifests", "--format", "json") as at:
        at.expect(_QUESTION)
        assert "+ connect staff-0" in at.seen
        at.type("y\n")
        assert at.ended() == 0
    assert at.seen.rstrip().endswith("}")


def test_the_question_counts_what_is_lost(pending: Extcal) -> None:
    """The question says how many connections would go, and counts only what can be carried out; Enter means no."""
    pending.on(world(harbor(0, 1)))
    pending.write(site(), connection(0, more="state: absent"), connection(1), connection(2))
    with terminal(pending, "apply", "manifests") as at:
        at.expect("Carry out 2 actions? 1 of them disconnect a calendar account. [y/N]: ")
        at.type("\n")
        assert at.ended() == 1
    assert at.seen.endswith("Nothing was changed.\n")
    assert pending.writes == []


def test_a_terminal_gets_colours_unless_no_color_is_set(pending: Extcal) -> None:
    """Results are coloured on a terminal; NO_COLOR, and an empty one is none, takes it away, and nothing else."""
    for value, coloured in (("", True), ("1", False)):
        with terminal(pending, "plan", "manifests", env={"NO_COLOR": value}) as at:
            assert at.ended() == 0
        assert ("\x1b[32m+ connect\x1b[0m" in at.seen) is coloured
        assert (re.search(r"\x1b\[[0-9;]*m", at.seen) is not None) is coloured
        assert at.seen.rpartition("\r\x1b[K")[2].lstrip("\x1b[1m").startswith("harbor")


@pytest.mark.parametrize(
    ("env", "mark"),
    [
        ({}, "\x1b[31m\x1b[1merror:\x1b[0m the path"),
        pytest.param({"NO_COLOR": "1"}, "error: the path", marks=pytest.mark.soak),
    ],
)
def test_errors_are_coloured_on_a_terminal_only_where_wanted(pending: Extcal, env: dict[str, str], mark: str) -> None:
    """The word `error:` is red on a terminal, and plain with NO_COLOR."""
    with terminal(pending, "plan", "nowhere", env=env) as at:
        assert at.ended() == 1
    assert at.seen.startswith(mark)
