"""The calendars that are remembered for a day: when they will do, and what the file may hold instead."""

import asyncio
import fcntl
import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler import workflow
from reconciler.machine.calendars import LARGEST, CalendarFile, ListedCalendars
from reconciler.manifests import load
from reconciler.model import live
from reconciler.sandbox.world import Calendar
from tests.cli.counting import APPLY, PLAN, WORK, asked, remembered, with_calendars, working
from tests.support.cli.command import Extcal
from tests.support.cli.worlds import PASSWORD_ENV, harbor, site, world
from tests.support.cli.worlds import connection as by_id
from tests.support.servers.proxy import stand_in
from tests.support.timeouts import TIMEOUT, until

DAY = 24 * 60 * 60


def test_what_was_listed_is_forgotten_after_a_day(asking: Extcal) -> None:
    """Calendars that were listed a day ago, or that a clock which was set back makes of the future, are asked for."""
    asking.on(working(0))
    asking.write(site(), by_id(0, more=WORK))
    assert asking(*PLAN).code == 0
    file = remembered(asking)
    document = json.loads(file.read_text())
    for shift, times in ((-DAY - 1, 1), (+60, 1), (-DAY + 3600, 0)):
        (entry,) = document["connections"].values()
        file.write_text(json.dumps({**document, "connections": {"live-0": {**entry, "at": entry["at"] + shift}}}))
        asked(asking)
        assert asking(*PLAN).code == 0
        assert asked(asking).get("ListCalendars", 0) == times, shift


def test_a_calendar_that_is_new_or_renamed_is_found(asking: Extcal) -> None:
    """A name that is not among the calendars of the last day, or that would change anything, is asked for again."""
    told = working(0)
    asking.on(told)
    asking.write(site(), by_id(0, more=WORK))
    assert asking(*PLAN).code == 0
    asking.on(with_calendars(told, Calendar("work", "Old"), Calendar("new", "New")))
    asking.write(site(), by_id(0, more=WORK.replace("Work", "New")))
    ran = asking(*PLAN)
    assert asked(asking)["ListCalendars"] == 1
    (action,) = ran.actions
    assert (action["action"], json.dumps(action["changes"]).count('"new"')) == ("update", 1)
    assert asking(*APPLY).code == 0
    asking.write(site(), by_id(0, more=WORK))
    ran = asking(*PLAN)
    assert ran.code == 1
    assert "the account has no calendar Work, at harbor/staff-0 (it has: New, Old)" in ran.err


def test_no_change_rests_on_what_is_remembered(asking: Extcal) -> None:
    """What is to be changed is planned by the calendars that the account has now."""
    told = working(0)
    asking.on(told)
    asking.write(site(), by_id(0, more=WORK))
    assert asking(*PLAN).code == 0
    asking.on(with_calendars(told, Calendar("work", "Old"), Calendar("home", "Home"), Calendar("other", "Home")))
    asking.write(site(), by_id(0, more=WORK.replace("Work", "Home")))
    ran = asking(*PLAN)
    assert "the account has 2 calendars named Home" in ran.out + ran.err


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b'{"format":1,"connections":{"live-0":{"account":null,"at":',
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b'{"format":2,"connections":{}}',
        b'{"format":1,"connections":[]}',
        b'{"format":1,"connections":{"live-0":{"account":7,"at":0,"calendars":[]}}}',
        b'{"format":1,"connections":{"live-0":{"account":null,"at":' + b"9" * 4000 + b',"calendars":[]}}}',
        b'{"format":1,"connections":{"live-0":{"account":null,"at":NaN,"calendars":[["work"]]}}}',
        b" " * (17 * 1024 * 1024),
    ],
    ids=["empty", "torn", "cut", "binary", "deep", "newer", "list", "types", "far", "nan", "huge"],
)
def test_a_broken_memory_is_no_memory(asking: Extcal, content: bytes) -> None:
    """Whatever the file holds, planning goes on as on a new machine, and remembers again."""
    asking.on(working(0))
    asking.write(site(), by_id(0, more=WORK))
    assert asking(*PLAN).code == 0
    file = remembered(asking)
    file.write_bytes(content)
    for times in (1, 0):
        asked(asking)
        ran = asking(*PLAN)
        assert (ran.code, ran.err) == (0, "")
        assert asked(asking).get("ListCalendars", 0) == times


