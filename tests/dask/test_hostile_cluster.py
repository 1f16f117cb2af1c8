"""Promise: nothing that a Dask scheduler or a worker sends runs in the operator's process, or writes to the terminal.

Nor is it taken for an answer to what was not asked.
"""

import os
import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.cli.dask import driver
from tests.dask import hostile
from tests.support.cli.command import Extcal
from tests.support.cli.worlds import KEY, PASSWORD, connection, harbor, site, world
from tests.support.servers.dask_cluster import Cluster, cluster

_SECRETS = {"EXTCAL_API_KEY": KEY, "EXTCAL_APP_PASSWORD": PASSWORD}
_NO_DATA = "its worker's reply can't be read: TypeError"
_STRANGE = "its worker replied about another site"


@pytest.fixture(scope="module")
def ill(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A scheduler and a worker that mean ill, once a test names an attack."""
    folder = tmp_path_factory.mktemp("cluster")
    (folder / "attack").write_text("none")
    with cluster(folder, _SECRETS, workers=1, preload=["--preload", hostile.__name__]) as found:
        yield found


@pytest.fixture
def client(extcal: Extcal) -> Extcal:
    """The command, with one connect to be planned."""
    extcal.on(world(harbor()))
    extcal.write(site(), connection(0))
    return extcal


def attacked(client: Extcal, ill: Cluster, attack: str, *args: str) -> tuple[int, str, str]:
    """How a run, else a plan, ends on a cluster that attacks; nothing may run in this process, the command's."""
    mark = hostile.mark(str(ill.folder), os.getpid())
    (ill.folder / "attack").write_text(attack)
    try:
        ran = client(*(args or ("plan", "manifests")), "--runner", "dask", "--scheduler", ill.address)
    finally:
        (ill.folder / "attack").write_text("none")
    assert not mark.exists()
    assert "Traceback" not in ran.err
    assert "\x1b" not in ran.out + ran.err
    return ran.code, ran.out, ran.err


@pytest.mark.parametrize("attack", ["none", "type", "print", "warning"])
def test_what_comes_beside_an_answer_is_dropped(client: Extcal, ill: Cluster, attack: str) -> None:
    """The type of a result, prints and warnings: neither run nor shown; the plan is what it is."""
    code, out, err = attacked(client, ill, attack)
    assert (code, err) == (0, "")
    assert out == client("plan", "manifests").out


@pytest.mark.parametrize(
    ("attack", "said"),
    [
        ("result", _NO_DATA),
        ("gather", _NO_DATA),
        ("error", "its workers failed or were lost. See their logs."),
        ("stream", "the Dask scheduler is gone, or sent something that is not data"),
        ("garbage", "its worker's reply is not understood (no JSON)"),
        ("number", "its worker's reply is not a text of at most 256 MiB"),
        ("another version", "its worker's reply is not understood (more is not known)"),
        ("nothing", _STRANGE),
        ("another site", _STRANGE),
        ("circle", _STRANGE),
    ],
)
def test_an_answer_that_is_none_is_a_fault_of_its_site(client: Extcal, ill: Cluster, attack: str, said: str) -> None:
    """Objects and errors that would run code, and texts that aren't what was asked for, are refused in words."""
    code, out, err = attacked(client, ill, attack)
    assert code == 1
    assert said in err
    assert "to connect" not in out


@pytest.mark.parametrize("attack", ["result", "error", "garbage", "nothing", "another site", "circle"])
def test_what_is_no_result_leaves_it_unknown(client: Extcal, ill: Cluster, attack: str) -> None:
    """An apply whose worker lies, or tells nothing: what became of it is not known, and nothing is believed."""
    code, out, _ = attacked(client, ill, f"apply: {attack}", "apply", "manifests", "--auto-approve")
    assert code == 1
    assert "its outcome is unknown" in out
    assert "Applied: 1 UNKNOWN." in out


@pytest.mark.parametrize("attack", ["identity", "ncores"])
def test_a_scheduler_that_sends_no_data_is_refused(client: Extcal, ill: Cluster, attack: str) -> None:
    """Before anything is asked of it, in one line."""
    code, out, err = attacked(client, ill, attack)
    assert (code, out) == (1, "")
    assert err.startswith(f"error: --scheduler {ill.address}: no Dask scheduler answers: ")
    assert err.count("\n") == 1


def test_an_answer_is_bounded(client: Extcal, ill: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """A text that is larger than any plan is not read."""
    monkeypatch.setattr(driver, "LARGEST_ANSWER", 100)
    code, _, err = attacked(client, ill, "none")
    assert code == 1
    assert "its worker's reply is not a text of at most" in err


def test_the_attacks_run_where_pickles_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They do what these tests look for, and would do it here."""
    monkeypatch.chdir(tmp_path)
    for attack in (hostile.BombError(), hostile.Loaded):
        mark = hostile.mark(str(tmp_path), os.getpid())
        pickle.loads(pickle.dumps(attack))  # noqa: S301 - our own
        mark.unlink()
