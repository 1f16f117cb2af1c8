"""Owners are asked by mail from hosted runners: once by the run that was approved, and again by the scheduled one."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from reconciler.sandbox.server import RunningSandbox, running
from reconciler.sandbox.world import ExistingConnection
from tests.gitops.action import run
from tests.gitops.hosted import Hosted
from tests.support.cli.worlds import EXPORTING, GOOGLE, KEY, connection, email, harbor, schedule_id, site, world
from tests.support.folders import in_memory
from tests.support.github.runner import Ran
from tests.support.hostile_texts import PAYLOADS
from tests.support.mail_server import MailServer, mail_server
from tests.support.tools import needs_bash

pytestmark = needs_bash

_READS = {"/calendar/v3/schedules/query"}
_MAIL = {"ACCEPT": "3", "CONSENT": "mail"}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    """A running sandbox; every test puts the world into it that it needs."""
    with in_memory() as folder, running(Path(folder), world=world(), api_key=KEY) as served:
        yield served


@pytest.fixture
def mail() -> Iterator[MailServer]:
    """The operator's mail server."""
    with mail_server() as served:
        yield served


@pytest.fixture
def hosted(tmp_path: Path, sandbox: RunningSandbox, mail: MailServer) -> Hosted:
    """The runners of a repository that declares one connection, after an apply that has mailed its owner."""
    sandbox.replace_world(world())
    hosted = Hosted(tmp_path, {"EXTCAL_ENDPOINT": sandbox.endpoint, "EXTCAL_API_KEY": KEY} | mail.environ())
    path = tmp_path / "checkout" / "manifests" / "all.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(site() + connection(1, provider="google", more=EXPORTING))
    planned = Path(run(hosted.start(), "plan").outputs["plan"])
    first = hosted.start()
    plan = {"PLAN": str(planned), "DIGEST": json.loads(planned.read_text())["digest"]}
    applied = run(first, "apply", **plan, **_MAIL)
    assert (applied.code, applied.outputs["exit-code"]) == (0, "3"), applied.log
    hosted.keep(first)
    assert len(mail.to(email(1))) == 1
    sandbox.requests.clear()
    return hosted


def finish(hosted: Hosted) -> Ran:
    """The scheduled run, on a machine of its own, which keeps what the next one gets."""
    runner = hosted.start()
    ran = run(runner, "consents", **_MAIL)
    hosted.keep(runner)
    return ran


def rewrite(hosted: Hosted, **fields: object) -> None:
    """Let what was kept say something else of the one who is awaited."""
    assert hosted.cache is not None
    (path,) = hosted.cache.rglob("consent-requests")
    content = json.loads(path.read_text())
    content["requests"] = [each | fields for each in content["requests"]]
    path.write_text(json.dumps(content))


def days_ago(days: int) -> str:
    """A moment as it is written down."""
    return (datetime.now().astimezone() - timedelta(days=days)).isoformat(timespec="seconds")


def test_an_owner_is_reminded_after_a_while_and_not_before(hosted: Hosted, mail: MailServer) -> None:
    """Who was asked when is handed on: the next day nobody is written to, after the time that was set, once."""
    assert finish(hosted).outputs["exit-code"] == "3"
    assert len(mail.to(email(1))) == 1
    rewrite(hosted, asked_at=[days_ago(4)], awaited_since=days_ago(4))
    for _ in range(2):
        assert finish(hosted).outputs["exit-code"] == "3"
        assert len(mail.to(email(1))) == 2


def test_what_an_owner_agreed_to_is_finished_without_a_word(
    hosted: Hosted, sandbox: RunningSandbox, mail: MailServer
) -> None:
    """Their connection gets its sync config; nobody is written to again."""
    agreed = ExistingConnection(GOOGLE, schedule_id(1), email(1), id="agreed-1")
    sandbox.replace_world(world(replace(harbor(), connections=(agreed,))))
    rewrite(hosted, asked_at=[days_ago(4)], awaited_since=days_ago(4))
    ran = finish(hosted)
    assert ran.outputs["exit-code"] == "0", ran.log
    writes = [each.path for each in sandbox.requests if each.method != "GET" and each.path not in _READS]
    assert [path.rpartition("/")[2] for path in writes] == ["sync-config"]
    assert len(mail.to(email(1))) == 1


def test_an_older_copy_costs_one_message_at_most(hosted: Hosted, mail: MailServer) -> None:
    """Of two machines that begin with the same copy each may write to an owner; then they wait again."""
    rewrite(hosted, asked_at=[days_ago(4)], awaited_since=days_ago(4))
    older = hosted.cache
    finish(hosted)
    assert len(mail.to(email(1))) == 2
    hosted.cache = older
    finish(hosted)
    finish(hosted)
    assert len(mail.to(email(1))) == 3


def test_no_link_is_left_where_others_read(hosted: Hosted, mail: MailServer) -> None:
    """A link is in the message to its owner; no log, summary, cache or file of a machine holds one."""
    rewrite(hosted, asked_at=[days_ago(4)], awaited_since=days_ago(4))
    ran = finish(hosted)
    assert len(mail.received) == 2
    left = ran.log + ran.summary
    left += "".join(path.read_bytes().decode("latin-1") for path in hosted.folder.rglob("*") if path.is_file())
    assert "/consent/" not in left


@pytest.mark.parametrize("name", ["C0", "feigned line", "half a character", "very long"])
def test_a_forged_thread_is_no_header(hosted: Hosted, mail: MailServer, name: str) -> None:
    """What a poisoned copy says of an earlier message adds no header and no recipient, and ends no run."""
    rewrite(
        hosted, asked_at=[days_ago(4)], awaited_since=days_ago(4), thread=f"{PAYLOADS[name]}\r\nBcc: a@evil.example"
    )
    ran = finish(hosted)
    assert ran.outputs["exit-code"] in {"1", "3"}, ran.log
    assert "Traceback" not in ran.log
    for each in mail.received:
        assert each.recipients == (email(1),)
        assert each.message["Bcc"] is None
