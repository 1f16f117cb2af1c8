"""The pipeline on GitLab hands on which connects are open and who was asked: by the cache `kept`, between machines."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.sandbox.faults import Answer, Effect, Fault, Faults, Operation
from reconciler.sandbox.server import RunningSandbox, running
from reconciler.sandbox.world import ExistingConnection
from tests.gitops.fake_gitlab import Project
from tests.gitops.gitlab_job import job
from tests.gitops.gitlab_merge import MergeRequest
from tests.gitops.gitlab_script import EXAMPLE
from tests.support.cli.worlds import (
    BUSY,
    EXPORTING,
    GOOGLE,
    KEY,
    connection,
    email,
    harbor,
    schedule_id,
    site,
    world,
)
from tests.support.folders import in_memory
from tests.support.github.runner import ACTIONS
from tests.support.tools import needs_bash, needs_git

pytestmark = [needs_bash, needs_git]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    """A running sandbox; every test puts the world into it that it needs."""
    with in_memory() as folder, running(Path(folder), world=world(), api_key=KEY) as served:
        yield served


@pytest.fixture
def seven(tmp_path: Path, project: Project, sandbox: RunningSandbox) -> MergeRequest:
    """A merge request with a connection by password and one that takes its owner, planned and merged."""
    sandbox.inject(None)
    sandbox.replace_world(world(harbor(0)))
    before = [site(), connection(0, more=BUSY)]
    after = [*before, connection(1, more=BUSY), connection(2, provider="google", more=EXPORTING)]
    seven = MergeRequest(tmp_path, project, sandbox, before, after)
    assert seven.plan().code == 0
    seven.merge()
    assert seven.fetch().code == 0
    sandbox.requests.clear()
    return seven


def kept(seven: MergeRequest) -> set[str]:
    """The files that the cache holds, by name."""
    return {path.name for path in (seven.folder / "kept").rglob("*") if path.is_file()}


def test_a_run_that_awaits_an_owner_is_no_failure_and_keeps_who(seven: MergeRequest) -> None:
    """Exit code 3 ends the job well, its log says who; the scheduled job finishes it once they have agreed."""
    applied = seven.apply()
    assert (applied.code, "harbor/staff-2" in applied.log) == (0, True), applied.log
    assert "consent-requests" in kept(seven)
    assert "staff-1" in (seven.folder / "applied" / "history.jsonl").read_text()
    agreed = ExistingConnection(GOOGLE, schedule_id(2), email(2), id="agreed-2")
    steps = [([], []), ([agreed], ["sync-config"]), ([agreed], [])]
    for there, expected in steps:
        # Somebody has disconnected the first two since: that is not for this job.
        seven.sandbox.replace_world(world(replace(harbor(), connections=tuple(there))))
        seven.sandbox.requests.clear()
        ran = seven.run("consents")
        assert ran.code == 0, ran.log
        assert [path.rpartition("/")[2] for path in seven.writes] == expected


def test_a_connect_whose_answer_was_lost_is_settled_by_the_next_job(seven: MergeRequest) -> None:
    """The job before has ended badly and has kept its journal: what its connect has made is adopted, not made again."""
    lost = Fault(Answer(503, effect=Effect.DONE), on={Operation.CONNECT_BY_CREDENTIALS})
    blind = Fault(Answer(503), on={Operation.LIST_CONNECTIONS}, skip=1)
    seven.sandbox.inject(Faults((lost, blind)))
    assert seven.apply().code == 1
    seven.sandbox.inject(None)
    assert "journal" in kept(seven)
    ran = seven.apply()
    assert "harbor/staff-1: an earlier connect was left open: it has made" in ran.log
    assert len([path for path in seven.writes if path.endswith(":connectByCredentials")]) == 1


def test_a_poisoned_cache_is_no_more_than_a_reason_to_look(seven: MergeRequest) -> None:
    """What the cache holds beside the two files is left behind, and a link leads nowhere."""
    place = seven.folder / "kept" / ("0" * 24) / "beef"
    place.mkdir(parents=True)
    (place / "journal").symlink_to("/etc/passwd")
    (place / "unfinished").write_text('{"begun": "harbor/staff-0", "account": "staff0@harbor-dental.example"}\n')
    assert seven.apply().code == 0
    assert "unfinished" not in kept(seven)
    assert not [path for path in (seven.folder / "kept").rglob("*") if path.is_symlink()]


def test_both_hosts_hand_on_by_the_same_script() -> None:
    """What is said of one holds for the other."""
    assert (EXAMPLE / "ci" / "kept.sh").read_text() == (ACTIONS / "restore-state" / "kept.sh").read_text()


def test_the_cache_is_kept_however_a_job_ends_by_one_job_at_a_time() -> None:
    """The chain has one key, and whoever writes it waits for their turn; a job that can't write has none."""
    for name in ("apply", "consents"):
        assert job(name)["cache"] == {"key": "extcal-state", "paths": ["kept"], "when": "always"}
        assert job(name)["resource_group"] == "extcal-apply"
    assert "cache" not in job("drift")
    assert "cache" not in job("plan")
