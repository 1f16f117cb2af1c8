"""The sandbox's data folder is the operator's: what a checkout brings learns no password and leads no file astray."""

import grp
import json
import os
import pwd
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.promises.repositories import commit_all, initialised
from tests.support.caldav.paper import EMAIL, PASSWORD, Paper
from tests.support.caldav.scripted import Scripted, scripted
from tests.support.cli.command import Extcal, Ran
from tests.support.timeouts import TIMEOUT
from tests.support.tools import needs_another_user

_ENV = {"EXTCAL_LEE": PASSWORD}
_EVENT = ("--schedule", "Dr. Lee", "--title", "Check-up", "--start", "2030-01-15T09:00Z", "--end", "2030-01-15T09:30Z")
COMMANDS = {
    "apply": ("apply", "manifests", "--sandbox", "--auto-approve"),
    "schedules": ("schedules", "--sandbox"),
    "serve": ("sandbox", "serve"),
    "events": ("sandbox", "events", "add", *_EVENT),
    "owners": ("sandbox", "schedules", "list"),
    "reset": ("sandbox", "reset"),
}


@pytest.fixture
def checkout(bare: Extcal) -> Extcal:
    """A folder with a manifest whose connection needs a real password."""
    bare.write(
        "apiVersion: extcal/v1\nkind: Site\nmetadata: {name: h}\n"
        "spec: {siteId: 7a3f0c1e-5d2b-4f6a-9c8e-1b2d3e4f5a6b, auth: {apiKey: {env: EXTCAL_API_KEY}}}\n"
        "---\napiVersion: extcal/v1\nkind: Connection\nmetadata: {name: lee}\n"
        f"spec:\n  schedule: {{name: Dr. Lee}}\n  provider: apple\n  account: {EMAIL}\n"
        "  credentials: {password: {env: EXTCAL_LEE}}\n"
    )
    bare.env |= _ENV
    return bare


@pytest.fixture
def thief() -> Iterator[Scripted]:
    """A CalDAV server that would be told the password."""
    with scripted(Paper()) as server:
        yield server


def plant(extcal: Extcal, name: str, thief: Scripted) -> None:
    """Make a data folder that sends passwords to the thief."""
    folder = extcal.folder / name
    assert extcal("schedules", f"--sandbox={name}").code == 0
    (folder / "sandbox.yaml").write_text(f"apple: {{caldav: {{url: '{thief.url}'}}}}\n")


def make(extcal: Extcal) -> None:
    """Make the data of a sandbox, with an account whose calendar is in a file."""
    apple = extcal.folder / ".extcal" / "calendars" / "apple"
    for folder in (apple.parent.parent, apple.parent, apple, apple / EMAIL):
        folder.mkdir(mode=0o700)
    (apple / EMAIL / "account.json").write_text(json.dumps({"password": PASSWORD, "calendars": ["k93wqe"]}))
    (apple / EMAIL / "k93wqe.ics").write_text("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nEND:VCALENDAR\n")
    (apple / "order.json").write_text(json.dumps([EMAIL]))
    for path in apple.parent.rglob("*.*"):
        path.chmod(path.stat().st_mode & ~0o022)
    assert extcal("schedules", "--sandbox").code == 0


def applied(extcal: Extcal, *words: str, env: dict[str, str | None] | None = None) -> Ran:
    """Apply the manifest to the sandbox in the default folder."""
    return extcal(*COMMANDS["apply"], *words, env=env)


def run(extcal: Extcal, command: str) -> Ran:
    """Run one of the commands; a server that starts after all is ended."""
    if command != "serve":
        return extcal(*COMMANDS[command])
    with extcal.started(*COMMANDS[command]) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        process.terminate()
        out, err = process.communicate(timeout=TIMEOUT)
    return Ran(process.returncode, first + out, err)


def contents(folder: Path) -> dict[str, bytes]:
    """The files below a folder, but for those that SQLite keeps while it reads."""
    kept = (path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(("-wal", "-shm")))
    return {str(path.relative_to(folder)): path.read_bytes() for path in kept}


def told(ran: Ran) -> str:
    """What the sandbox's error says; nothing was done."""
    assert ran.code == 1
    assert ran.err.startswith("error: sandbox: ")
    return ran.err.removeprefix("error: sandbox: ")


@pytest.mark.parametrize("command", ["apply", "schedules", "serve", "events"])
@pytest.mark.parametrize("how", ["committed", "unpacked", "linked"])
def test_a_config_that_came_with_a_checkout_is_told_no_password(
    checkout: Extcal, thief: Scripted, how: str, command: str
) -> None:
    """Neither from a commit, nor from an archive, nor through a link; nothing is made of it, and no server is asked."""
    name = "demo" if how == "linked" else ".extcal"
    plant(checkout, name, thief)
    if how == "linked":
        (checkout.folder / ".extcal").symlink_to("demo", target_is_directory=True)
    if how == "committed":
        commit_all(initialised(checkout.folder))
    before = contents(checkout.folder / name)
    error = told(run(checkout, command))
    assert thief.asked == []
    assert contents(checkout.folder / name) == before
    expected = {
        "committed": "git rm -r --cached .extcal",
        "unpacked": "--sandbox-config .extcal/sandbox.yaml",
        "linked": ".extcal: it is a link",
    }
    assert expected[how] in error


