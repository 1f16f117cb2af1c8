"""UpdateSyncConfig: merging, one-ofs, and what a provider can't do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reconciler.sandbox.behaviour import Behaviour, CalendarNames
from reconciler.sandbox.contract import ExportSupport, ImportSupport
from reconciler.sandbox.server import running
from tests.sandbox.features import give_apple
from tests.support.sandbox.api import Api, client, code_of, connection_of, faults_of
from tests.support.sandbox.exports import connected_google

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.sandbox.server import RunningSandbox

WORK = {"id": "k93wqe", "name": "Work"}
PERSONAL = {"id": "a68yu6", "name": "Personal"}


def _named(*calendars: dict[str, str]) -> dict[str, object]:
    return {"calendars": {"calendars": list(calendars)}}


def test_what_is_left_out_stays(api: Api) -> None:
    """A missing direction, and missing fields of a direction, keep their values."""
    connection_id = api.connect()["id"]
    api.update(connection_id, {"syncToCalendar": {"enabled": True, "dedicatedCalendar": {}}})
    api.update(connection_id, {"listEventFromCalendars": _named(PERSONAL)})
    config = connection_of(api.update(connection_id, {"listEventFromCalendars": {"enabled": False}}))["syncConfig"]
    assert config == {
        "listEventFromCalendars": {"enabled": False, **_named(PERSONAL)},
        "syncToCalendar": {"enabled": True, "dedicatedCalendar": {}},
    }
    assert connection_of(api.update(connection_id, {}))["syncConfig"] == config
    nulls = {"listEventFromCalendars": None, "syncToCalendar": {"enabled": None, "dedicatedCalendar": None}}
    assert connection_of(api.update(connection_id, nulls))["syncConfig"] == config


def test_choosing_one_arm_replaces_the_other(api: Api) -> None:
    """`calendars` and `primaryCalendar` exclude each other, in both orders; an id is enough, and counts once."""
    connection_id = api.connect()["id"]

    def imported(direction: dict[str, object]) -> object:
        connection = connection_of(api.update(connection_id, {"listEventFromCalendars": direction}))
        return connection["syncConfig"]["listEventFromCalendars"]

    assert imported({"primaryCalendar": {}}) == {"enabled": True, "primaryCalendar": {}}
    chosen = imported(_named({"id": "a68yu6"}, {"id": "k93wqe", "name": "anything"}, {"id": "a68yu6"}))
    assert chosen == {"enabled": True, **_named(PERSONAL, WORK)}
    assert imported({"calendars": {}}) == {"enabled": True, **_named()}


@pytest.mark.parametrize(
    ("sync_config", "faults"),
    [
        (None, {"syncConfig": "REQUIRED_FIELD"}),
        ([], {"syncConfig": "FORMAT"}),
        ({"syncToCalendar": "on"}, {"syncConfig.syncToCalendar": "FORMAT"}),
        ({"syncToCalendar": {"enabled": "true"}}, {"syncConfig.syncToCalendar.enabled": "FORMAT"}),
        (
            {"syncToCalendar": {"primaryCalendar": {}, "dedicatedCalendar": {}}},
            {"syncConfig.syncToCalendar.dedicatedCalendar": "OTHER"},
        ),
        (
            {"listEventFromCalendars": {"primaryCalendar": {}, "calendars": {"calendars": []}}},
            {"syncConfig.listEventFromCalendars.calendars": "OTHER"},
        ),
        (
            {"listEventFromCalendars": {"calendars": {"calendars": {}}}},
            {"syncConfig.listEventFromCalendars.calendars.calendars": "FORMAT"},
        ),
        (
            {"listEventFromCalendars": {"calendars": {"calendars": ["Work", {"name": "Work"}, {"id": "nope"}]}}},
            {
                "syncConfig.listEventFromCalendars.calendars.calendars[0]": "FORMAT",
                "syncConfig.listEventFromCalendars.calendars.calendars[1].id": "REQUIRED_FIELD",
                "syncConfig.listEventFromCalendars.calendars.calendars[2].id": "OTHER",
            },
        ),
    ],
)
def test_a_config_at_fault_changes_nothing(api: Api, sync_config: object, faults: dict[str, str]) -> None:
    """Ill-typed fields, both arms of a one-of and unknown calendars are validation errors."""
    before = api.connect()
    assert faults_of(api.update(before["id"], sync_config)) == faults
    assert api.connections()[0]["syncConfig"] == before["syncConfig"]


@pytest.mark.parametrize(
    ("features", "sync_config"),
    [
        ({"update_sync_config": False}, {}),
        ({"import_support": ImportSupport.NOT_SUPPORTED}, {"listEventFromCalendars": {"enabled": True}}),
        ({"import_support": ImportSupport.NOT_SUPPORTED}, {"listEventFromCalendars": {"primaryCalendar": {}}}),
        ({"import_support": ImportSupport.PRIMARY_CALENDAR_ONLY}, {"listEventFromCalendars": _named(WORK)}),
        ({"export_support": ExportSupport.NOT_SUPPORTED}, {"syncToCalendar": {"enabled": True}}),
        ({"export_support": ExportSupport.NOT_SUPPORTED}, {"syncToCalendar": {"primaryCalendar": {}}}),
        ({"export_support": ExportSupport.PRIMARY_CALENDAR_ONLY}, {"syncToCalendar": {"dedicatedCalendar": {}}}),
        ({"export_support": ExportSupport.DEDICATED_CALENDAR}, {"syncToCalendar": {"primaryCalendar": {}}}),
    ],
)
def test_what_a_provider_cannot_do(
    sandbox: RunningSandbox, api: Api, features: dict[str, str | bool], sync_config: dict[str, object]
) -> None:
    """428, and nothing changes."""
    give_apple(sandbox, features)
    before = api.connect()
    assert code_of(api.update(before["id"], sync_config)) == (428, "NOT_SUPPORTED_BY_PROVIDER")
    assert api.connections()[0]["syncConfig"] == before["syncConfig"]


def test_google_lists_calendars_and_imports_from_the_primary_one(api: Api) -> None:
    """Those that it lists are refused, and what it starts with stays."""
    connection_id = connected_google(api)
    calendars = api.get(f"/connections/{connection_id}/calendars").json()["calendars"]
    assert [each["name"] for each in calendars] == ["Patel", "Personal", "Birthdays", "Holidays"]
    chosen = {"listEventFromCalendars": {"calendars": {"calendars": [{"id": calendars[1]["id"]}]}}}
    assert code_of(api.update(connection_id, chosen)) == (428, "NOT_SUPPORTED_BY_PROVIDER")
    (connection,) = api.connections()
    assert connection["syncConfig"]["listEventFromCalendars"] == {"enabled": True, "primaryCalendar": {}}


@pytest.mark.parametrize(
    ("features", "sync_config"),
    [
        (
            {"import_support": ImportSupport.NOT_SUPPORTED, "export_support": ExportSupport.NOT_SUPPORTED},
            {"listEventFromCalendars": {"enabled": False}, "syncToCalendar": {"enabled": False}},
        ),
        (
            {"import_support": ImportSupport.PRIMARY_CALENDAR_ONLY},
            {"listEventFromCalendars": {"enabled": True, "primaryCalendar": {}}},
        ),
        (
            {"export_support": ExportSupport.PRIMARY_CALENDAR_ONLY},
            {"syncToCalendar": {"enabled": True, "primaryCalendar": {}}},
        ),
        (
            {"export_support": ExportSupport.SPECIFIC_CALENDAR},
            {"syncToCalendar": {"enabled": True, "primaryCalendar": {}}},
        ),
        (
            {"export_support": ExportSupport.SPECIFIC_CALENDAR},
            {"syncToCalendar": {"enabled": True, "dedicatedCalendar": {}}},
        ),
    ],
)
def test_what_a_provider_can_do(
    sandbox: RunningSandbox, api: Api, features: dict[str, str | bool], sync_config: dict[str, dict[str, object]]
) -> None:
    """Switching off what isn't supported is fine, and so is each supported target."""
    give_apple(sandbox, features)
    config = connection_of(api.update(api.connect()["id"], sync_config))["syncConfig"]
    assert {name: config[name] for name in sync_config} == sync_config


def test_a_disconnected_connection_takes_no_config(api: Api) -> None:
    """428 CONNECTION_NOT_CONNECTED."""
    connection_id = api.connect()["id"]
    api.disconnect(connection_id)
    assert code_of(api.update(connection_id, {"syncToCalendar": {"enabled": False}})) == (
        428,
        "CONNECTION_NOT_CONNECTED",
    )


def test_names_may_be_left_out_of_sync_configs(tmp_path: Path) -> None:
    """A sandbox that is set so answers ids alone."""
    with (
        running(tmp_path, behaviour=Behaviour(calendar_names=CalendarNames.HIDDEN)) as quiet,
        client(quiet.endpoint, quiet.api_key) as http,
    ):
        imported = Api(http).connect()["syncConfig"]["listEventFromCalendars"]
    assert [set(calendar) for calendar in imported["calendars"]["calendars"]] == [{"id"}] * 3
