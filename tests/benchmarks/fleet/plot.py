"""The growth as a picture: seconds by connections, both axes logarithmic, so that what is linear rises at 45°."""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.benchmarks.fleet.cases import Key
    from tests.benchmarks.fleet.runs import Usage

_DECADE = 150
_LEFT, _TOP, _GAP, _LEGEND = 60, 40, 50, 190
_COLOURS = ("#1b6ca8", "#c0392b", "#2e8b57", "#8e44ad", "#d68910", "#5d6d7e")
_DASHES = {"extcal": "none", "floor": "2 3"}
_PEERS = "8 3"

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
    labels = sorted({label for lines in panels.values() for label in lines})
    kinds = sorted({what for what, _ in labels})
    styles = {label: _style(kinds.index(label[0]), label[1]) for label in labels}
    width = _LEFT + len(panels) * (scale.width + _GAP) + _LEGEND
    height = max(_TOP + scale.height + 50, _TOP + 18 * len(labels))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}">',
        "<style>text { font: 11px sans-serif }</style>",
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    for number, (sites, lines) in enumerate(sorted(panels.items())):
        left = _LEFT + number * (scale.width + _GAP)
        parts += [f'<g transform="translate({left:.0f} {_TOP})">', *scale.axes(sites)]
        parts += [_line(scale, series, styles[label]) for label, series in sorted(lines.items())]
        parts.append("</g>")
    left = width - _LEGEND
    parts += [_named(left, _TOP + 18 * n, label, styles[label]) for n, label in enumerate(labels)]
    return "\n".join([*parts, "</svg>", ""])


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
        yield f'<text x="0" y="-14" font-weight="bold">{sites} {"sites" if sites > 1 else "site"}</text>'
        for power in range(self._x[0], self._x[1] + 1):
            x = _DECADE * (power - self._x[0])
            yield f'<path d="M{x} 0V{self.height}" stroke="#ddd"/>'
            yield f'<text x="{x}" y="{self.height + 16}" text-anchor="middle">{10**power:,}</text>'
        for power in range(self._y[0], self._y[1] + 1):
            y = self.height - _DECADE * (power - self._y[0])
            yield f'<path d="M0 {y}H{self.width}" stroke="#ddd"/>'
            yield f'<text x="-6" y="{y + 4}" text-anchor="end">{10.0**power:g} s</text>'
        middle = self.width / 2
        yield f'<text x="{middle}" y="{self.height + 34}" text-anchor="middle">connections</text>'


def _decades(values: Sequence[float]) -> tuple[int, int]:
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return low, max(high, low + 1)


def _style(kind: int, who: str) -> str:
    """A colour for what was done, dashes for who did it."""
    colour = _COLOURS[kind % len(_COLOURS)]
    return f'stroke="{colour}" fill="{colour}" stroke-dasharray="{_DASHES.get(who, _PEERS)}"'


def _line(scale: _Scale, series: Series, style: str) -> str:
    places = [scale.at(x, y) for x, y in sorted(series.items())]
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5"/>' for x, y in places)
    return f'<g {style}><path d="M{path}" fill-opacity="0" stroke-width="1.5"/>{dots}</g>'


def _named(x: float, y: float, label: Label, style: str) -> str:
    what, who = label
    return f'<path d="M{x} {y}h26" {style} stroke-width="2"/><text x="{x + 32}" y="{y + 4}">{what}: {who}</text>'
