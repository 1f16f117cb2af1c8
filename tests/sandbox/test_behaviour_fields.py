"""Fields of sync configs that no page documents: kept, dropped, and given back as they were sent."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from reconciler.sandbox.behaviour import Behaviour, CalendarNames, Directions, Order, Update
from tests.support.sandbox.api import APPLE_DEFAULT, connection_of, faults_of
from tests.support.sandbox.exports import TO_DEDICATED
from tests.support.sandbox.ics import write
from tests.support.sandbox.states import change_password

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sandbox.conftest import Behave
    from tests.support.sandbox.api import Api, Json

MERGE = Behaviour(unknown_fields=True, calendar_names=CalendarNames.HIDDEN)
REPLACE = Behaviour(unknown_fields=True, calendar_names=CalendarNames.HIDDEN, update=Update.REPLACE)
SENT: Json = {
    "retention": {"unit": "DAYS", "values": [3, 1, 2, None], "on": True},
    "listEventFromCalendars": {
        "enabled": True,
        "calendars": {"calendars": [{"id": "a68yu6", "color": "#0b8043"}, {"id": "k93wqe"}]},
        "includeDeclined": True,
    },
    "syncToCalendar": {"enabled": True, "dedicatedCalendar": {}, "includeBufferTime": False, "label": "ä"},
}


def read(api: Api, connection_id: str) -> Json:
    """The sync config as GetConnection answers it."""
    config: Json = connection_of(api.get(f"/connections/{connection_id}"))["syncConfig"]
    return config


def test_a_new_connection_has_some(api: Api, behave: Behave) -> None:
    """In the config, in each direction and in each calendar; without the behaviour nobody sees any."""
    behave(MERGE)
    connection = api.connect()
    config = connection["syncConfig"]
    assert config == {
        "syncWindow": {"days": 90},
        "listEventFromCalendars": {
            "enabled": True,
            "calendars": {"calendars": [{"id": each, "accessRole": "owner"} for each in APPLE_DEFAULT]},
            "includeDeclined": False,
        },
        "syncToCalendar": {"enabled": False, "includeBufferTime": True},
    }
    assert read(api, connection["id"]) == config
    behave(Behaviour(calendar_names=CalendarNames.HIDDEN))
    assert read(api, connection["id"]) == {
        "listEventFromCalendars": {
            "enabled": True,
            "calendars": {"calendars": [{"id": each} for each in APPLE_DEFAULT]},
        },
        "syncToCalendar": {"enabled": False},
    }


def test_merging_keeps_what_is_not_sent(api: Api, behave: Behave) -> None:
    """Field by field, and of a calendar as long as it is imported from."""
    behave(MERGE)
    connection = api.connect()
    before = connection["syncConfig"]
    config = connection_of(api.update(connection["id"], TO_DEDICATED))["syncConfig"]
    assert config == before | {"syncToCalendar": TO_DEDICATED["syncToCalendar"] | {"includeBufferTime": True}}
    config = connection_of(api.update(connection["id"], SENT))["syncConfig"]
    chosen = [{"id": "a68yu6", "accessRole": "owner", "color": "#0b8043"}, {"id": "k93wqe", "accessRole": "owner"}]
    imports = SENT["listEventFromCalendars"] | {"calendars": {"calendars": chosen}}
    assert config == SENT | {"syncWindow": {"days": 90}, "listEventFromCalendars": imports}
    assert connection_of(api.update(connection["id"], {}))["syncConfig"] == config
    other = {"listEventFromCalendars": {"calendars": {"calendars": [{"id": "c02bth"}]}}}
    config = connection_of(api.update(connection["id"], other))["syncConfig"]
    assert config["listEventFromCalendars"]["calendars"]["calendars"] == [{"id": "c02bth"}]


def test_replacing_drops_what_is_not_sent(api: Api, behave: Behave) -> None:
    """What is sent is what there is, and what is sent back unchanged changes nothing."""
    behave(REPLACE)
    connection = api.connect()
    assert (
        connection_of(api.update(connection["id"], connection["syncConfig"]))["syncConfig"] == connection["syncConfig"]
    )
    assert connection_of(api.update(connection["id"], SENT))["syncConfig"] == SENT
    assert read(api, connection["id"]) == SENT
    config = connection_of(api.update(connection["id"], TO_DEDICATED))["syncConfig"]
    assert config == TO_DEDICATED | {"listEventFromCalendars": {"enabled": False}}


def test_the_known_one_is_checked(api: Api, behave: Behave) -> None:
    """`includeBufferTime` is a boolean; null counts as left out. What is at fault changes nothing."""
    behave(MERGE)
    connection = api.connect()
    wrong = {"listEventFromCalendars": {"enabled": False}, "syncToCalendar": {"includeBufferTime": "no"}}
    assert faults_of(api.update(connection["id"], wrong)) == {"syncConfig.syncToCalendar.includeBufferTime": "FORMAT"}
    assert read(api, connection["id"]) == connection["syncConfig"]
    api.update(connection["id"], {"syncToCalendar": {"includeBufferTime": None}, "syncWindow": None})
    assert read(api, connection["id"]) == connection["syncConfig"]
    behave(Behaviour())
    assert api.update(connection["id"], wrong).status_code == 200


def test_they_do_not_grow_without_end(api: Api, behave: Behave) -> None:
    """Merging more and more of them ends with a refusal, and the config is as it was before that."""
    behave(MERGE)
    connection_id = api.connect()["id"]
    answers = [api.update(connection_id, {f"more{each}": "x" * 30_000}) for each in range(3)]
    assert [each.status_code for each in answers] == [200, 200, 400]
    assert faults_of(answers[-1]) == {"syncConfig": "OTHER"}
    assert {name for name in read(api, connection_id) if name.startswith("more")} == {"more0", "more1"}


@pytest.mark.parametrize("behaviour", [MERGE, REPLACE])
def test_they_keep_their_order_and_come_with_their_direction(api: Api, behave: Behave, behaviour: Behaviour) -> None:
    """Lists in them are nobody's to shuffle; a direction that is left out takes its own with it."""
    behave(replace(behaviour, order=Order.SHUFFLED, directions=Directions.SET))
    connection_id = api.connect()["id"]
    api.update(connection_id, {"retention": list(range(50))} | {"listEventFromCalendars": {"enabled": True}})
    config = read(api, connection_id)
    assert config["retention"] == list(range(50))
    assert "syncToCalendar" not in config


def test_connecting_again_keeps_them(api: Api, behave: Behave, lee: Path) -> None:
    """Under the same id the config is the same."""
    behave(MERGE)
    write(lee, name="home")
    connection_id = api.connect()["id"]
    api.update(connection_id, {"retention": 3})
    change_password(lee, "another")
    assert [each["status"] for each in api.connections()] == ["ERROR"]
    change_password(lee, "seagull-lantern-41")
    assert api.connect()["syncConfig"]["retention"] == 3
