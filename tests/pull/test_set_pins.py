"""Ids beside names in sets and rosters: where they go, that all else stays, and what is shared and so stays a name."""

import codecs
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.manifests import load
from reconciler.manifests.contents import MAX_BYTES
from reconciler.manifests.csv_table import MOST_CELLS
from reconciler.model.desired import ScheduleKey
from reconciler.model.live import Calendar, Schedule
from reconciler.model.sync import CalendarRef, SyncConfig
from reconciler.pull.pin_files import PinCount, PinnedFiles
from reconciler.pull.pins import SitePins
from reconciler.pull.values import PulledSite
from tests.pull.handwriting import SITE, written
from tests.pull.live import KIM, LEE, OFF, actions, chosen, live, observed, pin, site

SET = """\
apiVersion: extcal/v1
kind: ConnectionSet
metadata: {name: staff}
spec:
  template:
    provider: apple
"""
ROSTER = SET + "  roster: staff.csv\n"
LEE_MAIL, KIM_MAIL = "lee@harbor-dental.example", "kim@harbor-dental.example"


def seen_on(lee: str = "Dr. Lee", kim: str = "Hygienist Kim", *, of: str = "harbor", id_: str = "") -> PulledSite:
    """A site with two schedules and connections on both, that import from the calendar Work."""
    sync = SyncConfig(chosen(CalendarRef("w1")), OFF)
    ids = (LEE, KIM) if not id_ else tuple(one.replace("3e47ec65", "00000000") for one in (LEE, KIM))
    schedules = (Schedule(ids[0], lee, "r1", "ACTIVE"), Schedule(ids[1], kim, "r2", "ACTIVE"))
    connections = [
        replace(live(schedule, sync=sync), schedule_id=here) for schedule, here in zip((LEE, KIM), ids, strict=True)
    ]
    listed = {one.id: (Calendar("w1", "Work"),) for one in connections}
    known = site(of) if not id_ else site(of, id_)
    return observed(*connections, of=known, schedules=schedules, calendars=listed)


def pinned(folder: Path, seen: PulledSite) -> tuple[SitePins, PinnedFiles]:
    """Pin for one site; pinned again nothing changes, and the plan stays as it was."""
    before = actions(folder, seen)
    (found,), made = pin(folder, seen)
    assert actions(folder, seen) == before
    assert pin(folder, seen)[1].files == {}
    assert found.faults == []
    return found, made


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "  connections:\n    - {name: lee, schedule: {name: Dr. Lee}, account: LEE}  # him\n    # end\n",
            "  connections:\n    - {name: lee, schedule: {id: ID, name: Dr. Lee}, account: LEE}  # him\n    # end\n",
        ),
        (
            "  connections:\n  - name: lee\n    schedule:  # a\n      name: 'Dr. Lee'\n    account: LEE",
            "  connections:\n  - name: lee\n    schedule:  # a\n      id: ID\n      name: 'Dr. Lee'\n    account: LEE",
        ),
        (
            "  connections: [{account: LEE, schedule: {externalId: r1}, name: lee, syncConfig: SYNC}]",
            "  connections: [{account: LEE, schedule: {id: ID, externalId: r1}, name: lee, syncConfig: PINNED}]",
        ),
    ],
)
def test_an_entry_is_pinned_as_a_document_is(folder: Path, before: str, after: str) -> None:
    """Its schedule and its own calendars get their ids; comments and styles stay."""
    sync = "{listEventFromCalendars: {calendars: [Work]}}"
    words = {"ID": LEE, "LEE": LEE_MAIL, "SYNC": sync, "PINNED": sync.replace("Work", "{id: w1, name: Work}")}
    for word in ("LEE", "SYNC", "PINNED", "ID"):
        before, after = before.replace(word, words[word]), after.replace(word, words[word])
    path = written(folder, SITE, SET + before)
    _, made = pinned(folder, seen_on())
    assert made.unwritten == []
    assert path.read_text() == f"{SITE}---\n{SET}{after}"


