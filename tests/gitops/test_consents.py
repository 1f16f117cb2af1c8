"""How the action extcal asks owners: nobody, by mail, or by links that only who holds a key can read."""

import csv
import io
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.sandbox.server import RunningSandbox, running
from tests.gitops.action import DIGEST, arguments, run
from tests.support.cli.worlds import BUSY, KEY, PASSWORD, connection, email, harbor, site, world
from tests.support.folders import in_memory
from tests.support.github.runner import Ran, Runner
from tests.support.tools import needs_bash

pytestmark = needs_bash


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A private key, and its certificate in `cert.pem` beside it, made as the page says."""
    folder = tmp_path_factory.mktemp("key")
    words = "req -x509 -newkey rsa:3072 -nodes -days 365 -subj /CN=extcal -keyout key.pem -out cert.pem"
    subprocess.run(["openssl", *words.split()], cwd=folder, check=True, capture_output=True, timeout=300)  # noqa: S607 - openssl is on PATH
    return folder / "key.pem"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    """A running sandbox; every test puts the world into it that it needs."""
    with in_memory() as folder, running(Path(folder), world=world(), api_key=KEY) as served:
        yield served


@pytest.fixture
def job(runner: Runner, sandbox: RunningSandbox) -> Runner:
    """A job in a checkout that declares a connection by password and one by consent."""
    sandbox.replace_world(world(harbor()))
    sandbox.requests.clear()
    runner.env |= {"EXTCAL_ENDPOINT": sandbox.endpoint, "EXTCAL_API_KEY": KEY}
    runner.file("manifests/all.yaml", site() + connection(0, more=BUSY) + connection(1, provider="google", more=BUSY))
    return runner


def reviewed(job: Runner) -> dict[str, str]:
    """The inputs of an apply: the plan of the checkout, and its digest."""
    planned = run(job, "plan")
    assert planned.code == 0, planned.log
    path = Path(planned.outputs["plan"]).rename(job.folder / "reviewed.json")
    return {
        "PLAN": str(path),
        "DIGEST": json.loads(path.read_text())["digest"],
        "PASSWORDS": f"EXTCAL_APP_PASSWORD={PASSWORD}",
        "ACCEPT": "3",
    }


def left(job: Runner, ran: Ran) -> str:
    """All that a run leaves behind where others can read it, or on its machine."""
    files = [path for path in job.folder.rglob("*") if path.is_file() and path.name != "reviewed.json"]
    return ran.log + ran.summary + "".join(path.read_bytes().decode("latin-1") for path in files)


def test_links_are_for_whoever_holds_the_key(job: Runner, sandbox: RunningSandbox, key: Path) -> None:
    """With `link` the artifact is encrypted, its key opens it, and no log, summary or file holds a link."""
    job.env["EXTCAL_CONSENT_CERTIFICATE"] = key.with_name("cert.pem").read_text()
    ran = run(job, "apply", CONSENT="link", **reviewed(job))
    assert (ran.code, ran.outputs["exit-code"]) == (0, "3"), ran.log
    words = ["openssl", "cms", "-decrypt", "-inform", "DER", "-in", ran.outputs["links"], "-inkey", str(key)]
    opened = subprocess.run(words, check=True, capture_output=True, text=True, timeout=300)
    (row,) = csv.DictReader(io.StringIO(opened.stdout))
    (link,) = [value for value in row.values() if value.startswith("http")]
    assert email(1) in row.values()
    assert link not in left(job, ran)
    assert f"{sandbox.endpoint}/" not in left(job, ran)


def test_where_no_link_was_made_there_is_no_artifact(job: Runner, key: Path) -> None:
    """A run without owners has no links to hand over."""
    job.file("manifests/all.yaml", site() + connection(0, more=BUSY))
    job.env["EXTCAL_CONSENT_CERTIFICATE"] = key.with_name("cert.pem").read_text()
    ran = run(job, "apply", CONSENT="link", **reviewed(job))
    assert (ran.code, "links" in ran.outputs) == (0, False), ran.log


@pytest.mark.parametrize("certificate", ["", "no certificate", "-----BEGIN CERTIFICATE-----\nMIIB\n"])
def test_links_without_a_certificate_are_refused(echo: Runner, certificate: str) -> None:
    """Before anything is asked for or written."""
    echo.env["EXTCAL_CONSENT_CERTIFICATE"] = certificate
    ran = run(echo, "apply", CONSENT="link", PLAN="reviewed.json", DIGEST=DIGEST)
    assert (ran.code, "EXTCAL_CONSENT_CERTIFICATE" in ran.log) == (64, True)
    assert not (echo.folder / "temp" / "arguments").exists()


@pytest.mark.parametrize(("command", "consent"), [("apply", "wait"), ("apply", ""), ("consents", "link")])
def test_another_way_of_asking_is_refused(echo: Runner, command: str, consent: str) -> None:
    """Nobody waits on a runner, and an owner is reminded by mail or not at all."""
    plan = {"PLAN": "reviewed.json", "DIGEST": DIGEST} if command == "apply" else {}
    ran = run(echo, command, CONSENT=consent, **plan)
    assert (ran.code, "the input consent is" in ran.log) == (64, True)
    assert not (echo.folder / "temp" / "arguments").exists()


def test_mail_is_what_the_operator_has_set(echo: Runner) -> None:
    """What is not configured is not set; the template becomes a file outside the checkout, and nothing of it a word."""
    echo.env |= {"EXTCAL_SMTP_URL": "smtp://mail.example", "EXTCAL_MAIL_REPLY_TO": "", "EXTCAL_MAIL_TEMPLATE": "$(id)"}
    run(echo, "apply", CONSENT="mail", REMIND_AFTER="5d", PLAN="reviewed.json", DIGEST=DIGEST)
    words = arguments(echo)
    assert words[words.index("--consent") :][:4] == ["--consent", "mail", "--remind-after", "5d"]
    environment = dict(
        line.split("=", 1)
        for line in (echo.folder / "temp" / "environment").read_text().splitlines()
        if line.startswith("EXTCAL_")
    )
    assert environment["EXTCAL_SMTP_URL"] == "smtp://mail.example"
    assert not {"EXTCAL_MAIL_REPLY_TO", "EXTCAL_MAIL_TEMPLATE", "EXTCAL_CONSENT_CERTIFICATE"} & environment.keys()
    folder = Path(environment["EXTCAL_MAIL_TEMPLATES"])
    assert folder.is_relative_to(echo.folder / "temp")
    assert (folder / "default.yaml").read_text() == "$(id)\n"


def test_consents_does_nothing_else(echo: Runner) -> None:
    """It is an apply of what is awaited alone, from manifests, whatever else it is told, and takes no plan."""
    run(echo, "consents", CONSENT="mail")
    expected = ["apply", "--format", "text", "--auto-approve", "--only-consents", "--record"]
    log = str(echo.folder / "temp" / "extcal" / "history.jsonl")
    assert arguments(echo) == [*expected, log, "--consent", "mail", "--remind-after", "3d", "--", "manifests"]
    assert run(echo, "consents", PLAN="reviewed.json", DIGEST=DIGEST).code == 64
