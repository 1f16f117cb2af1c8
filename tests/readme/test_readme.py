"""Every command of the README runs, and the quickstart shows what the README quotes of it."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from reconciler.cli.main import main
from tests.support.cli.command import Ran
from tests.support.tools import needs_git

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
ENVIRONMENT = {
    "PYTHONPATH": str(ROOT),
    "EXTCAL_SANDBOX": "world",
    "EXTCAL_LEE_APP_PASSWORD": "seagull-lantern-41",
    "EXTCAL_DR_LEE_APPLE_PASSWORD": "seagull-lantern-41",
}
# Beyond 0: changes are pending, consent is awaited.
FINE = {0, 2, 3}


def run(command: str) -> Ran:
    """Run one line of a shell in the working directory; in this process, if it is nothing but words."""
    words = shlex.split(command)
    if words[0] == "extcal" and not set(command) & set("|<>&;$`*"):
        ended = CliRunner(env=ENVIRONMENT).invoke(main, words[1:], catch_exceptions=False)
        return Ran(ended.exit_code, ended.stdout, ended.stderr)
    line = re.sub("^extcal ", f"{shlex.quote(sys.executable)} -m reconciler ", command)
    done = subprocess.run(
        ["/bin/sh", "-c", line],
        env=os.environ | ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def commands() -> list[str]:
    """The extcal commands of the README's console blocks, in order, without the remarks behind them."""
    blocks = re.findall(r"```console\n(.*?)```", README, re.DOTALL)
    lines = [line.removeprefix("$ ") for block in blocks for line in block.splitlines() if line.startswith("$ extcal ")]
    return [re.sub(r"\s{2,}#.*", "", line) for line in lines]


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A config repository that has the examples, manifests pulled from a sandbox, and an origin."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    assert run("extcal apply examples/quickstart/ --auto-approve --consent skip").code == 3
    pulled = run("extcal pull --site-id 7a3f0c1e-5d2b-4f6a-9c8e-1b2d3e4f5a6b --output manifests")
    assert pulled.code == 0, pulled.err
    somebody = "-c user.name=Ops -c user.email=ops@harbor-dental.example"
    script = f"git init -q && git add manifests && git {somebody} commit -qm pulled"
    assert run(f"{script} && git update-ref refs/remotes/origin/main HEAD").code == 0
    return tmp_path


def change_something(folder: Path) -> None:
    """Edit a manifest, as a pull request would."""
    for path in (folder / "manifests").rglob("*.yaml"):
        path.write_text(path.read_text().replace("{enabled: true, dedicatedCalendar: {}}", "{enabled: false}"))


@needs_git
def test_every_command_of_the_readme_runs(workplace: Path) -> None:
    """In the order of the page, each command ends as it should; what would ask or serve is told not to."""
    found = commands()
    assert len(found) > 15
    for command in found:
        if " sandbox serve" in command or " watch " in command:
            continue
        if " --base " in command:
            change_something(workplace)
        unattended = command
        if " apply " in command:
            unattended += " --consent skip" + ("" if "--auto-approve" in command else " --auto-approve")
        ran = run(unattended)
        assert ran.code in FINE, f"{command}: {ran.err}"
        assert "Traceback" not in ran.err


def test_the_quickstart_shows_what_the_readme_quotes(tmp_path: Path) -> None:
    """Every line of the quoted terminal is a line of the example's own run."""
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    script = bin_folder / "extcal"
    script.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m reconciler "$@"\n')
    script.chmod(0o755)
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PATH": f"{bin_folder}:{os.environ['PATH']}"}
    ran = subprocess.run(
        ["/bin/sh", "examples/quickstart/run.sh", str(tmp_path / "world")],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    shown = {line.rstrip() for line in ran.stdout.replace(str(tmp_path / "world"), ".extcal/quickstart").splitlines()}
    block = re.search(r"```text\n(.*?)```", README, re.DOTALL)
    assert block is not None
    quoted = [line.rstrip() for line in block[1].splitlines() if line.strip() not in {"", "…"}]
    assert [line for line in quoted if line not in shown] == []
    assert "X-EXTCAL-EXPORT:" in ran.stdout


def test_a_served_sandbox_is_what_the_readme_says(tmp_path: Path) -> None:
    """`sandbox serve` says how to reach it, and ends in good order when interrupted."""
    with subprocess.Popen(
        [sys.executable, "-m", "reconciler", "sandbox", "serve", "--data", str(tmp_path / "data")],
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("Serving the External Calendars API on http://127.0.0.1:")
        assert "export EXTCAL_ENDPOINT=http://127.0.0.1:" in process.stdout.readline()
        process.terminate()
        assert process.wait(timeout=120) == 0
