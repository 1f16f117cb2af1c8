"""Rosters: CSV read as RFC 4180 says, rows as connections, and every fault at its row and column."""

import csv
import io
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import LimitError, ManifestError
from reconciler.manifests import Limits, load
from reconciler.manifests.csv_table import rows, separator
from reconciler.manifests.faults import FileReport, SpoiledError
from tests.manifests.conftest import refusals
from tests.manifests.set_files import CSV, ROSTER, SET, write
from tests.support.profiles import examples

_TEXTS = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from('",;\t\r\n '), max_size=8)
_TABLES = st.integers(2, 4).flatmap(
    lambda width: st.lists(st.lists(_TEXTS, min_size=width, max_size=width), min_size=1, max_size=5)
)


@examples(200, profile="tests")
@given(_TABLES, st.sampled_from([",", ";", "\t"]), st.sampled_from(["\n", "\r\n", "\r"]), st.booleans())
def test_what_a_spreadsheet_writes_is_read(table: list[list[str]], by: str, ends: str, ended: bool) -> None:  # noqa: FBT001
    """Whatever cells hold, they are read back, and each lies where the text says."""
    table = [["name", "account"] + ["x"] * (len(table[0]) - 2), *table]
    stream = io.StringIO()
    csv.writer(stream, delimiter=by, lineterminator=ends, quoting=csv.QUOTE_ALL).writerows(table)
    text = stream.getvalue() if ended else stream.getvalue().removesuffix(ends)
    assert separator(text) == by
    found = list(rows(text, FileReport("staff.csv")))
    assert [[cell.text for cell in row] for row in found] == table
    for row in found:
        for cell in row:
            assert text[cell.start : cell.end] == '"' + cell.text.replace('"', '""') + '"'


