"""Input can't hurt: every hostile manifest, secret and plan ends with a clear line, in little memory."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconciler.model.encoding import canonical, digest
from tests.promises.leak_stage import let_time_fly
from tests.promises.places import FileKind, snapshot
from tests.support.cli.command import Extcal
from tests.support.cli.worlds import connection, site
from tests.support.profiles import SOAK
from tests.support.servers.scripted import Scripted, serving

CORPUS = Path(__file__).parent / "corpus"
_ROOT = str(Path(__file__).parents[2])
_MEBI = 1024 * 1024
_LARGE = 15 * _MEBI if SOAK else _MEBI // 2
_LONGEST_LINE = 1000


@pytest.fixture
def service() -> Iterator[Scripted]:
    """A service that must not be asked for anything."""
    with serving() as scripted:
        yield scripted


@pytest.mark.parametrize("file", sorted(CORPUS.glob("*.yaml")), ids=lambda file: file.stem)
def test_every_hostile_manifest_is_refused(file: Path, bare: Extcal) -> None:
    """Each is told with its place and what would be right, on lines of their own, and nothing is written."""
    (bare.folder / file.name).write_bytes(file.read_bytes())
    before = snapshot(bare.folder)
    ran = bare("validate", file.name)
    assert ran.code == 1
    assert ran.out == ""
    told = ran.err.splitlines()
    expected = (CORPUS / "expected.txt").read_text(encoding="utf-8").splitlines()
    assert told == [line for line in expected if line.startswith(f"{file.name}:")]
    assert told
    assert all(line.isprintable() and len(line) < _LONGEST_LINE for line in told)
    assert snapshot(bare.folder) == before


def _filled(unit: str, end: str = "") -> str:
    return unit * (_LARGE // len(unit)) + end


def _laughing() -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    return "\n".join(lines)


BOMBS: dict[str, Callable[[], str]] = {
    "aliases of aliases": _laughing,
    "one anchor, many aliases": lambda: "a: &a [" + "x, " * 500 + "]\n" + _filled("b: *a\n---\na: &a [x]\n"),
    "brackets": lambda: _filled("["),
    "braces": lambda: _filled("{a: "),
    "dashes": lambda: _filled("- "),
    "question marks": lambda: _filled("? "),
    "anchors": lambda: _filled("&a "),
    "tags": lambda: _filled("!a "),
    "a quoted text": lambda: '"' + _filled("x"),
    "a block text": lambda: "a: |\n" + _filled("  x\n"),
    "a comment": lambda: _filled("# x\n"),
    "names": lambda: "".join(f"k{n}: v\n" for n in range(_LARGE // 12)),
    "one long name": lambda: _filled("x") + ": y\n",
    "blank lines": lambda: _filled("\n"),
    "empty documents": lambda: _filled("---\n"),
    "carriage returns": lambda: _filled("a: b\r"),
    "faults": lambda: _filled("---\nkind: x\n"),
    "control characters": lambda: _filled("\x01"),
    "too many bytes": lambda: "#" * (16 * _MEBI + 1),
}

_LIMITED = """
import json, resource, sys
from click.testing import CliRunner
from reconciler.cli.main import main

resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
for file in sys.argv[1:]:
    ran = CliRunner().invoke(main, ["validate", file], catch_exceptions=False)
    print(json.dumps([ran.exit_code, ran.stdout, ran.stderr[:4000], len(ran.stderr)]))
