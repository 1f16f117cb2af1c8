"""What the reports of a few telling plans and fleets look like, to the letter.

After a change that is meant, `EXTCAL_WRITE_GOLDEN=1 pytest tests/render/test_golden.py` writes the files anew; look at
what changed before keeping it.
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.model.status import FleetStatus
from reconciler.render.html.plan_page import plan_failure_html, plan_html
from reconciler.render.html.status_page import status_html
from reconciler.render.plan_markdown import plan_failure_markdown, plan_markdown
from reconciler.render.plan_text import plan_text
from reconciler.render.status_data import status_json
from reconciler.render.status_markdown import status_failure_markdown, status_markdown
from reconciler.render.status_text import status_text
from tests.render.hostile import HOSTILE
from tests.support.builders.reports import MADE, asked, fleet, fleet_renamed, nothing_to_do, renamed, telling

GOLDEN = Path(__file__).parent / "golden"
REPORTS: dict[str, Callable[[], str]] = {
    "telling.txt": lambda: plan_text(telling()),
    "telling.md": lambda: plan_markdown(telling()),
    "telling.html": lambda: plan_html(telling(), MADE),
    "asked.txt": lambda: plan_text(telling(), view=asked()),
    "asked.md": lambda: plan_markdown(telling(), asked()),
    "asked.html": lambda: plan_html(telling(), MADE, asked()),
    "nothing-to-do.txt": lambda: plan_text(nothing_to_do()),
    "nothing-to-do.md": lambda: plan_markdown(nothing_to_do()),
    "hostile.txt": lambda: plan_text(renamed(telling(), HOSTILE)),
    "hostile.md": lambda: plan_markdown(renamed(telling(), HOSTILE)),
    "hostile.html": lambda: plan_html(renamed(telling(), HOSTILE), MADE),
    "failure.md": lambda: plan_failure_markdown(["a.yaml:1:1: no @everyone", "b.yaml:2:3: no `code`"]),
    "failure.html": lambda: plan_failure_html(["a.yaml:1:1: no <b>", "b.yaml:2:3: none"], MADE),
    "status.txt": lambda: status_text(fleet()),
    "status.json": lambda: status_json(fleet()),
    "status.html": lambda: status_html(fleet(), MADE),
    "status-asked.txt": lambda: status_text(fleet(), view=asked()),
    "status-asked.json": lambda: status_json(fleet(), asked()),
    "status-asked.md": lambda: status_markdown(fleet(), asked()),
    "status-hostile.md": lambda: status_markdown(fleet_renamed(fleet(), HOSTILE)),
    "status-failure.md": lambda: status_failure_markdown(["a.yaml:1:1: no `code`"]),
    "status-asked.html": lambda: status_html(fleet(), MADE, asked()),
    "status-hostile.txt": lambda: status_text(fleet_renamed(fleet(), HOSTILE)),
    "status-hostile.html": lambda: status_html(fleet_renamed(fleet(), HOSTILE), MADE),
    "status-empty.html": lambda: status_html(FleetStatus(), MADE),
}


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_is_as_it_was_looked_at(name: str) -> None:
    """A report is exactly what somebody has seen and found good."""
    shown, golden = REPORTS[name]() + "\n", GOLDEN / name
    if os.environ.get("EXTCAL_WRITE_GOLDEN"):
        golden.write_text(shown, encoding="utf-8")
    assert shown == golden.read_text(encoding="utf-8")


def test_no_golden_file_is_left_over() -> None:
    """Every file is the golden file of some report."""
    assert {path.name for path in GOLDEN.iterdir()} == set(REPORTS)
