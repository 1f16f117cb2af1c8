"""A connection is the same wherever it is declared: in a document, as an entry or as a row, in whatever order."""

import pytest

from tests.support.cli.command import Extcal
from tests.support.cli.worlds import BUSY, EXPORTING, PASSWORD_ENV, connection, email, harbor, schedule_id, site, world

_SECRET = "credentials: {password: {env: EXTCAL_APP_PASSWORD}}"
_POLICY = """\
---
apiVersion: extcal/v1
kind: SyncPolicy
metadata: {name: exporting}
spec:
  syncConfig: {syncToCalendar: {enabled: true, dedicatedCalendar: {}}}
"""
_SET = f"""\
---
apiVersion: extcal/v1
kind: ConnectionSet
metadata: {{name: staff}}
spec:
  template: {{site: harbor, provider: apple, {_SECRET}, {BUSY}}}
"""


def _entry(number: int, more: str = "") -> str:
    return f"    - {{name: staff-{number}, schedule: {{id: {schedule_id(number)}}}, account: {email(number)}{more}}}\n"


def _row(number: int, policy: str = "") -> str:
    return f"staff-{number},{policy},{email(number)},{schedule_id(number)}\n"


_HEADER = "name,sync_policy,account,schedule_id\n"
_EXPORTED = f", {EXPORTING}"
_DOCUMENTS = [connection(number, more=BUSY) for number in (1, 2)]
_THIRD = connection(3, more=BUSY.removesuffix("}") + EXPORTING.removeprefix("syncConfig: {").join((", ", "")))
_WAYS = {
    "documents": ([*_DOCUMENTS, _THIRD], ""),
    "entries": ([f"{_SET}  connections:\n{_entry(3, _EXPORTED)}{_entry(1)}{_entry(2)}"], ""),
    "rows": ([f"{_SET}  roster: staff.csv\n"], _HEADER + _row(1) + _row(2) + _row(3, "exporting")),
    "rows in another order": ([f"{_SET}  roster: staff.csv\n"], _HEADER + _row(3, "exporting") + _row(2) + _row(1)),
    "all three": (
        [_DOCUMENTS[0], f"{_SET}  connections:\n{_entry(3, _EXPORTED)}  roster: staff.csv\n"],
        _HEADER + _row(2),
    ),
}


@pytest.mark.parametrize("connected", [(), (1, 2, 3)], ids=["new", "drifted"])
def test_a_move_plans_as_no_change(extcal: Extcal, connected: tuple[int, ...]) -> None:
    """The same actions, down to the digest of the plan, however the connections are written down."""
    extcal.env |= PASSWORD_ENV
    extcal.on(world(harbor(*connected)))
    plans = {}
    for way, (texts, roster) in _WAYS.items():
        extcal.write(site(), _POLICY, *texts)
        (extcal.folder / "manifests" / "staff.csv").write_text(roster)
        ran = extcal("plan", "manifests", "--format", "json")
        assert ran.code == 0, (way, ran.err)
        plans[way] = ran.actions
    assert len(plans["documents"]) == 3
    assert all(actions == plans["documents"] for actions in plans.values())


def test_a_row_is_chosen_as_a_document_is(extcal: Extcal) -> None:
    """--connection takes its name; a policy in its cell is what it is updated to."""
    extcal.env |= PASSWORD_ENV
    extcal.on(world(harbor()))
    extcal.write(site(), _POLICY, *_WAYS["rows"][0])
    nobody = _row(7).replace(schedule_id(7), "3e47ec65-0000-4000-8000-000000000000")
    (extcal.folder / "manifests" / "staff.csv").write_text(_HEADER + _row(1) + nobody)
    assert [
        action["address"]
        for action in extcal("plan", "manifests", "--connection", "staff-1", "--format", "json").actions
    ] == ["harbor/staff-1"]
    extcal.on(world(harbor(1)))
    (extcal.folder / "manifests" / "staff.csv").write_text(_HEADER + _row(1).replace(",,", ",exporting,"))
    assert "~ update staff-1" in extcal("plan", "manifests").out
