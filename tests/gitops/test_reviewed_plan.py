"""The actions plan-artifact and reviewed-plan: the plan of the one pull request that was merged, or none."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.support.github.repository import BOT, NAME
from tests.support.github.runner import Ran, Runner
from tests.support.tools import needs_bash

pytestmark = needs_bash

pytest.importorskip("jq", reason="jq for Python is not installed")
HEAD, BASE, MERGE, LAST = "a" * 40, "b" * 40, "c" * 40, "d" * 40
DIGEST, OTHER = "sha256:" + "1" * 64, "sha256:" + "2" * 64
BEFORE, EXTCAL = "9" * 40, "e" * 40
PLANNER = "clinic-tools/extcal/.github/workflows/extcal-plan.yml"
APPLIER = "clinic-tools/extcal/.github/workflows/extcal-apply.yml"
WORKFLOW = ".github/workflows/plan.yml"

Json = dict[str, Any]


def pull(**fields: object) -> Json:
    """A pull request that was merged as the commit that the job runs on."""
    merged = {"number": 7, "merged_at": "2026-03-02T10:00:00Z", "merge_commit_sha": LAST}
    return merged | {"head": {"sha": HEAD}, "base": {"ref": "main"}} | fields


def run(number: int = 1, **fields: object) -> Json:
    """A run of the plan workflow on the head that was merged."""
    return {
        "id": number,
        "event": "pull_request",
        "path": WORKFLOW,
        "conclusion": "success",
        "head_sha": HEAD,
        "repository": {"id": 1},
        "head_repository": {"id": 1},
        "referenced_workflows": [{"path": f"{PLANNER}@{EXTCAL}", "sha": EXTCAL}],
    } | fields


def plan(digest: str = DIGEST) -> str:
    """A saved plan, as far as this action reads it."""
    return f'{{"digest":"{digest}","format_version":1,"plan":{{}}}}\n'


def context(of: str = plan(), **fields: object) -> str:
    """What the plan of a run says that it is bound to; `of` is the content of its file."""
    made: Json = {
        "pull_request": 7,
        "base_ref": "main",
        "base_sha": BASE,
        "head_sha": HEAD,
        "workflow_ref": f"{NAME}/{WORKFLOW}@refs/pull/7/merge",
        "workflow_sha": MERGE,
        "run_id": 1,
        "run_attempt": 1,
        "plan_sha256": sha256(of.encode()).hexdigest(),
    }
    return json.dumps(made | fields) + "\n"


def artifact(of: int = 1, attempt: int = 1, *, digest: str = DIGEST, expired: bool = False, **fields: object) -> Json:
    """The plan that a run kept."""
    files = {"plan.json": plan(digest), "context.json": context(plan(digest), run_id=of, run_attempt=attempt, **fields)}
    made = {"run": of, "name": f"extcal-plan-7-{HEAD}-{attempt}", "expired": expired, "files": files}
    return made | {"created_at": "2026-03-02T09:00:00Z"}


def comment(digest: str = DIGEST, **fields: object) -> Json:
    """What the pull request shows."""
    body = f"<!-- extcal-plan -->\n### Plan: 1 to connect\n\nDigest of the plan: `{digest}`\n"
    return {"id": 1, "issue": "7", "user": BOT, "body": body} | fields


APPLYING = {"id": 77, "path": ".github/workflows/apply.yml", "head_sha": LAST} | {
    "referenced_workflows": [{"path": f"{APPLIER}@{EXTCAL}", "sha": EXTCAL}]
}
MERGED: Json = {
    "pulls": {LAST: [pull()], HEAD: [pull()]},
    "runs": {"1": run(), "77": APPLYING},
    "artifacts": [artifact()],
    "comments": [comment()],
    "compare": {
        f"{old}...{LAST}": {"status": "ahead", "commits": [{"sha": HEAD}, {"sha": LAST}]} for old in (BASE, BEFORE)
    },
}


def fetch(runner: Runner, **env: str) -> Ran:
    """Run the action on the push of a merge."""
    given = {"GITHUB_SHA": LAST, "BEFORE": BEFORE, "INPUT_WORKFLOW": WORKFLOW, "INPUT_ATTESTED": "false"}
    return runner.run("reviewed-plan/fetch.sh", **(given | env))


def refused(ran: Ran, said: str) -> None:
    """No plan was handed on, and the error says why."""
    assert (ran.code, ran.outputs) == (1, {}), ran.log
    assert ran.log.count("::error title=extcal::") == 1
    assert said in ran.log


def test_the_plan_of_the_merged_pull_request_is_fetched(runner: Runner) -> None:
    """The plan, its digest and the pull request's number are handed on."""
    runner.change(**MERGED)
    ran = fetch(runner)
    assert ran.code == 0, ran.log
    assert (ran.outputs["pull-request"], ran.outputs["digest"]) == ("7", DIGEST)
    assert Path(ran.outputs["plan"]).read_text() == plan()


