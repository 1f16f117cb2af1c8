"""`--runner dask`: the same outcome as here, secrets that never travel, and workers that may be lost at any moment."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from reconciler.cli.dask import client as dask_client
from reconciler.sandbox.faults import READS, Delay, Fault, Faults, Operation
from reconciler.sandbox.server import RunningSandbox, running
from reconciler.sandbox.world import World
from tests.support.cli.command import Extcal
from tests.support.cli.worlds import BUSY, KEY, PASSWORD, connection, email, harbor, schedule_id, site, world
from tests.support.folders import in_memory
from tests.support.servers.dask_cluster import Cluster, cluster
from tests.support.timeouts import until

_SECRETS = {"EXTCAL_API_KEY": KEY, "EXTCAL_APP_PASSWORD": PASSWORD}
_NO_SECRETS = dict.fromkeys(_SECRETS)
_SITES = 4
_EACH = 2
_CONNECT = frozenset({Operation.CONNECT_BY_CREDENTIALS})


def site_id(number: int) -> str:
    """The id of a site of the fleet."""
    return f"7a3f0c1e-5d2b-4f6a-9c8e-{number:012d}"


def fleet() -> World:
    """Some sites with two schedules each, nobody connected."""
    count = _SITES * _EACH
    sites = [replace(harbor(schedules=count), id=site_id(number), name=f"Site {number}") for number in range(_SITES)]
    return world(*sites, accounts=count)


def manifests() -> list[str]:
    """Two connections on each site, each another account's."""
    texts = [site(f"site-{number}", id_=site_id(number)) for number in range(_SITES)]
    return texts + [connection(n, of=f"site-{n // _EACH}", more=BUSY) for n in range(_SITES * _EACH)]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    """A sandbox whose key is known."""
    with in_memory() as folder, running(Path(folder), world=fleet(), api_key=KEY) as served:
        yield served


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two workers that have the secrets; a test that kills them starts others."""
    with cluster(tmp_path_factory.mktemp("cluster"), _SECRETS, workers=2) as found:
        yield found


@pytest.fixture
def client(sandbox: RunningSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Extcal:
    """The command, with manifests of the fleet and no secret at all."""
    made = Extcal(tmp_path, sandbox, {"PYTHONPATH": str(Path(__file__).parents[2]), "HOME": str(tmp_path)})
    made.env["EXTCAL_ENDPOINT"] = sandbox.endpoint
    monkeypatch.chdir(tmp_path)
    made.write(*manifests())
    sandbox.inject(None)
    made.on(fleet())
    return made


def dask(workers: Cluster) -> tuple[str, ...]:
    """The options that name a cluster."""
    return ("--runner", "dask", "--scheduler", workers.address)


def connected(sandbox: RunningSandbox) -> Counter[str]:
    """How often each account is connected, over all sites."""
    found: Counter[str] = Counter()
    for number in range(_SITES):
        answer = httpx.get(
            f"{sandbox.endpoint}/bookings/v2/external-calendars/connections",
            headers={"Authorization": KEY, "wix-site-id": site_id(number)},
            trust_env=False,
        )
        listed = answer.raise_for_status().json()["connections"]
        found.update(each["externalAccountEmail"] for each in listed if each["status"] != "DISCONNECTED")
    return found


def test_the_workers_do_what_this_process_would(client: Extcal, workers: Cluster) -> None:
    """The same plan, the same outcome, without a secret on the side of whoever asks."""
    local = client("plan", "manifests", "--format", "json", env=_SECRETS)
    remote = client("plan", "manifests", "--format", "json", *dask(workers), env=_NO_SECRETS)
    assert (remote.code, remote.err) == (0, "")
    assert remote.document == local.document
    shown = client("plan", "manifests", *dask(workers), env=_NO_SECRETS)
    assert shown.out == client("plan", "manifests", env=_SECRETS).out
    assert "  Staff 0\n" in shown.out
    client.sandbox.requests.clear()
    applied = client("apply", "manifests", "--auto-approve", *dask(workers), env=_NO_SECRETS)
    assert (applied.code, applied.err) == (0, "")
    assert applied.out.endswith(f"\nApplied: {_SITES * _EACH} done.\n")
    assert connected(client.sandbox) == Counter(email(n) for n in range(_SITES * _EACH))
    again = client("plan", "manifests", "--detailed-exitcode", *dask(workers), env=_NO_SECRETS)
    assert again.code == 0, again.out


def test_a_saved_plan_is_carried_out_by_workers(client: Extcal, workers: Cluster) -> None:
    """The very plan that was reviewed, once; a second time there is nothing to do."""
    assert client("plan", "manifests", "--out", "plan.json", *dask(workers), env=_NO_SECRETS).code == 0
    first = client("apply", "--plan", "plan.json", "--auto-approve", *dask(workers), env=_NO_SECRETS)
    assert (first.code, first.err) == (0, "")
    writes = len(client.writes)
    second = client("apply", "--plan", "plan.json", "--auto-approve", *dask(workers), env=_NO_SECRETS)
    assert second.code == 0
    assert len(client.writes) == writes


def test_a_saved_plan_is_for_one_use_by_workers_too(client: Extcal, tmp_path: Path) -> None:
    """The plan's id travels: a worker remembers what it was used for, and what was undone since is not done again."""
    alone = replace(fleet(), sites=fleet().sites[:1])
    client.on(alone)
    client.write(site("site-0", id_=site_id(0)), connection(0, of="site-0"))
    assert client("plan", "manifests", "--out", "plan.json", env=_SECRETS).code == 0
    (tmp_path / "cluster").mkdir()
    with cluster(tmp_path / "cluster", _SECRETS, workers=1) as found:
        apply = ("apply", "--plan", "plan.json", "--auto-approve", "--format", "json", *dask(found))
        assert client(*apply, env=_NO_SECRETS).code == 0
        client.on(alone)
        ran = client(*apply, env=_NO_SECRETS)
    assert (ran.code, client.writes) == (1, []), ran.out
    assert "a saved plan is for one use; plan again" in str(ran.actions[0]["error"])