"""


def test_no_bomb_goes_off(tmp_path: Path) -> None:
    """Files made to exhaust a reader, in a soak as large as may be, end, in a gigabyte, and are told briefly."""
    for number, make in enumerate(BOMBS.values()):
        (tmp_path / f"{number}.yaml").write_text(make(), encoding="utf-8")
    with (tmp_path / "vast.yaml").open("wb") as stream:
        stream.truncate(2**40)
    names = [*(f"{number}.yaml" for number in range(len(BOMBS))), "vast.yaml"]
    command = [sys.executable, "-c", _LIMITED, *names]
    env = os.environ | {"PYTHONPATH": _ROOT}
    ran = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=600, check=False)
    assert ran.returncode == 0, ran.stderr[-2000:]
    answers = [json.loads(line) for line in ran.stdout.splitlines()]
    assert len(answers) == len(names)
    for name, (code, out, err, length) in zip([*BOMBS, "a vast file"], answers, strict=True):
        assert code == (0 if name in {"a comment", "blank lines"} else 1), name
        assert "Traceback" not in err, name
        assert out == "" or code == 0
        assert length < 300_000, name


# What reads manifests is one reader and what reads plans another: of two commands of one, the second meets what would
# hold it up, and in a soak everything.
_READERS = ("validate", "apply --plan")
_HELD_UP_BY = {FileKind.PIPE, FileKind.VAST}


@pytest.mark.parametrize(
    ("args", "kind"),
    [
        pytest.param(args, kind, marks=() if args in _READERS or kind in _HELD_UP_BY else pytest.mark.soak)
        for args in (*_READERS, "plan", "plan manifests --base")
        for kind in FileKind
    ],
)
def test_what_is_no_file_is_not_waited_for(
    bare: Extcal, monkeypatch: pytest.MonkeyPatch, args: str, kind: FileKind
) -> None:
    """Pipes, devices, sockets, folders and files of processes, given for a manifest or a plan, are refused at once."""
    let_time_fly(monkeypatch)
    bare.env |= {"EXTCAL_ENDPOINT": "http://127.0.0.1:9", "EXTCAL_API_KEY": "key-of-nothing"}
    bare.write(site())
    with kind.made(bare.folder / "given.yaml") as path:
        ran = bare(*args.split(), path)
    assert ran.code in ({1, 64} if "--base" not in args else {0, 1, 64})
    assert "internal error" not in ran.err
    assert ran.err.strip()
    assert all(len(line) < _LONGEST_LINE for line in ran.err.splitlines())


@pytest.mark.parametrize("kind", list(FileKind), ids=str)
def test_no_secret_is_read_from_elsewhere(bare: Extcal, service: Scripted, kind: FileKind) -> None:
    """A reference to a file that is a link outside, a pipe, a device or a process's own is refused; nothing is sent."""
    secrets = bare.folder / "secrets"
    secrets.mkdir()
    bare.env |= {"EXTCAL_ENDPOINT": service.url, "EXTCAL_SECRETS_DIR": str(secrets)}
    bare.write(site().replace("{env: EXTCAL_API_KEY}", "{file: given}"))
    with kind.made(secrets / "given") as path:
        if not path.startswith(str(secrets)):
            (secrets / "given").symlink_to(path)
        ran = bare("providers", "manifests")
    assert ran.code == 1
    assert ran.err.startswith("error: harbor: the secret file:given ")
    assert len(ran.err.splitlines()) == 1
    assert service.asked == []


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"null",
        b"[]",
        b"\xff\xfe",
        b'{"format_version": 1, "digest": "x", "plan": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"format_version": 1, "digest": "x", "plan": ' + b'{"a":' * 900 + b"1" + b"}" * 900 + b"}",
        b'{"format_version": 1, "digest": "x", "plan": ' + b"9" * 5000 + b"}",
        b'{"format_version": 1, "digest": "x", "plan": 1e999}',
        b'{"format_version": 1, "digest": "x", "plan": NaN}',
        b'{"format_version": 1, "digest": "x", "plan": "\\ud800"}',
        b'{"format_version": 1, "digest": "\\u001b[2J", "plan": {}}',
        b'{"format_version": "' + b"x" * 100_000 + b'", "plan": {}}',
        b'{"format_version": "\\u001b[2J\\u202e", "plan": {}}',
        b'{"format_version": 1e400, "plan": {}}',
        b'{"format_version": ' + b"9" * 4000 + b', "plan": {}}',
    ],
    ids=lambda document: repr(document[:60]),
)
def test_no_saved_plan_can_hurt(bare: Extcal, service: Scripted, document: bytes) -> None:
    """Whatever lies where a saved plan should is refused in one printable line, and nothing is sent."""
    bare.env |= {"EXTCAL_ENDPOINT": service.url, "EXTCAL_API_KEY": "key-of-nothing"}
    (bare.folder / "plan.json").write_bytes(document)
    ran = bare("apply", "--plan", "plan.json", "--auto-approve")
    assert ran.code == 1
    (line,) = ran.err.splitlines()
    assert line.startswith("error: plan.json: ")
    assert line.isprintable()
    assert len(line) < _LONGEST_LINE
    assert service.asked == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("connection_id", "../../../etc/passwd?x=#y"),
        ("connection_id", "live-1\r\nX-Evil: 1"),
        ("schedule_id", "\ud800"),
        ("account", "\x1b[2J\u202e"),
        ("address", "harbor/\x1b[2J"),
        ("connection_id", "x" * 100_000),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_a_forged_plan_reaches_no_other_place(extcal: Extcal, field: str, value: str) -> None:
    """Who can forge a plan can say what is done, and no more: no other path or header, nothing on the screen."""
    extcal.write(site(more="scope: site\nprune: true"), connection(0).replace("credentials", "state: absent #"))
    assert extcal("plan", "manifests", "--out", "plan.json").code == 0
    file = extcal.folder / "plan.json"
    document = json.loads(file.read_text())
    for action in document["plan"]["sites"][0]["actions"]:
        action[field] = value
    document["digest"] = digest(document["plan"])
    file.write_text(canonical(document))
    extcal.sandbox.requests.clear()
    ran = extcal("apply", "--plan", "plan.json", "--auto-approve")
    assert ran.code in {0, 1}
    assert "internal error" not in ran.out + ran.err
    assert all(line.isprintable() for line in (ran.out + ran.err).splitlines())
    assert all(request.path.startswith("/bookings/v2/external-calendars/") for request in extcal.sandbox.requests)


def test_a_base_reads_no_link(bare: Extcal, monkeypatch: pytest.MonkeyPatch) -> None:
    """The manifests as they were are read by the same rules: a link in a base leads nowhere."""
    let_time_fly(monkeypatch)
    bare.env |= {"EXTCAL_ENDPOINT": "http://127.0.0.1:9", "EXTCAL_API_KEY": "key-of-nothing"}
    bare.write(site())
    (bare.folder / "before").mkdir()
    (bare.folder / "before" / "a.yaml").symlink_to("/etc/hostname")
    ran = bare("plan", "manifests", "--base-dir", "before")
    assert "--base-dir before: its manifests have 1 fault;" in ran.err


def test_sockets_and_names_without_end(bare: Extcal) -> None:
    """A socket among the manifests, and paths and names beyond what the system takes, are refused in words."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(bare.folder / "a.yaml"))
        assert "is a socket, not a file" in bare("validate", "a.yaml").err
    for path in ("x" * 300, "x/" * 3000, "a\nb", "\x1b[2J", "/proc/self/fd/0/x", "~nobody"):
        ran = bare("validate", path)
        assert ran.code == 1
        assert len(ran.err.splitlines()) == 1
        assert ran.err.strip().isprintable()
