"""Joining what shards found: the whole is as if it had been planned at once, or it is refused and said why."""

import contextlib
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from reconciler import planfile
from reconciler.model.desired import State
from reconciler.model.encoding import canonical, digest
from reconciler.model.plan import Plan, SitePlan
from reconciler.model.shards import Shards
from reconciler.planning.order import ordered
from reconciler.sandbox.server import RunningSandbox
from reconciler.workflow.merge import PlanPart, merged_plan
from tests.fleet.fleets import (
    SHARDS,
    connection,
    manifests,
    name,
    planned_in_shards,
    printed_in_shards,
    site_id,
    six,
)
from tests.support.builders.plans import SITE, declared, live, planned, site_with
from tests.support.cli.command import Extcal
from tests.support.cli.worlds import EXPORTING, KEY, site

SCHEMAS = Path(__file__).parents[2] / "schemas"


def moving(number: int) -> SitePlan:
    """The plan of a site that gives up the account that the next site connects, or takes it over."""
    account = f"person{number // 2}@harbor.example"
    site = replace(SITE, name=name(number), site_id=site_id(number))
    state = State.PRESENT if number % 2 else State.ABSENT
    there = () if number % 2 else (live(account=account),)
    return planned(replace(declared(account=account, state=state), site=site.name), on=site_with(*there), site=site)


@given(st.integers(0, 12), st.integers(1, 9).flatmap(lambda of: st.permutations(range(1, of + 1))))
def test_the_whole_does_not_depend_on_the_cut(count: int, order: list[int]) -> None:
    """However a fleet is cut and in whatever order the parts are joined, it is the plan of the whole."""
    sites = tuple(moving(number) for number in range(count))
    shards = [Shards(len(order), (number,)) for number in order]
    parts = [
        PlanPart(Path(str(each)), ordered(Plan(tuple(s for s in sites if each.holds(s.site.site_id)), each)))
        for each in shards
    ]
    joined = merged_plan(parts)
    assert joined == ordered(Plan(sites))
    assert sum(bool(action.depends_on) for action in joined.actions) == count // 2


FILES = [f"plan-{number}.json" for number in range(1, SHARDS + 1)]


