"""Promise: one apply at a time for a site on one machine, with the owner and the age of the lock in the message.

Between machines the staleness check of saved plans catches it.
"""

import fcntl
import getpass
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reconciler.machine import LockedError, Machine, Owner
from tests.promises.held_service import Held, holding
from tests.support.cli.command import Extcal
from tests.support.cli.worlds import BUSY, EXPORTING, HARBOR, PASSWORD_ENV, QUAY, connection, harbor, quay, site, world
from tests.support.folders import folder_for_all
from tests.support.timeouts import TIMEOUT

# Coverage would write its data where nothing can be written.
_UNMEASURED: dict[str, str | None] = {"COVERAGE_PROCESS_START": None, "COVERAGE_PROCESS_CONFIG": None}
_QUAY_KEY = "key-of-quay-optics-77"
_APPLY = ("apply", "manifests", "--auto-approve")
_ELSEWHERE = connection(5, of="quay").replace("staff-5", "staff-9")
_LOCKED = re.compile(
    r"harbor is being applied by process (\d+) of (\S+)@(\S+) \(extcal apply\) since \d\d:\d\d:\d\d, "
    r"for \d+ (?:s|min); wait until it ends, or stop it"
)


@pytest.fixture
def two(extcal: Extcal) -> Extcal:
    """The command, with manifests of two sites; each has a connect to be done."""
    extcal.on(world(harbor(1), quay(key=_QUAY_KEY)))
    extcal.env |= PASSWORD_ENV | {"EXTCAL_QUAY_KEY": _QUAY_KEY}
    quay_site = site("quay", id_=QUAY, key="EXTCAL_QUAY_KEY")
    extcal.write(site(), quay_site, connection(0), connection(1), _ELSEWHERE)
    return extcal


@contextmanager
def applying(extcal: Extcal) -> Iterator[tuple["subprocess.Popen[str]", Held]]:
    """An apply of Harbor Dental under way in a process of its own, held back while it plans.

    The environment names the service that holds it, which lets everybody else through.
    """
    with holding(extcal.sandbox.endpoint) as held:
        extcal.env["EXTCAL_ENDPOINT"] = held.url
        with extcal.started(*_APPLY, "--site", "harbor") as process:
            held.wait()
            yield process, held


def connects(extcal: Extcal) -> list[int]:
    """The status of every answer to a connect."""
    return [request.status for request in extcal.writes if "connectByCredentials" in request.path]


def test_the_second_is_told_who_has_it_and_goes_on_elsewhere(two: Extcal) -> None:
    """Beside an apply nothing of its site is written; the message names who holds it; other sites are applied."""
    with applying(two) as (process, held):
        ran = two(*_APPLY)
        assert ran.code == 1
        found = _LOCKED.search(ran.err)
        assert found is not None, ran.err
        assert found.groups() == (str(process.pid), getpass.getuser(), socket.gethostname())
        assert ran.err.count("is being applied by") == 1
        assert re.search("^skipped +connect harbor/staff-0\n.*\ndone +connect quay/staff-9$", ran.out, re.MULTILINE)
        assert connects(two) == [200]
        held.release()
        out, err = process.communicate(timeout=TIMEOUT)
        again = two(*_APPLY)
    assert (process.returncode, err) == (0, "")
    assert out.endswith("Applied: 1 done.\n")
    assert (again.code, again.err) == (0, "")
    assert connects(two) == [200, 200]


def test_what_writes_takes_the_lock_and_what_reads_does_not(two: Extcal) -> None:
    """A saved plan and resolve are held up, too; plan, status, pull and the tables are not."""
    assert two("plan", "manifests", "--out", "plan.json").code == 0
    with holding(two.sandbox.endpoint) as held:
        two.env["EXTCAL_ENDPOINT"] = held.url
        machine = Machine(two.folder / "state", held.url)
        two.env["EXTCAL_STATE_DIR"] = str(two.folder / "state")
        held.release()
        with machine.site(HARBOR).lock(Owner("a test", 77, "ops", "quay-1"), "harbor"):
            said = "harbor is being applied by process 77 of ops@quay-1 (a test) since"
            for args in (_APPLY, ("apply", "--plan", "plan.json", "--auto-approve"), ("resolve", "manifests")):
                ran = two(*args)
                assert (args, ran.code) == (args, 1)
                assert said in ran.err
            as_json = two(*_APPLY, "--format", "json")
            assert {str(a["address"]): a.get("status") for a in as_json.actions}["harbor/staff-0"] == "skipped"
            for args in (
                ("plan", "manifests"),
                ("status", "manifests"),
                ("connections", "manifests"),
                ("pull", "manifests", "--output", "pulled"),
            ):
                ran = two(*args)
                assert said not in ran.err
                assert ran.code == 0 or args[0] == "status", ran.err
        assert two(*_APPLY).code == 0


