"""`extcal pull --shared-policies`: what several sites need is said once, in one file."""

from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.manifests import load
from reconciler.model.account import Account
from reconciler.model.sync import SyncConfig
from reconciler.pull.values import BY_SIZE, Layout, PulledSite, PullOptions
from tests.pull.live import BUSY_TIMES, DEDICATED, PRIMARY, WORK, actions, chosen, pull, site
from tests.pull.staff import person, staffed
from tests.support.cli.command import Extcal
from tests.support.cli.worlds import HARBOR, QUAY, harbor, quay, world

SHARED = PullOptions(shared_policies=True)
EXPORTING = SyncConfig(PRIMARY, DEDICATED)
_IDS = {"quay": QUAY, "pier": "4d1b7c2e-8f3a-4c59-b6d7-0a9e8f1c2b3d"}


def _site(name: str, *syncs: SyncConfig) -> PulledSite:
    """A site with a person for each sync config."""
    lives = [
        person(number, sync=sync, account=Account(f"staff{number}@{name}.example")) for number, sync in enumerate(syncs)
    ]
    seen = staffed(lives)
    return replace(seen, site=site(name, _IDS[name])) if name in _IDS else seen


def _kinds(folder: Path, *sites: PulledSite) -> set[str]:
    return {kind for seen in sites for kind in actions(folder, seen).values()}


@pytest.mark.parametrize("layout", [None, *Layout])
def test_what_several_sites_need_is_in_one_file(folder: Path, layout: Layout | None) -> None:
    """Named without a site; what one site alone shares stays with it."""
    here = _site("harbor-dental", BUSY_TIMES, BUSY_TIMES, EXPORTING, EXPORTING)
    there = _site("quay", BUSY_TIMES)
    pull(folder, here, there, options=replace(SHARED, layout=layout))
    shared = (folder / "policies.yaml").read_text()
    assert shared.startswith("# Shared by connections of several sites that sync in the same way;")
    assert shared.count("kind: SyncPolicy") == 1
    assert "metadata: {name: import-primary}\n" in shared
    own = (folder / "harbor-dental/policies.yaml").read_text()
    assert "metadata: {name: import-primary-export-dedicated}\n" in own
    assert not (folder / "quay/policies.yaml").exists()
    assert _kinds(folder, here, there) == {"noop"}
    assert pull(folder, here, there, options=SHARED).changed == []
    assert pull(folder, here, there).changed == []


def test_a_site_that_comes_later_uses_the_shared_policies(folder: Path) -> None:
    """What the file holds is not written again, nor for one site alone."""
    here, there = _site("harbor-dental", BUSY_TIMES), _site("quay", BUSY_TIMES)
    pull(folder, here, there, options=SHARED)
    later = _site("pier", *[BUSY_TIMES] * 5, *[EXPORTING] * 2)
    done = pull(folder, later, options=SHARED)
    assert done.saved.updated == []
    assert "    syncPolicy: import-primary\n" in (folder / "pier/connections.yaml").read_text()
    assert _kinds(folder, here, there, later) == {"noop"}


def test_a_sites_own_policies_go_first(folder: Path) -> None:
    """A site that has a policy for it needs none."""
    here, there = _site("harbor-dental", BUSY_TIMES, BUSY_TIMES), _site("quay", BUSY_TIMES)
    pull(folder, here, options=BY_SIZE)
    more = _site("harbor-dental", *[BUSY_TIMES] * 3)
    pull(folder, more, there, options=SHARED)
    assert not (folder / "policies.yaml").exists()
    assert _kinds(folder, more, there) == {"noop"}


def test_a_name_that_is_taken_is_numbered(folder: Path) -> None:
    """The name that a site gave is in use for all of them."""
    pull(folder, _site("harbor-dental", BUSY_TIMES, BUSY_TIMES))
    sites = _site("quay", BUSY_TIMES), _site("pier", BUSY_TIMES)
    pull(folder, *sites, options=SHARED)
    assert "metadata: {name: import-primary-2}\n" in (folder / "policies.yaml").read_text()
    assert _kinds(folder, *sites) == {"noop"}


def test_calendars_are_shared_by_nobody(folder: Path) -> None:
    """They are an account's own."""
    mine = SyncConfig(chosen(WORK), DEDICATED)
    pull(folder, _site("harbor-dental", mine), _site("quay", mine), options=SHARED)
    assert not (folder / "policies.yaml").exists()


def test_the_option_of_the_command(extcal: Extcal) -> None:
    """Two sites of the sandbox, whose only connections sync alike."""
    extcal.on(world(harbor(0), replace(quay(key="another-key"), connections=harbor(1).connections)))
    (extcal.folder / "sites.csv").write_text(
        f"site_id,name,key_env\n{HARBOR},harbor,\n{QUAY},quay,EXTCAL_QUAY_KEY\n", encoding="utf-8"
    )
    env = {"EXTCAL_QUAY_KEY": "another-key"}
    ran = extcal("pull", "--sites", "sites.csv", "--output", "manifests", "--shared-policies", env=env)
    assert ran.code == 0, ran.err
    assert "created    manifests/policies.yaml" in ran.out
    assert len(load([extcal.folder / "manifests"]).connections) == 2
    assert extcal("plan", "manifests", "--detailed-exitcode", env=env).code == 0
