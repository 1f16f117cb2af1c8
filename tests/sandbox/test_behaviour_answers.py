"""What answers hold under each reading: directions, names, enums, optional fields, orders, and failures in part."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reconciler.sandbox.behaviour import (
    Behaviour,
    CalendarNames,
    Directions,
    Disconnected,
    Hidden,
    Order,
    PartialFailure,
    Unsaid,
)
from reconciler.sandbox.faults import Fault, Stale
from tests.sandbox.injection import injecting
from tests.support.sandbox.api import KIM, LEE, code_of, connection_of
from tests.support.sandbox.exports import TO_DEDICATED, add, connected_google, exporting
from tests.support.sandbox.ics import YEAR
from tests.support.sandbox.states import change_password

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reconciler.sandbox.local import LocalSandbox
    from reconciler.sandbox.server import RunningSandbox
    from tests.sandbox.conftest import Behave
    from tests.support.sandbox.api import Api, Json

NOTHING_READABLE = Behaviour(partial_failure=PartialFailure.FAILS_WHEN_NOTHING_READABLE)
FORGOTTEN = Behaviour(disconnected=Disconnected.FORGOTTEN)


def shown_everywhere(api: Api, connection_id: str) -> list[Json]:
    """The connection as GetConnection, ListConnections and an update that changes nothing answer it."""
    listed = next(each for each in api.connections() if each["id"] == connection_id)
    got = connection_of(api.get(f"/connections/{connection_id}"))
    return [listed, got, connection_of(api.update(connection_id, {}))]


def test_a_direction_that_does_nothing_may_be_left_out(api: Api, behave: Behave) -> None:
    """Of every answer, and only while it is off and has no calendar chosen."""
    behave(Behaviour(directions=Directions.SET))
    made = api.connect()
    assert set(made["syncConfig"]) == {"listEventFromCalendars"}
    assert [set(each["syncConfig"]) for each in shown_everywhere(api, made["id"])] == [{"listEventFromCalendars"}] * 3
    both = {"listEventFromCalendars", "syncToCalendar"}
    for config in (
        TO_DEDICATED,
        {"syncToCalendar": {"enabled": False}},
        {"listEventFromCalendars": {"enabled": False}},
    ):
        assert set(connection_of(api.update(made["id"], config))["syncConfig"]) == both
    behave(Behaviour())
    assert all(set(each["syncConfig"]) == both for each in shown_everywhere(api, made["id"]))


@pytest.mark.parametrize(("names", "keys"), [(CalendarNames.SHOWN, {"id", "name"}), (CalendarNames.HIDDEN, {"id"})])
def test_calendars_may_have_no_names_in_sync_configs(
    api: Api, behave: Behave, names: CalendarNames, keys: set[str]
) -> None:
    """ListCalendars names them all the same."""
    behave(Behaviour(calendar_names=names))
    connection_id = api.connect()["id"]
    for each in shown_everywhere(api, connection_id):
        calendars = each["syncConfig"]["listEventFromCalendars"]["calendars"]["calendars"]
        assert [set(calendar) for calendar in calendars] == [keys] * 3
    listed = api.get(f"/connections/{connection_id}/calendars").json()["calendars"]
    assert [set(calendar) for calendar in listed] == [{"id", "name"}] * 3


def test_an_enum_without_a_value_may_be_undefined(api: Api, behave: Behave, lee: Path) -> None:
    """As long as a connection has no error; one that has says its reason."""
    connection_id = api.connect()["id"]
    assert not any("errorReason" in each for each in shown_everywhere(api, connection_id))
    behave(Behaviour(unsaid=Unsaid.UNDEFINED))
    assert [each["errorReason"] for each in shown_everywhere(api, connection_id)] == ["UNDEFINED"] * 3
    change_password(lee, "another")
    assert [each["errorReason"] for each in api.connections()] == ["TOKEN_REVOKED"]
    assert connection_of(api.disconnect(connection_id))["errorReason"] == "UNDEFINED"


@pytest.mark.parametrize("field", [Hidden.APP_ID, Hidden.USER_ID])
def test_a_field_of_connections_may_be_hidden(api: Api, behave: Behave, field: Hidden) -> None:
    """Everywhere, and the other one stays; schedules keep their app's id."""
    connection_id = api.connect()["id"]
    whole = shown_everywhere(api, connection_id)
    behave(Behaviour(hidden=frozenset({field})))
    for before, after in zip(whole, shown_everywhere(api, connection_id), strict=True):
        assert set(before) - set(after) == {field}
    schedules = api.http.post("/calendar/v3/schedules/query", json={}).json()["schedules"]
    assert all("appId" in each for each in schedules)