def test_what_the_template_names_stays(folder: Path) -> None:
    """All its connections share it: a remark says so, of rows as well."""
    template = "    schedule: {name: Dr. Lee}\n    syncConfig: {listEventFromCalendars: {calendars: [Work]}}\n"
    text = f"{SET}{template}  connections: [{{name: lee, account: {LEE_MAIL}}}]\n  roster: staff.csv\n"
    path = written(folder, SITE, text)
    written(folder, f"name,account,schedule_name\nkim,{KIM_MAIL},Hygienist Kim\n", to="staff.csv")
    found, made = pinned(folder, seen_on())
    assert found.sets == {"staff"}
    assert found.policies == set()
    assert made.files.keys() == {"staff.csv"}
    assert path.read_text() == f"{SITE}---\n{text}"


@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("by", [",", ";", "\t"])
def test_rows_get_their_ids_beside_what_names_them(folder: Path, mark: bytes, line_end: str, by: str) -> None:
    """The column goes right of the name, where there is none yet; quotes, blank lines and unknown columns stay."""
    written(folder, SITE, ROSTER)
    before = f'name,account,schedule_name,phone\n"lee",{LEE_MAIL},"Dr. Lee","1\n2"\n\nkim,{KIM_MAIL},Hygienist Kim,'
    after = before.replace("schedule_name,", "schedule_name,schedule_id,").replace('"Dr. Lee"', f'"Dr. Lee",{LEE}')
    after = after.replace("Kim,", f"Kim,{KIM},")

    def written_as(text: str) -> bytes:
        return mark + text.replace(",", by).replace("\n", line_end).encode()

    path = folder / "staff.csv"
    path.write_bytes(written_as(before))
    _, made = pinned(folder, seen_on())
    assert path.read_bytes() == written_as(after)
    assert made.counts == {"staff.csv": PinCount(schedules=2)}


def test_an_empty_cell_is_filled(folder: Path) -> None:
    """Where the column is there, nothing else changes; an external id stays one."""
    written(folder, SITE, ROSTER)
    before = f"schedule_id,name,schedule_external_id,account\n,lee,r1,{LEE_MAIL}\n{KIM},kim,,{KIM_MAIL}\n"
    path = written(folder, before, to="staff.csv")
    pinned(folder, seen_on())
    assert path.read_text() == before.replace("\n,lee", f"\n{LEE},lee")
    (opened, _) = load([folder]).connections[::-1]
    assert opened.schedule.label is not None
    assert opened.schedule.label.by is ScheduleKey.EXTERNAL_ID


def test_a_column_beside_external_ids(folder: Path) -> None:
    """Without a column of names the ids go right of the external ids."""
    written(folder, SITE, ROSTER)
    path = written(folder, f"name,schedule_external_id,account\nlee,r1,{LEE_MAIL}\n", to="staff.csv")
    pinned(folder, seen_on())
    assert path.read_text() == f"name,schedule_external_id,schedule_id,account\nlee,r1,{LEE},{LEE_MAIL}\n"


def test_a_new_name_is_written_into_the_row(folder: Path) -> None:
    """A schedule that was renamed gets its new name, in the quotes of the old one."""
    written(folder, SITE, ROSTER)
    before = f'name,account,schedule_name,schedule_id\nlee,{LEE_MAIL},"Dr. Lee",{LEE}\nkim,{KIM_MAIL},Kim,{KIM}\n'
    path = written(folder, before, to="staff.csv")
    (found,), made = pin(folder, seen_on("Dr. Leigh", "Kim, hygienist"))
    assert [one.after for one in found.renamed] == ["Kim, hygienist", "Dr. Leigh"]
    assert made.counts == {"staff.csv": PinCount(names=2)}
    assert path.read_text() == before.replace("Dr. Lee", "Dr. Leigh").replace(",Kim,", ',"Kim, hygienist",')
    assert pin(folder, seen_on("Dr. Leigh", "Kim, hygienist"))[1].files == {}


@pytest.mark.parametrize("name", ["=1+1", " Kim", "+49 30"])
def test_a_name_that_a_spreadsheet_would_read_otherwise_is_not_written(folder: Path, name: str) -> None:
    """The old one stays, and what stands in the way is told."""
    written(folder, SITE, ROSTER)
    text = f"name,account,schedule_name,schedule_id\nkim,{KIM_MAIL},Kim,{KIM}\n"
    path = written(folder, text, to="staff.csv")
    _, made = pin(folder, seen_on(kim=name))
    (told,) = made.unwritten
    assert told.startswith(f"{path}:2:1: harbor/kim can't be pinned in place: a CSV cell can't hold '{name}': ")
    assert path.read_text() == text