def test_nothing_is_left_locked_by_who_was_killed(two: Extcal) -> None:
    """After kill -9 in the midst of it the next apply begins at once."""
    with applying(two) as (process, _):
        process.send_signal(signal.SIGKILL)
        assert process.wait(TIMEOUT) == -signal.SIGKILL
        ran = two(*_APPLY)
    assert (ran.code, ran.err) == (0, "")
    assert connects(two) == [200, 200]


def test_nothing_is_left_locked_after_an_error(two: Extcal) -> None:
    """An apply that was refused, failed or was interrupted leaves the lock free."""
    assert two(*_APPLY, env={"EXTCAL_API_KEY": "a wrong key"}).code == 1
    assert two(*_APPLY, env={"EXTCAL_APP_PASSWORD": "a wrong password"}).code == 1
    with applying(two) as (process, _):
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=TIMEOUT)
        assert process.returncode == 128 + signal.SIGTERM
        ran = two(*_APPLY)
    assert (ran.code, ran.err) == (0, "")


_SIGNATURES = {
    "nothing": b"",
    "no JSON": b"\xff\xfe{",
    "no object": b"[1, 2]",
    "nested": b"[" * 4096,
    "no numbers": b'{"command":"c","pid":1,"user":"u","host":"h","at":"now","since":"long ago"}',
    "endless": b'{"command":"c","pid":1,"user":"u","host":"h","at":"now","since":-1e999}',
    "huge": b'{"command":"c","pid":1,"user":"u","host":"h","at":"now","since":%d}' % 10**400,
}


@pytest.mark.parametrize("signature", _SIGNATURES.values(), ids=_SIGNATURES)
def test_a_lock_without_a_name_is_a_lock(tmp_path: Path, signature: bytes) -> None:
    """Whatever stands in the file of a lock that is held: it is said that another process has it."""
    place = Machine(tmp_path, "a service").site(HARBOR)
    place.make()
    (place.path / "lock").write_bytes(signature)
    with (place.path / "lock").open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with (
            pytest.raises(
                LockedError, match=r"^harbor is being applied by another process; wait until it ends, or stop it$"
            ),
            place.lock(Owner.this_process("a test"), "harbor"),
        ):
            pass
    with place.lock(Owner.this_process("a test"), "harbor"):
        assert json.loads((place.path / "lock").read_bytes())["pid"] == os.getpid()
    assert (place.path / "lock").read_bytes() == b""


def test_hostile_words_in_a_lock_are_inert(two: Extcal) -> None:
    """What another process has written about itself can't move the cursor."""
    two.env["EXTCAL_STATE_DIR"] = str(two.folder / "state")
    place = Machine(two.folder / "state", two.sandbox.endpoint).site(HARBOR)
    with place.lock(Owner("\x1b[2J\r\nrm -rf", 1, "\u202eops", "h\x07"), "harbor"):
        ran = two(*_APPLY)
    assert ran.code == 1
    assert "harbor is being applied by process 1 of ops@h ([2Jrm -rf) since" in ran.err


@pytest.mark.parametrize("place", ["a file", "below a file", "the lock is a folder", "the lock leads elsewhere"])
def test_without_a_place_for_locks_nothing_is_written(two: Extcal, place: str) -> None:
    """Where the state folder can't be used a plan is made all the same, and apply says what to set."""
    state = two.folder / "state"
    two.env["EXTCAL_STATE_DIR"] = str(state / "below" if place == "below a file" else state)
    if place in {"a file", "below a file"}:
        state.write_bytes(b"")
    else:
        folder = Machine(state, two.sandbox.endpoint).site(HARBOR)
        folder.make()
        if place == "the lock is a folder":
            (folder.path / "lock").mkdir()
        else:
            (folder.path / "lock").symlink_to("/dev/null")
    assert two("plan", "manifests").code == 0
    for args in (_APPLY, ("resolve", "manifests")):
        ran = two(*args)
        assert (ran.code, two.writes) == (1, [])
        assert str(state) in ran.err
        assert "set EXTCAL_STATE_DIR to a folder that you can write to" in ran.err


