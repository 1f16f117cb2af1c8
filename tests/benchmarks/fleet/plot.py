"""The growth as a picture: seconds by connections, both axes logarithmic, so that what is linear rises at 45°.

Each line has its name at its end. Where names would lie on each other, they give way up or down, the nearest first, and
a thin stroke leads to the end that is meant.
"""

from __future__ import annotations

import itertools
import math
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.benchmarks.fleet.cases import Key
    from tests.benchmarks.fleet.runs import Usage

_DECADE = 150
_LEFT, _TOP, _BOTTOM, _GAP = 56, 44, 50, 24
_COLOURS = (
    ("#1b6ca8", "#6cb8f0"),
    ("#b3362a", "#ff9085"),
    ("#22734a", "#5fd39a"),
    ("#7d3c98", "#d3a0ea"),
    ("#8a5a00", "#f0bd5a"),
    ("#4a5866", "#b4c0cc"),
)
"""Of each thing that is measured: on white, and on black."""
_DASHES = {"extcal": "none", "floor": "2 3"}
_PEERS = "8 3"
# Of text at 11 px in whatever font stands for sans-serif: wide rather than narrow.
_LETTER, _LINE = 6.4, 13
_ASIDE = 8
_STYLE = """\
<style>
svg { color-scheme: light dark }
text { font: 11px sans-serif; fill: #222; paint-order: stroke; stroke: #fff; stroke-width: 3px; stroke-linejoin: round }
.paper { fill: #fff } .grid { stroke: #ddd } .line { fill: none; stroke-width: 1.5 } .lead { stroke-width: .75 }
text.axis, text.title { stroke: none } text.title { font-weight: bold }"""
_DARK = """\
@media (prefers-color-scheme: dark) {
text { fill: #e6e6e6; stroke: #16191d } .paper { fill: #16191d } .grid { stroke: #3a3f45 }"""

Series = dict[int, float]
Label = tuple[str, str]
"""What was measured, and of whom."""


def svg(results: Mapping[Key, Sequence[Usage]]) -> str:
    """A panel for each number of sites, a line for each thing that was measured."""
    panels = _panels(results)
    points = [(x, y) for lines in panels.values() for series in lines.values() for x, y in series.items()]
    if not points:
        return '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>\n'
    scale = _Scale(points)
    kinds = sorted({what for lines in panels.values() for what, _ in lines})
    drawn, left = [], float(_LEFT)
    for sites, lines in sorted(panels.items()):
        named = list(_named(scale, lines))
        drawn += [f'<g transform="translate({left:.0f} {_TOP})">', *scale.axes(sites)]
        for name in named:
            drawn += _line(scale, lines[name.label], kinds.index(name.label[0]), name)
        # Names are above all lines.
        drawn += [*(name.text(kinds.index(name.label[0])) for name in named), "</g>"]
        left += max(scale.width, *(name.x + name.width for name in named)) + _GAP + _LEFT
    width, height = left - _LEFT, _TOP + scale.height + _BOTTOM
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}">'
    return "\n".join(
        [head, *_style(len(kinds)), '<rect class="paper" width="100%" height="100%"/>', *drawn, "</svg>", ""]
    )


def _panels(results: Mapping[Key, Sequence[Usage]]) -> dict[int, dict[Label, Series]]:
    panels: dict[int, dict[Label, Series]] = {}
    for key, usages in results.items():
        # Of one number of connections there is no growth to show.
        if key.fleet is not None and not key.fleet.by_credentials:
            series = panels.setdefault(key.fleet.sites, {}).setdefault((key.what, key.who), {})
            series[key.fleet.connections] = statistics.median(usage.wall for usage in usages)
    return panels


