"""Pulling into rosters: a row names the policy that says what is live, and every other byte stays."""

import codecs
from pathlib import Path

import pytest

from reconciler.manifests.contents import MAX_BYTES
from reconciler.model.sync import Direction, SyncConfig
from reconciler.pull.folder import open_folder, save
from reconciler.workflow.pull import pull_into
from tests.pull.handwriting import SITE, written
from tests.pull.live import (
    BUSY_TIMES,
    DEDICATED,
    GOOGLE,
    HOME,
    KIM,
    LEE,
    OFF,
    PATEL,
    PRIMARY,
    SCHOOL,
    WORK,
    Done,
    actions,
    chosen,
    live,
    observed,
    pull,
    site,
)
from tests.support.tools import needs_no_root

SET = """\
apiVersion: extcal/v1
kind: ConnectionSet
metadata: {name: staff}
spec:
  template:
    provider: apple
    syncPolicy: busy-times-only   # as all
  roster: staff.csv
"""
HEADER = "name,account,schedule_id,phone"
LEE_ROW = f"lee,lee@harbor-dental.example,{LEE},1"
KIM_ROW = f'kim,kim@harbor-dental.example,{KIM},"2,3"'
ROSTER = f"{HEADER}\n{LEE_ROW}\n\n{KIM_ROW}\n"
EXPORTING = SyncConfig(PRIMARY, DEDICATED)
WORKING = SyncConfig(chosen(WORK), OFF)


def kept(folder: Path, roster: str, to: str = "staff.csv") -> Path:
    """Write a roster beside the manifests."""
    folder.mkdir(exist_ok=True)
    path = folder / to
    path.write_bytes(roster.encode())
    return path


def pulled(folder: Path, lee: SyncConfig, kim: SyncConfig = BUSY_TIMES) -> Done:
    """Pull with these sync configs live, and assert that nothing is left to do, nor to write."""
    seen = observed(live(sync=lee), live(KIM, sync=kim))
    done = pull(folder, seen)
    assert done.saved.failures == []
    assert done.pull.failures == ()
    assert actions(folder, seen) == {"harbor/lee": "noop", "harbor/kim": "noop"}
    again = pull(folder, seen)
    assert again.changed == []
    assert {"staff.csv", "all.yaml"} <= {*again.pull.unchanged}
    return done


def test_a_row_gets_a_column_for_its_policy(folder: Path) -> None:
    """The new policy is named after what it does, and goes to the site's policies; the set stays as it is."""
    manifest = written(folder, SITE, SET)
    path = kept(folder, ROSTER)
    done = pulled(folder, EXPORTING)
    assert done.saved.created == ["policies.yaml"]
    assert done.saved.updated == ["staff.csv"]
    assert path.read_text() == f"{HEADER},sync_policy\n{LEE_ROW},import-primary-export-dedicated\n\n{KIM_ROW},\n"
    assert manifest.read_text() == f"{SITE}---\n{SET}"
    assert (
        (folder / "policies.yaml").read_text()
        == """\
# Shared by connections of harbor that sync in the same way.
apiVersion: extcal/v1
kind: SyncPolicy
metadata: {name: import-primary-export-dedicated}
spec:
  syncConfig:
    listEventFromCalendars: {enabled: true, primaryCalendar: {}}
    syncToCalendar: {enabled: true, dedicatedCalendar: {}}
"""
    )


@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("by", [",", ";", "\t"])
def test_one_cell_changes_where_the_column_is_there(folder: Path, mark: bytes, line_end: str, by: str) -> None:
    """A byte order mark, separators, line ends and quotes stay; a policy that is there is taken."""
    written(folder, SITE, SET, SITE.split("---\n")[1].replace("busy-times-only", "off").replace("true", "false"))
    before = f'{HEADER},"sync_policy"\n{LEE_ROW},"busy-times-only"\n,,,,\n"kim",kim@harbor-dental.example,{KIM},,'
    path = kept(folder, "")

    def written_as(text: str) -> bytes:
        return mark + text.replace(",", by).replace("\n", line_end).encode()

    path.write_bytes(written_as(before))
    done = pulled(folder, SyncConfig(OFF, OFF), SyncConfig(OFF, OFF))
    assert done.changed == ["staff.csv"]
    assert path.read_bytes() == written_as(before.replace('"busy-times-only"', '"off"') + "off")


