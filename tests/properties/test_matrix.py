"""Faults x steps x kinds of work x readings of the contract: apply again and again, and nothing is ever doubled.

After every run no account is connected twice, and nothing was taken away that the plan did not name. In the end what is
declared stands, or each run fails, says what to do, and connects nothing more.
"""

import json
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from reconciler.api.retry import Backoff
from reconciler.cli.main import main
from reconciler.execution.settle import Window
from tests.properties.matrix import HOPELESS, KIM, KINDS, LEE, READINGS, SCHEDULE, Cell, Kind, cells, some
from tests.support.json_fields import Fields, inner, many, text
from tests.support.referee import PASSWORD, Reading, Referee, Row, Step, refereeing

_SITE = "7a3f0c1e-5d2b-4f6a-9c8e-1b2d3e4f5a6b"
_MOST_RUNS = 6


@dataclass(frozen=True)
class Run:
    """One `apply`: its exit code, what it printed, and what the service was asked for."""

    code: int
    document: Fields
    err: str
    asked: tuple[Step, ...]

    @property
    def errors(self) -> tuple[str, ...]:
        """What went wrong, at actions and elsewhere."""
        at_actions = (text(action, "error") for action in many(self.document, "actions"))
        return (*at_actions, *(text(error, "message") for error in many(self.document, "errors")))

    def __str__(self) -> str:
        lines = [f"exit {self.code}: {' '.join(self.asked)}"]
        lines += [
            " ".join(text(action, name) for name in ("action", "address", "reason", "status", "error"))
            for action in many(self.document, "actions")
        ]
        lines += [f"remaining {text(r, 'action')} {text(r, 'address')}" for r in many(self.document, "remaining")]
        return "\n    ".join([*lines, *self.err.splitlines()])


@dataclass
class Stage:
    """A cell on its referee, with the manifests in a folder."""

    cell: Cell
    referee: Referee
    folder: Path
    runs: list[Run] = field(default_factory=list)

    def write(self) -> None:
        """Write the manifests."""
        site = {"siteId": _SITE, "auth": {"apiKey": {"env": "EXTCAL_API_KEY"}}, "scope": "site", **self.cell.kind.site}
        site["oauth"] = {"redirectUrl": "https://harbor.example/landed"}
        one = {
            "schedule": {"id": SCHEDULE},
            "provider": "apple",
            "account": LEE,
            "syncConfig": {
                "listEventFromCalendars": {"enabled": True, "calendars": ["Work"]},
                "syncToCalendar": {"enabled": True, "dedicatedCalendar": {}},
            },
            **self.cell.kind.connection,
        }
        if one["provider"] == "apple":
            one["credentials"] = {"password": {"env": "EXTCAL_PASSWORD"}}
        off = {"listEventFromCalendars": {"enabled": False}, "syncToCalendar": {"enabled": False}}
        documents = [("Site", "harbor", site), ("Connection", "lee", one)]
        if self.cell.kind.beside:
            documents.append(("Connection", "kim", {**one, "account": KIM, "syncConfig": off}))
        lines = [
            json.dumps({"apiVersion": "extcal/v1", "kind": kind, "metadata": {"name": name}, "spec": spec})
            for kind, name, spec in documents
        ]
        (self.folder / "all.yaml").write_text("\n---\n".join(lines), encoding="utf-8")

    def apply(self) -> Run:
        """Apply once, and hold what was done against what was said."""
        before = {row.id for row in self.referee.rows}
        self.referee.asked.clear()
        self.referee.taken.clear()
        self.referee.connected.clear()
        self.referee.configured.clear()
        env = {
            "EXTCAL_ENDPOINT": self.referee.url,
            "EXTCAL_API_KEY": "seagull-api-key",
            "EXTCAL_PASSWORD": PASSWORD,
            "EXTCAL_STATE_DIR": str(self.folder.with_name("state")),
        }
        args = ("apply", str(self.folder), "--auto-approve", "--consent", "link", "--format", "json")
        ended = CliRunner(env=env).invoke(main, args, catch_exceptions=False)
        document = json.loads(ended.stdout) if ended.stdout else {}
        run = Run(ended.exit_code, document, ended.stderr, tuple(self.referee.asked))
        self.runs.append(run)
        foreign = [row.id for row in self.referee.taken if row.id in before and not self._named(row, document)]
        assert not foreign, f"{foreign} disconnected, in no plan\n{self}"
        # Of whom a connection is can't be told before it shows its account.
        untold = self.cell.reading.shown_after and self.cell.reading.spelt and len(self.runs) < _MOST_RUNS - 1
        assert untold or not self.referee.duplicates(), f"{self.referee.duplicates()} connected twice\n{self}"
        connected = self.referee.connected
        assert len(set(connected)) == len(connected), f"{connected} connected again in one run\n{self}"
        others = [owner for owner, sent in self.referee.configured if _another_s(owner, sent)]
        assert not (self.cell.kind.beside and others), f"{others} got a colleague's sync config\n{self}"
        bare = not any(row.healthy and row.schedule == SCHEDULE for row in self.referee.rows)
        assert not (self.cell.kind.name == "replace" and bare), f"nothing is connected any more\n{self}"
        return run

    def _named(self, row: Row, document: Fields) -> bool:
        """Whether a plan names a row as one that it takes away, or takes the place of."""
        account = self.cell.reading.spelt.get(row.owner, row.owner)
        for action in many(document, "actions"):
            given_up = {
                text(change, "before") for change in many(action, "changes") if text(change, "path") == "account"
            }
            named = {
                "disconnect": row.id == text(action, "connection_id"),
                "replace": account in given_up,
                "reconnect": account == text(action, "account"),
            }
            if named.get(text(action, "action")):
                return True
        return False

    @property
    def as_declared(self) -> bool:
        """Whether what the service has is what the manifests say, whatever the service calls it."""
        present = self.cell.kind.connection.get("state") != "absent"
        account = self.cell.kind.connection.get("account", LEE)
        rows = [row for row in self.referee.rows if row.healthy and (row.owner, row.schedule) == (account, SCHEDULE)]
        imports = [inner(row.config, "listEventFromCalendars") for row in rows]
        works = [text(c, "id") for each in imports for c in many(each, "calendars", "calendars")] == ["w1"]
        exports = [inner(row.config, "syncToCalendar").get("enabled") for row in rows] == [True]
        return works and exports if present else not rows or bool(self.cell.reading.spelt)

    def __str__(self) -> str:
        runs = [f"run {number}: {run}" for number, run in enumerate(self.runs, 1)]
        rows = [f"{r.id} {r.owner} {r.status} {r.reason or ''} {json.dumps(r.config)}" for r in self.referee.rows]
        return "\n  ".join([str(self.cell), *runs, *rows])


