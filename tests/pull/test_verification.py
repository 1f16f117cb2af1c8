"""A proposal is tried before it is written: what would mean anything but the live state is taken back."""

import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.errors import ExtcalError
from reconciler.model.sync import SyncConfig
from reconciler.pull.folder import Folder, open_folder
from reconciler.pull.propose import Proposal, propose
from reconciler.pull.verify import UnverifiedError, verify
from tests.pull.live import DEDICATED, GOOGLE, OFF, PATEL, PRIMARY, live, observed, pull

SEEN = observed(live(), live(PATEL, GOOGLE, sync=SyncConfig(PRIMARY, DEDICATED)))
LEE_FILE, PATEL_FILE = (f"harbor-dental/schedules/dr-{name}.yaml" for name in ("lee", "patel"))


@pytest.fixture
def pulled(folder: Path) -> Folder:
    """A folder that holds what is live."""
    pull(folder, SEEN)
    return open_folder(folder)


def test_what_holds_has_no_shortfalls(pulled: Folder) -> None:
    """A sound proposal is let through."""
    seen = observed(live(sync=SyncConfig(OFF, OFF)), live(PATEL))
    assert verify(pulled, propose(pulled, [seen], {}), [seen]) == {}


def test_a_new_manifest_must_mean_what_it_was_made_from(folder: Path) -> None:
    """A document that says another account than the live one is taken back."""
    empty = open_folder(folder)
    proposal = propose(empty, [SEEN], {})
    wrong = proposal.files[LEE_FILE].replace(b"lee@", b"eel@")
    proposal.files[LEE_FILE] = wrong
    assert verify(empty, proposal, [SEEN]) == {
        SEEN.key(live()): "its manifest would not match the live connection; edit it by hand"
    }


def test_an_edit_must_leave_nothing_to_do(pulled: Folder) -> None:
    """An edit that does not bring the manifest in line is taken back."""
    seen = observed(live(sync=SyncConfig(OFF, OFF)), live(PATEL, GOOGLE, sync=SyncConfig(PRIMARY, DEDICATED)))
    proposal = propose(pulled, [seen], {})
    proposal.files[LEE_FILE] = pulled.by_path[LEE_FILE].content + b"# edited\n"
    (why,) = verify(pulled, proposal, [seen]).values()
    assert why.startswith("planning it would still find changes: syncConfig.listEventFromCalendars.enabled")


def test_an_edit_must_be_fit_to_be_planned(pulled: Folder) -> None:
    """An edit with which planning would fail is taken back."""
    seen = observed(live(sync=SyncConfig(OFF, OFF)), live(PATEL, GOOGLE, sync=SyncConfig(PRIMARY, DEDICATED)))
    proposal = propose(pulled, [seen], {})
    poor = [replace(one, features=replace(one.features, imports="NOT_SUPPORTED")) for one in seen.live.providers]
    on = proposal.files[LEE_FILE].replace(b"enabled: false", b"enabled: true")
    proposal.files[LEE_FILE] = on
    (why,) = verify(pulled, proposal, [replace(seen, live=replace(seen.live, providers=tuple(poor)))]).values()
    assert why.startswith("planning it would fail: ")


def test_what_is_not_to_be_touched_must_not_change(pulled: Folder) -> None:
    """A proposal that would change or remove another manifest is not written at all."""
    with pytest.raises(UnverifiedError, match="other manifests would change: harbor-dental/dr-patel-google;"):
        verify(pulled, Proposal(files={PATEL_FILE: b"# nothing\n"}), [SEEN])
    changed = pulled.by_path["harbor-dental/site.yaml"].content + b"  prune: true\n"
    with pytest.raises(UnverifiedError, match="other manifests would change: a Site;"):
        verify(pulled, Proposal(files={"harbor-dental/site.yaml": changed}), [SEEN])


def test_without_room_for_a_copy_nothing_is_written(pulled: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the copy can't be made the message says so, and where room is needed."""
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    with pytest.raises(ExtcalError, match="checked in a copy first: No such file or directory; free space in /nowhere"):
        verify(pulled, Proposal(files={PATEL_FILE: b""}), [SEEN])
