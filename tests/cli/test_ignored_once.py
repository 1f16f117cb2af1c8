"""What `ignoreChanges` names is set once, when a connection is made, and never again."""

from dataclasses import replace
from pathlib import Path

from tests.support.json_fields import Fields
from tests.support.referee import APPLE, Fault, Reading, Referee, Row, Step, Wrong
from tests.support.referee_runs import EXPORTING, LEE, SCHEDULE, connection, refereed

_IMPORT: Fields = {"enabled": True, "calendars": {"calendars": [{"id": "w1", "name": "Work"}]}}
_BY_HAND = Row(
    "old", SCHEDULE, APPLE, LEE, config={"listEventFromCalendars": _IMPORT, "syncToCalendar": {"enabled": False}}
)
_IGNORING = connection(lifecycle={"ignoreChanges": ["syncConfig.syncToCalendar"]})
_REFUSED = "another-password"


def test_a_reconnect_leaves_it_alone_after_one_that_was_refused(tmp_path: Path) -> None:
    """The owner has switched the export off: connecting it again, at the second try, does not switch it on."""
    broken = replace(_BY_HAND, status="ERROR", reason="TOKEN_REVOKED")
    with refereed(Referee(Reading("plain"), [broken]), tmp_path) as stage:
        stage.write(_IGNORING)
        assert stage.apply(password=_REFUSED).exit_code == 1
        assert stage.apply().exit_code == 0
        assert [row.config["syncToCalendar"] for row in stage.referee.rows] == [{"enabled": False}]


def test_what_somebody_else_connects_after_a_refusal_is_left_alone(tmp_path: Path) -> None:
    """A connect that was refused has made nothing: what stands later was made, and set, by hand."""
    with refereed(Referee(Reading("plain")), tmp_path) as stage:
        stage.write(_IGNORING)
        assert stage.apply(password=_REFUSED).exit_code == 1
        stage.referee.rows.append(replace(_BY_HAND))
        assert stage.apply().exit_code == 0
        assert stage.referee.configured == []


def test_a_connect_that_was_not_finished_gets_all_of_it(tmp_path: Path) -> None:
    """Its sync config is refused at first: the next run sets it whole, once."""
    fault = Fault(Step.CONFIG, Wrong.REFUSED)
    with refereed(Referee(Reading("plain"), faults=(fault,)), tmp_path) as stage:
        stage.write(_IGNORING)
        assert stage.apply().exit_code == 1
        assert stage.apply().exit_code == 0
        (row,) = stage.referee.rows
        assert row.config["syncToCalendar"] == EXPORTING["syncToCalendar"]
        row.config = _BY_HAND.config
        assert stage.apply().exit_code == 0
        assert row.config == _BY_HAND.config