@pytest.mark.parametrize("named", ["option", "environment"])
def test_a_config_that_the_operator_names_is_used(checkout: Extcal, thief: Scripted, named: str) -> None:
    """By --sandbox-config or EXTCAL_SANDBOX_CONFIG, wherever it lies; the same manifest then reaches the server."""
    plant(checkout, "mine", thief)
    words = ("--sandbox-config", "mine/sandbox.yaml") if named == "option" else ()
    env: dict[str, str | None] = {} if words else {"EXTCAL_SANDBOX_CONFIG": "mine/sandbox.yaml"}
    ran = applied(checkout, *words, env=env)
    assert ran.code == 0, ran.err
    assert any("authorization" in asked.headers for asked in thief.asked)
    thief.asked.clear()
    listed = checkout("sandbox", "events", "list", *words, env=env)
    assert (listed.code, listed.err) == (0, "")
    assert thief.asked != []


def test_a_config_without_a_sandbox_is_wrong_usage(checkout: Extcal) -> None:
    """The option is about the embedded API, and names a file."""
    ran = checkout("plan", "manifests", "--sandbox-config", "mine.yaml", "--endpoint", checkout.sandbox.endpoint)
    assert (ran.code, ran.out) == (64, "")
    assert "--sandbox-config is for the sandbox. Add --sandbox." in ran.err
    empty = checkout("schedules", "--sandbox", "--sandbox-config", "")
    assert (empty.code, "--sandbox-config is empty" in empty.err) == (64, True)


LINKS = (
    "",
    "calendars",
    "calendars/apple",
    "calendars/apple/order.json",
    f"calendars/apple/{EMAIL}",
    f"calendars/apple/{EMAIL}/account.json",
    f"calendars/apple/{EMAIL}/k93wqe.ics",
    "sandbox.sqlite3",
    "sandbox.sqlite3-wal",
    "sandbox.sqlite3-journal",
    "sandbox.yaml",
    "state",
    "anything",
)


@pytest.mark.parametrize("leads", ["file", "folder", "nowhere"])
@pytest.mark.parametrize("link", LINKS)
def test_nothing_is_written_or_deleted_through_a_link(
    checkout: Extcal, tmp_path_factory: pytest.TempPathFactory, link: str, leads: str
) -> None:
    """Wherever it stands in the data folder and wherever it leads: it is named, and what it leads to is as before."""
    outside = tmp_path_factory.mktemp("outside")
    (outside / "precious").write_text("precious")
    place = checkout.folder / ".extcal" / link
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    place.symlink_to({"file": outside / "precious", "folder": outside, "nowhere": outside / "new"}[leads])
    for command in ("apply", "events", "reset"):
        assert told(run(checkout, command)).startswith(f"{place.relative_to(checkout.folder)}: ")
    assert place.is_symlink()
    assert [(path.name, path.read_text()) for path in outside.iterdir()] == [("precious", "precious")]
    assert {path.name for path in checkout.folder.iterdir()} == {"manifests", ".extcal"}


@pytest.mark.parametrize("absolute", [False, True])
def test_a_link_on_the_way_to_the_data_leads_nowhere(
    checkout: Extcal, tmp_path_factory: pytest.TempPathFactory, *, absolute: bool
) -> None:
    """A link of the checkout above the data folder leads nothing out, however the folder is written."""
    outside = tmp_path_factory.mktemp("outside")
    (checkout.folder / "demo").symlink_to(outside, target_is_directory=True)
    data = str(checkout.folder / "demo/data") if absolute else "demo/data"
    assert f"a link leads out of this folder, to {outside}" in told(checkout("schedules", f"--sandbox={data}"))
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize("command", ["apply", "serve", "events", "owners", "reset"])
def test_data_that_git_tracks_are_not_used(checkout: Extcal, command: str) -> None:
    """A database or an account that is committed is its author's; nothing of it is read, changed or deleted."""
    assert checkout("schedules", "--sandbox").code == 0
    commit_all(initialised(checkout.folder))
    before = contents(checkout.folder)
    error = told(run(checkout, command))
    assert error.startswith(".extcal: git tracks what is in it")
    assert "--sandbox DIR" in error
    assert contents(checkout.folder) == before
    assert checkout("schedules", "--sandbox=mine").code == 0


def test_data_beside_what_git_tracks_are_fine(checkout: Extcal) -> None:
    """A data folder that git doesn't track works in a repository, however often."""
    commit_all(initialised(checkout.folder))
    for _ in range(2):
        assert checkout("schedules", "--sandbox").code == 0


