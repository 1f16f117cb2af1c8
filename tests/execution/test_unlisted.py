"""A key that sees only its own connections: what it makes for others is not listed, and is not made again."""

import json
from pathlib import Path

import pytest
from click.testing import Result

from reconciler.execution.settle import Window
from tests.support.referee import APPLE, Row, Step
from tests.support.referee_runs import KIM, LEE, OTHER_SCHEDULE, Refereed, connection, refereed
from tests.support.servers.loopback import Answer, Fields
from tests.support.taught_referee import TaughtReferee

_OWN: Fields = {"listEventFromCalendars": {"enabled": False}}
_OWN_ONLY = (
    "and the service does not list it: the key or app may see only its own connections. Use one that may see all"
)


def _narrow(*own: Row) -> TaughtReferee:
    """A service that lists these alone."""
    referee = TaughtReferee(rows=list(own))
    seen = {row.id for row in own}
    referee.instead[Step.LIST] = lambda effect: _without(effect(), seen)
    return referee


def _without(answer: Answer, seen: set[str]) -> Answer:
    status, body = answer
    rows = body["connections"]
    assert isinstance(rows, list)
    return status, {**body, "connections": [row for row in rows if row["id"] in seen]}


def _kims() -> Row:
    return Row("kims", OTHER_SCHEDULE, APPLE, KIM, "SYNCED", config=dict(_OWN))


def _write(site: Refereed, *, kim: bool) -> None:
    others = [connection("kim", KIM, schedule={"id": OTHER_SCHEDULE}, syncConfig=_OWN)] if kim else []
    site.write(connection(), *others)


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lost connection is looked for a moment, and not for seconds."""
    monkeypatch.setattr(Window.__init__, "__defaults__", (0.12, 0.02))


def _error_of(ran: Result) -> str:
    found = {each["address"]: each for each in json.loads(ran.stdout)["actions"]}
    assert found["harbor/lee"]["status"] == "failed"
    return str(found["harbor/lee"]["error"])


@pytest.mark.parametrize("own", [(), (_kims(),)], ids=["nothing listed", "another listed"])
def test_what_is_not_listed_is_told_and_not_connected_again(own: tuple[Row, ...], tmp_path: Path) -> None:
    """However often it is applied; `resolve --forget` lets it be connected again."""
    with refereed(_narrow(*own), tmp_path) as site:
        _write(site, kim=bool(own))
        assert _OWN_ONLY in _error_of(site.apply("--format", "json"))
        for _ in range(2):
            ran = site.apply()
            assert ran.exit_code == 1
            assert "the key or app may see only its own connections; apply again later, or with a key" in ran.output
            assert "or close it: extcal resolve PATH --forget harbor/lee" in ran.output
        assert site.referee.connected == [LEE]
        shown = site.run(["resolve", str(site.folder)]).output
        assert "the key or app may see only its own connections\n" in shown
        assert "try again later, or with a key or app that sees all\n" in shown
        assert site.run(["resolve", str(site.folder), "--forget", "harbor/lee"]).exit_code == 0
        site.apply()
        assert site.referee.connected == [LEE, LEE]


def test_a_key_that_sees_all_goes_on_from_there(tmp_path: Path) -> None:
    """The connection is found by its id, and is not made again."""
    with refereed(_narrow(_kims()), tmp_path) as site:
        _write(site, kim=True)
        assert site.apply().exit_code == 1
        site.referee.instead.clear()  # type: ignore[attr-defined] # it is a taught one
        ran = site.apply()
        assert ran.exit_code == 0, ran.output
        assert site.referee.connected == [LEE]


def test_what_was_disconnected_since_is_connected_again(tmp_path: Path) -> None:
    """A key that sees all sees that, too."""
    with refereed(_narrow(_kims()), tmp_path) as site:
        _write(site, kim=True)
        assert site.apply().exit_code == 1
        site.referee.instead.clear()  # type: ignore[attr-defined] # it is a taught one
        site.referee.rows[-1].status = "DISCONNECTED"
        ran = site.apply()
        assert ran.exit_code == 0, ran.output
        assert site.referee.connected == [LEE, LEE]


def test_a_saved_plan_likewise(tmp_path: Path) -> None:
    """Its own check afterwards finds what is not listed."""
    with refereed(_narrow(_kims()), tmp_path) as site:
        _write(site, kim=True)
        saved = str(tmp_path / "plan")
        assert site.run(["plan", str(site.folder), "--out", saved]).exit_code == 0
        ran = site.run(["apply", "--plan", saved, "--auto-approve", "--format", "json"])
        assert _OWN_ONLY in _error_of(ran)
        assert site.apply().exit_code == 1
        assert site.referee.connected == [LEE]


def test_what_is_listed_is_done(tmp_path: Path) -> None:
    """Nothing is said of a connection that shows."""
    with refereed(TaughtReferee(rows=[_kims()]), tmp_path) as site:
        _write(site, kim=True)
        ran = site.apply()
        assert ran.exit_code == 0, ran.output
        assert "list" not in ran.output.partition("Applied")[2]
