"""What `--site`, `--connection` and `--schedule` take in every command that plans: names, ids and addresses."""

from dataclasses import replace

import pytest

from reconciler.sandbox.world import ExistingConnection, Schedule
from tests.support.cli.command import Extcal
from tests.support.cli.watcher import watching
from tests.support.cli.worlds import (
    BUSY,
    EXPORTING,
    GOOGLE,
    HARBOR,
    PASSWORD_ENV,
    QUAY,
    connected,
    connection,
    email,
    harbor,
    quay,
    schedule_id,
    site,
    world,
)
from tests.support.scenarios.schedules import with_other_schedules

_QUERY = "/calendar/v3/schedules/query"
_ID = "/id:"


def addresses(command: Extcal, *words: str, of: str = "plan") -> list[str]:
    """The addresses of what was planned, or looked at."""
    command.sandbox.requests.clear()
    ran = command(of, "manifests", *words, "--format", "json")
    assert ran.code == 0, ran.err
    rows = ran.document["connections" if of == "status" else "actions"]
    assert isinstance(rows, list)
    return [str(row["address"]) for row in rows]


def refused(command: Extcal, *words: str, of: str = "plan") -> str:
    """What is said of a choice that can't be meant; nothing is written."""
    ran = command(of, "manifests", *words)
    assert (ran.code, ran.out) == (64, "")
    assert command.writes == []
    return ran.err


@pytest.fixture
def two(extcal: Extcal) -> Extcal:
    """Two sites with connections that are called the same; one of Harbor's is not declared."""
    extcal.on(world(with_other_schedules(harbor(0, 1, 3)), quay(key="key-of-the-quay")))
    extcal.env |= {"EXTCAL_QUAY": "key-of-the-quay", **PASSWORD_ENV}
    by_name = connection(1, more=BUSY).replace(f"{{id: {schedule_id(1)}}}", "{name: Staff 1}")
    there = connection(0, of="quay", more=BUSY).replace("staff-0", "desk").replace("staff0@", "desk@")
    same = connection(1, of="quay", provider="google", more=BUSY)
    extcal.write(
        site(), site("quay", id_=QUAY, key="EXTCAL_QUAY"), connection(0, more=BUSY), by_name, there, same,
    )  # fmt: skip
    return extcal


@pytest.mark.parametrize("command", ["plan", "status"])
@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("--site", HARBOR.upper()), ["harbor/staff-0", "harbor/staff-1"]),
        (("--site", "quay"), ["quay/desk", "quay/staff-1"]),
        (("--connection", "staff-0"), ["harbor/staff-0"]),
        (("--connection", "harbor/staff-1"), ["harbor/staff-1"]),
        (("--connection", "staff-1", "--site", HARBOR), ["harbor/staff-1"]),
        (("--connection", email(0).upper()), ["harbor/staff-0"]),
        (("--connection", "live-1"), ["harbor/staff-1"]),
        (("--connection", f"harbor{_ID}live-0"), ["harbor/staff-0"]),
        (("--schedule", "Staff 1", "--site", "harbor"), ["harbor/staff-1"]),
        (("--schedule", "Staff 1", "--connection", "live-1"), ["harbor/staff-1"]),
        (("--schedule", schedule_id(0), "--site", "harbor"), ["harbor/staff-0"]),
        (("--schedule", "resource-0"), ["harbor/staff-0"]),
        (("--schedule", "resource-1"), ["harbor/staff-1"]),
        (("--schedule", schedule_id(1).upper(), "--site", "harbor"), ["harbor/staff-1"]),
    ],
)
def test_a_choice_is_made_by_whatever_names_it(
    two: Extcal, command: str, words: tuple[str, ...], found: list[str]
) -> None:
    """By name, id, address, account or external id; whatever the manifests write, and whatever the service knows."""
    assert [each for each in addresses(two, *words, of=command) if _ID not in each] == found