def test_a_policy_with_calendars_is_its_row_s_own(folder: Path) -> None:
    """It is named after its connection, and follows it from calendar to calendar; no other row takes it."""
    written(folder, SITE, SET)
    path = kept(folder, ROSTER)
    pulled(folder, WORKING, SyncConfig(chosen(HOME), OFF))
    first, policies = path.read_text(), folder / "policies.yaml"
    assert f"{LEE_ROW},lee\n" in first
    assert f"{KIM_ROW},kim\n" in first
    assert "# For harbor/lee alone: a row of a roster names no calendars itself.\n" in policies.read_text()
    before = policies.read_text().replace("- {id: a68yu6, name: Work}", "- Work   # mornings")
    policies.write_text(before)
    done = pulled(folder, SyncConfig(chosen(WORK, SCHOOL), OFF), WORKING)
    assert done.changed == ["policies.yaml"]
    after = before.replace("mornings\n", "mornings\n        - {id: c34, name: School}\n")
    assert policies.read_text() == after.replace("- {id: b12, name: Home}", "- {id: a68yu6, name: Work}")
    assert pulled(folder, BUSY_TIMES, WORKING).changed == ["staff.csv"]
    assert path.read_text() == first.replace(",lee\n", ",busy-times-only\n")
    assert pulled(folder, SyncConfig(chosen(WORK, SCHOOL), OFF), WORKING).changed == ["staff.csv"]
    assert path.read_text() == first


def test_what_is_new_shares_the_policy_that_a_row_has_got(folder: Path) -> None:
    """There are no two policies that say the same."""
    written(folder, SITE, SET)
    path = kept(folder, ROSTER)
    new = live(PATEL, GOOGLE, sync=EXPORTING)
    done = pull(folder, observed(live(sync=EXPORTING), live(KIM), new))
    assert done.pull.failures == ()
    assert f"{LEE_ROW},import-primary-export-dedicated\n" in path.read_text()
    assert (folder / "policies.yaml").read_text().count("kind: SyncPolicy") == 1
    assert "harbor-import" not in "".join(one.read_text() for one in folder.rglob("*.*"))


def test_a_policy_that_can_not_be_edited_is_told(folder: Path) -> None:
    """An alias in it repeats what would change: the failure names the policy's place, and nothing is written."""
    sync = "{syncToCalendar: {enabled: &on true}, listEventFromCalendars: {enabled: *on, calendars: [Work]}}"
    policy = f"apiVersion: extcal/v1\nkind: SyncPolicy\nmetadata: {{name: own}}\nspec: {{syncConfig: {sync}}}\n"
    written(folder, SITE, policy, SET)
    kept(folder, f"{HEADER},sync_policy\n{LEE_ROW},own\n{KIM_ROW},\n")
    done = pull(folder, observed(live(sync=WORKING), live(KIM)))
    assert done.changed == []
    why = "can't be edited in place: what would change is also used as *on; edit it by hand"
    (failure,) = done.pull.failures
    assert failure.endswith(f"its row can't say what is live: its SyncPolicy at manifests/all.yaml:18:1 {why}")


def test_a_policy_with_calendars_that_others_use_is_not_edited(folder: Path) -> None:
    """The row gets one of its own."""
    shared = (
        SITE.split("---\n")[1].replace("busy-times-only", "at-work").replace("primaryCalendar: {}", "calendars: [Work]")
    )
    written(folder, SITE, SET, shared)
    path = kept(
        folder,
        ROSTER.replace("\n", ",at-work\n").replace("phone,at-work", "phone,sync_policy").replace("\n,at-work", "\n"),
    )
    pulled(folder, SyncConfig(chosen(HOME), OFF), WORKING)
    assert f"{LEE_ROW},lee\n" in path.read_text()
    assert f"{KIM_ROW},at-work\n" in path.read_text()


@pytest.mark.parametrize(
    ("template", "lee", "policy"),
    [
        ("syncConfig: {syncToCalendar: {enabled: false}}", WORKING, "lee"),
        ("syncConfig: {syncToCalendar: {dedicatedCalendar: {}}}", EXPORTING, "import-primary-export-dedicated"),
        ("syncConfig: {syncToCalendar: {dedicatedCalendar: {}}}", SyncConfig(OFF, OFF), "no-sync"),
    ],
)
def test_what_the_template_syncs_itself_may_agree(folder: Path, template: str, lee: SyncConfig, policy: str) -> None:
    """A policy says the rest."""
    written(folder, SITE, SET.replace("  roster", f"    {template}\n  roster"))
    path = kept(folder, ROSTER)
    pulled(folder, lee)
    assert f"{LEE_ROW},{policy}\n" in path.read_text()


@pytest.mark.parametrize(
    ("template", "lee"),
    [
        ("syncConfig: {syncToCalendar: {enabled: false}}", EXPORTING),
        ("syncConfig: {listEventFromCalendars: {primaryCalendar: {}}}", WORKING),
    ],
)
def test_what_the_template_says_otherwise_can_not_be_helped(folder: Path, template: str, lee: SyncConfig) -> None:
    """It wins over any policy: nothing is written for the row, the failure says why, and other rows are edited."""
    written(folder, SITE, SET.replace("  roster", f"    {template}\n  roster"))
    path = kept(folder, ROSTER)
    done = pull(folder, observed(live(sync=lee), live(KIM, sync=SyncConfig(OFF, OFF))))
    (failure,) = done.pull.failures
    assert failure == (
        "manifests/staff.csv:2:1: harbor/lee differs from the live connection, and its row can't say what is live: "
        "the syncConfig in its set's template wins over any policy; make the row an entry of the set"
    )
    assert path.read_text() == f"{HEADER},sync_policy\n{LEE_ROW},\n\n{KIM_ROW},no-sync\n"


