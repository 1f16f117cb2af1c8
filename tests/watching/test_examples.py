"""The service for systemd and the manifest for Kubernetes: their commands run, and they hold what they promise."""

import configparser
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.cli.command import Extcal
from tests.support.cli.watcher import Watcher
from tests.support.cli.worlds import BUSY, KEY, connection, harbor, site, world
from tests.support.github.runner import BASH
from tests.support.tools import needs_bash, needs_git
from tests.watching.repositories import Repositories, git

_EXAMPLES = Path(__file__).parents[2] / "examples" / "watch"
_UNIT = _EXAMPLES / "extcal-watch.service"
_SH = shutil.which("sh") or "/bin/sh"


class _Repeated(dict[str, str]):
    """An option that is repeated is the lines of all of them."""

    def __setitem__(self, name: str, value: Any) -> None:  # noqa: ANN401 - configparser hands lists over, then texts
        if name in self and isinstance(value, list):
            value = [*self[name], *value]
        super().__setitem__(name, value)


@pytest.fixture(scope="module")
def service() -> configparser.SectionProxy:
    """The section of the unit that says what runs."""
    parser = configparser.RawConfigParser(strict=False, dict_type=_Repeated, delimiters=("=",), comment_prefixes=("#",))
    parser.optionxform = str  # type: ignore[assignment,method-assign] # systemd's names keep their case
    parser.read(_UNIT)
    return parser["Service"]


@pytest.fixture(scope="module")
def documents() -> dict[str, dict[str, Any]]:
    """The manifest's objects by their kind."""
    return {each["kind"]: each for each in yaml.safe_load_all((_EXAMPLES / "kubernetes.yaml").read_text())}


@pytest.fixture
def origin(extcal: Extcal, tmp_path: Path) -> Repositories:
    """A repository whose folder `manifests` declares what is connected already."""
    extcal.on(world(harbor(0)))
    repositories = Repositories(tmp_path, tmp_path / "unused")
    (repositories.work / "manifests").mkdir()
    git(repositories.work, "mv", "all.yaml", "manifests/all.yaml")
    manifests = (site(), connection(0, more=BUSY))
    (repositories.work / "manifests" / "all.yaml").write_text("".join(manifests), encoding="utf-8")
    git(repositories.work, "commit", "--quiet", "--all", "--message", "a folder")
    git(repositories.work, "push", "--quiet", "origin", "main")
    return repositories


def reconciles(extcal: Extcal, words: list[str], env: dict[str, str]) -> None:
    """The command of an example, on a free port, pulls and has a good round; its probes are answered with yes."""
    words = [re.sub(r"(\d|\.)+:9464$", "127.0.0.1:0", word) for word in words]
    assert any("127.0.0.1:0" in word for word in words)
    with extcal.started(*words[1:], "--verbose", env=env) as process:
        watcher = Watcher(process)
        try:
            watcher.ready()
            watcher.until("round good: 1 sites")
            assert watcher.get("/healthz").status_code == watcher.get("/readyz").status_code == 200
            assert watcher.sample("extcal_git_pulls_total", result="good") == 1
            assert watcher.end() == 0
        finally:
            watcher.close()


def before(service: configparser.SectionProxy) -> list[str]:
    """What the unit runs before it watches, as systemd hands it to the shell."""
    shell, option, script = shlex.split(service["ExecStartPre"])
    assert (shell, option) == ("/bin/bash", "-c")
    return [BASH, option, script.replace("$$", "$")]


@needs_bash
def test_who_clones_for_the_service_sees_no_secret(service: configparser.SectionProxy, tmp_path: Path) -> None:
    """The variables that the operator has given to the service are taken away before git runs."""
    git_seen = tmp_path / "seen"
    (tmp_path / "git").write_text(f'#!/bin/sh\nenv >"{git_seen}"\n')
    (tmp_path / "git").chmod(0o755)
    path = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "STATE_DIRECTORY": str(tmp_path), "REPOSITORY": "r"}
    secrets = {"EXTCAL_API_KEY": KEY, "EXTCAL_SMTP_PASSWORD": "seagull-lantern-41"}
    subprocess.run(before(service), env=os.environ | path | secrets, check=True, timeout=120)
    assert "EXTCAL_" not in git_seen.read_text()


@needs_git
@needs_bash
def test_the_commands_of_the_service_run(
    service: configparser.SectionProxy, extcal: Extcal, origin: Repositories, tmp_path: Path
) -> None:
    """What the unit clones is what it watches, with its state where the unit says, and again after a restart."""
    state = tmp_path / "lib" / "extcal"
    state.mkdir(parents=True)
    env = {"STATE_DIRECTORY": str(state), "EXTCAL_STATE_DIR": f"{state}/state", "REPOSITORY": str(origin.origin)}
    assert "EXTCAL_STATE_DIR=%S/extcal/state" in service["Environment"]
    for _ in range(2):
        subprocess.run(before(service), env=os.environ | env, check=True, timeout=120)
    words = shlex.split(service["ExecStart"].replace("%S", str(tmp_path / "lib")))
    assert words[0].endswith("/extcal")
    reconciles(extcal, words, env)
    assert (state / "state").is_dir()