def used_by(monkeypatch: pytest.MonkeyPatch, *others: str) -> list[int]:
    """Let groups have others in them, or nobody; the groups that are asked for."""
    asked: list[int] = []

    def members(group: int) -> SimpleNamespace:
        asked.append(group)
        return SimpleNamespace(gr_mem=others)

    monkeypatch.setattr(grp, "getgrgid", members)
    monkeypatch.setattr(pwd, "getpwall", list)
    return asked


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777])
def test_a_folder_that_others_may_write_to_is_not_used(
    checkout: Extcal, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    """The error says how to close it; then it is used. What is made anew is for its user alone."""
    data = checkout.folder / ".extcal"
    used_by(monkeypatch, "kim")
    before = os.umask(0)
    try:
        assert checkout("schedules", "--sandbox").code == 0
    finally:
        os.umask(before)
    assert {oct(stat.S_IMODE(path.lstat().st_mode) & 0o077) for path in (data, *data.rglob("*"))} == {"0o0"}
    data.chmod(mode)
    for command in ("schedules", "events", "reset"):
        assert told(run(checkout, command)).startswith(".extcal: others may write to it. chmod go-w .extcal")
    data.chmod(mode & ~0o022)
    assert checkout("schedules", "--sandbox").code == 0


DATA = ("calendars", "calendars/apple", f"calendars/apple/{EMAIL}/account.json", "sandbox.sqlite3")


@pytest.mark.parametrize("mode", [0o020, 0o002])
@pytest.mark.parametrize("entry", DATA)
def test_data_that_others_may_write_to_are_not_used(
    checkout: Extcal, monkeypatch: pytest.MonkeyPatch, entry: str, mode: int
) -> None:
    """Wherever in the folder they lie; closed as the error says, they are used."""
    used_by(monkeypatch, "kim")
    place = checkout.folder / ".extcal" / entry
    make(checkout)
    before = place.stat().st_mode
    place.chmod(before | mode)
    for command in ("apply", "events", "owners", "reset"):
        error = told(run(checkout, command))
        assert error.startswith(f".extcal/{entry}: others may write to it. chmod go-w .extcal/{entry}, or ")
    place.chmod(before)
    assert applied(checkout).code == 0


@needs_another_user
def test_data_that_ones_own_group_may_write_to_are_used(checkout: Extcal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where each user has a group of their own, umask 002 is usual; many files don't ask for it more often."""
    asked = used_by(monkeypatch)
    make(checkout)
    data = checkout.folder / ".extcal"
    apple = data / "calendars" / "apple" / EMAIL
    for number in range(20):
        (apple / f"copied-{number}.ics").write_bytes((apple / "k93wqe.ics").read_bytes())
    for path in (data, *data.rglob("*")):
        os.chown(path, -1, os.geteuid())
        path.chmod(path.stat().st_mode | 0o060)
    assert checkout("sandbox", "schedules", "list").code == 0
    assert 0 < len(asked) < 10


@pytest.mark.parametrize("kind", ["hard link", "pipe", "socket"])
@pytest.mark.parametrize(
    "entry", ["sandbox.sqlite3", "calendars/apple/order.json", f"calendars/apple/{EMAIL}/k93wqe.ics"]
)
def test_what_is_no_file_of_the_folder_alone_is_not_used(
    checkout: Extcal, monkeypatch: pytest.MonkeyPatch, entry: str, kind: str
) -> None:
    """A file with another name elsewhere would be changed there, too; pipes and sockets are nobody's data."""
    make(checkout)
    place, outside = checkout.folder / ".extcal" / entry, checkout.folder / "outside"
    place.rename(outside)
    content = outside.read_bytes()
    if kind == "hard link":
        os.link(outside, place)
    elif kind == "pipe":
        os.mkfifo(place)
    else:
        monkeypatch.chdir(place.parent)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(place.name)
        monkeypatch.chdir(checkout.folder)
    expected = "it has another name elsewhere" if kind == "hard link" else "it is neither a file nor a folder"
    for command in ("apply", "events", "owners", "reset"):
        assert told(run(checkout, command)).startswith(f".extcal/{entry}: {expected}")
    assert outside.read_bytes() == content


@pytest.mark.parametrize("entry", ["", "calendars/apple"])
def test_a_folder_of_another_user_is_not_used(checkout: Extcal, entry: str) -> None:
    """Its owner could change it at any time: neither the folder nor what is in it may be another user's."""
    if os.geteuid() != 0:
        pytest.skip("giving a folder away needs the rights of root")
    data = checkout.folder / ".extcal"
    assert checkout("schedules", "--sandbox").code == 0
    os.chown(data / entry, 65534, -1)
    expected = f"{Path('.extcal') / entry}: it belongs to another user"
    for command in ("schedules", "events", "reset"):
        assert told(run(checkout, command)).startswith(expected)


def test_an_error_of_the_folder_stands_in_the_plans_document(checkout: Extcal, thief: Scripted) -> None:
    """A plan asked for as JSON stays a document, with the refusal in it."""
    plant(checkout, ".extcal", thief)
    document = checkout("plan", "manifests", "--sandbox", "--format", "json").document
    assert "--sandbox-config .extcal/sandbox.yaml" in json.dumps(document["errors"])
