"""Whose consent is awaited, since when, and when they were asked: in statuses, plans and reports of apply."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest
from jsonschema import Draft202012Validator

from reconciler.machine import Machine
from reconciler.machine.consent_requests import ConsentRequestFile
from reconciler.model.account import Account
from tests.support.cli.command import Extcal
from tests.support.cli.worlds import HARBOR, PASSWORD_ENV, connection, email, harbor, site, world
from tests.support.tools import ROOT

APPLY = ("apply", "manifests", "--auto-approve")
SCHEMA = json.loads((ROOT / "schemas" / "status.schema.json").read_text(encoding="utf-8"))
NOW = datetime.now(UTC).replace(microsecond=0)
TWELVE_DAYS = NOW - timedelta(days=12, hours=1)
TWO_DAYS = NOW - timedelta(days=2, hours=1)
TOLD = "awaited for 12 days; asked 2 days ago (2 mails)"
UNKNOWN = "not asked yet, as far as this machine knows"


@pytest.fixture
def awaiting(extcal: Extcal) -> Extcal:
    """Two Google accounts that their owners have to connect, and one of Apple; nothing was done yet."""
    extcal.on(world(harbor()))
    extcal.env |= PASSWORD_ENV | {"EXTCAL_STATE_DIR": str(extcal.folder / "state")}
    extcal.write(site(), connection(0, provider="google"), connection(1, provider="google"), connection(2))
    return extcal


def records(extcal: Extcal) -> ConsentRequestFile:
    """What owners of the site were asked, as a run keeps it."""
    return Machine(extcal.folder / "state", extcal.sandbox.endpoint).site(HARBOR).consent_requests


def ask_the_first(extcal: Extcal) -> None:
    """The first owner is awaited for twelve days, and was asked twice, two days ago for the last time."""
    kept = records(extcal)
    kept.await_consent("harbor/staff-0", Account(email(0)), TWELVE_DAYS)
    kept.asked("harbor/staff-0", Account(email(0)), TWELVE_DAYS, "<first@harbor-dental.example>")
    kept.asked("harbor/staff-0", Account(email(0)), TWO_DAYS, "<second@harbor-dental.example>")


def lines_below(text: str, name: str) -> list[str]:
    """The lines of a status between the connection of that name and the next one."""
    lines = text.splitlines()
    first = next(number for number, line in enumerate(lines) if f" {name} " in line)
    deeper = [line.strip() for line in lines[first + 1 :]]
    end = next(number for number, line in enumerate(lines[first + 1 :]) if not line.startswith(" " * 5))
    return deeper[:end]


def test_a_status_says_since_when_and_when_asked(awaiting: Extcal) -> None:
    """The owner who was asked twice, the one of whom nothing is known; the one whose password we have is no owner."""
    ask_the_first(awaiting)
    shown = awaiting("status", "manifests").out
    assert TOLD in lines_below(shown, "staff-0")
    assert UNKNOWN in lines_below(shown, "staff-1")
    assert shown.count("awaited for") == 1
    assert shown.count(UNKNOWN) == 1
    assert shown.splitlines()[-1].endswith("2 owners awaited, the longest for 12 days.")


def test_a_status_for_programs_has_times(awaiting: Extcal) -> None:
    """ISO times in UTC in JSON and CSV, null or empty where there is none, and no field where no owner is needed."""
    ask_the_first(awaiting)
    document = awaiting("status", "manifests", "--format", "json").document
    Draft202012Validator(SCHEMA).validate(document)
    first, second, third = cast("list[dict[str, object]]", document["connections"])
    since, asked = (time.isoformat().replace("+00:00", "Z") for time in (TWELVE_DAYS, TWO_DAYS))
    assert (first["awaited_since"], first["last_asked_at"], first["mails"]) == (since, asked, 2)
    assert (second["awaited_since"], second["last_asked_at"], second["mails"]) == (None, None, 0)
    assert not {"awaited_since", "last_asked_at", "mails"} & set(third)
    heading, *rows = awaiting("status", "manifests", "--format", "csv").out.splitlines()
    assert heading.endswith("remedy,awaited_since,last_asked_at,mails")
    assert sorted(row.rpartition("link),")[2] for row in rows if "google" in row) == sorted(
        [",,0", f"{since},{asked},2"]
    )
    assert all(row.endswith(",,,") for row in rows if "apple" in row)


def test_a_page_lists_owners_apart(awaiting: Extcal) -> None:
    """In the page of a status and in that of a plan; the one who is awaited longest comes first."""
    records(awaiting).await_consent("harbor/staff-1", Account(email(1)), TWELVE_DAYS)
    for command in ("status", "plan"):
        page = awaiting(command, "manifests", "--format", "html").out
        owners = page[page.index("Owners</h2>") : page.index("All connections</h2>")]
        assert owners.index(email(1)) < owners.index("awaited for 12 days") < owners.index(email(0))
        assert "2 owners must agree in a browser" in owners
        assert email(2) not in owners
        assert "Staff 1" in owners
        assert (UNKNOWN in owners) == (command == "status")


def test_a_plan_says_when_its_owners_were_asked(awaiting: Extcal) -> None:
    """In text and in the comment of a pull request, which lists owners apart; its digest knows nothing of it."""
    before = awaiting("plan", "manifests", "--format", "json")
    assert "awaited" not in awaiting("plan", "manifests").out
    ask_the_first(awaiting)
    shown = awaiting("plan", "manifests").out
    assert shown.count(TOLD) == 1
    assert shown.index("connect harbor/staff-0") < shown.index(TOLD) < shown.index("connect harbor/staff-1")
    comment = awaiting("plan", "manifests", "--format", "markdown").out
    owners = comment[comment.index("#### Owners: 2 must consent") :]
    assert owners.splitlines()[4] == f"- `{email(0)}`: {TOLD}"
    assert owners.splitlines()[6] == f"- `{email(1)}`"
    assert "`harbor/staff-0`: `google`, schedule `Staff 0`" in owners
    assert awaiting("plan", "manifests", "--format", "json").out == before.out


@pytest.mark.parametrize("output", ["text", "markdown", "html"])
def test_a_plan_says_where_owners_land(awaiting: Extcal, output: str) -> None:
    """A change of the host that browsers come back to can be reviewed; the address can't be opened from there."""
    page = "https://elsewhere.example/a?b=<b>`x`"
    awaiting.write(site().replace("https://harbor-dental.example/done", page), connection(0, provider="google"))
    shown = awaiting("plan", "manifests", "--format", output).out
    host = "`elsewhere.example`" if output == "markdown" else "elsewhere.example"
    assert f"nce they agree, their browsers go to {host}" in shown
    assert "elsewhere.example/" not in shown


