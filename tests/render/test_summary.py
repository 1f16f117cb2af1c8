"""The last line of what apply tells: what was done now is told from what had been done before."""

from dataclasses import replace

import pytest

from reconciler.model.result import Outcome, OutcomeStatus, Result
from reconciler.render.result_text import summary_line
from tests.render.values import EVERYTHING, UPDATE

DONE = Outcome(UPDATE, OutcomeStatus.DONE)
BEFORE = replace(DONE, already=True)
SKIPPED = Outcome(UPDATE, OutcomeStatus.SKIPPED)
FAILED = Outcome(UPDATE, OutcomeStatus.FAILED)


@pytest.mark.parametrize(
    ("outcomes", "told"),
    [
        ([], "Nothing was done."),
        ([BEFORE, BEFORE], "Nothing was done: this plan was applied before."),
        ([BEFORE, SKIPPED, BEFORE], "Nothing was done: 2 done before, 1 skipped."),
        ([SKIPPED], "Nothing was done: 1 skipped."),
        ([SKIPPED, BEFORE, DONE], "Applied: 1 done, 1 done before, 1 skipped."),
        ([FAILED, BEFORE], "Applied: 1 done before, 1 FAILED."),
    ],
)
def test_what_was_done_before_is_not_counted_as_done(outcomes: list[Outcome], told: str) -> None:
    """Done is what this run has done."""
    assert summary_line(Result(EVERYTHING, tuple(outcomes))) == told


def test_an_interrupted_run_says_so_first() -> None:
    """Whatever it did, that it was interrupted comes first."""
    assert summary_line(Result(EVERYTHING, (BEFORE, SKIPPED), interrupted=True)) == (
        "Interrupted: 1 done before, 1 skipped."
    )
