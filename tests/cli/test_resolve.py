"""`extcal resolve` on what stands twice, whoever made it: it is listed, and a person says which one stays."""

from collections.abc import Sequence
from dataclasses import replace

import httpx
import pytest

from reconciler.machine import Owner
from reconciler.sandbox.contract import ErrorReason, Status
from reconciler.sandbox.faults import READS, Answer, Fault, Faults
from reconciler.sandbox.world import ExistingConnection
from tests.support.cli.command import Extcal
from tests.support.cli.journals import folder_of, intent, leave_open
from tests.support.cli.terminal import terminal
from tests.support.cli.worlds import (
    APPLE,
    HARBOR,
    KEY,
    PASSWORD_ENV,
    connected,
    connection,
    harbor,
    schedule_id,
    site,
    world,
)

_RESOLVE = ("resolve", "manifests")
_KEEP = (*_RESOLVE, "--keep", "harbor/staff-0=live-0")
_CLEAN = "No connect is open, and no connection exists twice.\n"


def twin(name: str = "twin-0", **fields: object) -> ExistingConnection:
    """A second connection of account 0 with schedule 0."""
    return replace(connected(0), id=name, **fields)  # type: ignore[arg-type] # fields of the value


BROKEN = {"status": Status.ERROR, "error_reason": ErrorReason.TOKEN_REVOKED}


def on(extcal: Extcal, *connections: ExistingConnection) -> None:
    """Let Harbor Dental have these connections."""
    extcal.on(world(replace(harbor(), connections=connections)))


def standing(extcal: Extcal) -> set[str]:
    """The ids of the connections that are connected."""
    rows = extcal("connections", "--site-id", HARBOR, "--format", "json").rows
    return {str(row["id"]) for row in rows if row["status"] != "DISCONNECTED"}


@pytest.fixture
def duplicates(extcal: Extcal) -> Extcal:
    """The command, with connections declared of which one stands twice."""
    extcal.env |= PASSWORD_ENV
    extcal.write(site(), connection(0), connection(1))
    on(extcal, connected(0), twin(), connected(1))
    return extcal


def test_what_stands_twice_is_listed(duplicates: Extcal) -> None:
    """Without a word nothing is done: what there is, how to say which one stays, exit 1."""
    ran = duplicates(*_RESOLVE)
    assert (ran.code, ran.err, duplicates.writes) == (1, "", [])
    assert ran.out == (
        "LEFT OPEN  harbor/staff-0  apple staff0@harbor-dental.example\n"
        "           2 connections exist where one is declared:\n"
        "             live-0 (SYNCED, staff0@harbor-dental.example)\n"
        "             twin-0 (SYNCED, staff0@harbor-dental.example)\n"
        "           to keep the first and disconnect the others: "
        "extcal resolve manifests --keep harbor/staff-0=live-0\n"
        "\n"
        "0 settled, 1 left open. Until they are settled, none of them is applied.\n"
    )
    (row,) = duplicates(*_RESOLVE, "--format", "json").rows
    assert row == {
        "address": "harbor/staff-0",
        "site_id": HARBOR,
        "schedule_id": schedule_id(0),
        "provider": "apple",
        "account": "staff0@harbor-dental.example",
        "settled": False,
        "finding": "duplicates",
        "ending": None,
        "connections": [
            {"id": name, "status": "SYNCED", "account": "staff0@harbor-dental.example"} for name in ("live-0", "twin-0")
        ],
        "kept": None,
        "disconnected": [],
        "error": None,
    }


@pytest.mark.parametrize("command", [("plan", "manifests"), ("status", "manifests"), ("apply", "manifests")])
def test_every_command_names_the_same_way_out(duplicates: Extcal, command: Sequence[str]) -> None:
    """Plan, status and apply name the connections and send to resolve, not to the dashboard."""
    ran = duplicates(*command, *(["--auto-approve"] if command[0] == "apply" else []))
    said = ran.out + ran.err
    assert ran.code == (0 if command[0] == "status" else 1)
    assert "live-0 (staff0@harbor-dental.example, SYNCED), twin-0 (staff0@harbor-dental.example, SYNCED)" in said
    assert "extcal resolve PATH --keep harbor/staff-0=ID" in said
    assert "dashboard" not in said
    assert duplicates.writes == []


@pytest.mark.parametrize(("kept", "gone"), [("live-0", "twin-0"), ("twin-0", "live-0")])
def test_the_one_that_is_named_stays(duplicates: Extcal, kept: str, gone: str) -> None:
    """The others of its key go, and nothing else: no other account, no other schedule, none without an account."""
    others = (
        connected(1),
        replace(connected(2), schedule_id=schedule_id(0)),
        twin("elsewhere", schedule_id=schedule_id(3)),
        twin("nameless", email_shown=False),
    )
    on(duplicates, connected(0), twin(), *others)
    ran = duplicates(*_RESOLVE, "--keep", f"harbor/staff-0={kept}", "--auto-approve")
    assert (ran.code, ran.err) == (0, "")
    assert f"           {kept} stays; disconnected: {gone}\n" in ran.out
    assert [request.path.split("/")[-2:] for request in duplicates.writes] == [[gone, "disconnect"]]
    assert standing(duplicates) == {kept, *(str(other.id) for other in others)}
    assert duplicates(*_RESOLVE).out == _CLEAN
    assert duplicates("plan", "manifests").code == 0


def test_it_is_found_by_a_schedule_s_name_and_a_provider_s(duplicates: Extcal) -> None:
    """What a manifest names is resolved as planning does."""
    text = connection(0).replace(f"id: {schedule_id(0)}", "name: Staff 0")
    duplicates.write(site(), text.replace("provider: apple", "provider: {name: Apple}"))
    assert duplicates(*_KEEP, "--auto-approve").code == 0
    assert standing(duplicates) == {"live-0", "live-1"}


