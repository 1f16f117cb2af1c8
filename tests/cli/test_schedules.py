"""Schedules of several apps that have the same names: what a manifest means, what it costs to ask, what is listed."""

import json
from collections.abc import Callable, Iterator

import pytest

from reconciler.model.desired import BOOKINGS_APP_ID
from reconciler.sandbox.world import Schedule, World
from tests.support.cli.command import Extcal
from tests.support.cli.worlds import APPLE, HARBOR, PASSWORD_ENV, connection, email, harbor, schedule_id, site, world
from tests.support.scenarios.schedules import BUSINESS_EXTERNAL_ID, SERVICES_APP, with_other_schedules
from tests.support.scenarios.worlds import HOURS_APP
from tests.support.servers.scripted import Asked, Reply, Scripted, serving

_QUERY = "/calendar/v3/schedules/query"

_BY_NAME = "{name: Staff 1}"
_BY_RESOURCE = "{externalId: resource-1}"


def staffed() -> World:
    """Harbor Dental; its staff have schedules of working hours, too, and services are called like them."""
    return world(with_other_schedules(harbor(schedules=3)))


def named(number: int, schedule: str) -> str:
    """The manifest of a connection whose schedule is named so."""
    return connection(number).replace(f"{{id: {schedule_id(number)}}}", schedule)


def questions(command: Extcal) -> int:
    """How often schedules were asked for, since the last time that this was asked."""
    count = sum(request.path == _QUERY for request in command.sandbox.requests)
    command.sandbox.requests.clear()
    return count


@pytest.mark.parametrize("schedule", [_BY_NAME, _BY_RESOURCE])
def test_the_bookings_apps_schedule_is_connected(extcal: Extcal, schedule: str) -> None:
    """One question a reading, and the events schedule; then nothing is left to do."""
    extcal.on(staffed())
    extcal.env |= PASSWORD_ENV
    extcal.write(site(), named(1, schedule))
    plan = extcal("plan", "manifests", "--format", "json")
    assert (plan.code, questions(extcal)) == (0, 1), plan.err
    assert [(action["action"], action["schedule_id"]) for action in plan.actions] == [("connect", schedule_id(1))]
    assert extcal("apply", "manifests", "--auto-approve").code == 0
    again = extcal("plan", "manifests", "--detailed-exitcode")
    assert again.code == 0, again.out


@pytest.mark.parametrize("beside", ["name: Staff 1", "name: Long ago", "externalId: resource-1"])
def test_what_stands_beside_an_id_is_not_looked_up(extcal: Extcal, beside: str) -> None:
    """The id counts, and the name that was written is what people read."""
    extcal.on(staffed())
    extcal.env |= PASSWORD_ENV
    extcal.write(site(), named(1, f"{{id: {schedule_id(1)}, {beside}}}"))
    plan = extcal("plan", "manifests", "--no-names", "--wide")
    assert (plan.code, questions(extcal)) == (0, 0), plan.err
    assert (beside.removeprefix("name: ") in plan.out) == beside.startswith("name")
    assert schedule_id(1) in plan.out
    chosen = extcal("plan", "manifests", "--schedule", beside.partition(": ")[2], "--no-names", "--wide")
    assert chosen.out == plan.out


def test_a_site_names_another_app(extcal: Extcal) -> None:
    """Then a name means that app's schedule, and in its saved plan the Site says so."""
    extcal.on(staffed())
    extcal.env |= PASSWORD_ENV
    extcal.write(site(more=f"schedules: {{appId: {HOURS_APP.upper()}}}"), named(1, _BY_NAME))
    plan = extcal("plan", "manifests", "--format", "json", "--out", "saved.plan")
    assert (plan.code, questions(extcal)) == (0, 1), plan.err
    (action,) = plan.actions
    meant = str(action["schedule_id"])
    assert meant != schedule_id(1)
    assert extcal("apply", "--plan", "saved.plan", "--auto-approve").code == 0
    assert [row["scheduleId"] for row in extcal("connections", "manifests", "--format", "json").rows] == [meant]