def test_the_last_attempt_of_a_run_counts(runner: Runner) -> None:
    """A run that was started again, since the live state had moved, leaves its earlier plan beside the new one."""
    kept = [artifact(attempt=number, digest=DIGEST if number == 10 else OTHER) for number in (9, 10, 2)]
    runner.change(**(MERGED | {"artifacts": kept}))
    ran = fetch(runner)
    assert (ran.code, ran.outputs["digest"]) == (0, DIGEST), ran.log


def test_a_plan_that_was_made_after_the_merge_is_never_taken(runner: Runner) -> None:
    """A run that is started again after the merge brings in no plan, whatever it writes into the comment."""
    later = artifact(attempt=2, digest=OTHER) | {"created_at": "2026-03-02T10:00:01Z"}
    runner.change(**(MERGED | {"artifacts": [later], "comments": [comment(OTHER)]}))
    refused(fetch(runner), "has no plan of its last commit")
    runner.change(artifacts=[artifact(), later])
    refused(fetch(runner), f"shows {OTHER}, not the plan that was saved, {DIGEST}")
    runner.change(comments=[comment()])
    assert fetch(runner).outputs["digest"] == DIGEST


def test_runs_that_made_the_same_plan_are_one(runner: Runner) -> None:
    """A pull request that was closed and opened again was planned twice, and nothing is ambiguous about it."""
    twice = {"runs": {"1": run(), "2": run(2), "77": APPLYING}, "artifacts": [artifact(1), artifact(2)]}
    runner.change(**(MERGED | twice))
    assert fetch(runner).outputs["digest"] == DIGEST


@pytest.mark.parametrize("status", ["behind", "diverged", "identical"])
def test_a_push_that_goes_back_to_an_older_merge_applies_nothing(runner: Runner, status: str) -> None:
    """A force push to the commit of a merge that was reviewed once is not its merge again."""
    moved = {f"{BEFORE}...{LAST}": {"status": status, "commits": []}}
    runner.change(**(MERGED | {"compare": MERGED["compare"] | moved}))
    refused(fetch(runner), "this push took commits off main")


def test_an_answer_that_fails_does_not_stand_for_no_plan(runner: Runner) -> None:
    """Of two plans that differ, one that can't be looked up is not left out: no plan is handed on."""
    twice = {"runs": {"1": run(), "2": run(2), "77": APPLYING}, "artifacts": [artifact(1), artifact(2, digest=OTHER)]}
    runner.change(**(MERGED | twice))
    runner.fail("runs/2/artifacts")
    ran = fetch(runner)
    assert (ran.code, ran.outputs) == (1, {}), ran.log


