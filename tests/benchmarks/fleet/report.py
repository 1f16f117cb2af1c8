"""The measurements as a Markdown page."""

from __future__ import annotations

import os
import platform
from typing import TYPE_CHECKING

from tests.benchmarks.fleet.figures import Spread, figures

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.benchmarks.fleet.cases import Key
    from tests.benchmarks.fleet.runs import Usage


def markdown(results: Mapping[Key, Sequence[Usage]], remarks: Sequence[str], command: str) -> str:
    """The whole page."""
    rounds = max(len(usages) for usages in results.values())
    machine = f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}"
    return "\n".join(
        [
            "# What fleets cost",
            "",
            f"`{command}`: {rounds} rounds, each of all commands in turn, whole processes ({machine}).",
            "Every cell is least / median / most; ratios are of two wall times of one round.",
            "The service is a server on loopback that answers from memory.",
            "",
            *_figures(results),
            "",
            *_measurements(results),
            "",
            "![Seconds by connections](plot.svg)",
            *(f"\n{remark}" for remark in remarks),
            "",
        ]
    )


def _figures(results: Mapping[Key, Sequence[Usage]]) -> Iterator[str]:
    yield "| figure | found | reach | |"
    yield "| --- | --- | --- | --- |"
    for figure in figures(results):
        mark = "reached" if figure.reached else "**missed**"
        yield f"| {figure.what} | {_spread(figure.found)} | ≤ {figure.reach:g} | {mark} |"


def _measurements(results: Mapping[Key, Sequence[Usage]]) -> Iterator[str]:
    yield "| what | who | connections | sites | wall s | processor s | peak MiB | requests |"
    yield "| --- | --- | ---: | ---: | --- | --- | --- | ---: |"
    for key, usages in sorted(results.items(), key=lambda item: _order(item[0])):
        connections, sites = (f"{key.fleet.connections:,}", str(key.fleet.sites)) if key.fleet else ("", "")
        wall = _spread(Spread.of([usage.wall for usage in usages]))
        cpu = _spread(Spread.of([usage.cpu for usage in usages]))
        peak = f"{max(usage.peak for usage in usages):.0f}"
        requests = f"{max(usage.requests for usage in usages):,}"
        yield f"| {key.what} | {key.who} | {connections} | {sites} | {wall} | {cpu} | {peak} | {requests} |"


def _order(key: Key) -> tuple[int, int, str, str]:
    fleet = key.fleet
    return (fleet.sites, fleet.connections, key.what, key.who) if fleet else (0, 0, key.what, key.who)


def _spread(spread: Spread) -> str:
    return f"{spread.low:.2f} / {spread.middle:.2f} / {spread.high:.2f}"
