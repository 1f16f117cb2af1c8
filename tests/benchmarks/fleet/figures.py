"""The figures to reach, each a ratio of two measurements of one round, or a bound on one of them."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.benchmarks.fleet import changes
from tests.benchmarks.fleet.cases import (
    AGREEING,
    AGREEING_SETS,
    REQUESTS_A_MINUTE,
    START,
    VALIDATE,
    VALIDATE_LABELLED,
    VALIDATE_LABELLED_SETS,
    VALIDATE_SETS,
    Key,
)
from tests.benchmarks.fleet.worlds import Fleet

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.benchmarks.fleet.runs import Usage

_MANY = Fleet(10_000, 100)
_MORE = Fleet(50_000, 100)


@dataclass(frozen=True, slots=True)
class Spread:
    """The least, the median and the most of several rounds."""

    low: float
    middle: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """The spread of at least one value."""
        return cls(min(values), statistics.median(values), max(values))


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: what it is, what came out, and what it must not exceed."""

    what: str
    found: Spread
    reach: float

    @property
    def reached(self) -> bool:
        """Whether the median is within the bound."""
        return self.found.middle <= self.reach


def figures(results: Mapping[Key, Sequence[Usage]]) -> Iterator[Figure]:
    """Every figure whose measurements were taken."""
    planned, validated = Key(AGREEING, "extcal", _MANY), Key(VALIDATE, "extcal", _MANY)
    small = Fleet(1_000, 1)
    ratios = (
        ("plan, 10,000 agreeing in 100 sites / octoDNS", planned, Key(AGREEING, "octoDNS", _MANY), 0.30),
        (
            "plan, 10,000 agreeing in 100 sets / octoDNS",
            Key(AGREEING_SETS, "extcal", _MANY),
            Key(AGREEING, "octoDNS", _MANY),
            0.25,
        ),
        ("plan, 10,000 agreeing in 100 sites / raw floor", planned, Key(AGREEING, "floor", _MANY), 1.0),
        (
            "plan, 1,000 agreeing in 1 site / Terraform, 1,000 `terraform_data`",
            Key(AGREEING, "extcal", small),
            Key(AGREEING, "Terraform", small),
            0.14,
        ),
        ("validate, 10,000 in 100 sets / 10,000 documents", Key(VALIDATE_SETS, "extcal", _MANY), validated, 0.6),
        (
            "validate, 10,000 in 100 sets / 10,000 documents, both with names beside ids",
            Key(VALIDATE_LABELLED_SETS, "extcal", _MANY),
            Key(VALIDATE_LABELLED, "extcal", _MANY),
            0.6,
        ),
        ("validate, 10,000 / octoDNS", validated, Key(VALIDATE, "octoDNS", _MANY), 0.5),
        ('`extcal --version` / `python -c "import click"`', Key(START, "extcal"), Key(START, "click"), 2.0),
        ("plan, agreeing, 100 sites: 50,000 / 10,000", Key(AGREEING, "extcal", _MORE), planned, 5.5),
        (
            "plan, agreeing, 1 site: 50,000 / 10,000",
            Key(AGREEING, "extcal", Fleet(50_000, 1)),
            Key(AGREEING, "extcal", Fleet(10_000, 1)),
            5.5,
        ),
        ("validate: 50,000 / 10,000", Key(VALIDATE, "extcal", _MORE), validated, 5.5),
    )
    for what, one, other, reach in ratios:
        if one in results and other in results:
            yield Figure(what, ratio(results[one], results[other]), reach)
    if planned in results:
        peak = Spread.of([usage.peak for usage in results[planned]])
        yield Figure(f"plan, agreeing, {_MANY}: peak MiB", peak, 150)
    for key, usages in results.items():
        if key.what == AGREEING and key.who == "extcal" and key.fleet is not None:
            requests = Spread.of([usage.requests / key.fleet.sites for usage in usages])
            yield Figure(f"plan, agreeing, {key.fleet}: requests a site", requests, 2)
    yield from _of_changes(results)


_A_CHANGE = (
    ("new connection", changes.CONNECT, 2.2),
    ("new connection with a calendar by name", changes.CONNECT_BY_NAME, 3.2),
    ("update", changes.UPDATE, 1.2),
    ("disconnect", changes.DISCONNECT, 1.2),
)


def _of_changes(results: Mapping[Key, Sequence[Usage]]) -> Iterator[Figure]:
    """What is asked for each kind of change beyond what a run without any asks, and how long that takes a practice."""
    nothing = results.get(Key(changes.NOTHING, "extcal", changes.SOME), ())
    for what, case, reach in _A_CHANGE:
        usages = results.get(Key(case, "extcal", changes.SOME), ())
        each = [
            (usage.requests - fixed.requests) / changes.SOME.connections
            for usage, fixed in zip(usages, nothing, strict=True)
        ]
        if each:
            yield Figure(f"{what}: requests", Spread.of(each), reach)
    if usages := results.get(Key(changes.PINNED, "extcal", changes.PRACTICE), ()):
        requests = Spread.of([usage.requests for usage in usages])
        yield Figure(f"plan, names pinned, {changes.PRACTICE}: requests", requests, 2)
    if usages := results.get(Key(changes.CONNECT, "extcal", changes.PRACTICE), ()):
        minutes = Spread.of([usage.wall / 60 for usage in usages])
        yield Figure(f"apply, new, {changes.PRACTICE}, at {REQUESTS_A_MINUTE} a minute: minutes", minutes, 3.6)


def ratio(one: Sequence[Usage], other: Sequence[Usage]) -> Spread:
    """Wall against wall, round by round."""
    return Spread.of([mine.wall / theirs.wall for mine, theirs in zip(one, other, strict=True)])