NO_PLAN = "has no plan of its last commit"
REFUSED: dict[str, tuple[str, Json]] = {
    "a direct push": ("no pull request was merged as", {"pulls": {}}),
    "a pull request that is open": ("no pull request was merged as", {"pulls": {LAST: [pull(merged_at=None)]}}),
    "another merge that holds the commit": (
        "no pull request was merged as",
        {"pulls": {LAST: [pull(merge_commit_sha=MERGE)]}},
    ),
    "two pull requests with one merge commit": (
        "several pull requests were merged as",
        {"pulls": {LAST: [pull(), pull(number=9)]}},
    ),
    "a merge into another branch": (
        "was merged into next, not into main",
        {"pulls": {LAST: [pull(base={"ref": "next"})]}},
    ),
    "another pull request with the same head": (
        "pull request #9 has the same last commit as #7",
        {"pulls": {LAST: [pull()], HEAD: [pull(), pull(number=9, merged_at=None, base={"ref": "attack"})]}},
    ),
    "a push of several merges": (
        "this push merged pull request #6 as well as #7",
        {"pulls": {LAST: [pull()], HEAD: [pull(number=6, merge_commit_sha=HEAD, head={"sha": MERGE})]}},
    ),
    "no plan": (NO_PLAN, {"artifacts": []}),
    "runs that differ": (
        f"has plans that differ, {DIGEST} and {OTHER}",
        {"runs": {"1": run(), "2": run(2), "77": APPLYING}, "artifacts": [artifact(1), artifact(2, digest=OTHER)]},
    ),
    "an artifact without a plan": ("holds no plan.json", {"artifacts": [artifact() | {"files": {"other": "x"}}]}),
    "an artifact without its context": (
        "holds no context.json",
        {"artifacts": [artifact() | {"files": {"plan.json": plan()}}]},
    ),
    "a file that is no plan": (
        "holds no plan",
        {"artifacts": [artifact() | {"files": {"plan.json": "{}", "context.json": context("{}")}}]},
    ),
    "a plan for another pull request": (
        "was not made for pull request #7 into main",
        {"artifacts": [artifact(pull_request=9)]},
    ),
    "a plan for another base, retargeted": ("not made for", {"artifacts": [artifact(base_ref="attack")]}),
    "a plan of an earlier head": ("not made for", {"artifacts": [artifact(head_sha=MERGE)]}),
    "a plan of another workflow's ref": (
        "not made for",
        {"artifacts": [artifact(workflow_ref=f"{NAME}/{WORKFLOW}@refs/pull/9/merge")]},
    ),
    "a plan copied from another run": (
        "not made for",
        {"artifacts": [artifact() | {"files": {"plan.json": plan(), "context.json": context(run_id=3)}}]},
    ),
    "a context that says more": ("not made for", {"artifacts": [artifact(pull_request_too=9)]}),
    "a base that is not on the branch": (
        f"was made against {BASE}, which is not on main",
        {"compare": MERGED["compare"] | {f"{BASE}...{LAST}": {"status": "diverged", "commits": []}}},
    ),
    "a comment with another digest": (f"shows {OTHER}, not the plan that was saved", {"comments": [comment(OTHER)]}),
    "no comment": ("shows no plan, not the plan that was saved", {"comments": []}),
    "a person's comment": ("shows no plan", {"comments": [comment(user={"login": "mallory", "type": "User"})]}),
    "two comments": ("not the plan that was saved", {"comments": [comment(), comment(id=2)]}),
    "a comment that quotes a digest": (
        "shows no plan",
        {"comments": [comment(body=f"<!-- extcal-plan -->\n- x Digest of the plan: `{DIGEST}`\n")]},
    ),
}


@pytest.mark.parametrize(("said", "wrong"), REFUSED.values(), ids=REFUSED.keys())
def test_anything_but_the_reviewed_plan_is_refused(runner: Runner, said: str, wrong: Json) -> None:
    """Without one plan, made for exactly what was merged and shown in its comment, the job ends and says why."""
    runner.change(**(MERGED | wrong))
    refused(fetch(runner), said)


