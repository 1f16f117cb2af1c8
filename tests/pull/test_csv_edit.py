"""CSV edited in place: the cells that are meant say what they shall, and every other byte stays."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.manifests.csv_table import rows
from reconciler.manifests.faults import FileReport
from reconciler.pull.csv_edit import CsvEdit, is_writable, row_text
from reconciler.pull.splices import UneditableError

STAFF = 'name,account,"schedule_name",phone\nlee,lee@x.example,"Dr. Lee",5\nkim,kim@x.example,Kim,"6,7"\n'


def read(text: str) -> list[list[str]]:
    """What all cells of a text say, without the rows that hold nothing."""
    report = FileReport("staff.csv")
    found = [[cell.text for cell in row] for row in rows(text, report)]
    assert report.faults == []
    return [row for row in found if any(row)]


def test_a_cell_keeps_its_quotes() -> None:
    """What was in quotes stays so; what was not gets them where it must."""
    edit = CsvEdit(STAFF)
    edit.set_cell(2, "schedule_name", "Dr. Leigh")
    edit.set_cell(3, "schedule_name", 'Kim "K", hygienist')
    assert edit.cell(3, "schedule_name") == 'Kim "K", hygienist'
    after = STAFF.replace("Dr. Lee", "Dr. Leigh").replace(",Kim,", ',"Kim ""K"", hygienist",')
    assert edit.edited() == after


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("ending", ["", "E", "EE", "E,,,E", "E,,,"])
@pytest.mark.parametrize("by", [",", ";", "\t"])
def test_a_row_goes_below_the_last_that_holds_anything(line_end: str, ending: str, by: str) -> None:
    """It has the text's separator and line ends; a last line without an end stays without."""
    before = "name,account,schedule_name,phone\nlee,lee@x.example,,5".replace("\n", line_end).replace(",", by)
    after = ending.replace("E", line_end).replace(",", by)
    edit = CsvEdit(before + after)
    edit.append_row({"account": "kim@x.example", "name": "kim"})
    edit.append_row({"name": "al"})
    row = f"{line_end}kim,kim@x.example,,{line_end}al,,,".replace(",", by)
    assert edit.edited() == before + row + after


def test_a_column_goes_beside_another_or_to_the_right_end() -> None:
    """Rows that hold nothing stay as they are."""
    edit = CsvEdit(f"{STAFF}\n,,,\n")
    edit.add_column("sync_policy")
    edit.add_column("schedule_id", after="schedule_name")
    edit.set_cell(3, "sync_policy", "off")
    edit.append_row({"name": "al", "schedule_id": "x", "phone": "9"})
    assert edit.has_column("schedule_id")
    assert edit.edited() == (
        'name,account,"schedule_name",schedule_id,phone,sync_policy\n'
        'lee,lee@x.example,"Dr. Lee",,5,\nkim,kim@x.example,Kim,,"6,7",off\nal,,,x,9,\n\n,,,\n'
    )


def test_of_two_columns_with_one_name_the_first_is_meant() -> None:
    """Columns that nobody reads may share a name."""
    edit = CsvEdit("name,phone,phone\nlee,1,2")
    edit.set_cell(2, "phone", "3")
    edit.append_row({"name": "kim", "phone": "4"})
    assert edit.edited() == "name,phone,phone\nlee,3,2\nkim,4,"


@pytest.mark.parametrize(
    "text",
    [
        *(" Lee", "Lee ", "a\nb", "a\rb", "\0", "=1+1", "+49", "-", "@lee", "\ufeffLee", "\t"),
        *("＝1+1", "Lee;=1+1", 'Lee,"=1+1', "Lee; +49", "Lee|@x", "'=1+1"),  # noqa: RUF001 - as spreadsheets read them
    ],
)
def test_what_would_be_read_otherwise_is_refused(text: str) -> None:
    """Space around it, control characters, and what spreadsheets take for a formula."""
    edit = CsvEdit(STAFF)
    assert not is_writable(text)
    for write in (
        lambda: edit.set_cell(2, "phone", text),
        lambda: edit.append_row({"name": text}),
        lambda: edit.add_column(text),
        lambda: row_text([text]),
    ):
        with pytest.raises(UneditableError, match="a CSV cell can't hold '"):
            write()
    assert edit.edited() == STAFF


