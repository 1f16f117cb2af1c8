"""A checkout can't run a command where it is the working folder: no program of ours looks for its modules there."""

import sys
from pathlib import Path

from tests.support.cli.command import Extcal
from tests.support.cli.worlds import BUSY, connection, site

_EXTCAL = (str(Path(sys.executable).with_name("extcal")),)
_SANDBOXED = {"EXTCAL_ENDPOINT": None, "EXTCAL_API_KEY": None, "EXTCAL_APP_PASSWORD": "seagull-lantern-41"}


def test_a_module_in_a_checkout_is_not_run(extcal: Extcal, tmp_path: Path) -> None:
    """Files in the working folder are named like modules that extcal needs; its process that reads events, too."""
    trap = tmp_path / "trap"
    for name in ("json", "icalendar", "yaml", "reconciler"):
        (extcal.folder / f"{name}.py").write_text(f"open({str(trap)!r}, 'w').close()\nraise ImportError\n")
    lee = connection(0, more=BUSY).replace("staff0@", "lee@").replace("000000000000", "75041e850d5e")
    extcal.write(site(), lee)
    words = ("apply", "manifests", "--sandbox=data", "--auto-approve")
    with extcal.started(*words, command=_EXTCAL, env=_SANDBOXED) as process:
        process.communicate()
        assert process.returncode == 0
    extcal.write(site(), lee.replace("enabled: true, primaryCalendar: {}", "enabled: false"))
    words = ("plan", "manifests", "--sandbox=data", "--impact")
    with extcal.started(*words, command=_EXTCAL, env=_SANDBOXED) as process:
        out, err = process.communicate()
    assert "busy block" in out, err
    assert not trap.exists()
