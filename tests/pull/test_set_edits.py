"""Pulling into sets: what an entry or a row says is brought in line where it stands, and what is shared stays."""

from pathlib import Path

import pytest

from reconciler.model.live import Schedule
from reconciler.model.sync import Direction, SyncConfig
from tests.pull.handwriting import SITE, written
from tests.pull.live import (
    BUSY_TIMES,
    DEDICATED,
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
)

SET = """\
apiVersion: extcal/v1
kind: ConnectionSet
metadata: {name: staff}
spec:
  template:
    provider: apple
    syncPolicy: busy-times-only   # as all
"""
LEE_ENTRY = f"name: lee, schedule: {{id: {LEE}}}, account: lee@harbor-dental.example"
KIM_ENTRY = f"name: kim, schedule: {{id: {KIM}}}, account: kim@harbor-dental.example"
WORKING = SyncConfig(chosen(WORK), OFF)
EXPORTING = SyncConfig(PRIMARY, DEDICATED)


def pulled(folder: Path, lee: SyncConfig, kim: SyncConfig = BUSY_TIMES) -> Done:
    """Pull with these sync configs live, and assert that nothing is left to do, nor to write."""
    seen = observed(live(sync=lee), live(KIM, sync=kim))
    done = pull(folder, seen)
    assert done.saved.failures == []
    assert done.pull.failures == ()
    assert actions(folder, seen) == {"harbor/lee": "noop", "harbor/kim": "noop"}
    assert pull(folder, seen).changed == []
    return done


def entries(text: str) -> str:
    """A set with entries that are written so."""
    return text.replace("LEE", LEE_ENTRY).replace("KIM", KIM_ENTRY)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "  connections:\n    - {LEE}   # him\n    # her\n    - {KIM}\n",
            "  connections:\n    - {LEE, SYNC}   # him\n    # her\n    - {KIM}\n",
        ),
        ("  connections: [{KIM}, {LEE, }]\n", "  connections: [{KIM}, {LEE, SYNC, }]\n"),
        (
            "  connections:\n  - {syncPolicy: busy-times-only, LEE}\n  - {KIM}",
            "  connections:\n  - {syncPolicy: busy-times-only, SYNC, LEE}\n  - {KIM}",
        ),
        (
            "  connections: [\n    {\n      LEE   # him\n    },\n    {KIM}\n  ]\n",
            "  connections: [\n    {\n      LEE, SYNC   # him\n    },\n    {KIM}\n  ]\n",
        ),
        (
            "  connections:\n    - {LEE, syncConfig: {syncToCalendar: {enabled: false}}}\n    - {KIM}\n",
            (
                "  connections:\n    - {LEE, syncConfig: {syncToCalendar: {enabled: false}, "
                "listEventFromCalendars: {calendars: [{id: a68yu6, name: Work}]}}}\n    - {KIM}\n"
            ),
        ),
    ],
)
def test_an_entry_gets_a_field_of_its_own(folder: Path, before: str, after: str) -> None:
    """What the template or its policy says is shared and stays; comments and order do, too."""
    path = written(folder, SITE, entries(SET + before))
    pulled(folder, WORKING)
    sync = "syncConfig: {listEventFromCalendars: {calendars: [{id: a68yu6, name: Work}]}}"
    assert path.read_text() == f"{SITE}---\n{entries(SET + after).replace('SYNC', sync)}"


BLOCK = f"""\
  connections:
    # him
    -   name: lee
        account: lee@harbor-dental.example   # at work
        SYNC
        schedule: {{id: {LEE}}}
    -
      name: kim
      schedule:
        id: {KIM}
      account: kim@harbor-dental.example
"""


def test_entries_in_block_style_are_edited_as_documents_are(folder: Path) -> None:
    """A list of calendars loses and gains items in its own style; a new field has the margin of the others."""
    before = "syncConfig:\n          listEventFromCalendars:\n            calendars:\n              # his\n"
    lists = f"{before}              - Work   # all\n              - Home\n"
    path = written(folder, SITE, SET + BLOCK.replace("SYNC\n", lists))
    pulled(folder, SyncConfig(chosen(WORK, SCHOOL), OFF), EXPORTING)
    after = f"{before}              - Work   # all\n              - {{id: c34, name: School}}\n"
    kim = "      account: kim@harbor-dental.example\n"
    own = f"{kim}      syncConfig:\n        syncToCalendar: {{enabled: true, dedicatedCalendar: {{}}}}\n"
    assert path.read_text() == f"{SITE}---\n{SET}{BLOCK.replace('SYNC' + chr(10), after).replace(kim, own)}"


def test_what_the_template_syncs_itself_is_overridden_by_an_entry(folder: Path) -> None:
    """The template's own sync config stays as it is, too."""
    template = "    syncConfig: {syncToCalendar: {enabled: true, primaryCalendar: {}}}\n"
    path = written(folder, SITE, entries(f"{SET}{template}  connections: [{{LEE}}, {{KIM}}]\n"))
    pulled(folder, EXPORTING, SyncConfig(PRIMARY, PRIMARY))
    own = f"{{{LEE_ENTRY}, syncConfig: {{syncToCalendar: {{dedicatedCalendar: {{}}}}}}}}"
    assert path.read_text() == f"{SITE}---\n{SET}{template}  connections: [{own}, {{{KIM_ENTRY}}}]\n"


