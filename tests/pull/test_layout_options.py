"""`extcal pull` of bigger sites, as a person runs it against a running sandbox, and of those who are called oddly."""

import csv
from dataclasses import replace

import pytest

from reconciler.manifests import load
from reconciler.sandbox.world import Schedule
from tests.support.cli.command import Extcal
from tests.support.cli.worlds import HARBOR, harbor, schedule_id, world

HERE = ("pull", "--site-id", HARBOR, "--name", "harbor", "--output", "manifests")
HOSTILE = (
    'He said "hi"; twice',
    "=1+1",
    "+1-2",
    "@sum(A1)",
    "# no\ttab",
    "a\nb: {c}",
    "\U0001f600 ok",
    "\u202egnp.exe",
)


def test_a_bigger_site_is_a_set(extcal: Extcal) -> None:
    """One file lists them, and planning finds nothing to do."""
    extcal.on(world(harbor(*range(5))))
    ran = extcal(*HERE)
    assert (ran.code, ran.err) == (0, "1 site: 1 pulled, 5 connections\n")
    assert ran.out.splitlines() == [
        "created    manifests/harbor/connections.yaml",
        "created    manifests/harbor/policies.yaml",
        "created    manifests/harbor/site.yaml",
    ]
    assert extcal("plan", "manifests", "--detailed-exitcode").code == 0
    assert extcal("pull", "manifests", "--output", "manifests", "--check").code == 0


def test_a_roster_that_is_asked_for(extcal: Extcal) -> None:
    """--check shows its rows, and a pull writes them; a colleague who comes later is a row more."""
    extcal.on(world(harbor(0, 1)))
    shown = extcal(*HERE, "--as", "rosters", "--check")
    assert shown.code == 1
    assert "+++ manifests/harbor/staff.csv\n" in shown.out
    row = f"staff-1,staff1@harbor-dental.example,{schedule_id(1)},Staff 1,EXTCAL_STAFF_1_PASSWORD"
    assert f"+{row}\n" in shown.out
    assert not (extcal.folder / "manifests").exists()
    assert extcal(*HERE, "--as", "rosters").code == 0
    extcal.on(world(harbor(0, 1, 2)))
    later = extcal("pull", "manifests", "--output", "manifests")
    assert later.out.splitlines()[0] == "updated    manifests/harbor/staff.csv"
    text = (extcal.folder / "manifests/harbor/staff.csv").read_text()
    assert text.endswith(f"{row}\n{row.replace('1', '2').replace(schedule_id(1).replace('1', '2'), schedule_id(2))}\n")
    assert extcal("plan", "manifests", "--detailed-exitcode").code == 0


def test_an_unknown_layout_is_told(extcal: Extcal) -> None:
    """It is wrong usage, and nothing is written."""
    ran = extcal(*HERE, "--as", "tables")
    assert ran.code == 64
    assert not (extcal.folder / "manifests").exists()


@pytest.mark.parametrize("layout", ["documents", "sets", "rosters"])
def test_names_from_the_service_mean_themselves(extcal: Extcal, layout: str) -> None:
    """Whatever a schedule is called: nothing of it is read as YAML, as columns, or as a formula."""
    site = harbor(*range(len(HOSTILE)))
    schedules = tuple(Schedule(id=schedule_id(number), name=name) for number, name in enumerate(HOSTILE))
    extcal.on(world(replace(site, schedules=schedules)))
    ran = extcal(*HERE, "--as", layout)
    assert (ran.code, ran.err) == (0, f"1 site: 1 pulled, {len(HOSTILE)} connections\n")
    assert extcal("plan", "manifests", "--detailed-exitcode").code == 0
    assert extcal(*HERE, "--check").out == ""
    declared = {one.schedule.value: one.schedule.name for one in load([extcal.folder / "manifests"]).connections}
    held = {schedule_id(number): name for number, name in enumerate(HOSTILE) if "\n" not in name and "\t" not in name}
    assert {id_: declared[id_] for id_ in held} == held
    if layout == "rosters":
        with (extcal.folder / "manifests/harbor/staff.csv").open(encoding="utf-8-sig", newline="") as table:
            names = {row["schedule_name"] for row in csv.DictReader(table)}
        assert names == {'He said "hi"; twice', "\U0001f600 ok"}