@pytest.mark.parametrize(
    ("words", "requests"),
    [
        (("--connection", "staff-0"), 0),
        (("--schedule", schedule_id(0), "--site", "harbor"), 0),
        (("--schedule", "Staff 0", "--site", "harbor"), 1),
    ],
)
def test_schedules_are_asked_for_only_where_manifests_do_not_tell(
    two: Extcal, words: tuple[str, ...], requests: int
) -> None:
    """A choice that the manifests tell costs nothing; what only the service knows costs one query."""
    two.write(site(), connection(0, more=BUSY))
    assert addresses(two, *words) == ["harbor/staff-0"]
    assert sum(request.path == _QUERY for request in two.sandbox.requests) == requests


@pytest.mark.parametrize("command", ["plan", "apply", "status"])
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--connection", "staff-1"), "2 connections fit it: harbor/staff-1, quay/staff-1. Give the address of one"),
        (("--connection", email(1)), "2 connections fit it: harbor/staff-1, quay/staff-1"),
        (("--connection", "live-3"), "no manifest declares it, and it is live on harbor, apple staff3@"),
        (("--connection", f"harbor{_ID}live-3"), "no manifest declares it, and it is live on harbor"),
        (("--connection", "quay/staff-0"), "no manifest declares it; did you mean quay/staff-1?"),
        (("--connection", "nobody@harbor-dental.example"), "no manifest declares it; declared are desk, staff-0"),
        (("--connection", "harbor/staff-0", "--site", "quay"), "no manifest of the chosen sites declares it"),
        (("--connection", ""), "no manifest declares it; declared are desk, staff-0, staff-1"),
        (("--schedule", schedule_id(0)), "2 schedules fit it: harbor externalId"),
        (
            ("--schedule", "Staff 3", "--site", "harbor"),
            "no manifest of the chosen sites names it, and the service has",
        ),
        (("--schedule", "Dr. Lee"), "no manifest names it; named are Staff 0, Staff 1"),
        (("--schedule", "Stafff 1", "--site", "quay"), "did you mean Staff 1?"),
        (("--site", "Quai"), "--site Quai: no manifest declares it; did you mean quay?"),
        (("--site", "lakeside"), "--site lakeside: no manifest declares it; declared are harbor, quay"),
    ],
)
def test_a_choice_that_is_unclear_says_what_there_is(
    two: Extcal, command: str, words: tuple[str, ...], said: str
) -> None:
    """Several candidates are named, and of what is not there, what is; that is wrong usage."""
    if said.startswith("2 schedules"):
        said = f"2 schedules fit it: harbor id {schedule_id(0)}, quay id {schedule_id(0)}. Give the id of one, or add"
    assert said in refused(two, *words, of=command)


def test_schedules_of_one_name_are_told_apart(extcal: Extcal) -> None:
    """A name that two schedules have is ambiguous where connections are on both; an unused one is not meant."""
    twins = (Schedule(schedule_id(7), "Front Desk"), Schedule(schedule_id(8), "Front Desk"))
    extcal.on(world(replace(harbor(schedules=7), schedules=(*harbor(schedules=7).schedules, *twins)), accounts=9))
    extcal.write(site(), connection(7), connection(0))
    assert addresses(extcal, "--schedule", "Front Desk") == ["harbor/staff-7"]
    extcal.write(site(), connection(7), connection(8))
    said = refused(extcal, "--schedule", "Front Desk")
    assert f"2 schedules fit it: harbor Front Desk [{schedule_id(7)}], harbor Front Desk [{schedule_id(8)}]" in said


def test_a_choice_that_nobody_could_be_asked_about_is_no_wrong_usage(two: Extcal) -> None:
    """Where a site can't be read, the word may be right: the reason is told, and the exit code is 1."""
    del two.env["EXTCAL_QUAY"]
    for words in (("--schedule", "Staff 3"), ("--connection", "live-9")):
        ran = two("plan", "manifests", *words)
        assert (ran.code, ran.out) == (1, "")
        assert f"error: {' '.join(words)}: no manifest" in ran.err
        assert "and quay could not be asked: " in ran.err


