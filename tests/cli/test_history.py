"""`extcal history` shows what was done to connections, by whom, and nothing that must not be kept."""

import json
import re
import stat
from pathlib import Path

import pytest

from reconciler.machine.history import KEPT, ROTATE_SIZE
from reconciler.sandbox.faults import Answer, Effect, Fault, Faults, Operation, Reset
from tests.support.cli.command import Extcal
from tests.support.cli.worlds import BUSY, HARBOR, PASSWORD_ENV, QUAY, connection, email, harbor, site, world

APPLY = ("apply", "manifests", "--auto-approve")
CI = {"GITHUB_ACTOR": "octo-example", "GITHUB_SHA": "3f" * 20}
DONE = "harbor/staff-0"


@pytest.fixture
def applied(extcal: Extcal) -> Extcal:
    """One connection that was connected by an apply in CI."""
    extcal.on(world(harbor()))
    extcal.env |= PASSWORD_ENV | CI | {"EXTCAL_STATE_DIR": str(extcal.folder / "state")}
    extcal.write(site(), connection(0, more=BUSY))
    assert extcal(*APPLY).code == 0
    return extcal


def entries(extcal: Extcal, *options: str) -> list[dict[str, object]]:
    """The history as JSON."""
    found = json.loads(extcal("history", *options, "--format", "json").out)
    assert isinstance(found, list)
    return found


def file_of(extcal: Extcal) -> Path:
    """The one file that the history is in."""
    (found,) = (extcal.folder).rglob("history")
    return found


def test_it_says_who_did_what(applied: Extcal) -> None:
    """The actor, the commit, the plan, the connection, its fields before and after, and how it ended."""
    (entry,) = entries(applied)
    assert entry["by"] == "octo-example"
    assert entry["commit"] == "3f" * 20
    assert str(entry["plan"]).startswith("sha256:")
    assert (entry["action"], entry["address"], entry["status"]) == ("connect", DONE, "done")
    changes = entry["changes"]
    assert isinstance(changes, list)
    assert {"path": "syncConfig.listEventFromCalendars.enabled", "before": None, "after": True} in changes
    shown = applied("history").out
    assert "octo-example" in shown
    assert f" {str(entry['plan'])[7:14]} " in shown
    assert DONE in shown
    assert stat.S_IMODE(file_of(applied).stat().st_mode) == 0o600


def test_nothing_is_added_where_nothing_is_done(applied: Extcal) -> None:
    """Plans, and an apply that finds all as declared, leave it as it is; nothing is asked for showing it."""
    applied("plan", "manifests")
    applied(*APPLY)
    assert len(entries(applied)) == 1


def test_a_disconnect_follows(applied: Extcal) -> None:
    """The oldest is first, in CSV as well."""
    applied.write(site(), connection(0, more="state: absent"))
    assert applied(*APPLY).code == 0
    assert [entry["action"] for entry in entries(applied)] == ["connect", "disconnect"]
    assert len(applied("history", "--format", "csv").out.splitlines()) == 3


@pytest.mark.parametrize(
    ("options", "count"),
    [
        (("manifests",), 1),
        (("--site", "harbor"), 1),
        (("--site", "elsewhere"), 0),
        (("--connection", "staff-0"), 1),
        (("--connection", DONE), 1),
        (("--connection", "staff-1"), 0),
        (("--connection", ""), 0),
        (("--connection", email(0)), 1),
        (("manifests", "--connection", "staff-0"), 1),
        (("manifests", "--connection", email(0).upper()), 1),
        (("manifests", "--connection", "staff-1"), 0),
        (("manifests", "--site", "harbor"), 1),
        (("manifests", "--site", HARBOR.upper()), 1),
        (("--site", HARBOR.upper()), 1),
        (("--since", "1h"), 1),
        (("--since", "2100-01-01"), 0),
    ],
)
def test_it_can_be_narrowed(applied: Extcal, options: tuple[str, ...], count: int) -> None:
    """To sites, connections and times; what is declared and was never written to is no error."""
    applied.write(site(), connection(0, more=BUSY), connection(1))
    assert len(entries(applied, *options)) == count


@pytest.mark.parametrize("since", ["yesterday", "", "0001-01-01T00:00+14:00"])
def test_a_time_that_is_none_is_an_error(applied: Extcal, since: str) -> None:
    """With what to write."""
    ran = applied("history", "--since", since)
    assert ran.code == 64
    assert "Write 30m, 24h, 7d, or 2027-01-31." in ran.err


def test_a_line_that_was_cut_off_is_passed_over(applied: Extcal) -> None:
    """What a crash has left spoils neither what stands before nor what comes after."""
    with file_of(applied).open("a") as file:
        file.write('\n{"at": "2027-')
    applied.write(site(), connection(0, more="state: absent"))
    assert applied(*APPLY).code == 0
    assert [entry["action"] for entry in entries(applied)] == ["connect", "disconnect"]


def test_it_does_not_grow_for_ever(applied: Extcal) -> None:
    """A file that has grown is set aside and still shown; the oldest that was set aside goes."""
    file = file_of(applied)
    for number in range(1, KEPT + 1):
        file.with_name(f"history.{number}").write_bytes(b"")
        file.with_name(f"history.{number}").chmod(0o600)
    with file.open("ab") as grown:
        grown.write(b"\n" * ROTATE_SIZE)
    applied.write(site(), connection(0, more="state: absent"))
    assert applied(*APPLY).code == 0
    assert [entry["action"] for entry in entries(applied)] == ["connect", "disconnect"]
    assert file.stat().st_size < ROTATE_SIZE
    assert len(list(file.parent.glob("history*"))) == KEPT + 1


