"""The owner of a spreadsheet: a site of 300 is pulled, three rows change, and whoever reviews it sees these three."""

import csv
import io
from collections.abc import Callable

import pytest

from tests.support.cli.command import Extcal
from tests.support.cli.worlds import HARBOR, PASSWORD_ENV, email, harbor, world

ROSTER = "manifests/harbor/staff.csv"
STAFF = 300
Table = list[list[str]]


def as_excel(table: Table) -> bytes:
    """What Excel saves where a comma is the decimal sign: `;`, CRLF, and a byte order mark."""
    return _saved(table, "utf-8-sig", delimiter=";")


def as_libreoffice(table: Table) -> bytes:
    """What LibreOffice saves with all text quoted."""
    return _saved(table, "utf-8", quoting=csv.QUOTE_ALL, lineterminator="\n")


def as_tabs(table: Table) -> bytes:
    """What is copied out of a table in a browser."""
    return _saved(table, "utf-8", delimiter="\t", lineterminator="\n")


def _saved(table: Table, encoding: str, **how: object) -> bytes:
    text = io.StringIO(newline="")
    # The type checker can't know that what is in `how` fits.
    csv.writer(text, **how).writerows(table)  # type: ignore[arg-type]
    return text.getvalue().encode(encoding)


@pytest.mark.parametrize("saved", [as_excel, as_libreoffice, as_tabs])
def test_three_rows_of_a_spreadsheet(extcal: Extcal, saved: Callable[[Table], bytes]) -> None:
    """No YAML is opened; the file is sorted, saved in another dialect and has a column more, and no byte is lost."""
    extcal.on(world(harbor(*range(STAFF), schedules=STAFF + 2), accounts=STAFF + 2))
    pulled = extcal("pull", "--site-id", HARBOR, "--name", "harbor", "--output", "manifests")
    assert pulled.code == 0, pulled.err
    table = list(csv.reader(io.StringIO((extcal.folder / ROSTER).read_text(encoding="utf-8"))))
    assert len(table) == 1 + STAFF
    head = table[0]
    rows = [[*row, f"+49 40 {number}", ""] for number, row in enumerate(sorted(table[1:], reverse=True))]
    absent = next(row for row in rows if row[head.index("account")] == email(7))
    absent[-1] = "absent"
    for number in (STAFF, STAFF + 1):
        said = {"name": f"new-{number}", "account": email(number), "schedule_name": f"Staff {number}"}
        said |= {"password_env": next(iter(PASSWORD_ENV))}
        rows.insert(number // 2, [said.get(column, "") for column in [*head, "phone", "state"]])
    content = saved([[*head, "phone", "state"], *rows])
    (extcal.folder / ROSTER).write_bytes(content)

    assert extcal("validate", "manifests").code == 0
    planned = extcal("plan", "manifests", "--format", "json")
    changes = {str(one["address"]): one["action"] for one in planned.actions if one["action"] != "noop"}
    assert changes == {
        f"harbor/{absent[head.index('name')]}": "disconnect",
        f"harbor/new-{STAFF}": "connect",
        f"harbor/new-{STAFF + 1}": "connect",
    }
    extcal.env |= PASSWORD_ENV
    applied = extcal("apply", "manifests", "--auto-approve")
    assert applied.code == 0, applied.out + applied.err
    assert extcal("plan", "manifests", "--detailed-exitcode").code == 0
    again = extcal("pull", "manifests", "--output", "manifests", "--check")
    assert again.code == 0, again.out + again.err
    assert (extcal.folder / ROSTER).read_bytes() == content