def test_a_name_of_another_app_alone_says_so(extcal: Extcal) -> None:
    """The fault names the schedule, its app and its external id, and nothing is connected."""
    extcal.on(staffed())
    extcal.write(site(), named(1, "{name: Cleaning}"))
    plan = extcal("plan", "manifests")
    assert (plan.code, questions(extcal)) == (1, 2)
    assert f"no schedule of the app {BOOKINGS_APP_ID} has the name Cleaning, only one of another app" in plan.err
    assert f"(app {SERVICES_APP}, externalId service-cleaning)" in plan.err
    assert f"schedules: {{appId: {SERVICES_APP}}}" in plan.err


def test_the_business_schedule_is_found_whatever_its_app(extcal: Extcal) -> None:
    """Its external id is the same on every site, and no other schedule has it."""
    extcal.on(staffed())
    extcal.write(site(), named(1, f"{{externalId: {BUSINESS_EXTERNAL_ID}}}"))
    plan = extcal("plan", "manifests", "--format", "json")
    assert (plan.code, questions(extcal)) == (0, 2), plan.err
    assert len(plan.actions) == 1


def test_a_change_of_the_app_is_planned_against_what_was_meant(extcal: Extcal) -> None:
    """For one question, the connection that the base protects by the same name is told from the new one."""
    extcal.on(staffed())
    extcal.env |= PASSWORD_ENV
    before = named(1, _BY_NAME) + "  lifecycle: {preventDisconnect: true}\n"
    extcal.write(site(more=f"schedules: {{appId: {HOURS_APP}}}"), before, to="before/all.yaml")
    assert extcal("apply", "before", "--auto-approve").code == 0
    extcal.write(site(more="scope: site\nprune: true"), named(1, _BY_NAME))
    questions(extcal)
    plan = extcal("plan", "manifests", "--base-dir", "before")
    assert (plan.code, questions(extcal)) == (1, 1)
    assert "set lifecycle.preventDisconnect before this change" in plan.out + plan.err


def test_twins_of_one_app_are_listed(extcal: Extcal) -> None:
    """Two schedules of the bookings app have one name: both are named with app and external id, for one question."""
    there = with_other_schedules(harbor(schedules=3), Schedule(schedule_id(7), "Staff 1", "resource-7"))
    extcal.on(world(there))
    extcal.write(site(), named(1, _BY_NAME))
    plan = extcal("plan", "manifests")
    assert (plan.code, questions(extcal)) == (1, 1)
    assert "2 schedules have the name Staff 1" in plan.err
    for number in (1, 7):
        assert f"{schedule_id(number)} (app {BOOKINGS_APP_ID}, externalId resource-{number})" in plan.err


def test_every_apps_schedules_are_listed(extcal: Extcal) -> None:
    """Those that a name means come first; the table says whose each is, JSON gives the id."""
    extcal.on(staffed())
    extcal.write(site(more=f"schedules: {{appId: {HOURS_APP}}}"))
    head, *rows = extcal("schedules", "manifests").out.splitlines()
    apps = [row[head.index("APP") :].strip() for row in rows]
    assert apps[:3] == [HOURS_APP] * 3
    assert set(apps[3:]) == {"bookings", SERVICES_APP}
    listed = extcal("schedules", "--site-id", HARBOR, "--format", "json").rows
    assert [row["appId"] for row in listed[:3]] == [BOOKINGS_APP_ID] * 3
    assert len(listed) == len(rows)


def test_pulled_connections_on_other_apps_schedules_are_kept(extcal: Extcal) -> None:
    """They are named by id, after their schedule, and plan as declared; the Site keeps its app."""
    extcal.on(staffed())
    extcal.env |= PASSWORD_ENV
    extcal.write(site(more=f"schedules: {{appId: {HOURS_APP}}}"), named(1, _BY_NAME), to="before/all.yaml")
    assert extcal("apply", "before", "--auto-approve").code == 0
    pulled = extcal("pull", "before", "--output", "manifests")
    assert pulled.code == 0, pulled.err
    (written,) = (extcal.folder / "manifests").glob("*/site.yaml")
    assert f"\n  schedules: {{appId: {HOURS_APP}}}\n" in written.read_text()
    assert extcal("plan", "manifests", "--detailed-exitcode").code == 0
    alone = extcal("pull", "--site-id", HARBOR, "--output", "alone")
    assert alone.code == 0, alone.err
    (connected,) = (extcal.folder / "alone").glob("*/schedules/*.yaml")
    assert connected.stem == "staff-1"
    assert extcal("plan", "alone", "--detailed-exitcode").code == 0