def test_each_worker_keeps_the_history_of_what_it_did(client: Extcal, tmp_path: Path) -> None:
    """In its own state folder, by whoever runs it; whoever asked keeps none, and nobody keeps a secret."""
    (tmp_path / "cluster").mkdir()
    mine = tmp_path / "mine"
    with cluster(tmp_path / "cluster", _SECRETS, workers=2) as found:
        asked = {"EXTCAL_STATE_DIR": str(mine), **_NO_SECRETS}
        assert client("apply", "manifests", "--auto-approve", *dask(found), env=asked).code == 0
    states = [tmp_path / "cluster" / f"state-{number}" for number in range(2)]
    kept: list[str] = []
    for state in states:
        shown = client("history", "--format", "json", env={"EXTCAL_STATE_DIR": str(state), **_NO_SECRETS})
        kept += [
            str(entry["address"]) for entry in shown.rows if (entry["action"], entry["status"]) == ("connect", "done")
        ]
        assert not any(PASSWORD in file.read_text() for file in state.rglob("history*"))
    assert sorted(kept) == sorted(f"site-{n // _EACH}/staff-{n}" for n in range(_SITES * _EACH))
    assert client("history", "--format", "json", env={"EXTCAL_STATE_DIR": str(mine), **_NO_SECRETS}).rows == []


def test_one_site_that_can_not_be_read_does_not_hide_the_others(client: Extcal, workers: Cluster) -> None:
    """Its plan says why; the others are planned, and applied."""
    client.write(site("elsewhere", id_="7a3f0c1e-5d2b-4f6a-9c8e-ffffffffffff"), to="manifests/more.yaml")
    client.write(connection(90, of="elsewhere"), to="manifests/yet-more.yaml")
    ran = client("apply", "manifests", "--auto-approve", *dask(workers), env=_NO_SECRETS)
    assert ran.code == 1
    assert "elsewhere" in ran.err
    assert len(connected(client.sandbox)) == _SITES * _EACH


@pytest.mark.soak
def test_a_worker_lost_while_planning(client: Extcal, workers: Cluster) -> None:
    """Another worker reads again what the lost one was reading: the plan is whole."""
    client.sandbox.inject(Faults((Fault(Delay(0.3), on=READS),)))
    with client.started("plan", "manifests", "--format", "json", *dask(workers), env=_NO_SECRETS) as process:
        until(lambda: client.sandbox.requests)
        workers.replace()
        out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    client.sandbox.inject(None)
    assert out == client("plan", "manifests", "--format", "json", env=_SECRETS).out


