"""The Indexed Job for a fleet on Kubernetes: locked down as it should be, and its commands do what they say."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler import planfile
from tests.support.cli.command import Extcal
from tests.support.tools import ROOT

EXAMPLE = ROOT / "examples" / "fleet" / "kubernetes-indexed-job.yaml"

Json = dict[str, Any]


def documents() -> dict[tuple[str, str], Json]:
    """The objects of the file by kind and name."""
    found = [each for each in yaml.safe_load_all(EXAMPLE.read_text()) if each]
    return {(each["kind"], each["metadata"]["name"]): each for each in found}


def pod(job: str) -> Json:
    """The pod of a job."""
    found: Json = documents()["Job", job]["spec"]["template"]["spec"]
    return found


def containers(job: str) -> Iterator[Json]:
    """Every container of a job."""
    yield from pod(job).get("initContainers", [])
    yield from pod(job)["containers"]


def test_there_are_a_volume_and_two_jobs() -> None:
    """The plans lie in a volume that pods of several nodes share."""
    assert set(documents()) == {
        ("PersistentVolumeClaim", "extcal-plans"),
        ("Job", "extcal-plan"),
        ("Job", "extcal-merge"),
    }
    assert documents()["PersistentVolumeClaim", "extcal-plans"]["spec"]["accessModes"] == ["ReadWriteMany"]


def test_the_job_is_indexed_and_as_many_shards_as_it_says() -> None:
    """completions, --shard and the files to join are of one number; the merge waits until somebody lets it run."""
    spec = documents()["Job", "extcal-plan"]["spec"]
    assert spec["completionMode"] == "Indexed"
    (container,) = pod("extcal-plan")["containers"]
    assert f"--shard=auto/{spec['completions']}" in container["command"]
    assert spec["parallelism"] <= spec["completions"]
    (merge,) = pod("extcal-merge")["containers"]
    shards = [word for word in merge["command"] if re.search(r"shard-\d", word)]
    assert shards == [f"/plans/shard-{index}.plan" for index in range(spec["completions"])]
    assert documents()["Job", "extcal-merge"]["spec"]["suspend"] is True
    assert "patch job extcal-merge" in EXAMPLE.read_text()


@pytest.mark.parametrize("job", ["extcal-plan", "extcal-merge"])
def test_nothing_runs_with_more_than_it_needs(job: str) -> None:
    """No root, no writing outside of volumes, no capability, no token of the cluster, bounded in memory and time."""
    spec = documents()["Job", job]["spec"]
    assert spec["activeDeadlineSeconds"] <= 3600
    assert pod(job)["automountServiceAccountToken"] is False
    assert pod(job)["securityContext"]["runAsNonRoot"] is True
    assert pod(job)["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in containers(job):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["limits"]["memory"]
        volumes = {volume["name"] for volume in pod(job)["volumes"]}
        assert {mount["name"] for mount in container["volumeMounts"]} <= volumes


def test_secrets_come_from_a_secret_and_state_goes_to_a_volume() -> None:
    """No value of a secret stands in the file; what extcal writes goes where it may write."""
    (container,) = pod("extcal-plan")["containers"]
    env = {each["name"]: each for each in container["env"]}
    assert env["EXTCAL_API_KEY"]["valueFrom"] == {"secretKeyRef": {"name": "extcal", "key": "EXTCAL_API_KEY"}}
    writable = {mount["mountPath"] for mount in container["volumeMounts"] if not mount.get("readOnly")}
    assert {env["EXTCAL_STATE_DIR"]["value"], env["HOME"]["value"]} <= writable
    assert [each for job in ("extcal-plan", "extcal-merge") for c in containers(job) for each in c.get("env", [])
            if "EXTCAL_" in each["name"] and "KEY" in each["name"] and "value" in each] == []  # fmt: skip


def words(job: str, folder: Path, **variables: str) -> list[str]:
    """A container's command as Kubernetes starts it, its volumes in a folder."""
    (container,) = pod(job)["containers"]
    named = [re.sub(r"\$\((\w+)\)", lambda found: variables[found[1]], word) for word in container["command"]]
    moved = [word.replace("/repository/clone/", f"{folder}/").replace("/plans/", f"{folder}/plans/") for word in named]
    assert moved[0] == "extcal"
    return moved[1:]


def test_its_commands_find_what_the_whole_finds(sites: Extcal) -> None:
    """Four pods and the merge give the plan of the fleet, and 2 while something differs."""
    (sites.folder / "plans").mkdir()
    for index in range(4):
        env = {"JOB_COMPLETION_INDEX": str(index)}
        ran = sites(*words("extcal-plan", sites.folder, **env), env=env | {"EXTCAL_STATE_DIR": str(sites.folder / "s")})
        assert ran.code == 0, ran.err
    merged = sites(*words("extcal-merge", sites.folder))
    assert (merged.code, merged.err) == (2, "")
    whole = sites("plan", "manifests", "--out", "whole.json")
    assert merged.out == whole.out
    joined, at_once = (planfile.load(sites.folder / file) for file in ("plans/fleet.plan", "whole.json"))
    assert joined.with_ids({}) == at_once.with_ids({})
