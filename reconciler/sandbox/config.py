"""Reads the sandbox's config file: which provider's calendars are on a CalDAV server.

The calendars of all others are in folders.

Passwords go where it says, so it is read only where whoever starts the sandbox names it.

apple:
  caldav:
    url: https://calendars.harbor-dental.example/
    hosts: [home.harbor-dental.example]    # where credentials may go too, beside the url's own host
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import yaml

from reconciler.sandbox.errors import SandboxError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CONFIG = "sandbox.yaml"
"""The name in a data folder under which a config file may lie, but is not read by itself."""

_MAX_CONFIG = 64 * 1024
_SHAPE = "Write it as `apple: {caldav: {url: https://…, hosts: […]}}`"


@dataclass(frozen=True, slots=True)
class CalDavServer:
    """A server; credentials go to the url's host and to `hosts`, and nowhere else."""

    url: str
    hosts: tuple[str, ...]


def refuse_unnamed(data: Path) -> None:
    """Raise `SandboxError` where the folder `data` has a config file, and nobody named one.

    It may have come with whatever brought the folder here. Without it passwords would be compared with the folders of
    accounts, and connections to a server be taken for broken.
    """
    path = data / CONFIG
    if os.path.lexists(path):
        raise SandboxError(
            f"{path}: not used, because passwords would go to the servers that it names. If it is yours, pass "
            f"--sandbox-config {path}; if not, delete it."
        )


def read_config(path: Path) -> dict[str, CalDavServer]:
    """The servers that the config file assigns, by the providers' slugs.

    An error says what is wrong, and where.

    Raises `SandboxError`.
    """
    try:
        with path.open("rb") as file:
            text = file.read(_MAX_CONFIG + 1)
    except OSError as error:
        raise SandboxError(f"{path}: can't be read ({error.strerror})") from error
    if len(text) > _MAX_CONFIG:
        raise SandboxError(f"{path}: larger than {_MAX_CONFIG} bytes. {_SHAPE}")
    try:
        said = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        problem = " ".join(str(error).split()) or type(error).__name__
        raise SandboxError(f"{path}: is not YAML ({problem[:300]})") from error
    providers = _mapping(path, "", {} if said is None else said)
    return {str(slug): _server(path, str(slug), value) for slug, value in providers.items()}


def _server(path: Path, slug: str, value: object) -> CalDavServer:
    assigned = _mapping(path, slug, value, only=("caldav",))
    where = f"{slug}.caldav"
    server = _mapping(path, where, assigned.get("caldav"), only=("url", "hosts"))
    url, hosts = server.get("url"), server.get("hosts", [])
    if not isinstance(url, str) or not url:
        raise _fault(path, f"{where}.url", "must be the address of a CalDAV server")
    if not isinstance(hosts, list) or not all(isinstance(host, str) and host for host in hosts):
        raise _fault(path, f"{where}.hosts", "must be a list of host names")
    return CalDavServer(url, tuple(hosts))


def _mapping(path: Path, where: str, value: object, *, only: tuple[str, ...] | None = None) -> Mapping[object, object]:
    if not isinstance(value, dict):
        raise _fault(path, where, "must be a mapping")
    unknown = [] if only is None else [name for name in value if name not in only]
    if unknown and only is not None:
        raise _fault(path, f"{where}.{unknown[0]}", f"is an unknown key. Known keys: {', '.join(only)}")
    return value


def _fault(path: Path, where: str, what: str) -> SandboxError:
    return SandboxError(f"{path}: {where or 'the file'} {what}. {_SHAPE}")