@examples(200, profile="tests")
@given(st.text(st.sampled_from('ab",;\t\r\n'), max_size=20))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Cells cover the text but for separators and line ends; places agree with counting."""
    try:
        found = list(rows(text, FileReport("staff.csv")))
    except SpoiledError:
        return
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for row in found:
        for cell in row:
            if '"' not in text[cell.start : cell.end]:
                assert lines[cell.line][cell.column :].startswith(cell.text)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("", "staff.csv:1:1: the roster is empty (a roster begins with a line such as name,account,schedule_name)"),
        ("\n", "staff.csv:1:1: the roster is empty"),
        ("name,schedule_name\n", "staff.csv:1:1: missing column 'account'"),
        ("name,account\n", "staff.csv:1:1: missing column for schedules: one of schedule_external_id, schedule_id"),
        ("phone,room\n", "staff.csv:1:1: missing column 'name'"),
        ("name,acount,schedule_name\n", "staff.csv:1:6: unknown column 'acount' (did you mean account?)"),
        ("Name,account,schedule_name\n", "staff.csv:1:1: unknown column 'Name' (did you mean name?)"),
        (
            "name,account,Schedule Name\n",
            "staff.csv:1:14: unknown column 'Schedule Name' (did you mean schedule_name?)",
        ),
        (
            "name,account,schedule\n",
            "staff.csv:1:14: unknown column 'schedule' (did you mean schedule_id or schedule_name or schedule_ext",
        ),
        ("sep=;\r\nname;account;schedule_name\r\n", "staff.csv:1:1: the line sep= names no columns: remove it (a"),
        ("name, account,schedule_name\n", "staff.csv:1:6: unknown column ' account' (did you mean account?)"),
        ("name,account,schedule_name,name\n", "staff.csv:1:28: the column name is there twice (keep one of them)"),
        ("name,account,schedule_name,password\n", "staff.csv:1:28: a secret must not be written in a manifest"),
        ("name,account,schedule_name,api token\n", "staff.csv:1:28: a secret must not be written in a manifest"),
        ("name,account,schedule_name\n", "staff.csv:1:1: the roster has no rows (add a row, or write allowEmpty"),
        ("name,account,schedule_name\n,,\n\n", "staff.csv:1:1: the roster has no rows"),
        (CSV + "a,b\n", "staff.csv:3:1: the row has 2 cells, and the header has 4 (write a cell for each column"),
        (CSV + "a,b@c.example,d,e,f\n", "staff.csv:3:1: the row has 5 cells, and the header has 4 (a text that"),
        (CSV + ",b@c.example,d,e\n", "staff.csv:3:1: missing name: the cell is empty, at name"),
        (CSV + "a,,d,e\n", "staff.csv:3:3: missing account: the cell is empty, at account"),
        (CSV + "a,b@c.example,,e\n", "staff.csv:3:1: missing schedule: neither it nor the set's template says it"),
        (CSV + "a, b@c.example,d,e\n", "staff.csv:3:3: a space begins or ends the cell, at account (remove it)"),
        (CSV + "a,b,d,e\n", "staff.csv:3:3: must be an email address, without spaces, at account"),
        (CSV + "a b,b@c.example,d,e\n", "staff.csv:3:1: must be 1 to 128 letters (a to z), digits, dots"),
        (CSV + "Dr. Müller,b@c.example,d,e\n", "staff.csv:3:1: must be 1 to 128 letters (a to z), digits, dots"),
        (CSV + 'a,b@c.example,"d\ne",e\n', "staff.csv:3:15: must be one line of text that is not empty, at schedule_n"),
        (CSV + '"a,b@c.example,d,e\n', "staff.csv:3:1: the quote that begins here is never closed (close it)"),
        (CSV + 'a,"b"x,d,e\n', "staff.csv:3:3: something follows the closing quote of a cell"),
        (CSV + 'a,b"x,d,e\n', "staff.csv:3:3: a quote stands inside a cell that is not quoted"),
        (CSV + "a\x00,b,d,e\n", "staff.csv:3:2: the control character U+0000 is refused"),
        (CSV + "," * 300 + "\n", "staff.csv:3:257: the row has more than 256 cells"),
        (
            "name,account,schedule_name,schedule_external_id\na,b@c.example,d,e\n",
            "staff.csv:2:17: schedule_name and schedule_external_id exclude each other, at schedule_external_id",
        ),
        (
            "name,account,schedule_name,password_env,password_file\na,b@c.example,d,EXTCAL_A,x\n",
            "staff.csv:2:26: password_env and password_file exclude each other, at password_file",
        ),
        (
            "name,account,schedule_name,password_env\na,b@c.example,d,HOME\n",
            "staff.csv:2:17: must be the name of an environment variable that begins with EXTCAL_",
        ),
        ("name,account,schedule_id\na,b@c.example,12\n", "staff.csv:2:15: must be a GUID, such as"),
        ("name,account,schedule_name,site\na,b@c.example,d,harbr-dental\n", "staff.csv:2:17: no Site is called 'harbr"),
        ("name,account,schedule_name,sync_policy\na,b@c.example,d,x\n", "staff.csv:2:17: no SyncPolicy is called 'x'"),
        (
            "name,account,schedule_name,state\na,b@c.example,d,gone\n",
            "staff.csv:2:17: unknown value 'gone', at state (allowed: present, absent)",
        ),
    ],
)
def test_faults_of_a_roster(folder: Path, content: str, fault: str) -> None:
    """Each is at the row and column that is wrong, and says what would be right."""
    write(folder, ROSTER, content)
    faults = refusals(Path())
    assert faults[0].startswith(fault), faults


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"PK\x03\x04\x14\x00\x06\x00", "staff.csv:1:1: the file is a spreadsheet's own, not CSV"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "staff.csv:1:1: the file is a spreadsheet's own, not CSV"),
        (CSV.encode("utf-16"), "staff.csv:1:1: the file is UTF-16 or UTF-32, not UTF-8"),
        (CSV.replace("Mo,", "Jörg,").encode("latin-1"), "staff.csv:2:30: the byte 0xf6 is not UTF-8"),
    ],
)
def test_what_a_spreadsheet_saves_by_default_is_refused(folder: Path, content: bytes, fault: str) -> None:
    """One fault, which says how to save it."""
    write(folder, ROSTER, content)
    assert refusals(Path())[0] == f"{fault} (save it as CSV in UTF-8; Excel calls that CSV UTF-8)"


def test_a_roster_that_is_written_otherwise_is_suggested(folder: Path) -> None:
    """The file beside the manifest whose name is nearly that; no manifest is."""
    write(folder, "  roster: stuff.csv\n", CSV)
    (folder / "stuff.yaml").touch()
    assert refusals(Path()) == [
        "m.yaml:10:11: the roster 'stuff.csv' does not exist, at spec.roster (did you mean staff.csv?)"
    ]


def test_a_roster_is_no_manifest(folder: Path) -> None:
    """A path that names a CSV file says what to name instead."""
    write(folder, ROSTER, CSV)
    for path in (Path("staff.csv"), Path("STAFF.CSV")):
        (folder / path).write_text(CSV)
        (fault,) = refusals(path)
        assert fault.startswith(f"{path}:1:1: is a CSV file, which is read where a set names it as its roster (name")


@pytest.mark.parametrize(
    "content",
    [
        "\ufeff" + CSV,
        CSV.replace(",", ";"),
        CSV.replace(",", "\t"),
        CSV.replace("\n", "\r\n"),
        CSV.removesuffix("\n"),
        "\n".join(",".join(f'"{cell}"' for cell in line.split(",")) for line in CSV.splitlines()),
        "%,account,name,schedule_name\n%,mo@harbor-dental.example,mo,Mo\n",
    ],
)
def test_what_spreadsheets_write_means_the_same(folder: Path, content: str) -> None:
    """A byte order mark, other separators, other line ends and quotes change nothing."""
    write(folder, ROSTER, content)
    (mo,) = load([Path()]).connections
    assert (mo.address, mo.account.given, str(mo.schedule)) == ("harbor-dental/mo", "mo@harbor-dental.example", "Mo")


def test_formulas_and_odd_texts_are_text(folder: Path) -> None:
    """What a spreadsheet may take for a formula is a name like any other."""
    write(folder, ROSTER, "name,account,schedule_name\na,a@b.example,=1+1\nb,b@b.example,'@x\nc,c@b.example,+49\n")
    assert [one.schedule.value for one in load([Path()]).connections] == ["=1+1", "'@x", "+49"]


def test_the_id_counts(folder: Path) -> None:
    """An id with both labels beside it is what is meant; its name is for readers."""
    write(
        folder,
        ROSTER,
        "name,account,schedule_id,schedule_name,schedule_external_id\n"
        "a,a@b.example,3E47EC65-2975-447C-A7ED-75041E850D5E,Dr. Lee,42\n",
    )
    (one,) = load([Path()]).connections
    assert str(one.schedule) == "Dr. Lee [3e47ec65-2975-447c-a7ed-75041e850d5e]"


def test_a_roster_in_a_folder_below(folder: Path) -> None:
    """It may lie below the manifest, and is no manifest itself."""
    (folder / "lists").mkdir()
    write(folder, "  roster: lists/staff.csv\n")
    (folder / "lists" / "staff.csv").write_text(CSV)
    assert str(load([Path()]).connections[0].sources.root) == "lists/staff.csv:2:1"
    assert str(load([folder / "m.yaml", folder / "beside.yaml"]).connections[0].sources.root).endswith("staff.csv:2:1")


@pytest.mark.parametrize("what", ["file", "folder", "loop", "pipe", "directory"])
def test_rosters_that_are_no_files_of_the_folder(folder: Path, what: str) -> None:
    """Links, also on the way, and what is no file are refused, and nothing waits for a pipe."""
    outside = folder / "outside"
    outside.mkdir()
    (outside / "staff.csv").write_text(CSV)
    write(folder, "  roster: lists/staff.csv\n")
    lists = folder / "lists"
    if what == "folder":
        lists.symlink_to(outside)
    else:
        lists.mkdir()
    if what == "file":
        (lists / "staff.csv").symlink_to(outside / "staff.csv")
    elif what == "loop":
        (lists / "staff.csv").symlink_to("staff.csv")
    elif what == "pipe":
        os.mkfifo(lists / "staff.csv")
    elif what == "directory":
        (lists / "staff.csv").mkdir()
    expected = {"pipe": "is a pipe, not a file", "directory": "is a folder, not a file"}
    assert expected.get(what, "the roster is reached by a link") in refusals(Path("m.yaml"), Path("beside.yaml"))[0]


def test_a_roster_of_a_mounted_folder(folder: Path) -> None:
    """Where links lead to a manifest and its roster, as in a mounted ConfigMap, the files beside each other count."""
    data = folder / "..data"
    data.mkdir()
    write(data, ROSTER, CSV)
    mounted = folder / "mounted"
    mounted.mkdir()
    data.rename(mounted / "..data")
    for name in ("m.yaml", "beside.yaml", "staff.csv"):
        (mounted / name).symlink_to(f"..data/{name}")
    assert [one.name for one in load([mounted]).connections] == ["mo"]


def test_limits_count_rows(folder: Path) -> None:
    """What a roster may cost is bounded as documents are, and told with the way out."""
    write(folder, ROSTER, "name,account,schedule_name\n" + "".join(f"n{n},a{n}@b.example,s{n}\n" for n in range(50)))
    assert len(load([Path()], Limits(documents=60)).connections) == 50
    with pytest.raises(Exception, match=r"documents together.*--limit documents="):
        load([Path()], Limits(documents=20))


def test_limits_count_empty_rows(folder: Path) -> None:
    """A file of nothing but line ends is not read to its end."""
    write(folder, ROSTER, CSV + "\n,,,\n" * 50)
    assert len(load([Path()], Limits(documents=110)).connections) == 1
    with pytest.raises(LimitError, match=r"staff.csv:[0-9]+:1: .*documents together.*--limit documents="):
        load([Path()], Limits(documents=90))


def test_limits_count_the_bytes_of_rosters(folder: Path) -> None:
    """Rosters count with manifests, each once however many sets name it."""
    write(folder, ROSTER, CSV + "\n" * 2_000)
    (folder / "n.yaml").write_text(SET.replace("dentists", "others") + "  allowEmpty: true\n" + ROSTER)
    # Both sets declare mo.
    assert "larger" not in refusals(Path())[0]
    with pytest.raises(LimitError, match=r"staff.csv:1:1: the manifests are larger than 2,000 bytes together.*--limit"):
        load([Path()], Limits(bytes=2_000))
    with pytest.raises(ManifestError, match="mo"):
        load([Path()], Limits(bytes=4_000))


def test_many_faults_end_a_roster(folder: Path) -> None:
    """A file of nothing but mistakes is not read to its end."""
    write(folder, ROSTER, CSV + "x y,b,,\n" * 3_000)
    assert len(refusals(Path())) < 1_100