def test_a_set_in_json(folder: Path) -> None:
    """What JSON needs in quotes is."""
    spec = f'"name": "lee", "schedule": {{"id": "{LEE}"}}, "account": "lee@harbor-dental.example"'
    head = '{"apiVersion": "extcal/v1", "kind": "ConnectionSet", "metadata": {"name": "staff"}, "spec": {'
    template = '"template": {"provider": "apple", "syncPolicy": "busy-times-only"}, "connections": ['
    kim = spec.replace("lee", "kim").replace(LEE, KIM)
    written(folder, SITE)
    path = written(folder, f"{head}{template}\n {{{spec}}},\n {{{kim}}}]}}}}\n", to="staff.json")
    pulled(folder, EXPORTING)
    own = '"syncConfig": {"syncToCalendar": {"enabled": true, "dedicatedCalendar": {}}}'
    assert path.read_text() == f"{head}{template}\n {{{spec}, {own}}},\n {{{kim}}}]}}}}\n"


ON = "{syncToCalendar: {enabled: true}}"
ANCHORED = "{syncToCalendar: {enabled: &on true}}"
ALIASED = "{syncToCalendar: {enabled: *on}}"
LIST = "{listEventFromCalendars: {calendars: &all [Work]}}"
SAME_LIST = "{listEventFromCalendars: {calendars: *all}}"


@pytest.mark.parametrize(
    ("lee", "kim", "why"),
    [
        (f"{LEE_ENTRY}, syncConfig: &s {ON}", f"{KIM_ENTRY}, syncConfig: *s", "its syncConfig is also used as *s"),
        (f"{LEE_ENTRY}, syncConfig: {ANCHORED}", f"{KIM_ENTRY}, syncConfig: {ALIASED}", "is also used as *on"),
        (f"{LEE_ENTRY}, syncConfig: *s", f"{KIM_ENTRY}, syncConfig: &s {ON}", "its syncConfig is an alias"),
        (f"{LEE_ENTRY}, syncConfig: {LIST}", f"{KIM_ENTRY}, syncConfig: {SAME_LIST}", "calendars is also used as *all"),
    ],
)
def test_what_entries_share_keeps_no_other_from_being_pulled(folder: Path, lee: str, kim: str, why: str) -> None:
    """An alias repeats what would change elsewhere, too; the failure says so, and others are edited."""
    first, second = (lee, kim) if "*" in kim else (kim, lee)
    patel = f"name: patel, schedule: {{id: {PATEL}}}, account: patel@harbor-dental.example"
    entry = f"{{{first}}}, {{{second}}}, {{{patel}"
    path = written(folder, SITE, f"{SET}  connections: [{entry}}}]\n")
    listed = "calendars" in kim
    agreeing = WORKING if listed else SyncConfig(PRIMARY, Direction(enabled=True))
    differing = SyncConfig(chosen(HOME), OFF) if listed else BUSY_TIMES
    done = pull(folder, observed(live(sync=differing), live(KIM, sync=agreeing), live(PATEL, sync=EXPORTING)))
    (failure,) = done.pull.failures
    assert failure.startswith("manifests/all.yaml:25:")
    assert "harbor/lee differs from the live connection and can't be edited in place: " in failure
    assert why in failure
    own = "syncConfig: {syncToCalendar: {enabled: true, dedicatedCalendar: {}}}"
    assert path.read_text() == f"{SITE}---\n{SET}  connections: [{entry}, {own}}}]\n"


@pytest.mark.parametrize(
    ("template", "connections", "why"),
    [
        ("schedule: &s {name: Lee}", "[*s]", "it is written as the alias *s"),
        (
            "schedule: {name: Lee}, syncConfig: {listEventFromCalendars: {calendars: &c [{name: Lee}]}}",
            "*c",
            "the connections of its set are an alias",
        ),
    ],
)
def test_entries_that_repeat_something_else_are_not_touched(
    folder: Path, template: str, connections: str, why: str
) -> None:
    """What looks like an entry by chance is not edited where it stands."""
    shared = f"{{{template}, provider: apple, account: lee@harbor-dental.example, syncPolicy: busy-times-only}}"
    head = SET.partition("  template:")[0]
    path = written(folder, SITE, f"{head}  template: {shared}\n  connections: {connections}\n")
    before = path.read_text()
    done = pull(folder, observed(live(sync=EXPORTING), schedules=(Schedule(LEE, "Lee", None, "ACTIVE"),)))
    (failure,) = done.pull.failures
    assert "harbor/Lee differs from the live connection and can't be edited in place: " in failure
    assert why in failure
    assert path.read_text() == before