def test_what_was_done_and_can_not_be_recorded_is_told(applied: Extcal) -> None:
    """It is done all the same, and the run fails for it, with the file."""
    file = file_of(applied)
    file.unlink()
    file.mkdir()
    applied.write(site(), connection(0, more="state: absent"))
    ran = applied(*APPLY)
    assert ran.code == 1
    assert "so the history lacks it" in ran.out
    assert applied.writes[-1].path.endswith("/disconnect")
    assert applied("history").code == 1


def test_links_are_not_in_it(extcal: Extcal) -> None:
    """That an owner was asked is, and not how."""
    extcal.on(world(harbor()))
    extcal.env |= PASSWORD_ENV | {"EXTCAL_STATE_DIR": str(extcal.folder / "state")}
    extcal.write(site(), connection(0, provider="google"))
    ran = extcal(*APPLY, "--consent", "link", "--format", "json")
    assert ran.code == 3
    (url,) = [action["consent_url"] for action in json.loads(ran.out)["actions"] if action["consent_url"]]
    assert "awaiting-consent" in file_of(extcal).read_text()
    assert str(url) not in file_of(extcal).read_text()


@pytest.mark.parametrize("kind", ["address", "name", "live id", "account", "another name"])
def test_what_is_declared_no_more_is_found(applied: Extcal, kind: str) -> None:
    """By whatever it was called, with manifests that don't hold it any more."""
    (entry,) = entries(applied)
    words = {
        "address": DONE,
        "name": "staff-0",
        "live id": str(entry["connection_id"]),
        "account": email(0),
        "another name": DONE,
    }
    # A connection that is called otherwise now is the same account's.
    now = connection(0).replace("staff-0", "dr-lee") if kind == "another name" else connection(1)
    applied.write(site(), now)
    assert entries(applied, "manifests", "--connection", words[kind]) == [entry]
    if kind == "another name":
        assert entries(applied, "manifests", "--connection", email(0)) == [entry]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            ("--connection", "staff-00"),
            "--connection staff-00: no manifest declares it, and no entry has it; did you mean",
        ),
        (("--connection", "former-0"), "did you mean former-1?"),
        (("--connection", "lakeside"), "declared are "),
        (("--connection", ""), "declared are "),
        (("--site", "habor"), "did you mean harbor?"),
        (("--site", "lakeside"), "without PATH, sites that none declares are found"),
        (("--connection", "staff-2"), "2 connections fit it: harbor/staff-2, quay/staff-2"),
    ],
)
def test_with_manifests_an_unknown_or_ambiguous_word_is_wrong_usage(
    applied: Extcal, words: tuple[str, ...], says: str
) -> None:
    """As in other commands; what is near to it may be what only the history has. Nothing is asked."""
    former = connection(1).replace("staff-1", "former-1")
    applied.write(site(), connection(0, more=BUSY), former)
    assert applied(*APPLY).code == 0
    quays = site("quay", id_=QUAY)
    applied.write(site(), quays, connection(0), connection(2), connection(3, of="quay").replace("staff-3", "staff-2"))
    applied.sandbox.requests.clear()
    ran = applied("history", "manifests", *words)
    assert (ran.code, ran.out) == (64, ""), ran.err
    assert says in ran.err
    assert not applied.sandbox.requests


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--connection", "staff-9"), "--connection staff-9: no entry has it; did you mean staff-0?"),
        (("--site", "habor"), "--site habor: no entry has it; did you mean harbor?"),
        (("--site", "lakeside"), "there are harbor"),
    ],
)
def test_without_manifests_there_may_be_entries_some_day(applied: Extcal, words: tuple[str, ...], says: str) -> None:
    """So a word that no entry has is a note: a job that lists what was done to a new site does not fail."""
    ran = applied("history", *words)
    assert ran.code == 0
    assert says in ran.err
    assert "nothing was done that fits" in ran.err


def test_a_word_that_only_older_entries_have_is_known(applied: Extcal) -> None:
    """That nothing was done lately is no reason to doubt it."""
    applied.write(site(), connection(1))
    ran = applied("history", "manifests", "--connection", DONE, "--since", "2100-01-01")
    assert ran.code == 0
    assert ran.err == "nothing was done that fits\n"


@pytest.mark.parametrize("kind", ["refused", "lost", "no answer"])
def test_a_failure_has_the_request_that_it_is_about(extcal: Extcal, kind: str) -> None:
    """The service's id of it, which its support asks for, as a field of its own; none where nothing was answered."""
    extcal.on(world(harbor(0)))
    extcal.env |= {"EXTCAL_STATE_DIR": str(extcal.folder / "state")}
    extcal.write(site(), connection(0, more="state: absent"))
    effects: dict[str, Answer | Reset] = {
        "refused": Answer(403),
        "lost": Answer(503, effect=Effect.NONE),
        "no answer": Reset(Effect.NONE),
    }
    extcal.sandbox.inject(Faults((Fault(effects[kind], on={Operation.DISCONNECT}),)))
    ran = extcal(*APPLY)
    assert ran.code == 1
    (entry,) = entries(extcal)
    if kind == "no answer":
        assert entry["request_id"] is None
    else:
        found = str(entry["request_id"])
        assert re.fullmatch(r"[0-9]+\.[0-9]{18}", found)
        assert f"(request id {found})" in ran.out
        assert entry["error"] is not None