def test_a_saved_plan_holds_nothing_of_it(awaiting: Extcal) -> None:
    """Not when somebody was asked, nor that they were: the file is the same but for what each file has of its own."""
    ask_the_first(awaiting)
    assert awaiting("plan", "manifests", "--out", "change.plan").code == 0
    text = (awaiting.folder / "change.plan").read_text(encoding="utf-8")
    assert "await" not in text.replace("awaiting", "")
    assert TWO_DAYS.isoformat()[:19] not in text
    assert "second@harbor-dental.example" not in text
    shown = awaiting("plan", "manifests", "--reviewed", "change.plan")
    assert shown.code == 0
    assert TOLD in shown.out


def test_an_apply_begins_the_wait_and_the_next_report_tells_it(awaiting: Extcal) -> None:
    """The run that finds it first says nothing of it; a later one says since when, before and after it is done."""
    assert "awaited for" not in awaiting(*APPLY, "--consent", "skip").out
    assert awaiting("status", "manifests").out.count("; not asked by mail") == 2
    kept = records(awaiting)
    kept.asked("harbor/staff-0", Account(email(0)), TWO_DAYS, "<first@harbor-dental.example>")
    report = awaiting(*APPLY, "--consent", "skip")
    assert report.code == 3
    planned, done = report.out.split("Plan:")
    for part in (planned, done):
        assert part.count("; asked 2 days ago (1 mail)") == 1
        assert part.count("; not asked by mail") == 1


