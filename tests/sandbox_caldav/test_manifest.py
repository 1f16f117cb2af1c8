"""A manifest taken through its life on a real CalDAV server, and seen from outside by another client."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from reconciler.sandbox.seed import SITE_ID
from reconciler.sandbox.server import running
from tests.sandbox_caldav.conftest import SERVERS
from tests.support.caldav.paper import EMAIL, PASSWORD, event
from tests.support.cli.command import Extcal
from tests.support.sandbox.api import UNHURRIED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.sandbox_caldav.witness import Witness
    from tests.support.caldav.real import RealServer
    from tests.support.cli.command import Ran

_KEY = "a-key-for-tests"
_DEDICATED = "Harbor Dental"
_MANIFEST = f"""
apiVersion: extcal/v1
kind: Site
metadata: {{name: harbor-dental}}
spec:
  siteId: {SITE_ID}
  auth: {{apiKey: {{env: EXTCAL_API_KEY}}}}
---
apiVersion: extcal/v1
kind: Connection
metadata: {{name: dr-lee-apple}}
spec:
  schedule: {{name: Dr. Lee}}
  provider: apple
  account: {EMAIL}
  credentials: {{password: {{env: EXTCAL_LEE_PASSWORD}}}}
  state: STATE
  syncConfig:
    listEventFromCalendars: {{enabled: true, calendars: [Surgery]}}
    syncToCalendar: {{enabled: EXPORT, dedicatedCalendar: {{}}}}
"""


def on(name: str) -> pytest.MarkDecorator:
    """A scenario at this server; a soak plays it at the others too, which `test_real_servers` has in every run."""
    servers = [pytest.param(each, marks=() if each == name else pytest.mark.soak) for each in SERVERS]
    return pytest.mark.parametrize("witness", servers, indirect=True)


class Practice:
    """A site whose Apple accounts are on a CalDAV server, its manifest, and the witness at the server."""

    def __init__(self, extcal: Extcal, data: Path, witness: Witness) -> None:
        self.extcal = extcal
        self.witness = witness
        self._data = data

    def write(self, *, present: bool = True, export: bool = True) -> None:
        """Say in the manifest what is wanted."""
        text = _MANIFEST.replace("STATE", "present" if present else "absent").replace("EXPORT", str(export).lower())
        self.extcal.write(text)

    def apply(self, code: int = 0) -> Ran:
        """Apply the manifest; where all is done, planning again finds nothing to do."""
        ran = self.extcal("apply", "manifests", "--auto-approve", "--format", "json")
        assert ran.code == code, ran.err + ran.out
        if code == 0:
            again = self.extcal("plan", "manifests", "--detailed-exitcode")
            assert again.code == 0, again.out
        return ran

    def imported(self) -> set[object]:
        """The titles of what is imported in March 2026."""
        ran = self.extcal(
            *("events", "manifests", "--from", "2026-03-01T00:00:00Z", "--to", "2026-04-01T00:00:00Z"),
            *("--personal", "--format", "json"),
        )
        assert ran.code == 0, ran.err
        return {row["title"] for row in ran.rows}

    def status(self) -> tuple[object, object]:
        """The connection's status, and the reason of its error."""
        ran = self.extcal("connections", "manifests", "--format", "json")
        assert ran.code == 0, ran.err
        (row,) = [row for row in ran.rows if row["status"] != "DISCONNECTED"]
        return row["status"], row.get("errorReason")

    def events(self, *words: str) -> str:
        """`extcal sandbox events …`; answers what it printed."""
        config = ("--sandbox-config", str(self._data / "sandbox.yaml"))
        ran = self.extcal("sandbox", "events", *words, "--data", str(self._data), *config)
        assert ran.code == 0, ran.err
        return ran.out.strip()

    def exported(self) -> list[str]:
        """What another client finds in the dedicated calendar."""
        return self.witness.events(_DEDICATED)


@pytest.fixture
def practice(
    server: RealServer, witness: Witness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Practice]:
    """A site, and a calendar with one event at the server."""
    witness.make_calendar("Surgery")
    witness.add("Surgery", event("crown", "Crown"))
    data = tmp_path / "data"
    data.mkdir()
    config = data / "sandbox.yaml"
    config.write_text(f"apple: {{caldav: {{url: '{server.url}'}}}}\n")
    monkeypatch.chdir(tmp_path)
    with running(data, api_key=_KEY, settings=UNHURRIED, config=config) as sandbox:
        environment = {
            "EXTCAL_ENDPOINT": sandbox.endpoint,
            "EXTCAL_API_KEY": _KEY,
            "EXTCAL_LEE_PASSWORD": PASSWORD,
        }
        made = Practice(Extcal(tmp_path, sandbox, environment), data, witness)
        made.write()
        yield made


