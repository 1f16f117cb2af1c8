"""Interrupted is not broken: a disk that is full, or a folder that can't be written to, costs no file and no connect.

Files are limited in size, as a full disk limits them; what root may write all the same is no test of a read-only
folder, so those are below a file, or in `/proc`.
"""

import json
from dataclasses import replace

import pytest

from reconciler.manifests import load
from tests.promises.interruptions import files, on_full_disk
from tests.support.cli.command import Extcal
from tests.support.cli.worlds import BUSY, HARBOR, PASSWORD_ENV, QUAY, connection, harbor, site, world

_SITE = ("--site-id", HARBOR)


@pytest.fixture
def pending(extcal: Extcal) -> Extcal:
    """The command, with a connect by password and one by consent to be done."""
    extcal.env |= PASSWORD_ENV
    extcal.write(site(), connection(0), connection(1, provider="google"))
    return extcal


@pytest.mark.parametrize("before", [pytest.param(None, marks=pytest.mark.soak), "an older plan\n"])
def test_a_plan_is_saved_whole_or_not_at_all(pending: Extcal, before: str | None) -> None:
    """The file that was there stays to the letter, nothing else is left beside it, and the reason is told."""
    if before is not None:
        (pending.folder / "plan.json").write_text(before)
    there = files(pending.folder)
    ran = on_full_disk(pending, 100, "plan", "manifests", "--out", "plan.json")
    assert (ran.code, ran.err) == (1, "error: plan.json: the plan can't be saved: File too large\n")
    assert files(pending.folder) == there


def test_what_is_pulled_is_written_whole_or_not_at_all(extcal: Extcal) -> None:
    """Where one manifest does not fit, none is changed, none half written, and the folder loads as before."""
    extcal.on(world(harbor(0, 1)))
    assert extcal("pull", *_SITE, "--output", "pulled").code == 0
    extcal.on(world(harbor(0, 1, 2, 3)))
    there = files(extcal.folder)
    ran = on_full_disk(extcal, 400, "pull", *_SITE, "--output", "pulled")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("error: ")
    assert "File too large" in ran.err
    assert files(extcal.folder) == there
    assert len(load([extcal.folder / "pulled"]).connections) == 2
    assert extcal("pull", *_SITE, "--output", "pulled").code == 0
    assert len(load([extcal.folder / "pulled"]).connections) == 4


def test_a_connect_that_can_not_be_written_down_is_not_sent(pending: Extcal) -> None:
    """Wherever in its line the journal is cut off, nothing is sent; with room again the next run connects, once."""
    pending.write(site(), connection(0))
    for size in (0, 250):
        ran = on_full_disk(pending, size, "apply", "manifests", "--auto-approve")
        assert ran.code == 1
        assert "File too large" in ran.out + ran.err
        assert pending.writes == []
    assert pending("apply", "manifests", "--auto-approve").code == 0
    assert len([r for r in pending.writes if r.path.endswith(":connectByCredentials")]) == 1


def test_what_a_plan_was_used_for_and_does_not_fit_is_told(extcal: Extcal) -> None:
    """What was done is done, and the exit code and the report say that the plan must not be applied once more."""
    extcal.on(world(harbor(0)))
    extcal.write(site(), connection(0, more=BUSY.replace("true", "false")))
    extcal.env |= PASSWORD_ENV
    assert extcal("plan", "manifests", "--out", "plan.json").code == 0
    ran = on_full_disk(extcal, 0, "apply", "--plan", "plan.json", "--auto-approve", "--format", "json")
    assert (ran.code, ran.actions[0]["status"]) == (1, "failed")
    assert str(ran.actions[0]["error"]).startswith("done, but ")
    assert ("File too large, so it was not recorded that this plan was used: plan again before the next apply") in str(
        ran.actions[0]["error"]
    )


def test_an_undo_that_does_not_fit_costs_no_report(extcal: Extcal) -> None:
    """What was done is done and reported; the exit code and a message say that the undo was not saved."""
    quay = replace(harbor(), id=QUAY, name="Quay")
    extcal.on(world(harbor(0), quay))
    extcal.write(site(), connection(0, more=BUSY.replace("true", "false")))
    extcal.write(site("quay", id_=QUAY), connection(1, of="quay", more=BUSY), to="manifests/quay.yaml")
    extcal.env |= PASSWORD_ENV
    # Each site has a history of its own, and the undo is of both.
    ran = on_full_disk(extcal, 2200, "apply", "manifests", "--auto-approve", "--undo-out", "undo.json")
    assert ran.code == 1
    assert ran.err == "error: the undo plan was not saved: undo.json: the plan can't be saved: File too large\n"
    assert ran.out.endswith("\nApplied: 2 done.\n")
    assert set(files(extcal.folder)) == {"manifests/all.yaml", "manifests/quay.yaml"}