def test_no_message_id_leaves_the_state_folder(awaiting: Extcal) -> None:
    """Threads and links are nobody's business: no output has them."""
    ask_the_first(awaiting)
    for command in ("status", "plan"):
        for output in ("text", "json", "html"):
            ran = awaiting(command, "manifests", "--format", output)
            assert "first@" not in ran.out + ran.err


_AWAITED = (
    b'{"format": 1, "requests": [{"address": "a", "account": null, "awaited_since": "%s", "asked_at": [], '
    b'"thread": null, "approved": ""}]}'
)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"format": 2, "requests": []}',
        b'{"format": 1, "requests": [{"address": 1}]}',
        _AWAITED % b"2026-03-02T14:05:00",
        _AWAITED % b"0001-01-01T00:00:00+14:00",
    ],
    ids=["empty", "half", "no text", "deep", "of a later version", "no request", "no zone", "no year"],
)
def test_what_cannot_be_read_is_one_warning(awaiting: Extcal, content: bytes) -> None:
    """Status and plan are as they would be without it, and end well."""
    assert awaiting(*APPLY, "--consent", "skip").code == 3
    (file,) = awaiting.folder.rglob("consent-requests")
    file.write_bytes(content)
    for command, output in (("status", "text"), ("status", "json"), ("plan", "text"), ("plan", "markdown")):
        ran = awaiting(command, "manifests", "--format", output)
        assert ran.code == 0
        assert ran.err.count("it is not known who was asked") == 1
        assert "awaited for" not in ran.out
    assert file.read_bytes() == content


def test_a_link_in_its_place_is_not_followed(awaiting: Extcal) -> None:
    """What somebody else may have put there is told, and read by nobody."""
    ask_the_first(awaiting)
    (file,) = awaiting.folder.rglob("consent-requests")
    elsewhere = file.rename(awaiting.folder / "elsewhere.json")
    file.symlink_to(elsewhere)
    ran = awaiting("status", "manifests")
    assert ran.code == 0
    assert TOLD not in ran.out
    assert "it is not known who was asked" in ran.err


def test_a_clock_that_was_set_back_makes_no_time_negative(awaiting: Extcal) -> None:
    """A moment that is yet to come counts as now."""
    records(awaiting).await_consent("harbor/staff-0", Account(email(0)), NOW + timedelta(days=400))
    assert "awaited for less than a minute; not asked by mail" in awaiting("status", "manifests").out


def test_a_record_of_another_account_is_of_somebody_else(awaiting: Extcal) -> None:
    """Where the manifest names another account now, its owner was asked nothing; another spelling is the same one."""
    kept = records(awaiting)
    kept.await_consent("harbor/staff-0", Account("former@harbor-dental.example"), TWELVE_DAYS)
    kept.await_consent("harbor/staff-1", Account(email(1).upper()), TWELVE_DAYS)
    shown = awaiting("status", "manifests").out
    assert UNKNOWN in lines_below(shown, "staff-0")
    assert "awaited for 12 days; not asked by mail" in lines_below(shown, "staff-1")


def test_looking_leaves_no_trace(awaiting: Extcal) -> None:
    """Neither a status nor a plan makes or changes a record."""
    ask_the_first(awaiting)
    (file,) = awaiting.folder.rglob("consent-requests")
    before = (file.read_bytes(), file.stat().st_mtime_ns, sorted(_names(file.parent)))
    awaiting("status", "manifests")
    awaiting("plan", "manifests")
    assert (file.read_bytes(), file.stat().st_mtime_ns, sorted(_names(file.parent))) == before


def _names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith("consent")]