class _Scale:
    """Where a point lies: powers of ten around all points."""

    def __init__(self, points: Sequence[tuple[float, float]]) -> None:
        self._x = _decades([x for x, _ in points])
        self._y = _decades([y for _, y in points])
        self.width = _DECADE * (self._x[1] - self._x[0])
        self.height = _DECADE * (self._y[1] - self._y[0])

    def at(self, x: float, y: float) -> tuple[float, float]:
        """The place of so many connections and seconds."""
        return _DECADE * (math.log10(x) - self._x[0]), self.height - _DECADE * (math.log10(y) - self._y[0])

    def axes(self, sites: int) -> Iterator[str]:
        """The frame with its lines and their names."""
        yield f'<text class="title" x="0" y="-18">{sites} {"sites" if sites > 1 else "site"}</text>'
        for power in range(self._x[0], self._x[1] + 1):
            x = _DECADE * (power - self._x[0])
            yield f'<path class="grid" d="M{x} 0V{self.height}"/>'
            yield f'<text class="axis" x="{x}" y="{self.height + 16}" text-anchor="middle">{10**power:,}</text>'
        for power in range(self._y[0], self._y[1] + 1):
            y = self.height - _DECADE * (power - self._y[0])
            yield f'<path class="grid" d="M0 {y}H{self.width}"/>'
            yield f'<text class="axis" x="-6" y="{y + 4}" text-anchor="end">{10.0**power:g} s</text>'
        middle = self.width / 2
        yield f'<text class="axis" x="{middle}" y="{self.height + 34}" text-anchor="middle">connections</text>'


def _decades(values: Sequence[float]) -> tuple[int, int]:
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return low, max(high, low + 1)


def _style(kinds: int) -> Iterator[str]:
    """The colours, of which a reader's browser takes those for light or for dark."""
    yield _STYLE
    for dark in (False, True):
        if dark:
            yield _DARK
        for number in range(kinds):
            colour = _COLOURS[number % len(_COLOURS)][dark]
            yield f".k{number} {{ stroke: {colour} }} .d{number}, text.d{number} {{ fill: {colour} }}"
    yield "}\n</style>"


@dataclass(frozen=True, slots=True)
class _Name:
    """A line's name: the place of the line's end, and of the name's beginning and middle."""

    label: Label
    end: tuple[float, float]
    y: float

    @property
    def words(self) -> str:
        """What is written."""
        return ": ".join(self.label)

    @property
    def x(self) -> float:
        """Where it begins."""
        return self.end[0] + _ASIDE

    @property
    def width(self) -> float:
        """How much room it takes, in pixels."""
        return _LETTER * len(self.words)

    def text(self, kind: int) -> str:
        """The name as it is written."""
        return f'<text class="d{kind}" x="{self.x:.1f}" y="{self.y + 4:.1f}">{self.words}</text>'

    def clear_of(self, other: _Name) -> bool:
        """Whether neither lies on the other."""
        apart = self.x >= other.x + other.width or other.x >= self.x + self.width
        return apart or abs(self.y - other.y) >= _LINE


def _named(scale: _Scale, lines: Mapping[Label, Series]) -> Iterator[_Name]:
    """The names of all lines of a panel, none on another."""
    placed: list[_Name] = []
    ends = {label: scale.at(*max(series.items())) for label, series in lines.items()}
    for label, end in sorted(ends.items(), key=lambda each: (-each[1][0], each[1][1])):
        for step in itertools.count():
            # At its end, then ever farther from it, above and below in turn.
            name = _Name(label, end, end[1] + (step + 1) // 2 * (-1) ** step)
            inside = 0 <= name.y <= scale.height
            if inside and all(name.clear_of(other) for other in placed):
                placed.append(name)
                yield name
                break


def _line(scale: _Scale, series: Series, kind: int, name: _Name) -> Iterator[str]:
    places = [scale.at(x, y) for x, y in sorted(series.items())]
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
    dashes = _DASHES.get(name.label[1], _PEERS)
    yield f'<path class="line k{kind}" stroke-dasharray="{dashes}" d="M{path}"/>'
    yield from (f'<circle class="d{kind}" cx="{x:.1f}" cy="{y:.1f}" r="2.5"/>' for x, y in places)
    if abs(name.y - name.end[1]) > _LINE / 2:
        x, y = name.end
        yield f'<path class="lead k{kind}" d="M{x:.1f} {y:.1f}L{name.x - 2:.1f} {name.y:.1f}"/>'
