"""Plans and statuses show schedules by name, for a request where there is something to show."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from reconciler.sandbox.world import Schedule
from tests.cli.counting import FOR_PEOPLE, THREE, TWO, asked
from tests.support.cli.command import Extcal
from tests.support.cli.worlds import (
    BUSY,
    EXPORTING,
    PASSWORD_ENV,
    QUAY,
    connection,
    harbor,
    quay,
    schedule_id,
    site,
    world,
)
from tests.support.servers.proxy import stand_in
from tests.support.timeouts import TIMEOUT

QUAY_KEY = "key-of-quay-optics-77"


@pytest.fixture
def practice(extcal: Extcal) -> Extcal:
    """Harbor Dental with one connection as declared and one that is not there yet, their schedules by id."""
    extcal.on(world(harbor(0)))
    extcal.env |= PASSWORD_ENV
    extcal.write(site(), connection(0, more=BUSY), connection(1))
    return extcal


@pytest.mark.parametrize("command", FOR_PEOPLE)
def test_people_read_names(practice: Extcal, command: tuple[str, ...]) -> None:
    """One request tells them; nobody has to read an id."""
    ran = practice(*command)
    assert (ran.code, ran.err) == (0, "")
    assert "Staff 1" in ran.out
    assert schedule_id(1) not in ran.out
    assert asked(practice) == THREE


@pytest.mark.parametrize("command", FOR_PEOPLE)
def test_wide_shows_ids_too(practice: Extcal, command: tuple[str, ...]) -> None:
    """Each beside its name."""
    ran = practice(*command, "--wide")
    assert "Staff 1" in ran.out
    assert schedule_id(1) in ran.out


@pytest.mark.parametrize("command", FOR_PEOPLE)
def test_without_names_ids_are_shown(practice: Extcal, command: tuple[str, ...]) -> None:
    """And the request is not sent."""
    ran = practice(*command, "--no-names")
    assert "Staff 1" not in ran.out
    assert schedule_id(1) in ran.out
    assert asked(practice) == TWO


@pytest.mark.parametrize(
    "command",
    [("plan", "manifests", "--format", "json"), *(("status", "manifests", "--format", f) for f in ("json", "csv"))],
)
def test_programs_read_ids(practice: Extcal, command: tuple[str, ...]) -> None:
    """So no name is asked for."""
    ran = practice(*command)
    assert "Staff 1" not in ran.out
    assert schedule_id(1) in ran.out
    assert asked(practice) == TWO


@pytest.mark.parametrize("command", FOR_PEOPLE)
def test_a_site_that_agrees_costs_two_requests(extcal: Extcal, command: tuple[str, ...]) -> None:
    """Though its schedules' names are not known."""
    extcal.on(world(harbor(0, 1)))
    extcal.write(site(), connection(0, more=BUSY), connection(1, more=BUSY))
    assert extcal(*command).code == 0
    assert asked(extcal) == TWO


@pytest.mark.parametrize("command", FOR_PEOPLE)
def test_only_sites_with_something_to_show_are_asked(practice: Extcal, command: tuple[str, ...]) -> None:
    """Of two sites the one that agrees is not."""
    practice.on(world(harbor(0), replace(quay(key=QUAY_KEY), connections=harbor(3).connections)))
    practice.env["EXTCAL_QUAY_KEY"] = QUAY_KEY
    there = connection(3, of="quay", more=BUSY)
    practice.write(site("quay", id_=QUAY, key="EXTCAL_QUAY_KEY"), there, to="manifests/quay.yaml")
    ran = practice(*command)
    assert ran.code == 0, ran.err
    assert asked(practice) == {"ListProviders": 2, "ListConnections": 2, "QuerySchedules": 1}


@pytest.mark.parametrize("command", FOR_PEOPLE)
def test_pinned_names_are_for_nothing(practice: Extcal, command: tuple[str, ...]) -> None:
    """Where manifests have the names of all that is to be shown, the service is not asked."""
    pinned = connection(1).replace(schedule_id(1), f"{schedule_id(1)}, name: Hygienist Kim")
    practice.write(site(), connection(0, more=BUSY), pinned)
    ran = practice(*command)
    assert "Hygienist Kim" in ran.out
    assert schedule_id(1) not in ran.out
    assert asked(practice) == TWO


