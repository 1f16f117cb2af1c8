"""`import reconciler` plans and applies from a program as the command line does."""

import asyncio
import inspect
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import astuple, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

import reconciler
from reconciler.model.traffic import SiteTraffic
from reconciler.sandbox.seed import harbor_dental
from reconciler.sandbox.server import RunningSandbox, running

ROOT = Path(__file__).parents[2]
QUICKSTART = ROOT / "examples" / "quickstart"
PROGRAM = ROOT / "examples" / "python" / "apply_unless_it_disconnects.py"


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[RunningSandbox]:
    """A fresh sandbox."""
    with running(tmp_path / "world") as started:
        yield started


@pytest.fixture
def environ(sandbox: RunningSandbox, tmp_path: Path) -> dict[str, str]:
    """What a program on that sandbox is given."""
    return {
        "EXTCAL_ENDPOINT": sandbox.endpoint,
        "EXTCAL_API_KEY": sandbox.api_key,
        "EXTCAL_LEE_APP_PASSWORD": "seagull-lantern-41",
        "EXTCAL_STATE_DIR": str(tmp_path / "state"),
    }


@pytest.fixture
def service(environ: dict[str, str]) -> reconciler.Service:
    """The sandbox, as a program reaches it."""
    return reconciler.reach(environ["EXTCAL_ENDPOINT"], environ=environ, state_folder=Path(environ["EXTCAL_STATE_DIR"]))