Json = dict[str, object]
_THERE = (
    ("s-lee", "Dr. Lee", "lee", BOOKINGS_APP_ID),
    ("s-lee-hours", "Dr. Lee", "lee", HOURS_APP),
    ("s-kim", "Kim", "kim", BOOKINGS_APP_ID),
    ("s-break", "Break", "break", HOURS_APP),
)


def unhelpful(asked: Asked, *, heeds: bool, tells: bool) -> Reply:
    """The answer of a service that may not heed a filter by app, and may not tell apps."""
    if asked.path != _QUERY:
        features = {"connectMethods": ["CREDENTIALS"], "updateSyncConfig": True}
        provider = {"id": APPLE, "name": "Apple", "calendarType": "I_CAL", "features": features}
        return Reply({"providers": [provider]} if asked.path.endswith("/providers") else {"connections": []})
    body = asked.json()
    assert isinstance(body, dict)
    wanted = body["query"].get("filter", {})
    rows: list[Json] = []
    for id_, name, external_id, app_id in _THERE:
        if "externalId" in wanted and external_id not in wanted["externalId"]["$in"]:
            continue
        if heeds and "appId" in wanted and wanted["appId"] != {"$eq": app_id}:
            continue
        row: Json = {"id": id_, "name": name, "externalId": external_id, "status": "UNDEFINED"}
        rows.append(row | {"appId": app_id} if tells else row)
    return Reply({"schedules": rows})


Unhelpful = Callable[[bool, bool], Scripted]


@pytest.fixture
def service(extcal: Extcal) -> Iterator[Unhelpful]:
    """Makes the service that extcal asks one that heeds the app or not, and tells it or not."""
    with serving() as scripted:
        extcal.env["EXTCAL_ENDPOINT"] = scripted.url

        def behaving(heeds: bool, tells: bool) -> Scripted:  # noqa: FBT001 - two of a table's columns
            scripted.otherwise = lambda: unhelpful(scripted.asked[-1], heeds=heeds, tells=tells)
            return scripted

        yield behaving


@pytest.mark.parametrize(
    ("schedule", "heeds", "tells", "meant", "asked"),
    [
        ("{name: Dr. Lee}", True, True, "s-lee", 1),
        ("{name: Dr. Lee}", True, False, "s-lee", 1),
        ("{name: Dr. Lee}", False, True, "s-lee", 1),
        ("{name: Dr. Lee}", False, False, "2 schedules have the name Dr. Lee", 1),
        ("{name: Kim}", False, False, "s-kim", 1),
        ("{externalId: lee}", True, True, "s-lee", 1),
        ("{externalId: lee}", True, False, "s-lee", 1),
        ("{externalId: lee}", False, True, "s-lee", 1),
        ("{externalId: lee}", False, False, "2 schedules have the externalId lee", 1),
        ("{name: Break}", True, True, f"schedules: {{appId: {HOURS_APP}}}", 2),
        ("{name: Break}", True, False, "s-break (app not shown, externalId break)", 2),
        ("{name: Break}", False, True, f"schedules: {{appId: {HOURS_APP}}}", 2),
        ("{name: Break}", False, False, "s-break", 1),
        ("{externalId: break}", True, True, "s-break", 2),
        ("{externalId: break}", True, False, "s-break", 2),
        ("{externalId: break}", False, True, "s-break", 2),
        ("{externalId: break}", False, False, "s-break", 1),
    ],
)
def test_whatever_the_service_makes_of_the_question(
    extcal: Extcal,
    service: Unhelpful,
    schedule: str,
    heeds: bool,  # noqa: FBT001 - a table's column
    tells: bool,  # noqa: FBT001 - the same
    meant: str,
    asked: int,
) -> None:
    """The app's schedule is meant, or a fault says what there is; a second question is asked only where it must be."""
    scripted = service(heeds, tells)
    extcal.write(site(), named(1, schedule))
    plan = extcal("plan", "manifests", "--format", "json")
    assert sum(request.path == _QUERY for request in scripted.asked) == asked
    found = [action["schedule_id"] for action in json.loads(plan.out)["actions"]]
    assert found == [meant] if meant.count(" ") == 0 else (found == [] and meant in plan.err)
    assert email(1) in plan.out or found == []