@pytest.mark.parametrize(
    ("connections", "open_"),
    [
        ((connected(0), twin(**BROKEN)), False),
        ((connected(0), twin(email_shown=False)), False),
        ((connected(0), twin(status=Status.DISCONNECTED)), False),
        ((twin("a", **BROKEN), twin("b", **BROKEN)), True),
        ((connected(0), twin(), twin("c", **BROKEN)), True),
    ],
)
def test_what_is_a_question(duplicates: Extcal, connections: Sequence[ExistingConnection], *, open_: bool) -> None:
    """One healthy connection answers it; several do not, nor do several that are broken."""
    on(duplicates, *connections)
    (rows, code) = (["duplicates"], 1) if open_ else ([], 0)
    ran = duplicates(*_RESOLVE, "--format", "json")
    assert (ran.code, [row["finding"] for row in ran.rows]) == (code, rows)


def test_what_a_manifest_does_not_want_is_no_question(duplicates: Extcal) -> None:
    """A tombstone takes all of them; what two manifests declare is a fault of theirs."""
    duplicates.write(site(), connection(0, more="state: absent"))
    assert duplicates(*_RESOLVE).out == _CLEAN
    duplicates.write(site(), connection(0), connection(0, provider="{name: Apple}").replace("staff-0", "again"))
    assert duplicates(*_RESOLVE).out == _CLEAN
    assert duplicates.writes == []


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("harbor/staff-0=live-1", "not one of its connections, which are live-0, twin-0"),
        ("harbor/staff-1=live-1", "open are: harbor/staff-0"),
    ],
)
def test_what_makes_no_sense_is_refused(duplicates: Extcal, word: str, said: str) -> None:
    """A connection of another key, or an address that stands once, is wrong usage."""
    ran = duplicates(*_RESOLVE, "--keep", word, "--auto-approve")
    assert (ran.code, ran.out, duplicates.writes) == (64, "", [])
    assert said in ran.err


def test_without_a_terminal_nothing_is_disconnected(duplicates: Extcal) -> None:
    """Where nobody can be asked and --auto-approve is not there, it is wrong usage."""
    ran = duplicates(*_KEEP)
    assert (ran.code, ran.out, duplicates.writes) == (64, "", [])
    assert "Add --auto-approve" in ran.err


def test_nobody_disconnects_beside_another_run(duplicates: Extcal) -> None:
    """A site that another run holds is left alone."""
    with folder_of(duplicates).lock(Owner("a test", 77, "ops", "quay-1"), "harbor"):
        ran = duplicates(*_KEEP, "--auto-approve")
    assert (ran.code, ran.out, duplicates.writes) == (1, "", [])


def test_a_person_is_asked_and_it_is_looked_again(duplicates: Extcal) -> None:
    """Where the one to stay has gone while a person thought it over, the others are not disconnected."""
    with terminal(duplicates, *_KEEP) as at:
        at.expect("Disconnect 1? [y/N]:")
        assert "harbor/staff-0: keeping live-0, disconnecting twin-0\n" in at.seen
        url = f"{duplicates.sandbox.endpoint}/bookings/v2/external-calendars/connections/live-0/disconnect"
        httpx.post(url, json={}, headers={"Authorization": KEY, "wix-site-id": HARBOR}).raise_for_status()
        at.answer("[y/N]:", "y\n")
        assert at.ended() == 1
    assert "live-0 is no longer connected, so nothing was disconnected" in at.seen
    assert standing(duplicates) == {"twin-0", "live-1"}


def test_a_person_says_yes(duplicates: Extcal) -> None:
    """And what was shown is what goes."""
    with terminal(duplicates, *_KEEP) as at:
        at.answer("Disconnect 1? [y/N]:", "y\n")
        assert at.ended() == 0
    assert standing(duplicates) == {"live-0", "live-1"}


def test_a_site_that_can_not_be_read_is_told(duplicates: Extcal) -> None:
    """It is not said that nothing stands twice; what was left open can be forgotten all the same."""
    leave_open(duplicates, intent(5))
    duplicates.sandbox.inject(Faults((Fault(Answer(403), on=READS),)))
    try:
        ran = duplicates(*_KEEP, "--forget", "harbor/staff-5", "--auto-approve")
    finally:
        duplicates.sandbox.inject(None)
    assert (ran.code, duplicates.writes) == (1, [])
    assert ran.err.startswith("manifests/all.yaml:2:1: ListConnections: HTTP 403")
    assert "settled    harbor/staff-5" in ran.out
    assert folder_of(duplicates).journal.pending() == ()


def test_a_provider_that_can_not_be_read_is_told(duplicates: Extcal) -> None:
    """What stands twice there is not known; the rest is settled."""
    duplicates.sandbox.set_provider_down(APPLE, down=True)
    ran = duplicates(*_RESOLVE)
    assert ran.err == (
        "warning: harbor: the service could not read the connections of provider Apple: "
        "which of them stand twice is not known\n"
    )


def test_beside_a_connect_that_was_left_open_any_may_stay(duplicates: Extcal) -> None:
    """What it has made is known now; which of the two stays is said of both alike."""
    leave_open(duplicates, replace(intent(0), known=("live-0",)))
    listed = duplicates(*_RESOLVE, "--format", "json")
    assert [row["finding"] for row in listed.rows] == ["adopted", "duplicates"]
    assert listed.code == 1
    leave_open(duplicates, replace(intent(0), known=("live-0",)))
    assert duplicates(*_KEEP, "--auto-approve").code == 0
    assert standing(duplicates) == {"live-0", "live-1"}
    assert folder_of(duplicates).journal.pending() == ()
