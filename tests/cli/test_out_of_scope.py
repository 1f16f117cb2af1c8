"""A connection whose manifest was deleted stays connected, and plans and statuses say so."""

import html
import json
import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from reconciler.sandbox.contract import Status
from tests.cli.counting import FOR_PEOPLE, THREE, TWO, asked
from tests.support.cli.command import Extcal
from tests.support.cli.worlds import BUSY, PASSWORD_ENV, connection, email, harbor, schedule_id, site, world
from tests.support.servers.proxy import stand_in

ONE = "1 connection is out of scope and stays connected"
SCHEMAS = Path(__file__).parents[2] / "schemas"
DOCUMENTS = (("plan", "manifests", "--format", "json"), ("status", "manifests", "--format", "json"))


@pytest.fixture
def deleted(extcal: Extcal) -> Extcal:
    """Two connections as declared, and one on a schedule that no manifest names any more."""
    extcal.on(world(harbor(0, 1, 3)))
    extcal.env |= PASSWORD_ENV
    extcal.write(site(), connection(0, more=BUSY), connection(1, more=BUSY))
    return extcal


def valid(extcal: Extcal, *command: str) -> dict[str, object]:
    """What a command prints, which is as its schema says."""
    document = json.loads(extcal(*command).out)
    schema = json.loads((SCHEMAS / f"{command[0]}.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator(schema).validate(document)
    assert isinstance(document, dict)
    return document


@pytest.mark.parametrize("command", FOR_PEOPLE)
def test_the_summary_says_so(deleted: Extcal, command: tuple[str, ...]) -> None:
    """Once, beside what is to be done; a plan takes no request for it."""
    ran = deleted(*command)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.count(ONE) == 1
    assert asked(deleted) == (TWO if command[0] == "plan" else THREE)


def test_what_a_plan_says_to_type_shows_which(deleted: Extcal) -> None:
    """The command that the summary names lists the connection: account, schedule, and id."""
    out = deleted("plan", "manifests").out
    assert out == f"Nothing to do: 2 as declared, 0 unmanaged. {ONE}; see extcal status manifests\n"
    shown = deleted(*shlex.split(out.rpartition("; see extcal ")[2])).out
    assert "out of scope: no manifest names their schedules, so they stay connected\n" in shown
    assert f"apple {email(3)}  on Staff 3  id:live-3\n" in shown
    assert shown.endswith(
        f"Status: 2 ok; 0 unmanaged. {ONE}; see above. To disconnect it, declare it with state: absent.\n"
    )


def test_it_can_be_typed_wherever_the_manifests_are(deleted: Extcal) -> None:
    """A folder with blanks, two paths, and the endpoint of the command line are all in it."""
    deleted.write(site(), connection(0, more=BUSY), to="the site's/all.yaml")
    deleted.write(connection(1, more=BUSY), to="more/all.yaml")
    endpoint = deleted.env.pop("EXTCAL_ENDPOINT")
    for output in ("text", "markdown", "html"):
        out = deleted("plan", "the site's", "more", "--endpoint", endpoint, "--format", output).out
        told = re.search(r"; see `*extcal ([^\n<]*?)`*(?:\n|<)", out)
        assert told is not None
        shown = deleted(*shlex.split(html.unescape(told[1])))
        assert (shown.code, "id:live-3" in shown.out) == (0, True), shown.err


def test_documents_have_it_beside_the_summary(deleted: Extcal) -> None:
    """The summary counts what it counted before; each connection is named as any other is."""
    for command in DOCUMENTS:
        document = valid(deleted, *command)
        summary = document["summary"]
        assert isinstance(summary, dict)
        assert "out_of_scope" not in summary
        assert summary["unmanaged"] == 0
        outside = document["out_of_scope"]
        assert isinstance(outside, list)
        (found,) = outside
        assert (found["address"], found["schedule_id"], found["account"]) == (
            "harbor/id:live-3",
            schedule_id(3),
            email(3),
        )


def assert_silent(extcal: Extcal, *options: str, code: int = 0) -> None:
    """Nothing is said of it in any format."""
    for command in FOR_PEOPLE:
        ran = extcal(*command, *options)
        assert ran.code == code, ran.err
        assert "out of scope" not in ran.out
    for command in DOCUMENTS:
        assert "out_of_scope" not in valid(extcal, *command, *options)


def test_with_scope_site_it_is_unmanaged(deleted: Extcal) -> None:
    """Then the manifests answer for it."""
    deleted.write(site(more="scope: site"), connection(0, more=BUSY), connection(1, more=BUSY))
    assert_silent(deleted)
    assert "1 unmanaged" in deleted("plan", "manifests").out


def test_what_is_disconnected_is_not_connected(deleted: Extcal) -> None:
    """The service lists it still."""
    gone = replace(harbor(3).connections[0], status=Status.DISCONNECTED)
    deleted.on(world(replace(harbor(0, 1), connections=(*harbor(0, 1).connections, gone))))
    assert_silent(deleted)


@pytest.mark.parametrize("chosen", [("--connection", "staff-0"), ("--schedule", schedule_id(0))])
def test_of_chosen_connections_nothing_is_said(deleted: Extcal, chosen: tuple[str, str]) -> None:
    """What else is on the site may not even be read."""
    assert_silent(deleted, *chosen)


def test_of_a_site_that_was_read_in_part_nothing_is_said(deleted: Extcal) -> None:
    """Nobody can know what was not read."""

    def in_part(content: bytes) -> bytes:
        answer = json.loads(content)
        return json.dumps(answer | {"failedProviderIds": ["other"]}).encode() if "connections" in answer else content

    with stand_in(deleted.sandbox.endpoint, lambda method, path: (method, path), shown=in_part) as endpoint:
        assert_silent(deleted, "--endpoint", endpoint)


def test_where_a_schedule_is_not_found_nothing_is_said(deleted: Extcal) -> None:
    """The connection may be on the one that is meant."""
    unknown = connection(4).replace(f"id: {schedule_id(4)}", "name: Nobody")
    deleted.write(site(), connection(0, more=BUSY), connection(1, more=BUSY), unknown)
    for command in FOR_PEOPLE:
        assert "out of scope" not in deleted(*command).out


def test_a_comparison_names_the_deleted_one_and_counts_all(deleted: Extcal) -> None:
    """`--base-dir` says whose manifest was deleted; the summary is as without."""
    deleted.write(
        site(), connection(0, more=BUSY), connection(1, more=BUSY), connection(3, more=BUSY), to="base/all.yaml"
    )
    ran = deleted("plan", "manifests", "--base-dir", "base")
    assert ONE in ran.out
    assert "harbor/staff-3 is no longer declared and its schedule is out of scope" in ran.err


def test_very_many_are_counted_and_the_first_named(extcal: Extcal) -> None:
    """Those of a site that nobody has begun to declare don't drown what is declared."""
    extcal.on(world(harbor(*range(30), schedules=30), accounts=30))
    extcal.write(site(), connection(0, more=BUSY))
    out = extcal("status", "manifests").out
    assert out.count("id:live-") == 20
    assert "and 9 more, which --format json lists" in out
    assert "29 connections are out of scope and stay connected; see above. To disconnect them, declare them" in out
    assert asked(extcal) == THREE
    found = valid(extcal, "status", "manifests", "--format", "json")["out_of_scope"]
    assert isinstance(found, list)
    assert len(found) == 29


def test_apply_shows_it_before_it_asks(deleted: Extcal) -> None:
    """With the plan, from manifests as from a saved plan; it is in no plan's digest."""
    assert f"{ONE}; see extcal status manifests\n" in deleted("apply", "manifests", "--auto-approve").out
    assert deleted("plan", "manifests", "--out", "with.plan").code == 0
    assert f"{ONE}; see extcal status PATH\n" in deleted("apply", "--plan", "with.plan", "--auto-approve").out
    deleted.on(world(harbor(0, 1)))
    assert deleted("plan", "manifests", "--out", "without.plan").code == 0
    saved = [json.loads((deleted.folder / f"{name}.plan").read_text()) for name in ("with", "without")]
    assert saved[0]["digest"] == saved[1]["digest"]


def test_what_shards_found_is_joined(deleted: Extcal) -> None:
    """Documents and saved plans alike."""
    for command in DOCUMENTS:
        (deleted.folder / "part.json").write_text(deleted(*command).out)
        merged = json.loads(deleted("merge", "part.json").out)
        assert len(merged["out_of_scope"]) == 1
    assert deleted("plan", "manifests", "--out", "part.plan").code == 0
    assert f"{ONE}; see extcal status PATH\n" in deleted("merge", "part.plan").out