CALLED = run()["referenced_workflows"]
WRONG_RUNS: dict[str, Json] = {
    "of a fork": {"head_repository": {"id": 2}},
    "of another workflow": {"path": ".github/workflows/b/plan.yml"},
    "of another event": {"event": "push"},
    "that failed": {"conclusion": "failure"},
    "that does not call extcal": {"referenced_workflows": []},
    "by another commit of extcal": {"referenced_workflows": [{"path": f"{PLANNER}@{HEAD}", "sha": HEAD}]},
    "by another's extcal": {"referenced_workflows": [{"path": f"eve/{PLANNER}@{EXTCAL}", "sha": EXTCAL}]},
    "of more than extcal": {
        "referenced_workflows": [*CALLED, {"path": "eve/x/.github/workflows/x.yml@v1", "sha": HEAD}]
    },
}
WRONG_ARTIFACTS: dict[str, Json] = {
    "expired": {"expired": True},
    "of another pull request": {"name": f"extcal-plan-9-{HEAD}-1"},
    "made at no known time": {"created_at": None},
    "with more to its name": {"name": f"extcal-plan-7-{HEAD}-1-2"},
}


def test_a_plan_of_a_wrong_run_or_name_is_never_taken(runner: Runner) -> None:
    """Of many runs, each wrong in one way, none has a plan that counts; the right one beside them is found."""
    runs = {str(number): run(number, **wrong) for number, wrong in enumerate(WRONG_RUNS.values(), 10)}
    named = {str(number): run(number) for number in range(30, 30 + len(WRONG_ARTIFACTS))}
    kept = [artifact(number, digest=OTHER) for number in map(int, runs)]
    kept += [artifact(number, digest=OTHER) | wrong for number, wrong in enumerate(WRONG_ARTIFACTS.values(), 30)]
    runner.change(**(MERGED | {"runs": runs | named | {"77": APPLYING}, "artifacts": kept}))
    refused(fetch(runner), NO_PLAN)
    runner.change(runs=runs | named | {"1": run(), "77": APPLYING}, artifacts=[*kept, artifact()])
    assert fetch(runner).outputs["digest"] == DIGEST


def test_a_plan_is_applied_on_a_push_alone(runner: Runner) -> None:
    """A merge queue's own event, or a start by hand, is refused in words."""
    runner.change(**MERGED)
    for event in ("merge_group", "workflow_dispatch"):
        refused(fetch(runner, GITHUB_EVENT_NAME=event), f"this event is {event}")
    assert runner.world["calls"] == []


def test_workflows_that_use_the_actions_themselves_are_bound_too(runner: Runner) -> None:
    """A workflow of the config repository's own, which calls none, takes plans only of one that calls none."""
    alone = {"1": run(referenced_workflows=[]), "77": APPLYING | {"referenced_workflows": []}}
    runner.change(**(MERGED | {"runs": alone}))
    assert fetch(runner).code == 0
    runner.change(runs=alone | {"1": run()})
    refused(fetch(runner), NO_PLAN)


SIGNED = [PLANNER, EXTCAL, "refs/pull/7/merge"]
UNATTESTED: dict[str, Json] = {
    "the plan alone": {plan(): SIGNED},
    "another pull request's": {context(): [*SIGNED[:2], "refs/pull/9/merge"]},
    "a changed workflow's": {context(): [f"{NAME}/{WORKFLOW}", MERGE, SIGNED[2]]},
    "another commit's": {context(): [PLANNER, HEAD, SIGNED[2]]},
}


@pytest.mark.parametrize("attestations", UNATTESTED.values(), ids=UNATTESTED.keys())
def test_a_plan_must_be_attested_where_that_is_asked(runner: Runner, attestations: Json) -> None:
    """What the plan is bound to must be signed by extcal's own workflow, at the commit used here, in this request."""
    runner.change(**(MERGED | {"attestations": attestations}))
    refused(fetch(runner, INPUT_ATTESTED="true"), f"is not attested by {PLANNER} at {EXTCAL}")