def test_apply_writes_to_what_was_chosen_by_its_live_name(extcal: Extcal) -> None:
    """The others are left alone."""
    extcal.on(world(harbor(0, 1)))
    changed = "syncConfig: {listEventFromCalendars: {enabled: false}}"
    extcal.write(site(), connection(0, more=changed), connection(1, more=changed))
    ran = extcal("apply", "manifests", "--schedule", "Staff 1", "--auto-approve")
    assert (ran.code, ran.out.splitlines()[-1]) == (0, "Applied: 1 done.")
    assert [request.path.split("/")[5] for request in extcal.writes] == ["live-1"]


def test_a_site_is_chosen_by_its_id_where_files_are_written(two: Extcal) -> None:
    """Pin and pull take it, too, and refuse the same."""
    pinned = two("pin", "manifests", "--site", HARBOR.upper(), "--check")
    assert (pinned.code, "1 schedule to write" in pinned.err) == (1, True)
    pulled = two("pull", "manifests", "--site", QUAY, "--output", "out")
    assert pulled.code == 0, pulled.err
    assert "quay" in pulled.out
    assert "harbor" not in pulled.out
    for command in (("pin",), ("pull", "--output", "out")):
        wrong = two(*command, "manifests", "--site", "lakeside")
        assert (wrong.code, wrong.out) == (64, "")
        assert "declared are harbor, quay" in wrong.err


def test_duplicates_are_resolved_by_a_name(extcal: Extcal) -> None:
    """--keep and --forget take NAME where one site has it; where several do, they name the addresses."""
    twin = replace(connected(0), id="twin-0")
    extcal.on(world(replace(harbor(), connections=(connected(0), twin)), quay(key="key-of-the-quay")))
    extcal.env |= {"EXTCAL_QUAY": "key-of-the-quay"}
    quays = site("quay", id_=QUAY, key="EXTCAL_QUAY")
    extcal.write(site(), quays, connection(0), connection(0, of="quay", provider="google"))
    wrong = extcal("resolve", "manifests", "--keep", "staff-0=live-0", "--auto-approve")
    assert (wrong.code, wrong.out, extcal.writes) == (64, "", [])
    assert "--keep staff-0: 2 connections fit it: harbor/staff-0, quay/staff-0" in wrong.err
    extcal.write(site(), connection(0))
    twice = extcal("resolve", "manifests", "--keep", "staff-0=live-0", "--keep", "harbor/staff-0=twin-0")
    assert (twice.code, "harbor/staff-0 is given twice" in twice.err) == (64, True)
    ran = extcal("resolve", "manifests", "--keep", "staff-0=live-0", "--auto-approve")
    assert ran.code == 0, ran.err
    assert [request.path.split("/")[5] for request in extcal.writes] == ["twin-0"]


def test_a_watch_is_about_a_schedule_that_only_the_service_names(extcal: Extcal) -> None:
    """It is asked once, before the first round; an unknown one ends the watch before that."""
    extcal.on(world(harbor(0, 1)))
    extcal.write(site(), connection(0, more=EXPORTING), connection(1, more=EXPORTING))
    with watching(
        extcal,
        "--schedule",
        "Staff 1",
    ) as watcher:
        watcher.ready()
        watcher.until("harbor/staff-1")
        assert not any("staff-0" in line for line in watcher.lines)
    assert sum(request.path == _QUERY for request in extcal.sandbox.requests) == 1
    ran = extcal("watch", "manifests", "--listen", "127.0.0.1:0", "--schedule", "Staff 9")
    assert (ran.code, "no manifest names it" in ran.err) == (64, True)


def test_an_account_on_two_schedules_is_ambiguous(extcal: Extcal) -> None:
    """By its account a connection is chosen only where one manifest has it."""
    other = ExistingConnection(provider_id=GOOGLE, schedule_id=schedule_id(1), account=email(0), id="other-0")
    extcal.on(world(replace(harbor(), connections=(connected(0), other))))
    google = connection(0, provider="google").replace("staff-0", "google-0").replace(schedule_id(0), schedule_id(1))
    extcal.write(site(), connection(0), google)
    assert "2 connections fit it: harbor/google-0, harbor/staff-0" in refused(extcal, "--connection", email(0))
