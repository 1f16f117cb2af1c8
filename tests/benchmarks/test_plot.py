"""The benchmark's picture names each line at its end, so that all names can be read."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, cast

import pytest

from tests.benchmarks.fleet.cases import Key
from tests.benchmarks.fleet.plot import svg
from tests.benchmarks.fleet.runs import Usage
from tests.benchmarks.fleet.worlds import Fleet
from tests.support.browser import browser
from tests.support.tools import needs_chromium

if TYPE_CHECKING:
    from pathlib import Path

Box = tuple[float, float, float, float]
SECONDS = {
    ("validate", "extcal"): 4e-5,
    ("validate", "floor"): 1.1e-4,
    ("validate", "octoDNS"): 2e-4,
    ("plan, agreeing", "extcal"): 9e-5,
    ("plan, agreeing", "floor"): 9.1e-5,
    ("plan, agreeing", "octoDNS"): 4e-4,
    ("plan, 1 % changed", "extcal"): 9.2e-5,
    ("plan, all new", "extcal"): 9.3e-5,
    ("apply, 1 % changed", "extcal"): 9.4e-5,
}


def plotted() -> str:
    """A picture with many lines that end in one place, and some that end before the others."""
    results = {}
    for (what, who), each in SECONDS.items():
        for sites, connections in itertools.product((1, 100), (100, 1_000, 10_000, 50_000)):
            if who != "octoDNS" or connections < 50_000:
                results[Key(what, who, Fleet(connections, sites))] = [Usage(0.5 + connections * each, 0.0, 50.0)]
    return svg(results)


def test_every_line_has_its_name() -> None:
    """Each in each panel, and nowhere else."""
    named = re.findall(r'<text class="d\d+" [^>]*>([^<]+)</text>', plotted())
    assert sorted(named) == sorted([f"{what}: {who}" for what, who in SECONDS] * 2)


@needs_chromium
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_name_lies_on_another_or_beyond_the_edge(tmp_path: Path, scheme: str) -> None:
    """As a browser writes them; in the reader's colours, light on dark or dark on light."""
    page = tmp_path / "plot.svg"
    page.write_text(plotted())
    with browser(tmp_path / "profile") as shown:
        shown.show(page, width=2000, scheme=scheme)
        found = shown.value(
            "[...document.querySelectorAll('text')].map(each => each.getBoundingClientRect())"
            ".map(box => [box.left, box.top, box.right, box.bottom])"
        )
        paper, ink = (
            shown.value(f"getComputedStyle(document.querySelector('{each}')).fill") for each in (".paper", "text.title")
        )
        edges = shown.value("['width', 'height'].map(each => document.documentElement[each].baseVal.value)")
    boxes, (width, height) = cast("list[Box]", found), cast("tuple[float, float]", edges)
    assert all(left >= 0 and top >= 0 and right <= width and bottom <= height for left, top, right, bottom in boxes)
    assert [pair for pair in itertools.combinations(boxes, 2) if _overlap(*pair)] == []
    assert (_light(paper) > _light(ink)) is (scheme == "light")


def _light(colour: object) -> int:
    return sum(map(int, re.findall(r"\d+", str(colour))))


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] - 1 and other[0] < one[2] - 1 and one[1] < other[3] - 1 and other[1] < one[3] - 1
