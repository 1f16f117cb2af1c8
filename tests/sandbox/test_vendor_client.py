"""The vendor's official JavaScript client works against the sandbox, unchanged but for the host."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from reconciler.sandbox.server import running

SCRIPT = Path(__file__).parents[1] / "js" / "vendor_client.mjs"
NODE = shutil.which("node")
PACKAGES = ("@wix/sdk", "@wix/bookings")


def _node_modules() -> Path:
    return Path(os.environ.get("EXTCAL_TEST_NODE_MODULES") or SCRIPT.parent / "node_modules")


@pytest.mark.skipif(NODE is None, reason="node is not installed")
@pytest.mark.skipif(
    not all((_node_modules() / package / "package.json").is_file() for package in PACKAGES),
    reason="the vendor's client is not installed: npm install --no-package-lock --prefix tests/js",
)
def test_the_vendors_client_does_all_its_methods(tmp_path: Path) -> None:
    """Lists, connects both ways, gets, updates, pages through events, disconnects, and understands every error."""
    with running(tmp_path) as sandbox:
        done = subprocess.run(
            [str(NODE), str(SCRIPT), str(_node_modules())],
            input=json.dumps(sandbox.ready()),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(done.stdout.splitlines()) == SCRIPT.read_text().count("await step(")