def run_program(environ: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """The example, as its reader would run it."""
    return subprocess.run(
        [sys.executable, str(PROGRAM), *arguments],
        env=os.environ | environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def without_owners(folder: Path) -> str:
    """The quickstart's manifests without those that need an owner's consent."""
    manifests = folder / "manifests"
    manifests.mkdir()
    for file in QUICKSTART.glob("*.yaml"):
        (manifests / file.name).write_text(file.read_text().split("---\n")[0])
    return str(manifests)


def test_planning_after_applying_is_empty(service: reconciler.Service) -> None:
    """What was applied is done, and neither planned nor applied again."""
    desired = reconciler.load([QUICKSTART])
    told: list[reconciler.Outcome] = []
    before = asyncio.run(reconciler.plan(desired, service))
    result = asyncio.run(reconciler.apply(desired, service, on_outcome=told.append))
    after = asyncio.run(reconciler.plan(desired, service))
    assert {action.kind for action in before.actions} == {reconciler.ActionKind.CONNECT}
    assert set(told) == set(result.outcomes)
    done = {outcome.action.address for outcome in result.outcomes if outcome.status is reconciler.OutcomeStatus.DONE}
    assert done == {"harbor-dental/dr-lee-apple"}
    assert {action.address for action in after.actions if not action.kind.writes} == done


def test_a_plan_that_was_made_before_is_carried_out(service: reconciler.Service) -> None:
    """Exactly as it was made, and a second time there is nothing left to do."""
    desired = reconciler.load([QUICKSTART])
    chosen = reconciler.Selection(connections=frozenset({"harbor-dental/dr-lee-apple"}))
    plan = asyncio.run(reconciler.plan(desired, service, selection=chosen))
    first = asyncio.run(reconciler.apply(plan, service))
    again = asyncio.run(reconciler.apply(plan, service))
    assert [(outcome.status, outcome.already) for outcome in first.outcomes] == [(reconciler.OutcomeStatus.DONE, False)]
    assert [outcome.status for outcome in again.outcomes] != []
    assert len(asyncio.run(_live(service, desired))) == 1


async def _live(service: reconciler.Service, desired: reconciler.Desired) -> list[reconciler.Action]:
    plan = await reconciler.plan(desired, service)
    return [action for action in plan.actions if action.kind is reconciler.ActionKind.NOOP]


def test_a_key_that_is_wrong_is_a_fault_of_the_plan(environ: dict[str, str], tmp_path: Path) -> None:
    """It is told where the rest of a fleet is told, and the key is in no word of it."""
    service = reconciler.reach(
        environ["EXTCAL_ENDPOINT"], environ={"EXTCAL_API_KEY": "wrong-key-4711"}, state_folder=tmp_path / "state"
    )
    plan = asyncio.run(reconciler.plan(reconciler.load([QUICKSTART]), service))
    assert not plan.whole
    assert not plan.actions
    assert "wrong-key-4711" not in repr(plan)


def test_what_is_given_holds_no_secret_that_the_service_repeats(tmp_path: Path) -> None:
    """Plans, results and outcomes hold the names of the service, and not the key that stands in them."""
    key = "a-key-that-is-repeated"
    world = harbor_dental(datetime(2030, 1, 15, tzinfo=UTC))
    (site,) = world.sites
    repeating = tuple(replace(schedule, name=f"{schedule.name} {key}") for schedule in site.schedules)
    with running(
        tmp_path / "world", world=replace(world, sites=(replace(site, schedules=repeating),)), api_key=key
    ) as at:
        service = reconciler.reach(
            at.endpoint,
            environ={"EXTCAL_API_KEY": key, "EXTCAL_LEE_APP_PASSWORD": "seagull-lantern-41"},
            state_folder=tmp_path / "state",
        )
        outcomes: list[reconciler.Outcome] = []
        desired = reconciler.load([QUICKSTART])
        result = asyncio.run(reconciler.apply(desired, service, on_outcome=outcomes.append))
        plan = asyncio.run(reconciler.plan(desired, service))
    ended = [str(astuple(outcome)) for outcome in (*outcomes, *result.outcomes)]
    planned = [str(astuple(action)) for action in (*result.plan.actions, *plan.actions)]
    assert [text for text in (*ended, *planned) if key in text] == []
    assert any("[secret]" in text for text in ended)


def test_an_endpoint_that_is_not_safe_is_refused(tmp_path: Path) -> None:
    """No credential goes over http to another machine, or into a private network unasked."""
    for endpoint in ("http://calendars.example", "https://10.0.0.1", "not a url"):
        with pytest.raises(reconciler.ExtcalError):
            reconciler.reach(endpoint, environ={}, state_folder=tmp_path)
    private = reconciler.reach("https://10.0.0.1", environ={}, state_folder=tmp_path, private=True)
    assert private.endpoint == "https://10.0.0.1"


def test_manifests_with_faults_raise_them_all(tmp_path: Path) -> None:
    """Every fault is an item, with its place."""
    (tmp_path / "one.yaml").write_text("apiVersion: extcal/v1\nkind: Site\n")
    (tmp_path / "two.yaml").write_text("apiVersion: extcal/v1\nkind: Sight\n")
    with pytest.raises(reconciler.ManifestError) as raised:
        reconciler.load([tmp_path])
    assert {fault.source.file for fault in raised.value.faults if fault.source} == {
        str(tmp_path / "one.yaml"),
        str(tmp_path / "two.yaml"),
    }


def test_the_example_applies_what_disconnects_nothing(environ: dict[str, str], tmp_path: Path) -> None:
    """It ends with 0 and says what came of each action; a second time there is nothing to do."""
    manifests = without_owners(tmp_path)
    first, again = run_program(environ, manifests), run_program(environ, manifests)
    assert (first.returncode, first.stdout) == (0, "done harbor-dental/dr-lee-apple \n"), first.stderr
    assert (again.returncode, again.stdout) == (0, ""), again.stderr
    assert "seagull" not in first.stdout + first.stderr


def test_the_example_says_that_owners_are_awaited(environ: dict[str, str]) -> None:
    """It ends with 3, as the command line does, and names whose consent is missing."""
    ran = run_program(environ, str(QUICKSTART))
    assert ran.returncode == 3, ran.stderr
    assert [line.split()[:2] for line in ran.stdout.splitlines()] == [
        ["done", "harbor-dental/dr-lee-apple"],
        ["awaiting-consent", "harbor-dental/dr-patel-google"],
        ["awaiting-consent", "harbor-dental/kim-microsoft"],
    ]


def test_the_example_fails_where_a_connect_fails(environ: dict[str, str]) -> None:
    """It ends with 1, though owners are awaited as well."""
    ran = run_program(environ | {"EXTCAL_LEE_APP_PASSWORD": "a-wrong-one"}, str(QUICKSTART))
    assert ran.returncode == 1
    assert "failed harbor-dental/dr-lee-apple" in ran.stdout
    assert "awaiting-consent" in ran.stdout


def test_the_example_leaves_a_disconnect_to_a_person(environ: dict[str, str], tmp_path: Path) -> None:
    """It names what would be lost, ends with 1, and has written nothing."""
    run_program(environ, str(QUICKSTART))
    for file in QUICKSTART.glob("*.yaml"):
        text = file.read_text().replace("account: lee@", "state: absent\n  account: lee@")
        (tmp_path / file.name).write_text(text.replace("lifecycle: {preventDisconnect: true}", ""))
    ran = run_program(environ, str(tmp_path / "site.yaml"), *map(str, tmp_path.glob("[cp]*.yaml")))
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "harbor-dental/dr-lee-apple" in ran.stderr
    assert "done" not in run_program(environ, str(QUICKSTART)).stdout


def test_the_example_says_what_is_wrong(environ: dict[str, str], tmp_path: Path) -> None:
    """A missing folder is a line on stderr and the exit code of the command line, no traceback."""
    ran = run_program(environ, str(tmp_path / "nowhere"))
    assert ran.returncode == 1
    assert "nowhere" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_every_public_name_is_there_and_says_what_it_is_for() -> None:
    """No name is promised that can't be imported, and each has a docstring of its own."""
    for name in reconciler.__all__:
        assert inspect.getdoc(getattr(reconciler, name)), name


def test_importing_the_package_costs_nothing() -> None:
    """None of its names is imported before it is used."""
    script = (
        "import json, sys\nbefore = set(sys.modules)\nimport reconciler\nreconciler.__version__\n"
        "print(json.dumps(sorted(name for name in set(sys.modules) - before if name.startswith('reconciler'))))\n"
    )
    printed = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert json.loads(printed) == ["reconciler"]


def test_lookups_are_told_before_they_are_made(service: reconciler.Service, tmp_path: Path) -> None:
    """A program hears how many requests reading a site takes beyond those of any site, and what was sent so far."""
    told: list[tuple[str, int, int]] = []

    def on_lookups(name: str, requests: int, traffic: SiteTraffic) -> None:
        told.append((name, requests, traffic.requests))

    folder = Path(without_owners(tmp_path))
    asyncio.run(reconciler.apply(reconciler.load([folder]), service))
    listening = replace(service, on_lookups=on_lookups)
    asyncio.run(reconciler.plan(reconciler.load([folder]), listening))
    assert told == []
    for file in folder.glob("*.yaml"):
        file.write_text(file.read_text().replace("calendars: [Work]", "calendars: [Personal]"))
    asyncio.run(reconciler.plan(reconciler.load([folder]), listening))
    assert told == [("harbor-dental", 1, 2)]