def test_a_worker_lost_while_applying(client: Extcal, workers: Cluster) -> None:
    """Other workers, which can't see the journals of the lost, settle what these left: whole, and nothing doubled."""
    client.sandbox.inject(Faults((Fault(Delay(0.5), on=_CONNECT),)))
    args = ("apply", "manifests", "--auto-approve", "--format", "json", *dask(workers))
    with client.started(*args, env=_NO_SECRETS) as process:
        # The first connects are under way on the only workers: their effects come when these are gone.
        until(lambda: _asked_to_connect(client))
        workers.replace()
        out, err = process.communicate(timeout=300)
    assert process.returncode == 0, (out, err)
    assert connected(client.sandbox) == Counter(email(n) for n in range(_SITES * _EACH))
    client.sandbox.inject(None)
    again = client("plan", "manifests", "--detailed-exitcode", env=_SECRETS)
    assert again.code == 0, again.out


def _asked_to_connect(client: Extcal) -> bool:
    """Whether the ground of a connect has been read: it is sent next."""
    asked = f"scheduleIds={schedule_id(0)}"
    return any(asked in request.query for request in client.sandbox.requests)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--runner", "dask"), "--runner dask needs a scheduler. Add --scheduler tcp://HOST:PORT."),
        (("--scheduler", "tcp://127.0.0.1:1"), "--scheduler is for Dask. Add --runner dask."),
        (("--runner", "dask", "--scheduler", "tcp://127.0.0.1:1", "--sandbox"), "--sandbox"),
        (("--runner", "dask", "--scheduler", "tcp://127.0.0.1:1", "--impact"), "--impact"),
        (("--runner", "dask", "--scheduler", "tcp://127.0.0.1:1", "--base", "."), "--base"),
    ],
)
def test_what_does_not_go_together(client: Extcal, args: tuple[str, ...], said: str) -> None:
    """Options that workers can't serve are refused before anything is asked of anybody."""
    ran = client("plan", str(client.folder / "manifests"), *args, env={"EXTCAL_ENDPOINT": None})
    assert (ran.code, ran.out) == (64, "")
    assert said in ran.err


@pytest.mark.parametrize("mode", ["wait", "poll"])
def test_waiting_for_owners_is_for_one_machine(client: Extcal, mode: str) -> None:
    """A worker can't wait for browsers that come back to this machine, or show links on it."""
    args = ("--runner", "dask", "--scheduler", "tcp://127.0.0.1:1", "--consent", mode)
    ran = client("apply", str(client.folder / "manifests"), "--auto-approve", *args)
    assert ran.code == 64
    assert "--consent link" in ran.err


NOBODY = ("tcp://127.0.0.1:1", "tcp://127.0.0.1:99999")


@pytest.mark.parametrize("where", NOBODY)
def test_no_scheduler(client: Extcal, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    """An error in one line that says where nobody answered, once it has been waited for."""
    monkeypatch.setattr(dask_client, "CONNECT_SECONDS", 0.2)
    ran = client("plan", "manifests", "--runner", "dask", "--scheduler", where)
    assert ran.code == 1
    assert where in ran.err
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize("where", ["nonsense", *(pytest.param(where, marks=pytest.mark.soak) for where in NOBODY)])
def test_no_scheduler_in_its_own_time(client: Extcal, where: str) -> None:
    """The same of a process of its own, which waits for as long as it does."""
    ran = client.process("plan", "manifests", "--runner", "dask", "--scheduler", where)
    assert ran.code == 1
    assert where in ran.err
    assert "Traceback" not in ran.err


def test_no_workers(client: Extcal, tmp_path: Path) -> None:
    """Nobody waits for ever for workers that were never started."""
    (tmp_path / "cluster").mkdir()
    with cluster(tmp_path / "cluster", {}, workers=0) as found:
        ran = client("plan", "manifests", *dask(found))
    assert ran.code == 1
    assert "it has no workers. Start some: dask worker" in ran.err