OTHER_ID = "7a3f0c1e-5d2b-4f6a-9c8e-1b2d3e4f5a6c"
OTHER = SITE.partition("---\n")[0].replace("harbor", "other").replace(site().site_id, OTHER_ID)
NEARBY = SET.replace("staff}", "others}").replace("template:", "template:\n    site: other")
NEARBY = NEARBY.replace("apple", "google").replace("roster: ", "roster: ./")
HERE = SET.replace("template:", "template:\n    site: harbor")


def test_two_sets_share_a_roster(folder: Path) -> None:
    """One edit is right for both, and is made once."""
    written(folder, SITE, HERE, OTHER, NEARBY)
    path = kept(folder, ROSTER)
    here = observed(live(sync=EXPORTING), live(KIM))
    there = observed(live(LEE, GOOGLE, sync=EXPORTING), live(KIM, GOOGLE), of=site("other", OTHER_ID))
    done = pull(folder, here, there)
    assert done.pull.failures == ()
    assert path.read_text() == f"{HEADER},sync_policy\n{LEE_ROW},import-primary-export-dedicated\n\n{KIM_ROW},\n"
    assert set(actions(folder, here).values()) | set(actions(folder, there).values()) == {"noop"}


def test_a_row_that_sets_share_is_not_changed_for_one_of_them(folder: Path) -> None:
    """What the other declares would change, too: of it either nothing differs, or something else does."""
    written(folder, SITE, HERE, OTHER, NEARBY)
    path = kept(folder, ROSTER)
    here = observed(live(sync=EXPORTING), live(KIM))
    there = observed(live(LEE, GOOGLE), live(KIM, GOOGLE), of=site("other", OTHER_ID))
    done = pull(folder, here, there)
    (failure,) = done.pull.failures
    assert "another set shares its row, and what that declares would change, too; give each a roster" in failure
    there = observed(live(LEE, GOOGLE, sync=WORKING), live(KIM, GOOGLE), of=site("other", OTHER_ID))
    done = pull(folder, here, there)
    assert ["sets share its row, and no one policy" in failure for failure in done.pull.failures] == [True, True]
    assert path.read_text() == ROSTER


def test_a_roster_that_was_changed_meanwhile_is_not_overwritten(folder: Path) -> None:
    """What somebody saved while the pull was under way stays."""
    written(folder, SITE, SET)
    path = kept(folder, ROSTER)
    opened = open_folder(folder)
    made = pull_into(opened, [observed(live(sync=EXPORTING), live(KIM), of=site("harbor"))])
    path.write_text("mine")
    saved = save(opened, made.files)
    assert saved.failures == [f"can't write {path}: it was changed meanwhile; run this again"]
    assert path.read_text() == "mine"


@needs_no_root
def test_a_roster_in_a_folder_that_nobody_may_write_to_is_told(folder: Path) -> None:
    """A failure in words, and nothing is written elsewhere either."""
    written(folder, SITE, SET.replace("staff.csv", "lists/staff.csv"))
    (folder / "lists").mkdir()
    path = kept(folder, ROSTER, to="lists/staff.csv")
    path.parent.chmod(0o500)
    try:
        done = pull(folder, observed(live(sync=EXPORTING), live(KIM)))
    finally:
        path.parent.chmod(0o700)
    assert done.changed == []
    assert [f"can't write {path}: Permission denied" in failure for failure in done.saved.failures] == [True]


def test_a_roster_that_would_be_too_large_stays(folder: Path) -> None:
    """Its new column would take it over what is read of a file: the failure says so, and others are edited."""
    patel = "---\napiVersion: extcal/v1\nkind: Connection\nmetadata: {name: patel}\nspec:\n  provider: apple\n"
    patel += f"  account: patel@harbor-dental.example\n  schedule: {{id: {PATEL}}}\n  syncPolicy: busy-times-only\n"
    manifest = written(folder, SITE, SET + patel)
    padded = f"{HEADER}\n{KIM_ROW}\n{LEE_ROW}"
    path = kept(folder, padded + "x" * (MAX_BYTES - len(padded)))
    done = pull(folder, observed(live(sync=EXPORTING), live(KIM), live(PATEL, sync=EXPORTING)))
    (failure,) = done.pull.failures
    assert failure.startswith(
        "harbor/lee: not updated: its file would no longer load: manifests/staff.csv:1:1: the file"
    )
    assert path.stat().st_size == MAX_BYTES
    assert "dedicatedCalendar" in manifest.read_text()


def test_a_row_may_have_a_direction_without_calendars(folder: Path) -> None:
    """Where the service shows no calendars, a policy without any says what is live."""
    written(folder, SITE, SET)
    path = kept(folder, ROSTER)
    pulled(folder, SyncConfig(Direction(enabled=True), OFF))
    assert f"{LEE_ROW},import\n" in path.read_text()
