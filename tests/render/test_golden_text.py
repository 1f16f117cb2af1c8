"""The texts that people read, compared with files letter by letter."""

from pathlib import Path

import pytest

from reconciler.model.plan import Plan, SitePlan
from reconciler.model.result import Result
from reconciler.render.plan_text import plan_text
from reconciler.render.result_text import result_text
from tests.render import values

_GOLDEN = Path(__file__).parent / "golden_text"


def golden(name: str) -> str:
    """The expected text."""
    return (_GOLDEN / f"{name}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "plan"),
    [
        ("everything", values.EVERYTHING),
        ("in-sync", values.IN_SYNC),
        ("empty", values.EMPTY),
        ("troubled", values.TROUBLED),
    ],
)
def test_a_plan_reads_as_expected(name: str, plan: Plan) -> None:
    """Losses first, then each site by schedule, only changed fields, troubles, and the summary last."""
    assert plan_text(plan) + "\n" == golden(f"plan-{name}")


@pytest.mark.parametrize(
    ("name", "result"),
    [
        ("everything", values.ENDED),
        ("interrupted", Result(values.EVERYTHING, values.ENDED.outcomes[:1], interrupted=True)),
        ("unsettled", values.ENDED.with_remaining(Plan((SitePlan(values.SITE, (values.DISCONNECT, values.UPDATE)),)))),
        ("nothing", Result(values.IN_SYNC, ())),
    ],
)
def test_a_result_reads_as_expected(name: str, result: Result) -> None:
    """Every outcome with its error, the links, what still differs, and the summary last."""
    assert result_text(result) + "\n" == golden(f"result-{name}")