def test_a_memory_of_another_account_is_not_believed(asking: Extcal) -> None:
    """An entry counts for the account that its connection shows, and not for the id alone."""
    asking.on(working(0))
    asking.write(site(), by_id(0, more=WORK))
    assert asking(*PLAN).code == 0
    file = remembered(asking)
    file.write_text(file.read_text().replace("staff0@", "staff1@"))
    asked(asking)
    assert asking(*PLAN).code == 0
    assert asked(asking)["ListCalendars"] == 1


def test_without_a_place_to_remember_calendars_are_listed_each_time(asking: Extcal) -> None:
    """A folder where the file can't be written costs requests, and nothing else."""
    asking.on(working(0))
    asking.write(site(), by_id(0, more=WORK))
    assert asking(*PLAN).code == 0
    file = remembered(asking)
    file.unlink()
    file.mkdir()
    (file / "kept").touch()
    for _ in range(2):
        asked(asking)
        ran = asking(*PLAN)
        assert (ran.code, ran.err) == (0, "")
        assert asked(asking)["ListCalendars"] == 1
    assert [each.name for each in file.parent.iterdir() if "calendars" in each.name] in (
        ["calendars"],
        ["calendars", "calendars.new"],
        ["calendars.new", "calendars"],
    )


def test_an_interrupted_plan_leaves_what_it_has_listed(asking: Extcal) -> None:
    """The next plan goes on from there."""
    asking.on(working(0, 1))
    asking.write(site(), by_id(0, more=WORK), by_id(1, more=WORK))
    desired, over = load([asking.folder / "manifests"]), threading.Event()

    def passing(method: str, path: str) -> tuple[str, str]:
        if "live-1" in path:
            over.wait(TIMEOUT)
        return method, path

    async def interrupted(endpoint: str) -> None:
        service = workflow.reach(endpoint, environ=asking.env, state_folder=asking.folder / "state")
        async with workflow.sessions(desired.sites, service) as opened:
            planning = asyncio.create_task(workflow.plan(desired, opened, workflow.Selection()))
            await asyncio.to_thread(until, lambda: opened["harbor"].reader().listed_calendars("live-0"))
            planning.cancel()
            await asyncio.gather(planning, return_exceptions=True)

    with stand_in(asking.sandbox.endpoint, passing) as endpoint:
        try:
            asyncio.run(interrupted(endpoint))
        finally:
            over.set()
    assert set(json.loads(remembered(asking).read_text())["connections"]) == {"live-0"}


@pytest.mark.parametrize("name", ["calendars", "calendars.new"])
@pytest.mark.parametrize("link", [Path.symlink_to, Path.hardlink_to])
def test_no_link_is_read_or_written_through(asking: Extcal, name: str, link: Callable[[Path, Path], None]) -> None:
    """A link where the file is, or is made, leads nowhere: what it points to is not believed, and stays as it is."""
    asking.on(working(0))
    asking.write(site(), by_id(0, more=WORK))
    assert asking(*PLAN).code == 0
    file = remembered(asking)
    mine = asking.folder / "mine"
    mine.write_bytes(file.read_bytes())
    file.unlink()
    link(file.with_name(name), mine)
    before = mine.read_bytes()
    asked(asking)
    ran = asking(*PLAN)
    assert (ran.code, ran.err) == (0, "")
    assert asked(asking)["ListCalendars"] == 1
    assert mine.read_bytes() == before


def test_a_folder_that_others_may_write_to_is_not_used(asking: Extcal) -> None:
    """Nothing in it is believed, and nothing is put there."""
    asking.on(working(0))
    asking.write(site(), by_id(0, more=WORK))
    assert asking(*PLAN).code == 0
    file = remembered(asking)
    before = file.read_bytes()
    (asking.folder / "state").chmod(0o777)
    asked(asking)
    assert asking(*PLAN).code == 0
    assert asked(asking)["ListCalendars"] == 1
    assert file.read_bytes() == before