_AS_NOBODY = """
import os, sys
from contextlib import suppress
from reconciler.cli import apply
from reconciler.cli.main import main

with suppress(SystemExit):
    main(["plan", "manifests"])  # all that is imported late
if os.geteuid() == 0:  # nothing is read-only for root
    os.setgid(65534)
    os.setuid(65534)
os.environ["EXTCAL_STATE_DIR"] = "state"
main(sys.argv[1:])
"""


@pytest.mark.parametrize(("args", "code"), [(("plan", "manifests"), 0), (_APPLY, 1)])
def test_a_read_only_place_is_told(extcal: Extcal, args: tuple[str, ...], code: int) -> None:
    """In a state folder that may only be read a plan is made all the same; apply says what to set."""
    with folder_for_all() as folder:
        extcal.folder = folder
        extcal.write(site(), connection(0))
        (folder / "state").mkdir()
        (folder / "state").chmod(0o555)
        ended = subprocess.run(
            [sys.executable, "-c", _AS_NOBODY, *args],
            cwd=folder,
            env=extcal.environment({**_UNMEASURED, **PASSWORD_ENV, "EXTCAL_STATE_DIR": str(folder / "first")}),
            capture_output=True,
            encoding="utf-8",
            timeout=TIMEOUT,
            check=False,
        )
        (folder / "state").chmod(0o755)
    assert (ended.returncode, extcal.writes) == (code, []), ended.stderr
    assert ("set EXTCAL_STATE_DIR to a folder that you can write to" in ended.stderr) is bool(code)


def test_between_machines_a_plan_that_has_become_stale_is_caught(two: Extcal) -> None:
    """Two machines apply plans made at one time: what the first has done, the second does not do again."""
    two.write(site(), connection(0, more=BUSY), connection(1, more=EXPORTING))
    machines: tuple[dict[str, str | None], ...] = tuple(
        {"EXTCAL_STATE_DIR": str(two.folder / name)} for name in ("one", "two")
    )
    for number, env in enumerate(machines):
        assert two("plan", "manifests", "--out", f"{number}.json", env=env).code == 0
    first, second = (two("apply", "--plan", f"{n}.json", "--auto-approve", env=env) for n, env in enumerate(machines))
    assert (first.code, second.code) == (0, 0)
    assert second.out.endswith("Nothing was done: this plan was applied before.\n")
    assert connects(two) == [200]


def test_between_machines_what_differs_is_skipped(two: Extcal) -> None:
    """A plan whose ground another machine has moved is not carried out where it moved."""
    one: dict[str, str | None] = {"EXTCAL_STATE_DIR": str(two.folder / "one")}
    other: dict[str, str | None] = {"EXTCAL_STATE_DIR": str(two.folder / "two")}
    two.write(site(), connection(1, more="state: absent"))
    assert two("plan", "manifests", "--out", "absent.json", env=one).code == 0
    two.write(site(), connection(1, more=EXPORTING))
    assert two("plan", "manifests", "--out", "exporting.json", env=other).code == 0
    assert two("apply", "--plan", "absent.json", "--auto-approve", env=one).code == 0
    late = two("apply", "--plan", "exporting.json", "--auto-approve", env=other)
    assert late.code == 1
    assert "the live state that it rests on has changed since it was planned; plan again" in late.out
    assert len([request for request in two.writes if request.method == "PATCH"]) == 0


def test_a_fleet_needs_no_more_open_files_than_it_is_allowed(tmp_path: Path) -> None:
    """With more sites than a process may usually have files open, each lock is held all the same."""
    script = (
        "import resource, sys; from pathlib import Path; from contextlib import ExitStack\n"
        "hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))\n"
        "from reconciler.machine import Machine, Owner, make_room\n"
        "make_room(300)\n"
        "machine, owner = Machine(Path(sys.argv[1]), 'a service'), Owner.this_process('a test')\n"
        "with ExitStack() as held:\n"
        "    for number in range(300): held.enter_context(machine.site(f'{number:x}').lock(owner, 'harbor'))\n"
        "    print('held')\n"
    )
    ran = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=False)
    assert (ran.stdout, ran.stderr) == ("held\n", "")
