"""The commands that only look: tables for people, JSON for scripts, CSV for spreadsheets."""

import csv
import io
import json
import re
from dataclasses import replace

import pytest
from click.testing import CliRunner

from reconciler.cli.main import main
from reconciler.sandbox.contract import ErrorReason, Status
from reconciler.sandbox.world import Schedule
from tests.support.cli.command import Extcal
from tests.support.cli.events import MARCH, SITE, with_events
from tests.support.cli.worlds import HARBOR, QUAY, connected, connection, harbor, quay, schedule_id, site, world


def test_providers_as_a_table(extcal: Extcal) -> None:
    """Each provider with the word that a manifest uses and what it supports, columns aligned."""
    ran = extcal("providers", *SITE)
    assert (ran.code, ran.err) == (0, "")
    head, *rows = ran.out.splitlines()
    assert head.split("  ")[0] == "SITE"
    assert [row[head.index("WRITE IT AS") :].split("  ")[0] for row in rows] == [
        "apple",
        "google",
        "{name: Tidewater Rota}",
    ]
    assert [row[head.index("CONFIG") :].split("  ")[0] for row in rows] == [
        "can be changed",
        "can be changed",
        "is fixed",
    ]


def test_what_could_not_be_read_is_no_empty_table(extcal: Extcal) -> None:
    """Without a key there is the error alone: headings would say that the site has no connection."""
    del extcal.env["EXTCAL_API_KEY"]
    ran = extcal("connections", *SITE)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith(f"error: {HARBOR}: ")


def test_providers_as_json(extcal: Extcal) -> None:
    """The API's own field names, with the site."""
    rows = extcal("providers", *SITE, "--format", "json").rows
    assert rows[1] == {
        "site": HARBOR,
        "id": "e58e2ae6-8651-41ab-907d-063e056d30f9",
        "name": "Google",
        "calendarType": "GOOGLE",
        "features": {
            "connectMethods": ["OAUTH"],
            "updateSyncConfig": True,
            "listEventFromCalendars": "SPECIFIC_CALENDARS",
            "syncToCalendar": "DEDICATED_CALENDAR",
        },
    }


def test_schedules(extcal: Extcal) -> None:
    """Every active schedule with its name and id, however many pages there are."""
    extcal.on(world(harbor(schedules=120)))
    rows = extcal("schedules", *SITE, "--format", "json").rows
    assert {(row["name"], row["id"]) for row in rows} == {(f"Staff {n}", schedule_id(n)) for n in range(120)}
    assert len(extcal("schedules", *SITE).out.splitlines()) == 121


def test_connections(extcal: Extcal) -> None:
    """Each connection with account, status and its reason, and what is synced."""
    broken = replace(connected(1), status=Status.ERROR, error_reason=ErrorReason.TOKEN_REVOKED, email_shown=False)
    extcal.on(world(replace(harbor(), connections=(connected(0), broken))))
    ran = extcal("connections", *SITE)
    assert (ran.code, ran.err) == (0, "")
    head, first, second = ran.out.splitlines()
    status = head.index("STATUS")
    assert first[status:].split() == ["SYNCED", "primary", "off", "Staff", "0", "live-0"]
    assert second[head.index("ACCOUNT") :].startswith("not shown")
    assert second[status:].startswith("ERROR (TOKEN_REVOKED)  ")
    rows = extcal("connections", *SITE, "--format", "json").rows
    assert rows[1]["errorReason"] == "TOKEN_REVOKED"
    assert "externalAccountEmail" not in rows[1]
    assert rows[0]["syncConfig"] == {
        "listEventFromCalendars": {"enabled": True, "primaryCalendar": {}},
        "syncToCalendar": {"enabled": False},
    }


def test_calendars(extcal: Extcal) -> None:
    """Every connected account's calendars; --connection leaves one account's."""
    extcal.on(world(harbor(0, 1)))
    rows = extcal("calendars", *SITE, "--format", "json").rows
    assert [(row["connectionId"], row["id"], row["name"]) for row in rows] == [
        ("live-0", "work", "Work"),
        ("live-0", "home", "Home"),
        ("live-1", "work", "Work"),
        ("live-1", "home", "Home"),
    ]
    chosen = extcal("calendars", *SITE, "--connection", "live-1")
    head, *lines = chosen.out.splitlines()
    assert [line[head.index("CALENDAR") :].split(maxsplit=1) for line in lines] == [
        ["Work", "{id: work, name: Work}"],
        ["Home", "{id: home, name: Home}"],
    ]


def test_sites_of_manifests_are_named_as_there(extcal: Extcal) -> None:
    """With paths the manifests' sites are read, each by its own key; --site chooses one."""
    extcal.on(world(harbor(0), quay(key="key-of-the-quay")))
    extcal.write(site(), site("quay", id_=QUAY, key="EXTCAL_QUAY"), connection(0))
    env = {"EXTCAL_QUAY": "key-of-the-quay"}
    both = extcal("providers", "manifests", "--format", "json", env=env).rows
    assert [row["site"] for row in both] == ["harbor"] * 3 + ["quay"] * 3
    one = extcal("providers", "manifests", "--site", "quay", "--format", "json", env=env).rows
    assert [row["site"] for row in one] == ["quay"] * 3


