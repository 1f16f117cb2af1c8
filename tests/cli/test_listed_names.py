"""Listings show people what schedules are called: by the manifests for nothing, else by one request."""

from dataclasses import replace

import pytest

from reconciler.sandbox.faults import Answer, Fault, Faults, Operation
from reconciler.sandbox.world import Schedule
from tests.support.cli.command import Extcal
from tests.support.cli.worlds import HARBOR, connected, connection, harbor, schedule_id, site, world

_SITE = ("--site-id", HARBOR)
_QUERY = "/calendar/v3/schedules/query"


def cells(out: str, column: str) -> list[str]:
    """What a table has in a column."""
    head, *rows = out.splitlines()
    start = head.index(f"  {column}  ") + 2 if f"  {column}  " in head else head.rindex(f"  {column}") + 2
    return [row[start:].split("  ")[0].strip() for row in rows]


def queries(command: Extcal) -> int:
    """How often schedules were asked for since this was asked."""
    count = sum(request.path == _QUERY for request in command.sandbox.requests)
    command.sandbox.requests.clear()
    return count


def pinned(number: int, name: str) -> str:
    """A manifest with a name beside the id of the schedule."""
    return connection(number).replace(f"{{id: {schedule_id(number)}}}", f"{{id: {schedule_id(number)}, name: {name}}}")


def test_names_of_manifests_cost_nothing(extcal: Extcal) -> None:
    """What stands beside ids is shown; where one is missing, one request gets those of the site, and never two."""
    extcal.on(world(harbor(0, 1)))
    extcal.write(site(), pinned(0, "Dr. Lee"), pinned(1, "Kim"))
    assert cells(extcal("connections", "manifests").out, "SCHEDULE") == ["Dr. Lee", "Kim"]
    assert queries(extcal) == 0
    extcal.write(site(), pinned(0, "Dr. Lee"), connection(1))
    assert cells(extcal("connections", "manifests").out, "SCHEDULE") == ["Staff 0", "Staff 1"]
    assert queries(extcal) == 1
    assert cells(extcal("connections", "manifests", "--no-names").out, "SCHEDULE") == ["Dr. Lee", schedule_id(1)]
    assert queries(extcal) == 0


@pytest.mark.parametrize("output", ["json", "csv"])
def test_what_scripts_read_has_ids_and_costs_no_request(extcal: Extcal, output: str) -> None:
    """They need no names, so none are asked for."""
    extcal.on(world(harbor(0)))
    shown = extcal("connections", *_SITE, "--format", output)
    assert schedule_id(0) in shown.out
    assert "Staff 0" not in shown.out
    assert queries(extcal) == 0


def test_a_site_without_rows_is_not_asked(extcal: Extcal) -> None:
    """There is nothing to name."""
    extcal.on(world(harbor()))
    for command in ("connections", "events"):
        assert extcal(command, *_SITE).code == 0
    assert queries(extcal) == 0


def test_wide_shows_ids_beside_names(extcal: Extcal) -> None:
    """Both are there, each in its column."""
    extcal.on(world(harbor(0)))
    out = extcal("connections", *_SITE, "--wide").out
    assert (cells(out, "SCHEDULE"), cells(out, "SCHEDULE ID")) == (["Staff 0"], [schedule_id(0)])


def test_schedules_of_one_name_are_told_apart(extcal: Extcal) -> None:
    """Where two rows would name different schedules alike, the ids stand beside the name."""
    twins = tuple(Schedule(schedule_id(number), "Front Desk") for number in range(2))
    extcal.on(world(replace(harbor(0, 1), schedules=twins)))
    shown = cells(extcal("connections", *_SITE).out, "SCHEDULE")
    assert shown == [f"Front Desk [{schedule_id(number)}]" for number in range(2)]


def test_names_that_can_not_be_read_leave_ids(extcal: Extcal) -> None:
    """A schedules request that fails is a warning, and the listing is whole all the same."""
    extcal.on(world(replace(harbor(), connections=(connected(0), connected(1)))))
    extcal.sandbox.inject(Faults((Fault(Answer(403), on={Operation.QUERY_SCHEDULES}),)))
    ran = extcal("connections", *_SITE)
    assert ran.code == 0
    assert cells(ran.out, "SCHEDULE") == [schedule_id(0), schedule_id(1)]
    assert f"warning: {HARBOR}: ids stand for the names of schedules: QuerySchedules: HTTP 403" in ran.err