_TEXTS = st.text(st.sampled_from('ab ,;\t"é\u2028=\n\r'), max_size=5)
_NEW = st.text(st.sampled_from('ab ,;"é\u2028'), max_size=5).filter(is_writable)


@dataclass(frozen=True)
class Table:
    """A table and one way to write it: each cell's text, and the stretches between them."""

    cells: list[list[str]]
    written: list[list[str]]
    ends: list[str]
    by: str

    @property
    def text(self) -> str:
        """The whole text."""
        lines = (self.by.join(row) + end for row, end in zip(self.written, self.ends, strict=True))
        return "".join(lines)


def _written(draw: st.DrawFn, text: str, by: str) -> str:
    # Which separator is meant is told by the header, outside quotes.
    must = any(one in text for one in (by, ",", ";", "\t", '"', "\n", "\r"))
    return '"{}"'.format(text.replace('"', '""')) if must or draw(st.booleans()) else text


@st.composite
def tables(draw: st.DrawFn) -> Table:
    """Any table, its rows written in any way."""
    by = draw(st.sampled_from((",", ";", "\t")))
    others = draw(st.lists(_TEXTS, max_size=2))
    header = ["name", "account", *(f"x{index}{text}" for index, text in enumerate(others))]
    size = draw(st.integers(0, 4))
    body = [[f"n{draw(_TEXTS)}", *(draw(_TEXTS) for _ in header[1:])] for _ in range(size)]
    cells = [header, *body]
    line_end = draw(st.sampled_from(("\n", "\r\n", "\r")))
    blank = st.sampled_from(("", "", "", line_end, by * (len(header) - 1) + line_end))
    ends = [line_end + draw(blank) for _ in cells]
    ends[-1] = draw(st.sampled_from(("", ends[-1])))
    written = [header[:2] + [_written(draw, text, by) for text in header[2:]]]
    written += [[_written(draw, text, by) for text in row] for row in body]
    return Table(cells, written, ends, by)


@given(table=tables(), data=st.data())
def test_any_edit_of_any_table(table: Table, data: st.DataObject) -> None:
    """Values read back equal, and every byte that did not have to change stays, in its order."""
    lines = [row[0].line + 1 for row in rows(table.text, FileReport("")) if any(cell.text for cell in row)]
    edit, cells, written = CsvEdit(table.text), [[*row] for row in table.cells], [[*row] for row in table.written]
    for number in range(1, len(cells)):
        for index, column in enumerate(cells[0]):
            if data.draw(st.booleans()):
                new = data.draw(_NEW.filter(bool) if index == 0 else _NEW)
                edit.set_cell(lines[number], column, new)
                cells[number][index] = new
                quoted = written[number][index].startswith('"') or table.by in new or '"' in new
                written[number][index] = '"{}"'.format(new.replace('"', '""')) if quoted else new
    if data.draw(st.booleans()):
        after = data.draw(st.sampled_from((None, "name", "account")))
        where = len(cells[0]) if after is None else cells[0].index(after) + 1
        edit.add_column("added", after)
        for number, (row, texts) in enumerate(zip(cells, written, strict=True)):
            text = data.draw(_NEW) if number else "added"
            if number and text:
                edit.set_cell(lines[number], "added", text)
            row.insert(where, text)
            texts.insert(where, row_text([text], table.by))
    ends = [*table.ends]
    for _ in range(data.draw(st.integers(0, 2))):
        row = [data.draw(_NEW.filter(bool)), *(data.draw(_NEW) for _ in cells[0][1:])]
        edit.append_row(dict(zip(cells[0], row, strict=True)))
        cells.append(row)
        written.append([row_text([text], table.by) for text in row])
        line_end = next((end for end in ("\r\n", "\n", "\r") if ends[0].startswith(end)), "\n")
        last = ends.pop()
        ends += [line_end, last]
    text = edit.edited()
    assert read(text) == cells
    assert text == Table(cells, written, ends, table.by).text
