"""What one run on a hosted runner hands on to the next: two files of each site, checked by name and kind."""

import os
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.gitops.files import FLEET, OURS, USERS
from tests.support.github.runner import ACTIONS, BASH
from tests.support.tools import needs_bash

pytestmark = needs_bash

SERVICE, SITE = "0123456789abcdef01234567", "7a3f0c1e-5d2b-4f6a-9c8e-1b2d3e4f5a6b"
KEPT = ("journal", "consent-requests")
LEFT = ("unfinished", "lock", "requests", "calendars", "history", "plans/5eed", "consent-requests.new")


def hand_on(origin: Path, to: Path) -> str:
    """Run the script; what it says."""
    script = str(ACTIONS / "restore-state" / "kept.sh")
    done = subprocess.run([BASH, script, str(origin), str(to)], check=True, capture_output=True, text=True, timeout=300)
    assert done.stderr == ""
    return done.stdout


def lay(folder: Path, *names: str, service: str = SERVICE, site: str = SITE) -> None:
    """Let a site's folder hold these files, each with its name in it."""
    for name in names:
        path = folder / service / site / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


def found(folder: Path) -> dict[str, str]:
    """The files below a folder."""
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*")) if not path.is_dir()}


def test_only_what_makes_a_run_look_is_handed_on(tmp_path: Path) -> None:
    """Open connects and who is awaited go to the next run; locks, uses of plans, and what is unfinished don't."""
    lay(tmp_path / "state", *KEPT, *LEFT)
    hand_on(tmp_path / "state", tmp_path / "kept")
    hand_on(tmp_path / "kept", tmp_path / "next")
    expected = {f"{SERVICE}/{SITE}/{name}": name for name in KEPT} | {"kept": ""}
    assert found(tmp_path / "next") == found(tmp_path / "kept") == expected


def test_what_was_kept_of_nothing_is_a_folder_all_the_same(tmp_path: Path) -> None:
    """A cache of nothing is there, so that no older one is taken for the newest; the first run has none at all."""
    hand_on(tmp_path / "nothing", tmp_path / "kept")
    assert found(tmp_path / "kept") == {"kept": ""}


def test_of_two_copies_the_later_one_counts(tmp_path: Path) -> None:
    """A job that goes on where several have ended puts one over the other; what only one of them has stays."""
    lay(tmp_path / "older", *KEPT)
    lay(tmp_path / "older", "journal", site="beef")
    lay(tmp_path / "newer", *KEPT)
    (tmp_path / "newer" / SERVICE / SITE / "journal").write_text("newer")
    for name in ("older", "newer"):
        hand_on(tmp_path / name, tmp_path / "state")
    assert found(tmp_path / "state") == {
        f"{SERVICE}/{SITE}/journal": "newer",
        f"{SERVICE}/{SITE}/consent-requests": "consent-requests",
        f"{SERVICE}/beef/journal": "journal",
        "kept": "",
    }


def test_what_is_restored_is_its_users_alone(tmp_path: Path) -> None:
    """Whatever modes an archive gives, extcal finds a folder that nobody else can write to."""
    lay(tmp_path / "kept", *KEPT)
    for path in (tmp_path / "kept").rglob("*"):
        path.chmod(0o777)
    hand_on(tmp_path / "kept", tmp_path / "state")
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "state").rglob("*")}
    assert not [mode for mode in modes if mode & 0o077]