@pytest.mark.parametrize("command", ["providers", "schedules", "connections", "calendars", "events"])
def test_a_site_that_fails_leaves_the_other_and_valid_json(extcal: Extcal, command: str) -> None:
    """What could be read is shown, what could not is an error that names its site, and the exit code is 1."""
    extcal.on(world(harbor(0), quay(key="key-of-the-quay")))
    extcal.write(site(), site("quay", id_=QUAY), connection(0))
    ran = extcal(command, "manifests", "--format", "json")
    assert ran.code == 1
    assert ran.err.startswith("error: quay: ")
    assert "HTTP 403" in ran.err
    assert {row["site"] for row in ran.rows} <= {"harbor"}
    assert all(line.startswith(("SITE", "harbor")) for line in extcal(command, "manifests").out.splitlines())


def test_a_provider_that_is_down_is_a_warning(extcal: Extcal) -> None:
    """What the service could not read is named on stderr beside the rest."""
    down = replace(harbor(0), providers=tuple(replace(p, down=p.slug == "google") for p in harbor().providers))
    extcal.on(world(down))
    ran = extcal("connections", *SITE)
    assert ran.err == (
        f"warning: {HARBOR}: the service could not read the providers e58e2ae6-8651-41ab-907d-063e056d30f9\n"
    )
    assert "live-0" in ran.out


def test_tables_as_csv(extcal: Extcal) -> None:
    """For spreadsheets the rows of the table, with a header, in UTF-8 with CRLF (RFC 4180); ids are there as ever."""
    extcal.on(with_events())
    for command, *more in (
        ("providers",),
        ("schedules",),
        ("connections",),
        ("calendars",),
        ("events", *MARCH, "--personal", "--zone", "Europe/Berlin"),
    ):
        extcal.sandbox.requests.clear()
        shown = extcal(command, *SITE, *more, "--format", "csv")
        assert (shown.code, shown.err) == (0, "")
        assert command == "schedules" or not any("schedules" in request.path for request in extcal.sandbox.requests)
        head, *rows = csv.reader(io.StringIO(shown.out), strict=True)
        names = [name.replace("_", " ").upper() for name in head]
        first, *lines = extcal(command, *SITE, *more).out.splitlines()
        there = re.split(r" {2,}", first)
        assert len(rows) == len(lines)
        for row, line in zip(rows, lines, strict=True):
            cells = dict(zip(names, row, strict=True))
            words = " ".join(cells[name] for name in there[:4]).split()
            assert line.split()[: len(words)] == words
            assert cells.keys() - set(there) <= {"ID", "SCHEDULE ID"}


def test_an_empty_table_as_csv_is_its_header(extcal: Extcal) -> None:
    """A script that reads it finds the columns in any case."""
    written = CliRunner(env=extcal.environment()).invoke(main, ["calendars", *SITE, "--format", "csv"]).stdout_bytes
    assert written == b"site,provider,account,calendar,id\r\n"


def test_a_status_as_csv(extcal: Extcal) -> None:
    """A row for each connection with the fields that its JSON has, an empty cell for what is not known."""
    extcal.on(world(harbor(0, 3)))
    extcal.env["EXTCAL_APP_PASSWORD"] = "seagull-lantern-41"
    extcal.write(site(more="scope: site"), connection(0), connection(1))
    shown = extcal("status", "manifests", "--format", "csv")
    assert (shown.code, shown.err) == (0, "")
    rows = {row["address"]: row for row in csv.DictReader(io.StringIO(shown.out), strict=True)}
    document = json.loads(extcal("status", "manifests", "--format", "json").out)
    columns = rows["harbor/staff-0"]
    assert rows == {row["address"]: {name: row.get(name) or "" for name in columns} for row in document["connections"]}
    assert rows["harbor/staff-1"]["health"] == "missing"


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+49 1", "'+49 1"),
        ("-x", "'-x"),
        ("@x", "'@x"),
        (" =1", "' =1"),
        ("\t=1", "'=1"),
        ("\r=1", "'=1"),
        ("a;=1", "a;'=1"),
        ("a, b - c", "a, b - c"),
        ('say "x"', 'say "x"'),
        ("a\r\nb\x1b[2J\u202e", "ab[2J"),
        ("Dr. Müller-Lüdenscheidt = 1", "Dr. Müller-Lüdenscheidt = 1"),
    ],
)
def test_no_name_becomes_a_formula(extcal: Extcal, name: str, cell: str) -> None:
    """Whatever a spreadsheet would calculate has a `'` before it; everything else is as it is."""
    extcal.on(world(replace(harbor(), schedules=(Schedule(id=schedule_id(0), name=name),))))
    shown = extcal("schedules", *SITE, "--format", "csv")
    ((_, found, *_),) = list(csv.reader(io.StringIO(shown.out), strict=True))[1:]
    assert found == cell


def test_looking_sends_no_write(extcal: Extcal) -> None:
    """None of these commands sends anything that could change something."""
    extcal.on(with_events())
    for command in ("providers", "schedules", "connections", "calendars", "events"):
        assert extcal(command, *SITE).code == 0
    assert extcal.writes == []
