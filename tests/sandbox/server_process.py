"""A sandbox in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tests.support.sandbox.api import Api, client

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SERVE = """
import json, sys
from pathlib import Path
from reconciler.sandbox.server import serve
serve(Path(sys.argv[1]), port=0, ready=lambda sandbox: print(json.dumps(sandbox.ready()), flush=True))
"""


@contextmanager
def served(data: Path) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """A sandbox served by another process, and its ready line."""
    command = [sys.executable, "-W", "error", "-c", SERVE, str(data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, process.communicate()[1]
            yield process, json.loads(line)
        finally:
            process.kill()


@contextmanager
def serving(tmp_path: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """`extcal sandbox serve`, stopped as by Ctrl-C when the block is over."""
    command = [sys.executable, "-W", "error", "-m", "reconciler", "sandbox", "serve", "--data", str(tmp_path / "data")]
    with subprocess.Popen([*command, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def opened(endpoint: str, api_key: str) -> Iterator[Api]:
    """A client of a sandbox."""
    with client(endpoint, api_key) as http:
        yield Api(http)