def soon(hours: int) -> str:
    """A time within the days that are exported."""
    return (datetime.now(UTC).replace(microsecond=0) + timedelta(days=1, hours=hours)).isoformat()


@on("xandikos")
def test_a_manifest_through_its_life(practice: Practice) -> None:
    """Connect, import, export, change, disconnect: each is seen at the server by a client that shares no code."""
    practice.extcal.env["EXTCAL_LEE_PASSWORD"] = "a-guess"
    refused = practice.apply(code=1)
    assert "BAD_CREDENTIALS" in refused.out
    practice.extcal.env["EXTCAL_LEE_PASSWORD"] = PASSWORD
    practice.apply()
    assert practice.imported() == {"Crown"}
    practice.witness.add("Surgery", event("bridge", "Bridge"))
    assert practice.imported() == {"Crown", "Bridge"}

    added = practice.events("add", "--schedule", "Dr. Lee", "--title", "Check-up", "--start", soon(1), "--end", soon(2))
    (before,) = practice.exported()
    assert "SUMMARY:Check-up" in before
    practice.events("move", added, "--start", soon(3), "--end", soon(4))
    (after,) = practice.exported()
    assert after != before
    assert practice.imported() == {"Crown", "Bridge"}

    practice.write(export=False)
    practice.apply()
    assert practice.exported() == []
    practice.write(export=True)
    practice.apply()
    assert len(practice.exported()) == 1

    practice.write(present=False)
    practice.apply()
    assert _DEDICATED not in practice.witness.calendars()
    assert len(practice.witness.events("Surgery")) == 2
    assert practice.imported() == set()


@on("radicale")
def test_what_the_owner_does_becomes_a_state(practice: Practice, server: RealServer) -> None:
    """A password changed, a dedicated calendar deleted: each is an error with its reason, and applying heals it."""
    practice.apply()
    practice.events("add", "--schedule", "Dr. Lee", "--title", "Check-up", "--start", soon(1), "--end", soon(2))
    assert len(practice.exported()) == 1
    practice.witness.remove_calendar(_DEDICATED)
    practice.imported()
    assert practice.status() == ("ERROR", "EXTERNAL_CALENDAR_DELETED")
    practice.apply()
    assert len(practice.exported()) == 1

    server.set_password("another")
    practice.imported()
    assert practice.status() == ("ERROR", "TOKEN_REVOKED")
    practice.extcal.env["EXTCAL_LEE_PASSWORD"] = "another"
    practice.apply()
    assert practice.imported() == {"Crown"}


@on("radicale")
def test_an_imported_calendar_that_is_deleted(practice: Practice) -> None:
    """An error that people see; exports go on, and applying heals once one of that name is there."""
    practice.apply()
    practice.witness.remove_calendar("Surgery")
    assert practice.imported() == set()
    assert practice.status() == ("ERROR", "EXTERNAL_CALENDAR_DELETED")
    practice.events("add", "--schedule", "Dr. Lee", "--title", "Check-up", "--start", soon(1), "--end", soon(2))
    assert len(practice.exported()) == 1
    told = practice.extcal("status", "manifests")
    assert "a calendar that it uses was deleted" in told.out
    assert "change the manifest" in told.out
    assert "the account has no calendar Surgery" in practice.apply(code=1).out
    practice.witness.make_calendar("Surgery")
    practice.witness.add("Surgery", event("bridge", "Bridge"))
    practice.apply()
    assert practice.imported() == {"Bridge"}
    assert len(practice.exported()) == 1
    assert practice.witness.calendars().count(_DEDICATED) == 1


@on("radicale")
def test_a_server_that_is_down(practice: Practice, server: RealServer) -> None:
    """The provider has failed for whoever takes a part, and the connection is what it was once the server is back."""
    practice.apply()
    server.stop()
    ran = practice.extcal("events", "manifests", "--format", "json")
    assert "could not read the providers" in ran.err or ran.code == 1
    assert "Traceback" not in ran.err
    server.start()
    assert practice.imported() == {"Crown"}
    practice.apply()
