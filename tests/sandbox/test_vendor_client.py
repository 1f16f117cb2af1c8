"""The vendor's official JavaScript client works against the sandbox, unchanged but for the host."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from reconciler.sandbox.server import running
from tests.support.tools import NODE, NODE_MODULES, ROOT, needs_vendor_client

SCRIPT = ROOT / "tests" / "js" / "vendor_client.mjs"


@needs_vendor_client
def test_the_vendors_client_does_all_its_methods(tmp_path: Path) -> None:
    """Lists, connects both ways, gets, updates, pages through events, disconnects, and understands every error."""
    with running(tmp_path) as sandbox:
        done = subprocess.run(
            [str(NODE), str(SCRIPT), str(NODE_MODULES)],
            input=json.dumps(sandbox.ready()),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(done.stdout.splitlines()) == SCRIPT.read_text().count("await step(")
