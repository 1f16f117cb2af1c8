"""The servers and the witness live in environments of their own: they bring packages that ours must not meet.

`make tools` makes them, beside the packages of the environment that the tests run in; without them the tests that need
them are skipped.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable

FOLDER = Path(sys.prefix) / "caldav"
PACKAGES = {
    "radicale": ("radicale>=3.5,<4",),
    "xandikos": (
        "xandikos>=0.4,<0.5",
        "cryptography",
    ),  # it serves passwords over TLS alone, with a certificate it makes
    "witness": ("caldav>=3,<4",),
}


def environment(name: str) -> Path:
    """The Python of an environment; skips the test that asks where it was not made."""
    if not _is_made(name):
        pytest.skip("real CalDAV servers: make tools")
    return _python(name)


def make(name: str) -> Path:
    """Make an environment unless it is there; its Python.

    Raises `CalledProcessError` or `TimeoutExpired` where pip fails.
    """
    if not _is_made(name):
        FOLDER.mkdir(exist_ok=True)
        _run([sys.executable, "-m", "venv", "--clear", str(FOLDER / name)])
        _run([str(_python(name)), "-m", "pip", "install", "--quiet", *PACKAGES[name]])
        _record(name).write_text(_wanted(name))
    return _python(name)


def _is_made(name: str) -> bool:
    return _record(name).exists() and _record(name).read_text() == _wanted(name)


def _python(name: str) -> Path:
    return FOLDER / name / "bin" / "python"


def _record(name: str) -> Path:
    return FOLDER / f"{name}.made"


def _wanted(name: str) -> str:
    return "\n".join(PACKAGES[name])


def _run(command: Iterable[str]) -> None:
    subprocess.run(list(command), check=True, capture_output=True, text=True, timeout=600)


if __name__ == "__main__":
    for each in PACKAGES:
        make(each)