@pytest.mark.parametrize(
    "hostile", ["link", "folder", "pipe", "linked site", "linked service", "name", "huge", "too deep", "newline"]
)
def test_what_extcal_has_not_made_is_passed_over(tmp_path: Path, hostile: str) -> None:
    """Links, pipes, folders and names that are none of extcal's are told by their number; the rest is handed on."""
    kept, secret = tmp_path / "kept", tmp_path / "elsewhere" / SITE / "journal"
    secret.parent.mkdir(parents=True)
    secret.write_text("secret")
    lay(kept, *KEPT)
    other = kept / SERVICE / "beef"
    match hostile:
        case "link":
            other.mkdir()
            (other / "journal").symlink_to(secret)
        case "folder":
            (other / "journal").mkdir(parents=True)
        case "pipe":
            other.mkdir()
            os.mkfifo(other / "journal")
        case "linked site":
            other.symlink_to(secret.parent)
        case "linked service":
            (kept / "beef").symlink_to(tmp_path / "elsewhere")
        case "name":
            lay(kept, "journal", site="Beef")
        case "huge":
            other.mkdir()
            with (other / "journal").open("wb") as file:
                file.truncate(16 * 1024 * 1024 + 1)
        case "too deep":
            lay(kept, "deeper/journal", site="beef")
        case _:
            lay(kept, "journal", site="x\n::set-output name=plan::forged")
    said = hand_on(kept, tmp_path / "state")
    assert set(found(tmp_path / "state")) == {f"{SERVICE}/{SITE}/{name}" for name in KEPT} | {"kept"}
    passed_over = 0 if hostile == "too deep" else 1
    assert said == (f"extcal: 2 files of earlier runs handed on, {passed_over} passed over that are not extcal's\n")


WRITING = {"extcal-apply": "apply", "extcal-consents": "consents"}


def steps(stem: str) -> list[dict[str, Any]]:
    """The steps of the job of a workflow that writes."""
    path = next(each for each in OURS if each.stem == stem)
    found: list[dict[str, Any]] = yaml.safe_load(path.read_text())["jobs"][WRITING[stem]]["steps"]
    return found


@pytest.mark.parametrize("stem", WRITING)
def test_what_is_handed_on_comes_first_and_is_kept_however_the_job_ends(stem: str) -> None:
    """An archive overwrites nothing that is run, since nothing is there yet; what failed is kept for the next run."""
    used = [step.get("uses", "").partition("@")[0].rpartition("/")[2] for step in steps(stem)]
    restore = used.index("restore-state")
    assert not [name for name in used[:restore] if name]
    assert restore < min(used.index(name) for name in used if name in {"checkout", "download-artifact", "install"})
    save = steps(stem)[used.index("save-state")]
    assert (save["if"], used.index("save-state")) == ("always()", used.index("extcal") + 1)


def test_whatever_writes_hands_on_in_one_line() -> None:
    """No two jobs that write restore the same copy at once: the group is one, and nobody in it is ended."""
    for stem, name in WRITING.items():
        path = next(each for each in OURS if each.stem == stem)
        group = yaml.safe_load(path.read_text())["jobs"][name]["concurrency"]
        assert group == {"group": "extcal-state", "cancel-in-progress": False}
    restored, saved = (
        yaml.safe_load((ACTIONS / name / "action.yml").read_text())["runs"]["steps"]
        for name in ("restore-state", "save-state")
    )
    assert restored[0]["with"]["key"] == saved[1]["with"]["key"]
    assert restored[0]["with"]["path"] == saved[1]["with"]["path"]
    assert saved[1]["with"]["key"].startswith(restored[0]["with"]["restore-keys"])
    assert restored[0]["with"]["restore-keys"].endswith("/")


def test_a_run_that_plans_for_a_pull_request_restores_and_keeps_nothing() -> None:
    """Only jobs of the default branch that somebody has approved, or that finish their work, touch the chain."""
    users = {path.stem for path in [*OURS, *USERS, FLEET] if "-state" in path.read_text()}
    assert users == {*WRITING, "github-matrix"}


@pytest.mark.parametrize("stem", WRITING)
def test_who_is_written_to_is_the_operators_alone(stem: str) -> None:
    """Settings of mail come from the environment's secrets and variables, never from an input or a file."""
    (extcal,) = [step for step in steps(stem) if step.get("id") == "extcal"]
    about_mail = {name: value for name, value in extcal["env"].items() if "MAIL" in name or "SMTP" in name}
    assert len(about_mail) == 6
    for name, value in about_mail.items():
        assert value in {f"${{{{ secrets.{name} }}}}", f"${{{{ vars.{name} }}}}"}
