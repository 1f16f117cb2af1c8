"""A proposal that would not load is blamed on the document, entry or row that its faults are in, not on others."""

from pathlib import Path

import pytest

from reconciler.model.sync import SyncConfig
from reconciler.pull.folder import open_folder
from reconciler.pull.propose import Proposal, propose
from reconciler.pull.values import PulledSite
from reconciler.pull.verify import verify
from tests.pull.handwriting import SITE, connection_text, written
from tests.pull.live import DEDICATED, KIM, LEE, PATEL, PRIMARY, live, observed, site

EXPORTING = SyncConfig(PRIMARY, DEDICATED)
SET = """\
apiVersion: extcal/v1
kind: ConnectionSet
metadata: {name: staff}
spec:
  template: {provider: apple, syncPolicy: busy-times-only}
"""
ENTRIES = f"""\
  connections:
    - {{name: lee, schedule: {{id: {LEE}}}, account: lee@harbor-dental.example}}
    - name: kim
      schedule: {{id: {KIM}}}
      account: kim@harbor-dental.example
"""
ROSTER = f"""\
name,account,schedule_id
lee,lee@harbor-dental.example,{LEE}
kim,kim@harbor-dental.example,{KIM}
"""
DOCUMENTS = [
    connection_text(name, id_, "  syncPolicy: busy-times-only\n") for name, id_ in (("lee", LEE), ("kim", KIM))
]


def proposed(folder: Path, *, new: bool = False) -> tuple[Proposal, PulledSite]:
    """What a pull would write of two connections that drifted, and of a new one."""
    lives = [live(sync=EXPORTING), live(KIM, sync=EXPORTING), *([live(PATEL, sync=EXPORTING)] if new else [])]
    seen = observed(*lives, of=site("harbor"))
    return propose(open_folder(folder), [seen], {}), seen


def blamed(folder: Path, proposal: Proposal, seen: PulledSite) -> list[str]:
    """The ids of the live connections that are blamed."""
    return sorted(key.connection_id for key in verify(open_folder(folder), proposal, [seen]))


@pytest.mark.parametrize("texts", [[SET + ENTRIES], DOCUMENTS])
def test_a_fault_in_an_entry_or_a_document(folder: Path, texts: list[str]) -> None:
    """Only what is written there is taken back."""
    written(folder, SITE, *texts)
    proposal, seen = proposed(folder)
    first, dedicated, second = proposal.files["all.yaml"].partition(b"dedicatedCalendar")
    proposal.files["all.yaml"] = first + b"dedicated" + second
    assert blamed(folder, proposal, seen) == ["live-lee-Apple"]
    proposal.files["all.yaml"] = first + dedicated + second.replace(b"dedicatedCalendar", b"dedicated")
    assert blamed(folder, proposal, seen) == ["live-kim-Apple"]


def test_a_fault_in_a_row(folder: Path) -> None:
    """Only what its cells are written for is taken back."""
    written(folder, SITE, SET + "  roster: staff.csv\n")
    written(folder, ROSTER, to="staff.csv")
    proposal, seen = proposed(folder)
    rows = proposal.files["staff.csv"].splitlines(keepends=True)
    proposal.files["staff.csv"] = b"".join([*rows[:2], rows[2].replace(b"import", b"export")])
    assert blamed(folder, proposal, seen) == ["live-kim-Apple"]


@pytest.mark.parametrize(
    ("before", "after"),
    [(b"name,account", b"name,name"), (b"lee,lee@", b'lee,"lee@'), (b"kim,kim@", b"kim,")],
)
def test_a_fault_of_a_whole_roster(folder: Path, before: bytes, after: bytes) -> None:
    """What is in no row that would be edited, or spoils the rest, is blamed on all of its edits."""
    written(folder, SITE, SET + "  roster: staff.csv\n")
    written(folder, ROSTER, to="staff.csv")
    proposal, seen = proposed(folder)
    proposal.files["staff.csv"] = proposal.files["staff.csv"].replace(before, after)
    found = blamed(folder, proposal, seen)
    assert found == ["live-kim-Apple"] if after == b"kim," else ["live-kim-Apple", "live-lee-Apple"]


def test_a_fault_that_spoils_a_manifest(folder: Path) -> None:
    """What can't be read on is blamed on all of its edits."""
    written(folder, SITE, SET + ENTRIES)
    proposal, seen = proposed(folder)
    proposal.files["all.yaml"] += b"\t]"
    assert blamed(folder, proposal, seen) == ["live-kim-Apple", "live-lee-Apple"]


def test_a_fault_in_what_is_new(folder: Path) -> None:
    """A new connection is taken back alone, wherever it is written."""
    written(folder, SITE, *DOCUMENTS)
    proposal, seen = proposed(folder, new=True)
    ((path, text),) = ((path, text) for path, text in proposal.files.items() if PATEL.encode() in text)
    proposal.files[path] = text.replace(b"patel@harbor-dental.example", b"nobody")
    assert blamed(folder, proposal, seen) == ["live-patel-Apple"]