def test_a_record_that_does_not_fit_is_told(extcal: Extcal) -> None:
    """As for the history, which has it; half a line in the record spoils no other."""
    extcal.on(world(harbor(0)))
    extcal.write(site(), connection(0, more=BUSY.replace("true", "false")))
    extcal.env |= PASSWORD_ENV
    record = extcal.folder / "record.jsonl"
    record.write_text("{}\n" * 700)
    ran = on_full_disk(extcal, 2200, "apply", "manifests", "--auto-approve", "--record", str(record))
    assert ran.code == 1
    assert "so the record lacks it" in ran.out
    assert extcal("history").out.count("update") == 1
    extcal.write(site(), connection(0, more=BUSY))
    assert extcal("apply", "manifests", "--auto-approve", "--record", str(record)).code == 0
    assert json.loads(record.read_text().splitlines()[-1])["action"] == "update"


def test_a_history_that_does_not_fit_is_told(extcal: Extcal) -> None:
    """Also where a part of the line went onto the disk: the change is done, and the next one is in the history."""
    extcal.on(world(harbor(0)))
    extcal.write(site(), connection(0, more=BUSY.replace("true", "false")))
    extcal.env |= PASSWORD_ENV
    ran = on_full_disk(extcal, 500, "apply", "manifests", "--auto-approve")
    assert ran.code == 1
    assert "done, but " in ran.out
    assert "File too large, so the history lacks it" in ran.out
    extcal.write(site(), connection(0, more=BUSY))
    assert extcal("apply", "manifests", "--auto-approve").code == 0
    assert extcal("history").out.count("update") == 1


def test_a_link_that_can_not_be_kept_is_told(pending: Extcal) -> None:
    """A link to consent that does not fit into its file is said to be lost; no half of it stays behind."""
    pending.write(site(), connection(1, provider="google"))
    args = ("apply", "manifests", "--auto-approve", "--consent-file", "links.jsonl", "--format", "json")
    ran = on_full_disk(pending, 20, *args)
    assert ran.code != 0
    assert "--consent-file links.jsonl: File too large. The link was not saved; apply again." in ran.err
    assert [action["consent_url"] for action in ran.actions] == [None]
    assert "links.jsonl" not in files(pending.folder)


def test_a_sandbox_without_room_says_so_and_starts_when_there_is(bare: Extcal) -> None:
    """Its data are never half there: what could not be seeded is seeded by the next start."""
    ran = on_full_disk(bare, 20_000, "providers", "--sandbox", "data")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("error: sandbox: ")
    assert "Traceback" not in ran.err
    again = bare("providers", "--sandbox", "data", "--format", "json")
    assert (again.code, again.err) == (0, "")


def test_an_event_that_does_not_fit_into_the_sandbox_is_not_there(bare: Extcal) -> None:
    """A write that fails is told, and leaves the data as they were."""
    assert bare("schedules", "--sandbox", "data").code == 0
    times = ("--start", "2027-01-31T09:00:00Z", "--end", "2027-01-31T10:00:00Z", "--data", "data")
    add = ("sandbox", "events", "add", "--schedule", "Dr. Lee", "--title", "x" * 200)
    ran = on_full_disk(bare, 0, *add, *times)
    assert ran.code == 1
    assert ran.err.startswith("error: sandbox: ")
    listed = bare("sandbox", "events", "list", "--data", "data", "--format", "json")
    assert (listed.code, json.loads(listed.out), listed.err) == (0, [], "")


@pytest.mark.parametrize("place", ["manifests/all.yaml/there", "/proc/self/there"])
def test_a_folder_that_can_not_be_written_to_is_told(pending: Extcal, place: str) -> None:
    """Each option that names a place: what is wrong is said of that place, nothing is sent, nothing is left behind."""
    there = files(pending.folder)
    for args in (
        ("plan", "manifests", "--out", place),
        ("apply", "manifests", "--auto-approve", "--undo-out", place),
        ("apply", "manifests", "--auto-approve", "--consent-file", place),
        ("pull", *_SITE, "--output", place),
        ("sandbox", "serve", "--data", place),
        ("providers", "--sandbox", place),
    ):
        env = {"EXTCAL_ENDPOINT": None} if "--sandbox" in args else {}
        ran = pending(*args, env=env)
        assert (args, ran.code in {1, 64}, ran.out) == (args, True, "")
        assert place in ran.err
        assert "Traceback" not in ran.err
        assert "internal error" not in ran.err
    assert pending.writes == []
    assert files(pending.folder) == there


def test_a_machine_that_can_keep_no_notes_sends_no_connect(pending: Extcal) -> None:
    """Without a place for the journal a plan is made all the same, and a connect is not sent."""
    home: dict[str, str | None] = {"HOME": "/proc/there", "XDG_STATE_HOME": "/proc/there"}
    assert pending("plan", "manifests", env=home).code == 0
    ran = pending("apply", "manifests", "--auto-approve", env=home)
    assert ran.code == 1
    assert "Traceback" not in ran.err
    assert "/proc/there" in ran.out + ran.err
    assert pending.writes == []