def test_a_file_that_would_be_too_large_forgets_the_oldest(tmp_path: Path) -> None:
    """What was listed last is kept, as much as may be; the file can be read again."""
    tmp_path.chmod(0o700)
    file = CalendarFile(tmp_path / "calendars", lambda: None, now=lambda: 1000.0)
    long = tuple(live.Calendar(str(number), "x" * 1000) for number in range(1000))
    file.write({f"c{at}": ListedCalendars(None, at, long) for at in range(30)})
    assert (tmp_path / "calendars").stat().st_size <= LARGEST
    kept = file.read()
    assert set(kept) == {f"c{at}" for at in range(30 - len(kept), 30)}
    assert len(kept) > 10
    assert all(file.is_recent(entry) for entry in kept.values())


def test_a_run_that_writes_does_not_wait_for_another(tmp_path: Path) -> None:
    """While another run puts its file there, nothing is written; what a run has left half-done is no hindrance."""
    tmp_path.chmod(0o700)
    file = CalendarFile(tmp_path / "calendars", lambda: None)
    entries = {"c1": ListedCalendars(None, 7, (live.Calendar("work", "Work"),))}
    with (tmp_path / "calendars.new").open("wb") as half:
        half.write(b'{"format":1,"conn')
        half.flush()
        (tmp_path / "calendars.new").chmod(0o600)
        fcntl.flock(half, fcntl.LOCK_EX)
        file.write(entries)
        assert file.read() == {}
    file.write(entries)
    assert file.read() == entries
    assert [each.name for each in tmp_path.iterdir()] == ["calendars"]


def test_what_is_no_longer_listed_is_forgotten(asking: Extcal) -> None:
    """Entries of connections that are gone are dropped, and with the last one the file."""
    asking.on(working(0, 1))
    asking.write(site(), by_id(0, more=WORK), by_id(1, more=WORK))
    assert asking(*PLAN).code == 0
    file = remembered(asking)
    assert set(json.loads(file.read_text())["connections"]) == {"live-0", "live-1"}
    asking.on(working(1))
    # What is planned of some schedules alone tells nothing of the others.
    assert asking(*PLAN, "--connection", "staff-1").code == 0
    assert set(json.loads(file.read_text())["connections"]) == {"live-0", "live-1"}
    asking(*PLAN)
    assert set(json.loads(file.read_text())["connections"]) == {"live-1"}
    asking.on(world(harbor()))
    asking(*PLAN)
    assert not file.exists()


def test_runs_at_once_leave_one_whole_memory(asking: Extcal) -> None:
    """Of several that write at the same time one wins; none tears the file, and no run notices another."""
    asking.on(working(0, 1, 2))
    asking.write(site(), *(by_id(n, more=WORK) for n in range(3)))
    codes: list[int] = []
    together = [threading.Thread(target=lambda: codes.append(asking.process(*PLAN).code)) for _ in range(3)]
    for each in together:
        each.start()
    for each in together:
        each.join()
    assert codes == [0, 0, 0]
    assert len(json.loads(remembered(asking).read_text())["connections"]) == 3
    assert [each.name for each in remembered(asking).parent.glob("calendars*")] == ["calendars"]


def test_no_secret_is_remembered(asking: Extcal) -> None:
    """An account whose calendar is named after a secret is listed each time."""
    told = working(0)
    asking.on(
        with_calendars(told, Calendar("work", "Work"), Calendar("odd", f"see {PASSWORD_ENV['EXTCAL_APP_PASSWORD']}"))
    )
    asking.write(site(), by_id(0, more=WORK))
    for _ in range(2):
        asked(asking)
        assert asking(*PLAN).code == 0
        assert asked(asking)["ListCalendars"] == 1
    kept = b"".join(path.read_bytes() for path in (asking.folder / "state").rglob("*") if path.is_file())
    assert PASSWORD_ENV["EXTCAL_APP_PASSWORD"].encode() not in kept