def test_systemd_finds_no_fault(service: configparser.SectionProxy, tmp_path: Path) -> None:
    """Systemd takes the unit as it is, and calls it well confined; where it is not there, the unit can be parsed."""
    program = service["ExecStart"].split()[0]
    assert service["ExecReload"] == "/bin/kill -HUP $MAINPID"
    assert service["DynamicUser"] == service["NoNewPrivileges"] == "yes"
    assert service["ProtectSystem"] == "strict"
    assert int(service["TimeoutStopSec"]) > 120
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        return
    (tmp_path / _UNIT.name).write_text(_UNIT.read_text().replace(program, "/bin/true"))
    for words in (["verify"], ["security", "--offline=true", "--no-pager", "--threshold=20"]):
        done = subprocess.run(
            [analyze, *words, str(tmp_path / _UNIT.name)], capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0, done.stdout + done.stderr


@needs_git
def test_the_commands_of_the_pod_run(
    documents: dict[str, dict[str, Any]], extcal: Extcal, origin: Repositories, tmp_path: Path
) -> None:
    """The pod clones where it watches; its probes are pages that are there."""
    pod = documents["Deployment"]["spec"]["template"]["spec"]
    clone = next(each for each in pod["initContainers"] if each["name"] == "clone")
    (watch,) = pod["containers"]
    (script,) = clone["args"]
    env = {"REPOSITORY": str(origin.origin), "EXTCAL_STATE_DIR": str(tmp_path / "state")}
    (tmp_path / "pod").mkdir()
    for _ in range(2):
        words = [_SH, *clone["command"][1:], script.replace("/work/", f"{tmp_path}/pod/")]
        subprocess.run(words, env=os.environ | env, check=True, timeout=120)
    assert {watch["livenessProbe"]["httpGet"]["path"], watch["readinessProbe"]["httpGet"]["path"]} == {
        "/healthz",
        "/readyz",
    }
    words = [*watch["command"], *(word.replace("/work/", f"{tmp_path}/pod/") for word in watch["args"])]
    reconciles(extcal, words, env)


def test_only_the_container_that_watches_has_the_secrets(documents: dict[str, dict[str, Any]]) -> None:
    """Packages are installed, and the clone is made, by containers that are given none."""
    pod = documents["Deployment"]["spec"]["template"]["spec"]
    for container in pod["initContainers"]:
        assert "envFrom" not in container
        assert not [each for each in container["env"] if each["name"].startswith("EXTCAL_") or "valueFrom" in each]


def test_the_pod_is_one_and_confined(documents: dict[str, dict[str, Any]]) -> None:
    """One at a time, not root, its file systems read-only, its state on a volume, its secrets from Secrets."""
    assert set(documents) == {"Deployment", "PersistentVolumeClaim", "NetworkPolicy"}
    spec = documents["Deployment"]["spec"]
    assert (spec["replicas"], spec["strategy"]["type"]) == (1, "Recreate")
    labels = spec["template"]["metadata"]["labels"]
    assert spec["selector"]["matchLabels"] == labels
    assert documents["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"] == labels
    pod = spec["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["automountServiceAccountToken"] is False
    assert pod["terminationGracePeriodSeconds"] > 120
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    claim = documents["PersistentVolumeClaim"]["metadata"]["name"]
    assert volumes["state"]["persistentVolumeClaim"]["claimName"] == claim
    for container in (*pod["initContainers"], *pod["containers"]):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["limits"]["memory"]
        assert {mount["name"] for mount in container["volumeMounts"]} <= set(volumes)
    (watch,) = pod["containers"]
    assert watch["envFrom"] == [{"secretRef": {"name": "extcal-secrets"}}]
    state = next(each["value"] for each in watch["env"] if each["name"] == "EXTCAL_STATE_DIR")
    assert state in {mount["mountPath"] for mount in watch["volumeMounts"]}


def test_no_example_holds_a_secret_or_more_than_it_needs(bare: Extcal) -> None:
    """Nothing in the files is a key; every option that they use is one of the command's."""
    known = bare("watch", "--help").out
    for file in _EXAMPLES.iterdir():
        text = file.read_text()
        assert KEY not in text
        command = "\n".join(
            line for line in text.splitlines() if "ExecStart=" in line or line.strip().startswith("- --")
        )
        for option in re.findall(r"--[a-z-]+", command):
            assert option in known