def test_failed_providers_may_be_hidden(sandbox: RunningSandbox, api: Api, behave: Behave) -> None:
    """A partial answer then looks like a whole one."""
    api.connect()
    connected_google(api)
    behave(Behaviour(hidden=frozenset({Hidden.FAILED_PROVIDER_IDS})))
    sandbox.set_provider_down(api.provider("Apple"), down=True)
    answer = api.get("/connections", {"partialFailure": "true"}).json()
    assert set(answer) == {"connections"}
    assert len(answer["connections"]) == 1
    events = api.get("/events", YEAR | {"partialFailure": "true"}).json()
    assert set(events) == {"events", "pagingMetadata"}


def connections_of(api: Api) -> list[str]:
    """ListConnections."""
    return [each["id"] for each in api.connections()]


def providers_of(api: Api) -> list[str]:
    """ListProviders."""
    return [each["id"] for each in api.get("/providers").json()["providers"]]


def calendars_of(api: Api) -> list[str]:
    """ListCalendars."""
    connection_id = min(connections_of(api))
    return [each["id"] for each in api.get(f"/connections/{connection_id}/calendars").json()["calendars"]]


def chosen_of(api: Api) -> list[str]:
    """The calendars of one sync config."""
    imports = api.get(f"/connections/{min(connections_of(api))}").json()["connection"]["syncConfig"]
    return [each["id"] for each in imports["listEventFromCalendars"]["calendars"]["calendars"]]


def schedules_of(api: Api) -> list[str]:
    """Query Schedules."""
    return [each["id"] for each in api.http.post("/calendar/v3/schedules/query", json={}).json()["schedules"]]


@pytest.mark.parametrize("listed", [connections_of, providers_of, calendars_of, chosen_of, schedules_of])
def test_lists_may_come_in_any_order(api: Api, behave: Behave, listed: Callable[[Api], list[str]]) -> None:
    """Another one at each request, and always the whole; without that it is always the same one."""
    for schedule in (LEE, KIM):
        api.connect(scheduleId=schedule)
    assert len({tuple(listed(api)) for _ in range(3)}) == 1
    behave(Behaviour(order=Order.SHUFFLED))
    orders = [tuple(listed(api)) for _ in range(12)]
    assert len(set(orders)) > 1
    assert len({frozenset(each) for each in orders}) == 1
    assert len({len(each) for each in orders}) == 1
    behave(Behaviour(order=Order.SHUFFLED))
    assert [tuple(listed(api)) for _ in range(12)] == orders


def test_failed_providers_come_in_any_order(sandbox: RunningSandbox, api: Api, behave: Behave) -> None:
    """And events are sorted by their start whatever the order of all else."""
    api.connect()
    behave(Behaviour(order=Order.SHUFFLED))
    starts = [each["start"] for each in api.get("/events", YEAR).json()["events"]]
    assert len(starts) > 10
    assert starts == sorted(starts)
    for name in ("Apple", "Google", "Outlook or Office 365"):
        sandbox.set_provider_down(api.provider(name), down=True)
    answers = [api.get("/connections", {"partialFailure": "true"}).json()["failedProviderIds"] for _ in range(12)]
    assert len({tuple(each) for each in answers}) > 1
    assert len({frozenset(each) for each in answers}) == 1