@pytest.fixture(scope="module")
def saved(sandbox: RunningSandbox, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The saved plans of every shard, plan-1.json and so on."""
    env = {"EXTCAL_ENDPOINT": sandbox.endpoint, "EXTCAL_API_KEY": KEY}
    command = Extcal(tmp_path_factory.mktemp("saved"), sandbox, env)
    with contextlib.chdir(command.folder):
        command.on(six())
        command.write(*manifests(6))
        return {file: (command.folder / file).read_bytes() for file in planned_in_shards(command)}


@pytest.fixture
def offline(bare: Extcal, saved: dict[str, bytes]) -> Extcal:
    """The command with nothing but the saved plans of every shard."""
    for file, content in saved.items():
        (bare.folder / file).write_bytes(content)
    return bare


@pytest.fixture
def shards(sites: Extcal, saved: dict[str, bytes]) -> Extcal:
    """The command beside the saved plans of every shard."""
    for file, content in saved.items():
        (sites.folder / file).write_bytes(content)
    return sites


def test_joined_plans_are_the_plan_of_the_whole(shards: Extcal) -> None:
    """The plan, its digest and every report are what planning the whole fleet gives; no service is asked."""
    shards("plan", "manifests", "--out", "whole.json")
    shards.sandbox.requests.clear()
    assert shards("merge", *FILES, "--out", "joined.json").code == 0
    joined, at_once = (planfile.load(shards.folder / file) for file in ("joined.json", "whole.json"))
    assert (joined.with_ids({}), joined.digest) == (at_once.with_ids({}), at_once.digest)
    assert len(shards.sandbox.requests) == 0
    for output in ("text", "json", "markdown"):
        whole = shards("plan", "manifests", "--format", output)
        assert shards("merge", *reversed(FILES), "--format", output) == whole
    assert shards("merge", *FILES, "--format", "html").out.startswith("<!DOCTYPE html>")


def test_a_joined_plan_can_be_carried_out(shards: Extcal) -> None:
    """What was joined is a saved plan like any other."""
    shards("merge", *FILES, "--out", "joined.json")
    ran = shards("apply", "--plan", "joined.json", "--auto-approve")
    assert (ran.code, ran.out.splitlines()[-1]) == (0, "Applied: 12 done.")


def test_a_joined_plan_is_of_the_same_use_as_its_parts(shards: Extcal) -> None:
    """What a part was used for the joined plan is not used for again, nor the other way round."""
    shards("merge", *FILES, "--out", "joined.json")
    for options in (("--plan", FILES[0]), ("--plan", "joined.json", "--shard", f"2/{SHARDS}")):
        assert shards("apply", *options, "--auto-approve").code == 0
    shards.on(six())
    refused = [
        str(action["address"])
        for file in (*FILES[:2], "joined.json")
        for action in shards("apply", "--plan", file, "--auto-approve", "--format", "json").actions
        if "a saved plan is for one use" in str(action["error"])
    ]
    parts = [action.address for file in FILES[:2] for action in planfile.load(shards.folder / file).actions]
    assert sorted(refused) == sorted(parts * 2)
    assert len(parts) > 0


def test_the_exit_code_tells_pending_changes_where_asked(shards: Extcal) -> None:
    """0 when joined; with --detailed-exitcode 2 while there is something to do, for plans and their documents."""
    assert shards("merge", *FILES).code == 0
    assert shards("merge", *FILES, "--detailed-exitcode").code == 2
    printed = printed_in_shards(shards, "plan", "manifests")
    assert shards("merge", *printed).code == 0
    assert shards("merge", *printed, "--detailed-exitcode").code == 2
    shards("apply", "manifests", "--auto-approve")
    planned_in_shards(shards)
    assert shards("merge", *FILES, "--detailed-exitcode").code == 0


def test_a_missing_shard_is_told(offline: Extcal) -> None:
    """What there is is shown with its gaps, the exit code is 1, and no plan is saved."""
    ran = offline("merge", FILES[0], FILES[3], "--out", "joined.json", "--format", "markdown")
    assert ran.code == 1
    assert "Only shards 1, 4 of 4." in ran.out
    assert "shards 2-3 are missing among the files" in ran.err
    assert not (offline.folder / "joined.json").exists()


def test_a_site_in_two_files_is_refused(shards: Extcal) -> None:
    """Both files are named, whether the shards tell it or the sites."""
    shards("plan", "manifests", "--site", "site-03", "--out", "one.json")
    shards("plan", "manifests", "--out", "whole.json")
    twice = shards("merge", "whole.json", "one.json")
    assert (twice.code, twice.out) == (1, "")
    assert "site site-03 is in whole.json and in one.json" in twice.err
    Path(shards.folder / "again.json").write_bytes((shards.folder / FILES[0]).read_bytes())
    again = shards("merge", *FILES, "again.json")
    assert again.code == 1
    assert "is in plan-1.json and in again.json" in again.err


def test_a_site_under_two_names_is_refused(shards: Extcal) -> None:
    """A site is known by its id too: the second plan of it would do everything again."""
    shards("plan", "manifests", "--site", "site-03", "--out", "one.json")
    text = (shards.folder / "manifests/all.yaml").read_text()
    (shards.folder / "manifests/all.yaml").write_text(text.replace("site-03", "renamed"))
    shards("plan", "manifests", "--site", "renamed", "--out", "two.json")
    assert "is in one.json and in two.json" in shards("merge", "one.json", "two.json").err


def test_a_fleet_cut_in_two_ways_is_refused(shards: Extcal) -> None:
    """Shards of 4 and of 5 don't fit together."""
    shards("plan", "manifests", "--shard", "5/5", "--out", "other.json")
    assert "plan-1.json is of 4 shards and other.json of 5" in shards("merge", FILES[0], "other.json").err


@pytest.mark.parametrize("command", [("plan",), ("status",), ("apply", "--auto-approve")], ids=lambda words: words[0])
def test_documents_are_joined_into_one_of_their_kind(sites: Extcal, command: tuple[str, ...]) -> None:
    """Every row of every shard, counted, in the order of the whole, as the schema says."""
    files = printed_in_shards(sites, *command, "manifests")
    parts = [json.loads((sites.folder / file).read_text()) for file in files]
    ran = sites("merge", *reversed(files))
    assert (ran.code, ran.err) == (0, "")
    kind = "status" if command[0] == "status" else "plan"
    Draft202012Validator(json.loads((SCHEMAS / f"{kind}.schema.json").read_text())).validate(ran.document)
    rows = "connections" if kind == "status" else "actions"
    assert ran.document[rows] == sorted((row for part in parts for row in part[rows]), key=lambda row: row["address"])
    assert set(ran.document) == {key for part in parts for key in part} - {"shards"}
    summary: Any = ran.document["summary"]
    assert sum(summary.values()) == 12
    if command[0] != "apply":
        whole = sites(*command, "manifests", "--format", "json").document
        assert ran.document | {"digest": None} == whole | {"digest": None}


def test_errors_are_in_the_order_of_the_whole(sites: Extcal) -> None:
    """Whatever order the parts are joined in, errors come by site as one plan tells them: faults before guards."""
    for number in range(6):
        kept = connection(number, 0, more="state: absent\nlifecycle: {preventDisconnect: true}")
        faulty = connection(number, 1, more=EXPORTING).replace("provider: apple", "provider: {name: Tidewater Rota}")
        sites.write(site(name(number), id_=site_id(number)), kept, faulty, to=f"manifests/{9 - number}.yaml")
    (sites.folder / "manifests/all.yaml").unlink()
    whole = sites("plan", "manifests", "--format", "json").document
    joined = sites("merge", *reversed(printed_in_shards(sites, "plan", "manifests"))).document
    assert joined["errors"] == whole["errors"]
    errors: Any = joined["errors"]
    pairs = ((1, False), (0, True))
    wanted = [(f"{name(number)}/staff-{place}", guarded) for number in range(6) for place, guarded in pairs]
    assert list(dict.fromkeys((error["address"], "guard" in error) for error in errors)) == wanted


def test_a_document_of_a_failed_shard_is_among_the_errors(sites: Extcal) -> None:
    """A shard that could not begin leaves its errors, once though every shard has them, and counts as missing."""
    printed_in_shards(sites, "status", "manifests")
    sites.write("kind: nonsense\n")
    for number in (2, 3):
        broken = sites("status", "manifests", "--shard", f"{number}/{SHARDS}", "--format", "json")
        (sites.folder / f"status-{number}.json").write_text(broken.out)
    ran = sites("merge", *(f"status-{number}.json" for number in range(1, SHARDS + 1)))
    assert ran.code == 1
    errors: Any = ran.document["errors"]
    assert [("missing" in error["message"], "all.yaml" in error["message"]) for error in errors][:2] == [
        (True, False),
        (False, True),
    ]
    assert len({error["message"] for error in errors}) == len(errors)
    assert ran.document["shards"] == {"of": 4, "numbers": [1, 4]}


def test_kinds_are_not_mixed(sites: Extcal) -> None:
    """Saved plans, plans, results and statuses are joined with their own kind alone; both files are named."""
    one = ("--shard", "1/2")
    sites("plan", "manifests", *one, "--out", "saved.json")
    for file, words in (
        ("plan.json", ("plan", "manifests")),
        ("status.json", ("status", "manifests")),
        ("apply.json", ("apply", "manifests", "--auto-approve")),
    ):
        (sites.folder / file).write_text(sites(*words, *one, "--format", "json").out)
    for first, second in (
        ("saved", "plan"),
        ("plan", "saved"),
        ("plan", "status"),
        ("apply", "status"),
        ("plan", "apply"),
    ):
        ran = sites("merge", f"{first}.json", f"{second}.json")
        assert (ran.code, ran.out) == (1, "")
        assert f"{first}.json is" in ran.err or f"{second}.json is" in ran.err
        assert "Join files of one kind" in ran.err


def test_what_only_plans_have_is_wrong_usage_for_documents(sites: Extcal) -> None:
    """A document makes no plan to save and no page, and what was applied is not pending."""
    (sites.folder / "s.json").write_text(sites("status", "manifests", "--format", "json").out)
    for words in (("--out", "x.json"), ("--format", "html"), ("--detailed-exitcode",)):
        ran = sites("merge", "s.json", *words)
        assert (ran.code, ran.out) == (64, "")
    assert not (sites.folder / "x.json").exists()


def resealed(file: Path, **changes: object) -> None:
    """Change a saved plan and make the digest fit."""
    document = json.loads(file.read_text())
    document["plan"] |= changes
    document["digest"] = digest(document["plan"])
    file.write_text(canonical(document))


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"of": 4, "numbers": [2, 3, 4]}, "is not in shards 2-4 of 4"),
        ({"of": 4, "numbers": []}, "named by their numbers"),
        ({"of": 4, "numbers": [9]}, "the numbers are 1 to 4"),
        ({"of": 10**9, "numbers": [1]}, "1 to 10000 shards"),
        ({"of": "4", "numbers": [1]}, "not a plan: shards is not of type"),
    ],
)
def test_shards_that_can_not_be_are_refused(offline: Extcal, said: object, why: str) -> None:
    """A saved plan that says it is of other shards than its sites are in is no plan of ours."""
    resealed(offline.folder / FILES[0], shards=said)
    for words in (("merge", *FILES), ("apply", "--auto-approve", "--plan", FILES[0])):
        ran = offline(*words)
        assert ran.code == 1
        assert why in ran.err
    assert len(offline.sandbox.requests) == 0


