"""What is all that works on a schedule is not taken away for something that does not."""

from dataclasses import replace
from pathlib import Path

from tests.support.referee import APPLE, Reading, Referee, Row
from tests.support.referee_runs import KIM, LEE, SCHEDULE, connection, refereed

_LEE, _KIM = Row("lee", SCHEDULE, APPLE, LEE), Row("kim", SCHEDULE, APPLE, KIM)
_PRUNING = {"prune": True, "guards": {"maxDisconnects": "100%"}}


def test_what_is_pruned_beside_a_connect_that_fails_stays(tmp_path: Path) -> None:
    """Two give way to a declared one: while its password is refused both stay; once it is connected they go."""
    desk = replace(_KIM, id="desk", owner="desk@me.example")
    with refereed(Referee(Reading("plain"), [replace(_KIM), desk]), tmp_path, _PRUNING) as stage:
        stage.write(connection())
        ended = stage.apply(password="another-password")
        assert ended.exit_code == 1
        assert "harbor/lee, which must go first, is failed" in ended.stdout
        assert stage.standing().keys() == {"kim", "desk"}
        assert stage.apply().exit_code == 0
        assert list(stage.standing().values()) == [LEE]


def test_a_broken_duplicate_stays_where_its_twin_is_gone(tmp_path: Path) -> None:
    """A saved plan gives it up for a working one, which somebody has disconnected since."""
    broken = replace(_LEE, id="broken", status="ERROR", reason="TOKEN_REVOKED")
    plan = str(tmp_path / "plan.json")
    with refereed(Referee(Reading("plain"), [replace(_LEE), broken]), tmp_path) as stage:
        stage.write(connection(syncConfig={}))
        stage.run(["plan", str(stage.folder), "--out", plan])
        stage.referee.rows[0].status = "DISCONNECTED"
        ended = stage.run(["apply", "--plan", plan, "--auto-approve"])
        assert ended.exit_code == 1
        assert "has changed since it was planned" in ended.stdout
        assert stage.standing().keys() == {"broken"}
