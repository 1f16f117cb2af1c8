"""Runners that go away with their job: what one has left open the next one settles, by what was kept, and no more."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.sandbox.faults import Fault, Faults, Later, Operation, Reset
from reconciler.sandbox.server import RunningSandbox, running
from reconciler.sandbox.world import ExistingConnection
from tests.gitops.action import run
from tests.gitops.hosted import Hosted, run_and_kill
from tests.support.cli.worlds import (
    BUSY,
    EXPORTING,
    GOOGLE,
    KEY,
    PASSWORD,
    connected,
    connection,
    email,
    harbor,
    schedule_id,
    site,
    world,
)
from tests.support.folders import in_memory
from tests.support.github.runner import Runner
from tests.support.tools import needs_bash

pytestmark = needs_bash

_SECRETS = f"EXTCAL_APP_PASSWORD={PASSWORD}"
_READS = {"/calendar/v3/schedules/query"}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    """A running sandbox; every test puts the world into it that it needs."""
    with in_memory() as folder, running(Path(folder), world=world(), api_key=KEY) as served:
        yield served


@pytest.fixture
def hosted(tmp_path: Path, sandbox: RunningSandbox) -> Hosted:
    """The runners of a repository that declares nothing yet."""
    sandbox.inject(None)
    sandbox.replace_world(world())
    sandbox.requests.clear()
    return Hosted(tmp_path, {"EXTCAL_ENDPOINT": sandbox.endpoint, "EXTCAL_API_KEY": KEY})


def writes(sandbox: RunningSandbox) -> list[str]:
    """What the service was asked that could change something, by its method."""
    asked = [each.path for each in sandbox.requests if each.method != "GET" and each.path not in _READS]
    return [path.rpartition("/")[2].rpartition(":")[2] for path in asked]


def declare(hosted: Hosted, *documents: str) -> None:
    """Let the repository's branch hold these manifests."""
    path = hosted.folder / "checkout" / "manifests" / "all.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(documents))


def reviewed(hosted: Hosted) -> dict[str, str]:
    """The inputs of an apply: the plan of the branch, made on a runner of its own, and its digest."""
    planned = run(hosted.start(restored=False), "plan")
    path = Path(planned.outputs["plan"])
    return {"PLAN": str(path), "DIGEST": json.loads(path.read_text())["digest"], "PASSWORDS": _SECRETS}


def killed(hosted: Hosted, sandbox: RunningSandbox, seconds: float, plan: dict[str, str]) -> Runner:
    """A runner whose extcal was killed after its connect was sent, which has its effect so many seconds later."""
    sandbox.requests.clear()
    sandbox.inject(Faults((Fault(Reset(Later(seconds)), on={Operation.CONNECT_BY_CREDENTIALS}, times=1),)))
    runner = hosted.start()
    ran = run_and_kill(runner, lambda: "connectByCredentials" in writes(sandbox), "apply", **plan)
    assert ran.outputs["exit-code"] == "137", ran.log
    return runner


def test_a_connect_that_a_killed_run_has_sent_is_settled_by_the_next_runner(
    hosted: Hosted, sandbox: RunningSandbox
) -> None:
    """Its effect comes while the next one looks for it: it is adopted, never sent again, and a new plan finishes it."""
    declare(hosted, site(), connection(0, more=EXPORTING))
    plan = reviewed(hosted)
    hosted.keep(killed(hosted, sandbox, 3.0, plan))
    again = hosted.start()
    ran = run(again, "apply", **plan)
    assert "harbor/staff-0: an earlier connect was left open: it has made" in ran.log
    # Its plan was used for it.
    assert (ran.code, "plan again" in ran.summary) == (1, True)
    assert writes(sandbox) == ["connectByCredentials"]
    hosted.keep(again)
    ran = run(hosted.start(), "apply", **reviewed(hosted))
    assert ran.code == 0, ran.log
    assert writes(sandbox) == ["connectByCredentials", "sync-config"]


def test_without_what_was_kept_the_next_runner_can_not_know(hosted: Hosted, sandbox: RunningSandbox) -> None:
    """Where the whole machine is lost, nothing was kept: a connect that is still on its way is sent once more."""
    declare(hosted, site(), connection(0, more=EXPORTING))
    plan = reviewed(hosted)
    killed(hosted, sandbox, 600.0, plan)
    ran = run(hosted.start(), "apply", **plan)
    assert ran.code == 0, ran.log
    assert writes(sandbox) == ["connectByCredentials", "connectByCredentials", "sync-config"]


def test_a_run_that_was_killed_keeps_what_it_has_left_open(hosted: Hosted, sandbox: RunningSandbox) -> None:
    """The steps after it keep the journal; locks and what is unfinished stay behind with the machine."""
    declare(hosted, site(), connection(0, more=EXPORTING))
    cache = hosted.keep(killed(hosted, sandbox, 600.0, reviewed(hosted)))
    kept = sorted(path.name for path in cache.rglob("*") if path.is_file())
    assert kept == ["journal", "kept"]


def test_who_is_awaited_is_finished_by_a_scheduled_run(hosted: Hosted, sandbox: RunningSandbox) -> None:
    """On other machines: until the owner agrees nothing is done, then the sync config is set, then nothing more."""
    declare(hosted, site(), connection(0, more=BUSY), connection(1, provider="google", more=EXPORTING))
    first = hosted.start()
    applied = run(first, "apply", **reviewed(hosted), ACCEPT="3")
    assert (applied.code, applied.outputs["exit-code"]) == (0, "3"), applied.log
    changed = applied.summary.partition("### Who changed what")[2]
    assert "harbor/staff-0" in changed
    hosted.keep(first)
    # Merged since, and approved by nobody yet.
    declare(
        hosted,
        site(),
        connection(0, more="state: absent"),
        connection(1, provider="google", more=EXPORTING),
        connection(2, more=BUSY),
    )
    sandbox.requests.clear()
    steps = [([], "3", []), ([agreed()], "0", ["sync-config"]), ([agreed()], "0", [])]
    for there, code, expected in steps:
        sandbox.replace_world(world(replace(harbor(), connections=(connected(0), *there))))
        sandbox.requests.clear()
        runner = hosted.start()
        ran = run(runner, "consents", ACCEPT="3")
        assert (ran.outputs["exit-code"], writes(sandbox)) == (code, expected), ran.log
        hosted.keep(runner)


def agreed() -> ExistingConnection:
    """What the second owner has connected by their consent."""
    return ExistingConnection(GOOGLE, schedule_id(1), email(1), id="agreed-1")
