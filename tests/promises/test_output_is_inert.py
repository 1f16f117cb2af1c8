"""Output is inert: whatever the service, a manifest or a file name says, it stays text in every output there is."""

import csv
import json
import os
import re
import shutil
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from click.testing import CliRunner

from reconciler.cli.main import main
from reconciler.manifests import load
from reconciler.sandbox.server import running
from tests.promises.inert_outputs import (
    APPLYING,
    CHECKS,
    HISTORY,
    LOOKING,
    MERGING,
    OUTPUTS,
    OWN_WORDS,
    PLANNING,
    RENDERING,
    RESOLVING,
    SANDBOX,
    VALIDATING,
    WATCHING,
    Name,
    outputs_there_are,
    text_is_inert,
)
from tests.support.cli.command import Extcal
from tests.support.cli.terminal import terminal
from tests.support.cli.worlds import KEY, PASSWORD_ENV, connection, schedule_id, site
from tests.support.hostile_texts import PAYLOADS, assert_inert, whole
from tests.support.servers.hostile import LINK, HostileService, serving
from tests.support.timeouts import TIMEOUT

_TIMES = ("--start", "2027-01-31", "--end", "2027-02-01")
_OWNER = "7a3f0c1e-5d2b-4f6a-9c8e-1b2d3e4f5a6b"
# Of a terminal that does not tell.
_WIDTH = 80
_ROOT = Path(__file__).parents[2]
_PRUNING = "scope: site\nprune: true\nguards: {maxDisconnects: 100%}"
# What extcal itself sends to a terminal: colours, and the line that takes the place of the last one.
_OWN_SEQUENCES = re.compile(r"\x1b\[(?:0|1|2|31|32|33)m|\r\x1b\[K")


@dataclass
class Stage:
    """extcal in a folder with manifests, before the hostile service; each run is the first one on its machine."""

    folder: Path
    service: HostileService
    env: dict[str, str] = field(default_factory=dict)
    runs: int = 0

    def __call__(self, *args: str) -> tuple[int, bytes]:
        """Run and look at stderr; exit code and stdout."""
        self.runs += 1
        return self.again(*args)

    def again(self, *args: str) -> tuple[int, bytes]:
        """The same on the machine of the last run."""
        env = self.env | {"HOME": str(self.folder / f"home-{self.runs}")}
        ran = CliRunner(env=env).invoke(main, args, catch_exceptions=False)
        assert_inert(ran.stderr)
        assert "internal error" not in ran.stderr
        return ran.exit_code, ran.stdout_bytes

    def write(self, *documents: str, to: str = "manifests/all.yaml") -> None:
        """Write manifests into a file below the folder."""
        path = self.folder / to
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(documents), encoding="utf-8")


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """A site that a manifest names, with two connections that are not live."""
    for name in os.environ:
        if name.startswith(("EXTCAL_", "XDG_")) or name in {"NO_COLOR", "FORCE_COLOR"}:
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    with serving() as service:
        env = {"EXTCAL_ENDPOINT": service.url, "EXTCAL_API_KEY": KEY, **PASSWORD_ENV}
        found = Stage(tmp_path, service, env)
        found.write(site(more=_PRUNING), connection(0), connection(1, provider="google"))
        yield found


def test_every_output_is_looked_at() -> None:
    """Each command with each of its formats is in the table, and so is tried by one of the tests below."""
    assert set(OUTPUTS) | OWN_WORDS == outputs_there_are()


@pytest.mark.parametrize("name", LOOKING, ids=" ".join)
def test_what_is_listed_is_inert(stage: Stage, name: Name) -> None:
    """Every text that the service may choose, in every field, known and unknown: in stdout, warnings and the log."""
    stage.service.be_full()
    code, out = stage(*OUTPUTS[name].args, "--verbose")
    assert code == 0
    OUTPUTS[name].check(out)
    rows = json.loads(out) if name[1] == "json" else out.decode().splitlines()
    assert len(rows) >= len(PAYLOADS)


@pytest.mark.parametrize("name", PLANNING, ids=" ".join)
def test_what_is_planned_is_inert(stage: Stage, name: Name) -> None:
    """The same of reports, where some of it could not be read and where all of it is to be disconnected."""
    for prepared in (stage.service.be_full, stage.service.be_healthy):
        prepared()
        code, out = stage(*OUTPUTS[name].args, "--verbose")
        assert code in {0, 1}
        OUTPUTS[name].check(out)


_TEXTS = tuple(PAYLOADS.values())
_REPORTS = ("json", "markdown", "html")


