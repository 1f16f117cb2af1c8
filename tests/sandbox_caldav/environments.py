"""The servers and the witness live in environments of their own: they bring packages that ours must not meet.

`EXTCAL_TEST_CALDAV_VENVS` names a folder where they are already, by name; otherwise they are made once and kept in
pytest's cache, and the tests that need them are skipped where PyPI can't be reached.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable

VARIABLE = "EXTCAL_TEST_CALDAV_VENVS"
PACKAGES = {
    "radicale": ("radicale>=3.5,<4",),
    "xandikos": (
        "xandikos>=0.4,<0.5",
        "cryptography",
    ),  # it serves passwords over TLS alone, with a certificate it makes
    "witness": ("caldav>=3,<4",),
}


def environment(name: str, config: pytest.Config) -> Path:
    """The Python of an environment; skips the test that asks where it can't be made."""
    prepared = os.environ.get(VARIABLE)
    if prepared:
        python = Path(prepared) / name / "bin" / "python"
        assert python.exists(), (
            f"{VARIABLE}: no {python}; make it with: python -m tests.sandbox_caldav.environments {prepared}"
        )
        return python
    cache = config.cache
    assert cache is not None
    folder = cache.mkdir(f"caldav-venvs-{sys.version_info.major}.{sys.version_info.minor}")
    try:
        return make(folder, name)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        said = str(error.stderr or error).strip()[-200:]
        return pytest.skip(f"{name} can't be installed ({said}); {VARIABLE} names a folder with it")


def make(folder: Path, name: str) -> Path:
    """Make an environment unless it is there; raises `CalledProcessError` or `TimeoutExpired` where pip fails."""
    python, done = folder / name / "bin" / "python", folder / f"{name}.made"
    made = "\n".join(PACKAGES[name])
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists() or done.read_text() != made:
            _run([sys.executable, "-m", "venv", "--clear", str(folder / name)])
            _run([str(python), "-m", "pip", "install", "--quiet", *PACKAGES[name]])
            done.write_text(made)
    return python


def _run(command: Iterable[str]) -> None:
    subprocess.run(list(command), check=True, capture_output=True, text=True, timeout=600)


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    for each in PACKAGES:
        make(target, each)
