"""`UNDEFINED` in an enum, and a feature that is missing, mean that something is not said: it is tried, not shown."""

import json
from pathlib import Path

import pytest

from tests.support.referee import APPLE, Row, Step
from tests.support.referee_runs import KIM, LEE, SCHEDULE, Refereed, connection, refereed
from tests.support.servers.loopback import Answer, Fields
from tests.support.taught_referee import TaughtReferee, answering_with, refusing

_UNDEFINED: Fields = {"listEventFromCalendars": "UNDEFINED", "syncToCalendar": "UNDEFINED"}
_SAYING_NOTHING: list[Fields] = [
    {},
    {"features": {}},
    {"features": {"connectMethods": [], **_UNDEFINED}},
    {"calendarType": "UNDEFINED", "features": {"connectMethods": ["UNDEFINED"], **_UNDEFINED}},
]
_BY_ID: Fields = {"id": APPLE}
_IMPORTING: Fields = {"listEventFromCalendars": {"enabled": True, "primaryCalendar": {}}}


def _offering(provider: Fields) -> TaughtReferee:
    """A service with one provider, which says nothing but this of itself."""
    whole: Fields = {"id": APPLE, "name": "Tide", **provider}
    return TaughtReferee(instead={Step.PROVIDERS: answering_with({"providers": [whole]})})


def _row(status: str = "SYNCED") -> Row:
    return Row("c1", SCHEDULE, APPLE, LEE, status, config={**_IMPORTING})


@pytest.mark.parametrize("provider", _SAYING_NOTHING, ids=str)
def test_what_a_provider_does_not_say_it_can_is_tried(provider: Fields, tmp_path: Path) -> None:
    """It is connected by the password that its manifest has, gets its whole sync config, and plans as no change."""
    with refereed(_offering(provider), tmp_path) as site:
        site.write(connection(provider=_BY_ID))
        ran = site.apply()
        assert ran.exit_code == 0, ran.output
        assert set(site.standing().values()) == {LEE}
        assert [set(sent) for _, sent in site.referee.configured] == [{"listEventFromCalendars", "syncToCalendar"}]
        assert site.run(["plan", str(site.folder), "--detailed-exitcode"]).exit_code == 0


@pytest.mark.parametrize("provider", _SAYING_NOTHING, ids=str)
def test_without_a_password_its_owner_is_asked(provider: Fields, tmp_path: Path) -> None:
    """Where nothing is said of how to connect, and no password is there, that leaves consent."""
    with refereed(_offering(provider), tmp_path, {"oauth": {"redirectUrl": "https://harbor.example/done"}}) as site:
        document = connection(provider=_BY_ID)
        spec = document["spec"]
        assert isinstance(spec, dict)
        del spec["credentials"]
        site.write(document)
        ran = site.apply()
        assert ran.exit_code == 3, ran.output
        assert site.referee.links == [(SCHEDULE, APPLE)]


def test_a_service_that_refuses_what_was_tried_decides(tmp_path: Path) -> None:
    """What it answers is the outcome of that action alone."""
    referee = _offering({})
    referee.instead[Step.CONNECT] = refusing(428, "NOT_SUPPORTED_BY_PROVIDER")
    referee.rows = [Row("c2", SCHEDULE, APPLE, KIM)]
    with refereed(referee, tmp_path) as site:
        site.write(connection(provider=_BY_ID), connection("kim", KIM, provider=_BY_ID))
        ran = site.apply("--format", "json")
    assert ran.exit_code == 1
    found = {each["address"]: each["status"] for each in json.loads(ran.stdout)["actions"]}
    assert found == {"harbor/lee": "failed", "harbor/kim": "done"}
    assert "if it takes no password, remove credentials from its manifest: its owner consents instead" in ran.output


def _told(site: Refereed, *commands: str) -> dict[str, str]:
    return {command: site.run([*command.split(), str(site.folder)]).output for command in commands}


def test_no_table_or_report_shows_the_word(tmp_path: Path) -> None:
    """People read `not said`, or nothing; nobody reads `UNDEFINED`."""
    referee = _offering(_SAYING_NOTHING[-1])
    referee.rows = [_row(status="UNDEFINED"), Row("c2", SCHEDULE, APPLE, KIM, "ERROR", "UNDEFINED", {**_IMPORTING})]
    referee.instead[Step.LIST] = lambda effect: _typeless(effect())
    with refereed(referee, tmp_path) as site:
        site.write(connection(provider=_BY_ID), connection("kim", KIM, provider=_BY_ID))
        told = _told(site, "providers", "connections", "calendars", "plan", "status", "status --format json")
        for command, output in told.items():
            assert "undefined" not in output.casefold(), command
            assert "Traceback" not in output, command
        assert told["providers"].count("not said") == 4
        assert "not said" in told["connections"]


def _typeless(answer: Answer) -> Answer:
    status, body = answer
    rows = body["connections"]
    assert isinstance(rows, list)
    typeless: Answer = status, {"connections": [{**row, "calendarType": "UNDEFINED"} for row in rows]}
    return typeless


def test_an_error_without_a_reason_is_one_whose_reason_is_undefined(tmp_path: Path) -> None:
    """Both plan as the same action."""
    plans = []
    for number, reason in enumerate(("UNDEFINED", None)):
        referee = _offering({})
        referee.rows = [Row("c1", SCHEDULE, APPLE, LEE, "ERROR", reason, {**_IMPORTING})]
        folder = tmp_path / str(number)
        folder.mkdir()
        with refereed(referee, folder) as site:
            site.write(connection(provider=_BY_ID))
            plans.append(json.loads(site.run(["plan", str(site.folder), "--format", "json"]).stdout)["actions"])
    assert plans[0] == plans[1]
    assert plans[0][0]["reason"] == "error"


def test_what_is_pulled_from_such_a_provider_plans_as_no_change(tmp_path: Path) -> None:
    """The sync config is written, since nobody says that it is fixed."""
    referee = _offering({})
    referee.rows = [_row()]
    with refereed(referee, tmp_path) as site:
        output = tmp_path / "pulled"
        more = ["--site-id", "7a3f0c1e-5d2b-4f6a-9c8e-1b2d3e4f5a6b", "--output", str(output)]
        assert site.run(["pull", *more]).exit_code == 0
        assert "primaryCalendar" in "".join(path.read_text() for path in output.rglob("*.yaml"))
        assert site.run(["plan", str(output), "--detailed-exitcode"]).exit_code == 0