@pytest.mark.parametrize("command", FOR_PEOPLE)
def test_what_was_read_for_a_name_names_the_rest(practice: Extcal, command: tuple[str, ...]) -> None:
    """A manifest that names its schedule has the site's schedules read: nothing more is asked."""
    by_name = connection(2).replace(f"id: {schedule_id(2)}", "name: Staff 2")
    practice.write(site(), connection(0, more=BUSY), connection(1), by_name)
    ran = practice(*command)
    assert all(name in ran.out for name in ("Staff 1", "Staff 2"))
    assert asked(practice) == THREE


def test_an_unmanaged_connection_and_a_fault_have_names(extcal: Extcal) -> None:
    """They are to be looked at, so their schedules are named."""
    extcal.on(world(harbor(0, 3)))
    extcal.write(site(more="scope: site"), connection(0, more=BUSY))
    for command in FOR_PEOPLE[:1] + FOR_PEOPLE[3:]:
        assert ("Staff 3" in extcal(*command).out, asked(extcal)) == (True, THREE)
    extcal.write(site(), connection(0, provider="rota", more=EXPORTING).replace("rota", "{name: Nobody}"))
    assert ("on Staff 0" in extcal("status", "manifests").out, asked(extcal)) == (True, THREE)


def test_two_schedules_of_one_name_are_told_apart(practice: Extcal) -> None:
    """A member of staff has two: ids stand beside their names."""
    alike = tuple(Schedule(id=schedule_id(n), name="Dr. Lee") for n in range(3))
    practice.on(world(replace(harbor(0), schedules=alike)))
    practice.write(site(), connection(0, more=BUSY), connection(1), connection(2))
    out = practice("plan", "manifests").out
    assert [f"Dr. Lee  {schedule_id(n)}" in out for n in (1, 2)] == [True, True]


def test_a_hostile_name_is_inert(practice: Extcal) -> None:
    """Whatever the service calls a schedule, it moves no cursor and ends no line or tag."""
    name = "\x1b[2JDr.\r\n::error::x </script><b>`\u202e" + "x" * 200
    practice.on(world(replace(harbor(0), schedules=tuple(Schedule(id=schedule_id(n), name=name) for n in range(3)))))
    for command in FOR_PEOPLE:
        ran = practice(*command)
        assert ran.code == 0
        assert not {"\x1b", "\u202e", "\r"} & set(ran.out)
        assert "\n::error::x" not in ran.out
        assert "</script><b>" not in ran.out or "html" not in command
        assert "x" * 200 not in ran.out


def test_a_plan_is_the_same_under_any_names(practice: Extcal) -> None:
    """Names are in no digest, whether they were asked for or not; the saved plan has those that were shown."""
    plans = []
    for number, options in enumerate(([], ["--no-names"], ["--format", "json"])):
        assert practice("plan", "manifests", "--out", f"{number}.plan", *options).code == 0
        plans.append(json.loads((practice.folder / f"{number}.plan").read_text()))
    assert len({plan["digest"] for plan in plans}) == 1
    assert plans[0]["plan"] == plans[1]["plan"] == plans[2]["plan"]
    shown = practice("apply", "--plan", "0.plan", "--auto-approve").out
    assert f"Staff 1  {schedule_id(1)}" in shown


def test_a_reviewed_plan_is_shown_with_names(practice: Extcal) -> None:
    """They are asked for of the new plan, and matter nothing to the review."""
    assert practice("plan", "manifests", "--out", "saved.plan", "--no-names").code == 0
    asked(practice)
    ran = practice("plan", "manifests", "--reviewed", "saved.plan")
    assert (ran.code, "Staff 1" in ran.out, asked(practice)) == (0, True, THREE)
    ran = practice("plan", "manifests", "--reviewed", "saved.plan", "--no-names")
    assert (ran.code, schedule_id(1) in ran.out, asked(practice)) == (0, True, TWO)