def played(cell: Cell, folder: Path) -> None:
    """Apply until nothing is left to do, or for the last time, and judge how it ends."""
    (folder / "manifests").mkdir(parents=True)
    referee = Referee(cell.reading, [replace(row) for row in cell.kind.standing])
    referee.faults = (cell.fault,) if cell.fault else ()
    with refereeing(referee):
        stage = Stage(cell, referee, folder / "manifests")
        stage.write()
        while len(stage.runs) < _MOST_RUNS and not _stuck(stage.runs):
            run = stage.apply()
            if run.code == 0 and not any(_writes(action) for action in many(run.document, "actions")):
                assert stage.as_declared, f"says that it is as declared\n{stage}"
                return
            referee.agree(LEE)
    unknown = cell.kind.beside and cell.reading.shown_after is None
    assert cell.reading.name in HOPELESS or unknown, f"does not converge\n{stage}"
    assert all(run.code == 1 or Step.OAUTH in run.asked for run in stage.runs[-2:]), f"does not fail each time\n{stage}"
    assert not any(Step.CONNECT in run.asked for run in stage.runs[-2:]), f"connects again and again\n{stage}"
    assert all(_helps(run) for run in stage.runs[-2:]), f"does not say what to do\n{stage}"


def _stuck(runs: list[Run]) -> bool:
    """Whether the last runs have gone alike, and without a connect: so will the next."""
    alike = len(runs) > 3 and len({(run.code, *run.errors, *sorted(run.asked)) for run in runs[-2:]}) == 1
    return alike and Step.CONNECT not in runs[-1].asked


def _another_s(owner: str, sent: Fields) -> bool:
    """Whether a sync config is not the one that is declared for an account; a colleague's is off."""
    return inner(sent, "syncToCalendar").get("enabled", owner == LEE) is not (owner == LEE)


def _writes(action: object) -> bool:
    return text(action, "action") not in {"noop", "unmanaged"}


def _helps(run: Run) -> bool:
    """Whether it says what to do: a hint or a command in some error or warning."""
    warnings = [line for line in run.err.splitlines() if line.startswith("warning: ")]
    words = ("declare", "disconnect", "resolve", "apply again", "plan again", "wait")
    return any(word in error for error in [*run.errors, *warnings] for word in words)


@pytest.fixture(autouse=True)
def soon_out_of_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look for lost answers for a moment, and try again at once: the referee's time is requests."""
    monkeypatch.setattr(Window.__init__, "__defaults__", (0.12, 0.02))
    monkeypatch.setattr(Backoff.__init__, "__defaults__", (4, 0.001, 0.002, 60.0, 60.0))


_SOME = some()
_PARTS = 6


@pytest.mark.parametrize("part", range(_PARTS))
def test_it_converges_without_duplicates(part: int, tmp_path: Path) -> None:
    """In a part of the matrix where every two of fault, kind and reading meet."""
    check(_SOME[part::_PARTS], tmp_path)


@pytest.mark.soak
@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("reading", READINGS, ids=str)
def test_it_converges_everywhere(kind: Kind, reading: Reading, tmp_path: Path) -> None:
    """In the whole matrix."""
    check([cell for cell in cells() if cell.kind is kind and cell.reading is reading], tmp_path)


def check(some: list[Cell], folder: Path) -> None:
    """Play cells, each by itself; a failure tells of the first few."""
    failed: list[str] = []
    for number, cell in enumerate(some):
        try:
            played(cell, folder / str(number))
        except AssertionError as error:
            failed.append(str(error))
    assert not failed, f"{len(failed)} of {len(some)} cells\n" + "\n\n".join(failed[:4])
