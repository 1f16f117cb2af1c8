"""The peers that do the like for something else: octoDNS, from PyPI in an environment of its own, and Terraform.

Both are given as many things as the fleet has connections, all of them as they should be.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from tests.benchmarks.fleet.runs import Command, FailedError, words
from tests.benchmarks.fleet.worlds import Fleet, account, provider_of, schedule_id, site_name

_OCTODNS = "octodns>=1.22,<2"
_LONGEST_INSTALL = 600
_BUILT_IN = 'provider["terraform.io/builtin/terraform"]'


def octodns(folder: Path) -> Path:
    """The programs of octoDNS, installed below `folder` unless they are there; FailedError where that can't be done."""
    home = folder / "octodns"
    programs = home / "bin"
    if not (programs / "octodns-sync").exists():
        try:
            for command in (
                [sys.executable, "-m", "venv", "--clear", str(home)],
                [str(programs / "python"), "-m", "pip", "install", "--quiet", _OCTODNS],
            ):
                subprocess.run(command, check=True, capture_output=True, text=True, timeout=_LONGEST_INSTALL)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            raise FailedError(f"octoDNS can't be installed: {str(error.stderr or error).strip()[-300:]}") from None
    return programs


def write_zones(fleet: Fleet, folder: Path) -> None:
    """A zone for each site and a record for each connection, the same ones on both sides."""
    for side in ("config", "live"):
        (folder / side).mkdir(parents=True)
    zones = []
    for site in range(fleet.sites):
        zone = f"{site_name(site)}.example."
        records = (_record(number) for number in fleet.numbers(site))
        text = "---\n" + "".join(records)
        for side in ("config", "live"):
            (folder / side / f"{zone}yaml").write_text(text)
        zones.append(f"  {zone}:\n    sources: [config]\n    targets: [live]\n")
    sides = (_yaml_provider(side, folder / side) for side in ("config", "live"))
    (folder / "octodns.yaml").write_text(f"providers:\n{''.join(sides)}zones:\n{''.join(zones)}")


def _record(number: int) -> str:
    return f"staff-{number:05}:\n  ttl: 300\n  type: A\n  value: 192.0.2.{number % 250 + 1}\n"


def _yaml_provider(name: str, folder: Path) -> str:
    return f"  {name}:\n    class: octodns.provider.yaml.YamlProvider\n    directory: {folder}\n    default_ttl: 300\n"


def octodns_plan(programs: Path, zones: Path) -> Command:
    """`octodns-sync` without `--doit`."""
    return Command(words(programs / "octodns-sync", "--config-file", zones / "octodns.yaml"))


def octodns_validate(programs: Path, zones: Path) -> Command:
    """`octodns-validate`."""
    return Command(words(programs / "octodns-validate", "--config-file", zones / "octodns.yaml"))


def terraform() -> str | None:
    """Terraform's path, if it is on this machine."""
    return shutil.which("terraform")


def write_resources(program: str, count: int, folder: Path) -> None:
    """So many `terraform_data`, and a state that has them all: `apply` would take minutes to make it."""
    folder.mkdir(parents=True)
    (folder / "main.tf").write_text("\n".join(map(_block, range(count))))
    state = {
        "version": 4,
        "terraform_version": "1.0.0",
        "serial": 1,
        "lineage": "3e47ec65-2975-447c-a7ed-75041e850d5e",
        "outputs": {},
        "resources": [_resource(number) for number in range(count)],
    }
    (folder / "terraform.tfstate").write_text(json.dumps(state))
    done = subprocess.run(
        [program, "init", "-input=false", "-no-color"], cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise FailedError(f"terraform init failed: {done.stderr.strip()[-300:]}")


def _input(number: int) -> dict[str, object]:
    """What a connection says, as a manifest and the policy that it names do."""
    return {
        "site": site_name(0),
        "schedule": schedule_id(number),
        "provider": provider_of(number).word,
        "account": account(0, number),
        "import": {"enabled": True, "calendar": "primary"},
        "export": {"enabled": True, "calendar": "primary"},
    }


def _block(number: int) -> str:
    # JSON's objects are expressions of Terraform's language, too.
    text = json.dumps(_input(number), indent=2)
    return f'resource "terraform_data" "staff_{number:05}" {{\n  input = {text}\n}}\n'


def _type(value: object) -> object:
    """The type of a value, as a state says it."""
    if isinstance(value, dict):
        return ["object", {name: _type(field) for name, field in value.items()}]
    return "bool" if isinstance(value, bool) else "string"


def _resource(number: int) -> dict[str, object]:
    value = {"value": _input(number), "type": _type(_input(number))}
    attributes = {
        "id": schedule_id(number),
        "input": value,
        "output": value,
        "triggers_replace": None,
    }
    return {
        "mode": "managed",
        "type": "terraform_data",
        "name": f"staff_{number:05}",
        "provider": _BUILT_IN,
        "instances": [{"schema_version": 0, "attributes": attributes, "sensitive_attributes": []}],
    }


def terraform_plan(program: str, folder: Path) -> Command:
    """A plan, which must find nothing to do: its detailed exit code says so."""
    return Command(words(program, "plan", "-input=false", "-no-color", "-detailed-exitcode"), folder)