OTHER_ID = "7a3f0c1e-5d2b-4f6a-9c8e-1b2d3e4f5a6c"
OTHER = SITE.partition("---\n")[0].replace("harbor", "other").replace(site().site_id, OTHER_ID)


def test_a_row_that_sets_share_is_pinned_where_both_mean_one_schedule(folder: Path) -> None:
    """Else one of them would come to mean the other's; where only one site is pinned, that is not known."""
    sets = [ROSTER.replace("template:", f"template:\n    site: {name}") for name in ("harbor", "other")]
    written(folder, SITE, sets[0], OTHER, sets[1].replace("staff}", "others}").replace("apple", "google"))
    text = f"name,account,schedule_name\nlee,{LEE_MAIL},Dr. Lee\n"
    path = written(folder, text, to="staff.csv")
    here, there = seen_on(), seen_on(of="other", id_=OTHER_ID)
    shared = "can't be pinned in place: another set shares its row, and would have another schedule then"
    _, made = pin(folder, here, there)
    assert [shared in told for told in made.unwritten] == [True, True]
    _, made = pin(folder, here)
    assert [shared in told for told in made.unwritten] == [True]
    assert path.read_text() == text
    same = replace(there, live=here.live)
    _, made = pin(folder, here, same)
    assert made.unwritten == []
    assert made.counts == {"staff.csv": PinCount(schedules=1)}
    assert path.read_text() == text.replace("schedule_name", "schedule_name,schedule_id").replace(
        "Lee\n", f"Lee,{LEE}\n"
    )


def test_what_entries_share_is_not_touched(folder: Path) -> None:
    """An alias repeats what would change elsewhere, too; other entries get theirs."""
    entries = (
        f"[{{name: lee, schedule: &s {{name: Dr. Lee}}, account: {LEE_MAIL}}}, "
        f"{{name: lee-2, schedule: *s, account: al@harbor-dental.example}}, "
        f"{{name: kim, schedule: {{name: Hygienist Kim}}, account: {KIM_MAIL}}}]"
    )
    path = written(folder, SITE, f"{SET}  connections: {entries}\n")
    _, made = pin(folder, seen_on())
    assert ["also used as *s" in told or "is the alias *s" in told for told in made.unwritten] == [True, True]
    assert path.read_text().endswith(entries.replace("{name: Hyg", f"{{id: {KIM}, name: Hyg") + "\n")


def test_a_roster_that_would_be_too_large_stays(folder: Path) -> None:
    """Its manifest is pinned all the same."""
    patel = "  connections: [{name: patel, schedule: {name: Hygienist Kim}, account: patel@x.example}]\n"
    path = written(folder, SITE, SET + patel + "  roster: staff.csv\n")
    rows = f"name,account,phone,schedule_name\nkim,{KIM_MAIL},,Hygienist Kim\nlee,{LEE_MAIL},,Dr. Lee\nal,a@x.example,"
    end = ",Dr. Lee\n"
    written(folder, rows + "x" * (MAX_BYTES - len(rows) - len(end)) + end, to="staff.csv")
    _, made = pin(folder, seen_on())
    assert made.unwritten == ["manifests/staff.csv: nothing is pinned in this file: it would be too large; split it"]
    assert f"{{id: {KIM}, name: Hygienist Kim}}" in path.read_text()


def test_a_roster_that_would_not_load_is_not_written(folder: Path) -> None:
    """A column more than a roster may have: none of its rows is pinned, and its manifest is all the same."""
    entry = "  connections: [{name: patel, schedule: {name: Hygienist Kim}, account: patel@x.example}]\n"
    path = written(folder, SITE, SET + entry + "  roster: staff.csv\n")
    more = MOST_CELLS - 3
    header, cells = ",".join(f"x{number}" for number in range(more)), "," * more
    text = f"name,account,schedule_name,{header}\nlee,{LEE_MAIL},Dr. Lee{cells}\n"
    roster = written(folder, text, to="staff.csv")
    _, made = pin(folder, seen_on())
    (told,) = made.unwritten
    assert told.startswith("manifests/staff.csv: nothing is pinned in this file: it would not load: ")
    assert roster.read_text() == text
    assert f"{{id: {KIM}, name: Hygienist Kim}}" in path.read_text()
