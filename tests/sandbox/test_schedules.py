"""Query Schedules: the filters and the paging that the contract names."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from reconciler.sandbox.contract import BOOKINGS_APP_ID, BUSINESS_SCHEDULE_EXTERNAL_ID
from reconciler.sandbox.seed import harbor_dental
from reconciler.sandbox.world import Schedule
from tests.support.sandbox.api import LEE, PATEL, Json, faults_of
from tests.support.sandbox.clock import NOON

if TYPE_CHECKING:
    import httpx

    from reconciler.sandbox.server import RunningSandbox
    from tests.support.sandbox.api import Api


def _query(api: Api, **query: object) -> httpx.Response:
    return api.http.post("/calendar/v3/schedules/query", json={"query": query})


def _names(api: Api, **conditions: object) -> list[str]:
    answer = _query(api, filter=conditions)
    assert answer.status_code == 200, answer.text
    return [schedule["name"] for schedule in answer.json()["schedules"]]


def test_all_schedules_of_the_site(api: Api) -> None:
    """The staff's, the business's, those of working hours and of services, whole; an empty body asks for the same."""
    answer: Json = _query(api).json()
    assert [each["name"] for each in answer["schedules"]] == [
        "Dr. Lee",
        "Dr. Patel",
        "Hygienist Kim",
        "Front Desk",
        "Harbor Dental",
        "Dr. Lee",
        "Dr. Patel",
        "Hygienist Kim",
        "Front Desk",
        "Check-up",
        "Cleaning",
    ]
    assert answer["pagingMetadata"] == {"count": 11, "cursors": {}, "hasNext": False}
    assert answer["schedules"][0] | {"defaultCapacity": 1} == {
        "id": LEE,
        "name": "Dr. Lee",
        "externalId": "0061f64f-6e9b-4543-a75f-377b537c9360",
        "status": "ACTIVE",
        "timeZone": "America/New_York",
        "appId": BOOKINGS_APP_ID,
        "defaultCapacity": 1,
    }
    assert api.http.post("/calendar/v3/schedules/query").json() == answer


def test_the_filters(api: Api) -> None:
    """`$eq` and `$in` on the four fields, alone and together."""
    assert _names(api, externalId={"$eq": BUSINESS_SCHEDULE_EXTERNAL_ID}) == ["Harbor Dental"]
    assert _names(api, id={"$in": [PATEL, LEE, "x"]}) == ["Dr. Lee", "Dr. Patel"]
    assert _names(api, id={"$in": []}) == []
    assert _names(api, id={"$eq": LEE, "$in": [LEE, PATEL]}, appId={"$eq": BOOKINGS_APP_ID}) == ["Dr. Lee"]
    assert _names(api, id={"$eq": LEE, "$in": [PATEL]}) == []
    assert _names(api, appId={"$eq": PATEL}) == []
    assert len(_names(api, status=None)) == 11


def test_a_staff_member_s_two_schedules(api: Api) -> None:
    """Both have one name and one external id, the resource's; the bookings app's is the one for events."""
    resource = {"$eq": "0061f64f-6e9b-4543-a75f-377b537c9360"}
    both: list[Json] = _query(api, filter={"externalId": resource}).json()["schedules"]
    assert [each["name"] for each in both] == ["Dr. Lee", "Dr. Lee"]
    assert len({each["appId"] for each in both}) == 2
    bookings = {"externalId": resource, "appId": {"$eq": BOOKINGS_APP_ID}}
    (events,) = _query(api, filter=bookings).json()["schedules"]
    assert events["id"] == LEE


def test_a_service_s_schedule_is_the_bookings_app_s(api: Api) -> None:
    """It has an external id of its own, and no name of a member of staff."""
    names = _names(api, appId={"$eq": BOOKINGS_APP_ID})
    assert names[-2:] == ["Check-up", "Cleaning"]
    assert len(set(names)) == len(names) == 7


def test_only_active_schedules_unless_others_are_asked_for(sandbox: RunningSandbox, api: Api) -> None:
    """A cancelled schedule is found by its status only."""
    world = harbor_dental(NOON)
    gone = Schedule("87aa7673-63a4-47ff-8d97-a6c42c579095", "Dr. Ortiz", status="CANCELLED")
    sandbox.replace_world(replace(world, sites=(replace(world.sites[0], schedules=(gone,)),)))
    assert _names(api) == []
    assert _names(api, status={"$in": ["CANCELLED", "ACTIVE"]}) == ["Dr. Ortiz"]


def test_schedules_come_in_pages_of_fifty(sandbox: RunningSandbox, api: Api) -> None:
    """A cursor carries the filter and leads through all of them once."""
    world = harbor_dental(NOON)
    schedules = tuple(Schedule(str(UUID(int=n)), f"Chair {n}") for n in range(120))
    sandbox.replace_world(replace(world, sites=(replace(world.sites[0], schedules=schedules),)))
    names, cursor, counts = [], None, []
    while True:
        paging: Json = {} if cursor is None else {"cursor": cursor}
        first = {} if cursor else {"filter": {"id": {"$in": [each.id for each in schedules[:110]]}}}
        answer = _query(api, cursorPaging=paging, **first).json()
        names += [each["name"] for each in answer["schedules"]]
        counts.append(answer["pagingMetadata"]["count"])
        if not answer["pagingMetadata"]["hasNext"]:
            break
        cursor = answer["pagingMetadata"]["cursors"]["next"]
    assert counts == [50, 50, 10]
    assert names == [each.name for each in schedules[:110]]
    assert _query(api, cursorPaging={"limit": 100}).json()["pagingMetadata"]["count"] == 100


@pytest.mark.parametrize(
    ("query", "faults"),
    [
        ({"filter": {"name": {"$eq": "x"}}}, {"query.filter.name": "INVALID_ENUM_VALUE"}),
        ({"filter": {"id": {"$ne": "x"}}}, {"query.filter.id.$ne": "INVALID_ENUM_VALUE"}),
        ({"filter": {"id": "x"}}, {"query.filter.id": "FORMAT"}),
        (
            {"filter": {"id": {"$eq": 1, "$in": [1]}}},
            {"query.filter.id.$eq": "FORMAT", "query.filter.id.$in[0]": "FORMAT"},
        ),
        ({"filter": {"id": {"$in": "x"}}}, {"query.filter.id.$in": "FORMAT"}),
        ({"cursorPaging": {"limit": 101}}, {"query.cursorPaging.limit": "MAX"}),
        ({"cursorPaging": {"limit": 0}}, {"query.cursorPaging.limit": "MIN"}),
        ({"cursorPaging": {"limit": True}}, {"query.cursorPaging.limit": "FORMAT"}),
        ({"cursorPaging": {"cursor": "x"}}, {"cursorPaging.cursor": "FORMAT"}),
    ],
)
def test_a_query_at_fault(api: Api, query: dict[str, object], faults: dict[str, str]) -> None:
    """Each fault is named by its path."""
    assert faults_of(_query(api, **query)) == faults