# Stderr is the same whatever the report is: each text meets one kind of report; in a soak, all.
@pytest.mark.parametrize(
    ("output", "texts"),
    [
        *((output, _TEXTS[number :: len(_REPORTS)]) for number, output in enumerate(_REPORTS)),
        *(pytest.param(output, _TEXTS, marks=pytest.mark.soak) for output in _REPORTS),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{len(value)} texts",
)
def test_what_is_refused_is_told_inertly(stage: Stage, output: str, texts: tuple[str, ...]) -> None:
    """Each text as code, description, message and field of an error: on stderr, and in what replaces the plan."""
    for text in texts:
        stage.service.refusing = text
        code, out = stage("plan", "manifests", "--format", output)
        assert code == 1
        CHECKS[output](out)


@pytest.mark.parametrize("name", APPLYING, ids=" ".join)
def test_what_applying_says_is_inert(stage: Stage, name: Name) -> None:
    """Disconnects of what has hostile names and connects, each refused in hostile words; the link to consent."""
    stage.service.be_healthy()
    code, out = stage(*OUTPUTS[name].args, "--consent", "link", "--undo-out", "undo.json")
    assert code == 1
    OUTPUTS[name].check(out)
    assert b"https://provider.example/" in out
    stage.service.be_empty()
    stage.write(site(), *(connection(number) for number in range(len(PAYLOADS))))
    code, out = stage(*OUTPUTS[name].args)
    assert code == 1
    OUTPUTS[name].check(out)
    assert out.count(b"ConnectByCredentials: HTTP 400") == len(PAYLOADS)


def test_the_file_of_links_is_inert(stage: Stage) -> None:
    """One JSON object a line, in ASCII."""
    stage.service.be_empty()
    stage("apply", "manifests", "--auto-approve", "--consent-file", "links.jsonl")
    (line,) = (stage.folder / "links.jsonl").read_text(encoding="ascii").splitlines()
    assert line.isprintable()
    assert json.loads(line)["url"] == LINK


@pytest.mark.parametrize("name", RESOLVING, ids=" ".join)
def test_what_is_left_open_is_told_inertly(stage: Stage, name: Name) -> None:
    """What became of a connect whose answer was lost: many connections of hostile ids, of which one must be chosen."""
    stage.write(site(), connection(0))
    stage.service.losing = True
    code, out = stage("apply", "manifests", "--auto-approve")
    assert code == 1
    text_is_inert(out)
    code, out = stage.again(*OUTPUTS[name].args)
    assert code == 1
    OUTPUTS[name].check(out)
    assert b"harbor/staff-0" in out
    assert b"x;=1+1;" in out


@pytest.mark.parametrize("name", HISTORY, ids=" ".join)
def test_what_was_done_is_told_inertly(stage: Stage, name: Name) -> None:
    """Disconnects of what has hostile ids, and refusals in hostile words."""
    stage.service.be_healthy()
    assert stage("apply", "manifests", "--auto-approve")[0] == 1
    code, out = stage.again(*OUTPUTS[name].args)
    assert code == 0
    OUTPUTS[name].check(out)
    assert b"harbor" in out


def test_a_saved_plan_is_ascii(stage: Stage) -> None:
    """Whoever looks into the file sees escapes; what applying it shows is inert."""
    stage.service.be_healthy()
    assert stage("plan", "manifests", "--out", "plan.json")[0] == 0
    (line,) = (stage.folder / "plan.json").read_text(encoding="ascii").splitlines()
    assert line.isprintable()
    code, out = stage("apply", "--plan", "plan.json", "--auto-approve", "--consent", "skip")
    assert code == 1
    text_is_inert(out)


def test_what_is_merged_is_inert(stage: Stage) -> None:
    """A saved plan that another command shows is as inert as where it was made."""
    stage.service.be_healthy()
    assert stage("plan", "manifests", "--out", "plan.json")[0] == 0
    for output in MERGING.values():
        code, out = stage(*output.args)
        assert code == 0
        output.check(out)


def test_what_a_watch_tells_is_inert(stage: Stage) -> None:
    """The lines of its first round, and what it says when it is told to end."""
    stage.service.be_full()
    ((args, check),) = ((output.args, output.check) for output in WATCHING.values())
    with running(stage.folder / "unused") as sandbox:
        extcal = Extcal(stage.folder, sandbox, stage.env | {"HOME": str(stage.folder), "PYTHONPATH": str(_ROOT)})
        with extcal.started(*args) as process:
            assert process.stderr is not None
            told = ""
            while " round " not in told.rpartition("\n")[0].rpartition("\n")[2]:
                told += process.stderr.readline()
                assert process.poll() is None, told
            process.terminate()
            out, err = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 0
    check((out + told + err).encode())


def test_what_is_pulled_is_yaml_that_says_the_same(stage: Stage) -> None:
    """Manifests hold nothing invisible, load, and name the accounts to the letter."""
    stage.service.be_healthy()
    stage.write(site())
    stage("pull", "manifests", "--output", "pulled")
    for path in (stage.folder / "pulled").rglob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        assert_inert(text)
        assert all(line.isprintable() for line in text.split("\n"))
    accounts = {declared.account.given for declared in load([stage.folder / "pulled"]).connections}
    assert accounts
    assert accounts <= {whole(text) for text in PAYLOADS.values()}


@pytest.mark.parametrize("name", VALIDATING, ids=" ".join)
def test_manifests_and_their_file_names_are_quoted_inertly(stage: Stage, name: Name) -> None:
    """Faults that quote a manifest, or the name of its file, in text and as annotations of a pull request."""
    for number, text in enumerate(PAYLOADS.values()):
        quoted = json.dumps(text)
        called = whole(text).replace("/", "-").replace("\0", "").encode()[:180].decode(errors="ignore")
        stage.write(
            site(name=quoted),
            connection(number).replace("apple", quoted).replace(f"id: {schedule_id(number)}", f"name: {quoted}"),
            f"---\napiVersion: {quoted}\nkind: {quoted}\n{quoted}: {quoted}\n",
            to=f"hostile/{number} {called}.yaml",
        )
        (stage.folder / f"hostile/{number} raw {called}.yml").write_bytes(text.encode("utf-8", "surrogatepass"))
    code, out = stage(*OUTPUTS[name].args)
    assert code == 1
    if name[1] == "github":
        OUTPUTS[name].check(out)


@pytest.mark.parametrize("name", RENDERING, ids=" ".join)
def test_what_sets_expand_to_is_inert(stage: Stage, name: Name) -> None:
    """Names that entries and rows may hold, columns that nobody reads, and the names of the files they are in."""
    for number, text in enumerate(PAYLOADS.values()):
        called = whole(text).replace("/", "-").replace("\0", "").encode()[:180].decode(errors="ignore")
        entry = {"name": f"e{number}", "account": f"e{number}@b.example", "schedule": {"name": text}}
        members = {"template": {"provider": {"name": text}}, "connections": [entry], "roster": "staff.csv"}
        whole_set = {"apiVersion": "extcal/v1", "kind": "ConnectionSet", "metadata": {"name": f"s{number}"}}
        below = stage.folder / "sets" / str(number)
        stage.write(site() if not number else "", to=f"sets/site{number}.yaml")
        below.mkdir()
        with (below / "staff.csv").open("w", encoding="utf-8", errors="surrogatepass", newline="") as file:
            rows = csv.writer(file, quoting=csv.QUOTE_ALL)
            rows.writerow(["name", "account", "schedule_name", text])
            rows.writerow([f"r{number}", f"r{number}@b.example", whole(text).strip(), text])
        (below / f"{called}.yaml").write_text(json.dumps({**whole_set, "spec": members}))
        code, out = stage(*OUTPUTS[name].args)
        if code:
            # A text that no manifest may hold is refused, inertly, and is out of the way of the others.
            shutil.rmtree(below)
        else:
            OUTPUTS[name].check(out)


def test_what_a_shell_makes_of_a_star_is_inert(stage: Stage) -> None:
    """A file's name that a shell hands over as an argument is told inertly, whatever it feigns to be."""
    for text in PAYLOADS.values():
        argument = whole(text).replace("\0", "")
        for args in (
            ("plan", argument),
            ("plan", f"--{argument}"),
            (argument,),
            ("plan", "manifests", "--site", argument),
        ):
            assert stage(*args)[0] in {1, 2, 64}


def test_what_the_sandbox_lists_is_inert(stage: Stage) -> None:
    """Titles and owners that were put into the sandbox by hand."""
    with running(stage.folder / ".extcal"):
        pass
    texts = [whole(text)[:200] for text in PAYLOADS.values()]
    for text in texts:
        code, _ = stage("sandbox", "events", "add", "--schedule", "Dr. Lee", "--title", text, *_TIMES)
        assert code == 0
    assert stage("sandbox", "schedules", "set-owner", "Dr. Lee", _OWNER, "--name", "".join(texts)[:2_000])[0] == 0
    for output in SANDBOX.values():
        code, out = stage(*output.args)
        assert code == 0
        output.check(out)


@pytest.mark.parametrize(
    "command",
    [
        "plan",
        pytest.param("status", marks=pytest.mark.soak),
        pytest.param("connections", marks=pytest.mark.soak),
        "apply",
    ],
)
def test_a_terminal_gets_our_own_sequences_alone(stage: Stage, command: str) -> None:
    """Colours and the progress line are there, and nothing else that a terminal would act on."""
    stage.service.be_healthy()
    more = ("--auto-approve", "--consent", "link") if command == "apply" else ()
    with running(stage.folder / "unused") as sandbox:
        extcal = Extcal(stage.folder, sandbox, stage.env | {"HOME": str(stage.folder), "PYTHONPATH": str(_ROOT)})
        with terminal(extcal, command, "manifests", *more) as at:
            assert at.ended() in {0, 1}
    assert "\x1b[" in at.seen
    assert_inert(_OWN_SEQUENCES.sub("", at.seen))
    # One that is wider than the terminal would leave its beginning behind.
    wide = [line for line in re.findall(r"\r\x1b\[K([^\r\n\x1b]+)(?=\r)", at.seen) if _columns(line) >= _WIDTH]
    assert wide == []


def _columns(text: str) -> int:
    letters = [char for char in text if unicodedata.category(char) not in {"Mn", "Me"}]
    return sum(2 if unicodedata.east_asian_width(char) in {"W", "F"} else 1 for char in letters)
