"""Rosters on the command line: `pull` and `pin` edit them in place, and show with --check what they would do."""

from tests.cli.counting import asked, working
from tests.support.cli.command import Extcal
from tests.support.cli.worlds import email, schedule_id, site

SET = """\
---
apiVersion: extcal/v1
kind: SyncPolicy
metadata: {name: busy}
spec: {syncConfig: {listEventFromCalendars: {enabled: true, primaryCalendar: {}}}}
---
apiVersion: extcal/v1
kind: ConnectionSet
metadata: {name: staff}
spec:
  template:
    provider: apple
    syncPolicy: busy
    credentials: {password: {env: EXTCAL_APP_PASSWORD}}
    TEMPLATE
  roster: staff.csv
"""
HEADER = "name;account;schedule_name;Telephone"
ROWS = [f"staff-{number};{email(number)};Staff {number};+49 {number}" for number in range(2)]
ROSTER = f"{HEADER}\n{ROWS[0]}\n{ROWS[1]}\n"


def given(asking: Extcal, template: str = "state: present", roster: str = ROSTER) -> None:
    """A site whose two connections import from Work, and manifests that have their primary calendars."""
    asking.on(working(0, 1))
    asking.write(site(), SET.replace("TEMPLATE", template))
    asking.write(roster, to="manifests/staff.csv")


def roster(asking: Extcal) -> str:
    """What the roster holds."""
    return (asking.folder / "manifests/staff.csv").read_text(encoding="utf-8")


def test_pull_edits_rows(asking: Extcal) -> None:
    """What it would change is shown first; then the plan is empty, and all files are unchanged."""
    given(asking)
    shown = asking("pull", "manifests", "--output", "manifests", "--check")
    assert shown.code == 1
    assert f"-{ROWS[0]}\n-{ROWS[1]}\n+{HEADER};sync_policy\n+{ROWS[0]};staff-0\n+{ROWS[1]};staff-1\n" in shown.out
    assert roster(asking) == ROSTER
    ran = asking("pull", "manifests", "--output", "manifests")
    assert ran.code == 0
    told = "created    manifests/policies.yaml\nupdated    manifests/staff.csv\nunchanged  manifests/all.yaml\n"
    assert ran.out == told
    assert roster(asking) == f"{HEADER};sync_policy\n{ROWS[0]};staff-0\n{ROWS[1]};staff-1\n"
    assert asking("plan", "manifests", "--detailed-exitcode").code == 0
    again = asking("pull", "manifests", "--output", "manifests")
    files = ("all.yaml", "policies.yaml", "staff.csv")
    assert again.out == "".join(f"unchanged  manifests/{name}\n" for name in files)


def test_pull_tells_of_rows_that_their_template_contradicts(asking: Extcal) -> None:
    """Each is named with its line, and nothing is written."""
    given(asking, template="syncConfig: {listEventFromCalendars: {primaryCalendar: {}}}")
    ran = asking("pull", "manifests", "--output", "manifests")
    assert ran.code == 1
    why = "the syncConfig in its set's template wins over any policy; make the row an entry of the set"
    for line, name in ((2, "staff-0"), (3, "staff-1")):
        assert f"manifests/staff.csv:{line}:1: harbor/{name} differs from the live connection" in ran.err
    assert ran.err.count(why) == 2
    assert roster(asking) == ROSTER


def test_pin_writes_ids_into_rows(asking: Extcal) -> None:
    """A plan need not look them up any more; pinning again changes nothing."""
    given(asking)
    before = asking("plan", "manifests", "--format", "json").out
    shown = asking("pin", "manifests", "--check")
    assert (shown.code, shown.err) == (1, "2 schedules to write in 1 file. Pin without --check to do it.\n")
    assert roster(asking) == ROSTER
    ran = asking("pin", "manifests")
    assert (ran.code, ran.out, ran.err) == (0, "pinned     manifests/staff.csv: 2 schedules\n", "")
    assert roster(asking).splitlines() == [
        "name;account;schedule_name;schedule_id;Telephone",
        *(f"staff-{n};{email(n)};Staff {n};{schedule_id(n)};+49 {n}" for n in range(2)),
    ]
    asked(asking)
    assert asking("plan", "manifests", "--format", "json").out == before
    assert asked(asking) == {"ListProviders": 1, "ListConnections": 1}
    again = asking("pin", "manifests", "--check")
    assert (again.code, again.out, again.err) == (0, "", "Nothing to pin.\n")


def test_pin_tells_what_a_template_names(asking: Extcal) -> None:
    """It is shared, so it stays a name, and is nothing that could be pinned."""
    template = "syncConfig: {listEventFromCalendars: {calendars: [Work]}}"
    given(asking, template, ROSTER.replace("Staff 0", schedule_id(0)).replace("Staff 1", schedule_id(1)))
    text = roster(asking).replace("schedule_name", "schedule_id")
    asking.write(text, to="manifests/staff.csv")
    ran = asking("pin", "manifests", "--check")
    assert (ran.code, ran.out) == (0, "")
    assert ran.err == (
        "harbor: the template of the ConnectionSet staff names a schedule or calendars, which stay names there: its "
        "connections share them. To pin them, name them in the connections.\nNothing to pin.\n"
    )
