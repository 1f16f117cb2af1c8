"""Draws bars as inline SVG; what they show stands beside them in words and numbers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from reconciler.render.html.report import Badge
from reconciler.render.html.tags import Html, joined, tag

_WIDTH = 1000


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of one thing: how many of its connections bear which badge."""

    name: str
    counts: Mapping[Badge, int]

    @property
    def total(self) -> int:
        """All of its connections."""
        return sum(self.counts.values())


def whole_bar(badges: Sequence[Badge], counts: Mapping[Badge, int]) -> Html:
    """The whole fleet as one bar, with its legend."""
    label = "; ".join(f"{counts[badge]:,} {badge.word}" for badge in badges if counts.get(badge))
    total = sum(counts.values())
    bar = _svg(badges, counts, total, "whole", role="img", aria_label=f"All connections: {label}") if total else None
    legend = tag("ul", *(_legend(badge, counts[badge]) for badge in badges if counts.get(badge)), class_="legend")
    return joined([bar, legend] if bar else [legend])


def _legend(badge: Badge, count: int) -> Html:
    swatch = tag(
        "svg",
        tag("rect", width="10", height="10", rx="2"),
        viewBox="0 0 10 10",
        class_=_class(badge),
        aria_hidden="true",
    )
    return tag("li", swatch, tag("b", f"{count:,}"), f" {badge.word}")


def bars(
    heading: str, columns: tuple[str, str, str], badges: Sequence[Badge], shown: Sequence[Bar], left_out: int
) -> Html:
    """A table with a bar for each thing, as long as its share of the longest one.

    `columns` are the headings of the things, of their bars and of how much of them is urgent.
    """
    what, badges_shown, urgent = columns
    longest = max((bar.total for bar in shown), default=0)
    head = tag(
        "tr",
        tag("th", what, scope="col"),
        tag("th", badges_shown, scope="col"),
        tag("th", urgent, scope="col", class_="n"),
        tag("th", "Total", scope="col", class_="n"),
    )
    rows = [
        tag(
            "tr",
            tag("th", bar.name, scope="row"),
            tag("td", _svg(badges, bar.counts, longest, "bar", aria_hidden="true")),
            tag("td", f"{_urgent(bar):,}", class_="n"),
            tag("td", f"{bar.total:,}", class_="n"),
        )
        for bar in shown
    ]
    more = tag("p", tag("small", f"and {left_out:,} more below")) if left_out else None
    return tag(
        "div",
        tag("h3", heading),
        tag("table", tag("thead", head), tag("tbody", *rows), class_="chart"),
        more,
    )


def most_telling(found: Iterable[Bar], limit: int) -> tuple[list[Bar], int]:
    """The bars with most that is urgent, then the longest; and how many are left out."""
    ranked = sorted(found, key=lambda bar: (-_urgent(bar), -bar.total, bar.name))
    return ranked[:limit], max(0, len(ranked) - limit)


def _urgent(bar: Bar) -> int:
    return sum(count for badge, count in bar.counts.items() if badge.urgent)


def _svg(badges: Sequence[Badge], counts: Mapping[Badge, int], longest: int, class_: str, **attributes: str) -> Html:
    """Stretches side by side, `longest` connections being the whole width."""
    stretches = [tag("rect", width=str(_WIDTH), height="10", class_="rest")]
    before = 0
    for badge in badges:
        count = counts.get(badge, 0)
        if count:
            start, end = before * _WIDTH / longest, (before + count) * _WIDTH / longest
            width = max(end - start, 1)
            stretches.append(tag("rect", x=f"{start:.1f}", width=f"{width:.1f}", height="10", class_=_class(badge)))
            before += count
    view = f"0 0 {_WIDTH} 10"
    return tag("svg", *stretches, viewBox=view, preserveAspectRatio="none", class_=class_, **attributes)


def _class(badge: Badge) -> str:
    return badge.shade.name.lower()