HOSTILE: dict[str, bytes] = {
    "empty": b"",
    "binary": b"\xff\xfe\x00",
    "list": b"[]",
    "number": b"7",
    "other": b'{"format_version": 1}',
    "newer": b'{"format_version": 2, "digest": "sha256:x", "plan": {}}',
    "deep": b'{"actions":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "null": b'{"connections": null}',
    "nan": b'{"format_version": 1, "summary": NaN, "connections": []}',
    "yaml": b"kind: Site\n",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_is_no_document_of_ours_is_refused(offline: Extcal, kind: str) -> None:
    """The file is named with what is wrong with it, whatever stands beside it; nothing is shown or saved."""
    (offline.folder / "hostile.json").write_bytes(HOSTILE[kind])
    ran = offline("merge", FILES[0], "hostile.json", "--out", "joined.json")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("error: hostile.json: ")
    assert len(ran.err) < 1_000
    assert not (offline.folder / "joined.json").exists()


def test_no_part_of_a_document_passes_for_it(sites: Extcal) -> None:
    """A document that was cut off anywhere, or whose rows were taken away, is refused."""
    text = sites("plan", "manifests", "--format", "json").out.rstrip()
    file = sites.folder / "plan.json"
    for length in range(0, len(text), 997):
        file.write_text(text[:length])
        assert sites("merge", "plan.json").code == 1
    document = json.loads(text)
    document["actions"].pop()
    file.write_text(json.dumps(document))
    assert "the summary does not fit what is listed" in sites("merge", "plan.json").err


def test_documents_of_shards_that_can_not_be_are_refused(sites: Extcal) -> None:
    """A document says no more shards than there are, each once; a site that only failed is a site all the same."""
    document = json.loads(sites("status", "manifests", "--site", "site-00", "--format", "json").out)
    file = sites.folder / "s.json"
    for shards in ({"of": 4, "numbers": [2, 1]}, {"of": 4, "numbers": [5]}, {"of": 99_999, "numbers": [1]}):
        file.write_text(json.dumps(document | {"shards": shards}))
        ran = sites("merge", "s.json")
        assert (ran.code, ran.out) == (1, "")
        assert "s.json: its shards can't be: " in ran.err
    file.write_text(json.dumps(document))
    failed = document | {"connections": [], "summary": dict.fromkeys(document["summary"], 0)}
    failed["errors"] = [{"address": "site-00", "message": "not read"}]
    (sites.folder / "t.json").write_text(json.dumps(failed))
    assert "site site-00 is in s.json and in t.json" in sites("merge", "s.json", "t.json").err


def test_what_is_no_file_is_refused(offline: Extcal) -> None:
    """A missing file, a folder and a pipe that nobody writes to are refused at once, by name."""
    os.mkfifo(offline.folder / "pipe")
    for place in ("missing", ".", "pipe", "\x00"):
        ran = offline("merge", FILES[0], place)
        assert (ran.code, ran.out) == (1, "")
    assert "pipe: not a regular file" in offline("merge", "pipe").err


def test_the_comment_of_a_failed_join_says_why(offline: Extcal) -> None:
    """In a format for people the failure is a document too, so that a comment is never silent."""
    ran = offline("merge", FILES[0], "missing.json", "--format", "markdown")
    assert ran.code == 1
    assert ran.out.startswith("<!-- extcal-plan -->\n### Plan: failed")
    assert "missing.json: No such file or directory" in ran.out


def test_hostile_texts_are_shown_inert(sites: Extcal) -> None:
    """What a document says reaches a terminal without control characters."""
    document = json.loads(sites("status", "manifests", "--format", "json").out)
    document["connections"][0]["account"] = "\x1b[2J\u202eevil"
    (sites.folder / "s.json").write_text(json.dumps(document))
    ran = sites("merge", "s.json")
    assert ran.code == 0
    assert "\x1b" not in ran.out
    assert "\u202e" not in ran.out