def test_pages_of_schedules_miss_nothing_in_any_order(api: Api, behave: Behave) -> None:
    """The order is one within a page: all pages together hold each schedule once."""
    whole = schedules_of(api)
    behave(Behaviour(order=Order.SHUFFLED))
    found: list[str] = []
    paging: Json = {"limit": 2}
    while paging:
        body = {"query": {"cursorPaging": paging}}
        answer = api.http.post("/calendar/v3/schedules/query", json=body).json()
        found += [each["id"] for each in answer["schedules"]]
        cursor = answer["pagingMetadata"]["cursors"].get("next")
        paging = {} if cursor is None else {"limit": 2, "cursor": cursor}
    assert sorted(found) == sorted(whole)


def test_a_partial_answer_needs_something_to_answer(sandbox: RunningSandbox, api: Api, behave: Behave) -> None:
    """503 where no connection could be read; what was read of another provider is answered with who failed."""
    api.connect()
    behave(NOTHING_READABLE)
    partial = {"partialFailure": "true"}
    assert len(api.connections(**partial)) == 1
    apple = api.provider("Apple")
    sandbox.set_provider_down(apple, down=True)
    assert code_of(api.get("/connections", partial)) == (503, None)
    assert code_of(api.get("/events", YEAR | partial)) == (503, None)
    behave(Behaviour())
    assert api.get("/connections", partial).json()["failedProviderIds"] == [apple]
    assert api.get("/events", YEAR | partial).json()["failedProviderIds"] == [apple]
    connected_google(api)
    behave(NOTHING_READABLE)
    assert [each["calendarType"] for each in api.connections(**partial)] == ["GOOGLE"]
    assert api.get("/events", YEAR | partial).json()["failedProviderIds"] == [apple]
    assert code_of(api.get("/connections")) == (503, None)


def test_a_site_without_connections_is_no_failure(api: Api, behave: Behave) -> None:
    """Nothing to read and nobody who failed: an empty list."""
    behave(NOTHING_READABLE)
    assert api.connections(partialFailure="true") == []
    assert api.get("/events", YEAR | {"partialFailure": "true"}).json()["events"] == []


def test_a_connection_may_be_forgotten_once_it_is_disconnected(
    api: Api, behave: Behave, lee: Path, site: LocalSandbox
) -> None:
    """Disconnect answers it once more and deletes what it exported; then it is nowhere: 404 by id."""
    behave(FORGOTTEN)
    connection = exporting(api, lee)
    path = f"/connections/{connection['id']}"
    add(site)
    assert any("Check-up" in each.read_text(encoding="utf-8") for each in lee.glob("*.ics"))
    assert connection_of(api.disconnect(connection["id"]))["status"] == "DISCONNECTED"
    assert not any("Check-up" in each.read_text(encoding="utf-8") for each in lee.glob("*.ics"))
    assert api.connections() == []
    refusals = [
        api.get(path),
        api.get(f"{path}/calendars"),
        api.update(connection["id"], {}),
        api.post(f"{path}/disconnect"),
    ]
    assert [code_of(each) for each in refusals] == [(404, None)] * 4
    again = api.connect()["id"]
    assert [each["id"] for each in api.connections()] == [again]


def test_a_stale_answer_is_given_as_the_sandbox_behaves(sandbox: RunningSandbox, api: Api, behave: Behave) -> None:
    """What was known a moment ago comes without what is hidden, and without what was forgotten by then."""
    behave(Behaviour(hidden=frozenset({Hidden.APP_ID}), disconnected=Disconnected.FORGOTTEN, unsaid=Unsaid.UNDEFINED))
    gone, kept = api.connect()["id"], api.connect(scheduleId=KIM)["id"]
    api.disconnect(gone)
    with injecting(sandbox, Fault(Stale(3600))):
        api.disconnect(kept)
        (seen,) = api.connections()
    assert (seen["id"], seen["errorReason"], "appId" in seen) == (kept, "UNDEFINED", False)