def test_an_attested_plan_is_fetched(runner: Runner) -> None:
    """With its signature in order the plan is handed on."""
    runner.change(**(MERGED | {"attestations": {context(): SIGNED}}))
    assert fetch(runner, INPUT_ATTESTED="true").outputs["digest"] == DIGEST


def test_an_attested_plan_does_not_pass_with_the_context_of_another(runner: Runner) -> None:
    """A plan signed for an earlier commit of the pull request, beside the signed context of its last, is refused."""
    earlier = plan(OTHER)
    signed = dict.fromkeys((earlier, context(earlier, head_sha=MERGE), plan(), context()), SIGNED)
    mixed = artifact() | {"files": {"plan.json": earlier, "context.json": context()}}
    runner.change(**(MERGED | {"artifacts": [mixed], "comments": [comment(OTHER)], "attestations": signed}))
    refused(fetch(runner, INPUT_ATTESTED="true"), "not made for")
    # Nor does it with a context of its own that nobody signed.
    forged = artifact() | {"files": {"plan.json": earlier, "context.json": context(earlier)}}
    runner.change(artifacts=[forged])
    refused(fetch(runner, INPUT_ATTESTED="true"), "is not attested by")


def test_attestations_are_those_of_extcals_workflow(runner: Runner) -> None:
    """Where no workflow of extcal is called there is nobody whose signature would say anything."""
    alone = {"1": run(referenced_workflows=[]), "77": APPLYING | {"referenced_workflows": []}}
    runner.change(**(MERGED | {"runs": alone}))
    refused(fetch(runner, INPUT_ATTESTED="true"), "attested plans are those of extcal-plan.yml")


KEPT = {
    "GITHUB_EVENT_NAME": "pull_request",
    "GITHUB_BASE_REF": "main",
    "GITHUB_WORKFLOW_REF": f"{NAME}/{WORKFLOW}@refs/pull/7/merge",
    "GITHUB_WORKFLOW_SHA": MERGE,
    "GITHUB_RUN_ID": "1",
    "NUMBER": "7",
    "HEAD_SHA": HEAD,
    "INPUT_BASE": BASE,
}


def keep(runner: Runner, **env: str) -> Ran:
    """Run the action that lays out the artifact."""
    return runner.run("plan-artifact/bind.sh", INPUT_PLAN=runner.file("plan.json", plan()), **(KEPT | env))


def test_what_one_job_keeps_the_other_finds(runner: Runner) -> None:
    """The artifact as plan-artifact lays it out, under its name, is what reviewed-plan takes."""
    kept = keep(runner)
    assert kept.code == 0, kept.log
    files = {path.name: path.read_text() for path in Path(kept.outputs["folder"]).iterdir()}
    assert files == {"plan.json": plan(), "context.json": context()}
    assert kept.outputs["context-digest"] == f"sha256:{sha256(context().encode()).hexdigest()}"
    made = artifact() | {"name": kept.outputs["artifact"], "files": files}
    runner.change(**(MERGED | {"artifacts": [made]}))
    assert fetch(runner).outputs["digest"] == DIGEST


def test_each_attempt_keeps_a_plan_of_its_own(runner: Runner) -> None:
    """Two runs, or two attempts of one, never have one name."""
    names = {keep(runner, GITHUB_RUN_ATTEMPT=attempt).outputs["artifact"] for attempt in ("1", "2")}
    assert len(names) == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"INPUT_BASE": "HEAD^1"},
        {"INPUT_BASE": ""},
        {"GITHUB_BASE_REF": 'x", "base_ref": "main'},
        {"GITHUB_EVENT_NAME": "merge_group"},
    ],
)
def test_a_plan_that_can_not_be_bound_is_not_kept(runner: Runner, wrong: dict[str, str]) -> None:
    """Without a commit, a plain branch and a pull request there is no artifact."""
    ran = keep(runner, **wrong)
    assert (ran.code, ran.outputs) == (64, {})
    assert "::error title=extcal::" in ran.log
