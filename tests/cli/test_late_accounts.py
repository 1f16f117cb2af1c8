"""Accounts that the service shows only when a connection was made and used: nothing that works is taken away for it."""

from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.api.retry import Backoff
from reconciler.execution.settle import Window
from tests.support.referee import APPLE, Fault, Reading, Referee, Row, Step, Wrong
from tests.support.referee_runs import KIM, LEE, SCHEDULE, connection, refereed

_ALIAS = "lee@icloud.example"
_OLD = Row("old", SCHEDULE, APPLE, KIM)


@pytest.fixture(autouse=True)
def soon_out_of_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look for accounts and lost answers for a moment: the referee's time is requests."""
    monkeypatch.setattr(Window.__init__, "__defaults__", (0.12, 0.02))
    monkeypatch.setattr(Backoff.__init__, "__defaults__", (4, 0.001, 0.002, 60.0, 60.0))


@pytest.mark.parametrize("shown_after", range(3, 8))
def test_what_took_the_place_of_another_stays(tmp_path: Path, shown_after: int) -> None:
    """An alias that shows when the former account is given up already: one of the two stands, in each run."""
    reading = Reading("an alias", spelt={LEE: _ALIAS}, shown_after=shown_after)
    with refereed(Referee(reading, [replace(_OLD)]), tmp_path, {"prune": True}) as stage:
        stage.write(connection())
        for _ in range(3):
            stage.apply()
            assert len(stage.standing()) == 1
        assert f"declare account: {_ALIAS}" in stage.apply().stdout


@pytest.mark.parametrize("shown_after", range(5, 12))
def test_what_somebody_else_has_made_stays(tmp_path: Path, shown_after: int) -> None:
    """A connect is lost, and a colleague's connection appears, whose account shows late: it is not disconnected."""
    lost = Fault(Step.CONNECT, Wrong.LOST_BEFORE)
    with refereed(Referee(Reading("late", shown_after=shown_after), faults=(lost,)), tmp_path) as stage:
        colleague = Row("kim", SCHEDULE, APPLE, KIM, made=True)
        stage.referee.meanwhile = lambda: stage.referee.rows.append(colleague)
        stage.write(connection())
        stage.apply()
        assert "kim" in stage.standing()


def test_what_shows_no_account_stays_whichever_is_kept(tmp_path: Path) -> None:
    """A connect was left open, and made two: a person keeps one, and what may be a colleague's is not disconnected."""
    lost = (Fault(Step.CONNECT, Wrong.LOST_AFTER), Fault(Step.LIST, Wrong.ERROR_BEFORE, times=90))
    with refereed(Referee(Reading("plain"), faults=lost[:1]), tmp_path) as stage:
        referee = stage.referee

        def meanwhile() -> None:
            referee.rows += [Row("twin", SCHEDULE, APPLE, LEE), Row("unshown", SCHEDULE, APPLE, "")]
            referee.faults = lost

        referee.meanwhile = meanwhile
        stage.write(connection())
        assert stage.apply().exit_code == 1
        referee.faults = ()
        again = ["resolve", str(stage.folder)]
        assert "to keep the first and disconnect those that show its account" in stage.run(again).stdout
        assert stage.run([*again, "--keep", "harbor/lee=twin", "--auto-approve"]).exit_code == 0
        assert stage.standing().keys() == {"twin", "unshown"}


@pytest.mark.parametrize("shown_after", [2, 6, 9, None])
def test_a_saved_plan_knows_what_it_has_made(tmp_path: Path, shown_after: int | None) -> None:
    """A replace is done, and its connection shows no account yet: nothing is said to differ."""
    with refereed(
        Referee(Reading("late", shown_after=shown_after), [replace(_OLD)]), tmp_path, {"prune": True}
    ) as stage:
        stage.write(connection())
        plan = str(tmp_path / "plan.json")
        stage.run(["plan", str(stage.folder), "--out", plan])
        ended = stage.run(["apply", "--plan", plan, "--auto-approve"])
        assert ended.exit_code == 0, ended.output


@pytest.mark.parametrize("times", [1, 4])
def test_an_alias_of_a_lost_answer_is_not_connected_once_more_where_prune_would_replace_it(
    tmp_path: Path, times: int
) -> None:
    """What appeared is no declared connection for being what a replace would give up: the connect stays open."""
    lost = Fault(Step.CONNECT, Wrong.LOST_AFTER, times=times)
    referee = Referee(Reading("an alias", spelt={LEE: _ALIAS}), faults=(lost,))
    with refereed(referee, tmp_path, {"prune": True, "guards": {"maxDisconnects": "100%"}}) as stage:
        stage.write(connection())
        assert stage.apply().exit_code == 1
        (made,) = stage.standing()
        for _ in range(2):
            stage.referee.connected.clear()
            assert f"declare account: {_ALIAS}" in stage.apply().output
            assert (stage.referee.connected, list(stage.standing())) == ([], [made])