def _elsewhere(method: str, path: str) -> tuple[str, str]:
    """What becomes of a request where schedules are not to be had."""
    return (method, "/nowhere") if path.startswith("/calendar/") else (method, path)


@contextmanager
def without_schedules(extcal: Extcal) -> Iterator[str]:
    """The endpoint of a service that answers no question about schedules."""
    with stand_in(extcal.sandbox.endpoint, _elsewhere) as endpoint:
        yield endpoint


@pytest.mark.parametrize("command", FOR_PEOPLE)
def test_names_that_can_not_be_read_spoil_nothing(practice: Extcal, command: tuple[str, ...]) -> None:
    """Ids are shown then, one note says why, and the exit code is that of the plan."""
    with without_schedules(practice) as endpoint:
        ran = practice(*command, "--endpoint", endpoint)
        quiet = practice(*command, "--endpoint", endpoint, "--quiet")
    assert (ran.code, quiet.code, quiet.err) == (0, 0, "")
    assert schedule_id(1) in ran.out
    assert len(ran.err.splitlines()) == 1
    assert ran.err.startswith("harbor: the names of schedules can't be read, so ids are shown: QuerySchedules: ")
    assert "--no-names" in ran.err


def test_nobody_waits_long_for_names(practice: Extcal, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that is slow to tell them is not waited for, and the plan is there."""
    monkeypatch.setattr("reconciler.workflow.schedule_names._PATIENCE_SECONDS", 0.2)
    over = threading.Event()

    def slow(method: str, path: str) -> tuple[str, str]:
        if path.startswith("/calendar/"):
            over.wait(TIMEOUT)
        return method, path

    with stand_in(practice.sandbox.endpoint, slow) as endpoint:
        ran = practice("plan", "manifests", "--endpoint", endpoint)
        over.set()
    assert (ran.code, schedule_id(1) in ran.out) == (0, True)
    assert "ids are shown: no answer within 0.2 s. With --no-names" in ran.err


def test_names_of_two_sites_that_can_not_be_read_are_one_note(practice: Extcal) -> None:
    """A fleet whose keys may not read schedules is told so once."""
    practice.on(world(harbor(), quay(key=QUAY_KEY)))
    practice.env["EXTCAL_QUAY_KEY"] = QUAY_KEY
    practice.write(site("quay", id_=QUAY, key="EXTCAL_QUAY_KEY"), connection(3, of="quay"), to="manifests/quay.yaml")
    with without_schedules(practice) as endpoint:
        ran = practice("plan", "manifests", "--endpoint", endpoint)
    assert ran.code == 0
    assert ran.err.startswith("harbor and 1 more site: the names of schedules can't be read")
    assert len(ran.err.splitlines()) == 1


def test_names_are_asked_for_by_fifties(practice: Extcal) -> None:
    """As many as the service lists unless told: 60 take two requests."""
    practice.on(world(harbor(schedules=60), accounts=60))
    practice.write(site(), *map(connection, range(60)))
    ran = practice("plan", "manifests")
    assert all(f"  Staff {n}\n" in ran.out for n in range(60))
    assert asked(practice) == TWO | {"QuerySchedules": 2}


def test_a_schedule_that_is_gone_has_its_id(practice: Extcal) -> None:
    """The service does not name it, and that is no failure."""
    practice.on(world(replace(harbor(0), schedules=tuple(harbor(0).schedules[:1]))))
    ran = practice("plan", "manifests")
    assert f"schedule  {schedule_id(1)}" in ran.out
    assert (ran.code, ran.err, asked(practice)) == (0, "", THREE)


def test_the_help_says_what_it_saves(extcal: Extcal) -> None:
    """Both commands have the options."""
    for command in ("plan", "status"):
        shown = extcal(command, "--help").out
        assert "--no-names" in shown
        assert "--wide" in shown
