"""Writes a report as one HTML document.

Sources: HTML Living Standard; Content Security Policy Level 3.
"""

import base64
import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from reconciler.render.html.assets import SCRIPT, STYLE
from reconciler.render.html.charts import Bar, bars, most_telling, whole_bar
from reconciler.render.html.report import AwaitedRow, Badge, OwnerRow, Report, Row, SiteRows, tally
from reconciler.render.html.tags import Html, joined, tag

_URGENT_SHOWN = 200
_OWNERS_SHOWN = 200
_BARS_SHOWN = 12


def page(report: Report) -> str:
    """The whole document; nothing in it can reach a network or run but the one script that it was made with."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", report.title),
        tag("style", Html(STYLE)),
    )
    body = tag(
        "body",
        tag("a", "Skip to the connections", href="#connections", class_="skip"),
        tag("header", tag("h1", report.title), tag("p", report.made, class_="made")),
        tag("main", *_main(report)),
        tag("footer", *([tag("p", report.foot)] if report.foot else []), tag("p", "Made by extcal.")),
        tag("script", Html(SCRIPT)) if report.rows else None,
    )
    return f"<!DOCTYPE html>\n{tag('html', head, body, lang='en')}\n"


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


_POLICY = (
    f"default-src 'none'; style-src {_hash(STYLE)}; script-src {_hash(SCRIPT)}; base-uri 'none'; form-action 'none'"
)


def _main(report: Report) -> Iterator[Html]:
    yield tag("p", report.lead, class_="lead")
    if report.errors:
        yield _messages("Errors", report.errors, "errors")
    if report.warnings:
        yield _messages("Warnings", report.warnings, "warnings")
    if report.rows:
        yield tag("section", *_glance(report), aria_label="At a glance")
    urgent = [(site, row) for site in report.sites for row in site.rows if row.badge.urgent]
    if urgent:
        yield _attention(report, urgent)
    if report.owners:
        yield _owners(report.owners, report.landing)
    if report.rows:
        yield tag("section", *_connections(report), id="connections", aria_labelledby="connections-heading")
    else:
        yield tag("p", "There is no connection to show.", id="connections")


def _messages(heading: str, messages: Sequence[str], kind: str) -> Html:
    items = (tag("li", message, class_="text") for message in messages)
    return tag("section", tag("h2", heading), tag("ul", *items), class_=f"messages {kind}", aria_label=heading)


def _glance(report: Report) -> Iterator[Html]:
    yield whole_bar(report.badges, tally(report.rows))
    providers: dict[str, Counter[Badge]] = defaultdict(Counter)
    for row in report.rows:
        providers[row.provider][row.badge] += 1
    by_site, left_out = most_telling((Bar(s.name, tally(s.rows)) for s in report.sites if s.rows), _BARS_SHOWN)
    by_provider, others = most_telling((Bar(name, counts) for name, counts in providers.items()), _BARS_SHOWN)
    by_badge = f"By {report.badge_heading.lower()}"
    yield tag(
        "div",
        bars("By site", ("Site", by_badge, report.urgent_short), report.badges, by_site, left_out),
        bars("By provider", ("Provider", by_badge, report.urgent_short), report.badges, by_provider, others),
        class_="charts",
    )


def _attention(report: Report, urgent: Sequence[tuple[SiteRows, Row]]) -> Html:
    weight = {badge: place for place, badge in enumerate(report.badges)}
    ranked = sorted(urgent, key=lambda pair: weight[pair[1].badge])
    rows = [_row(row, f"{site.name}/{row.name}") for site, row in ranked[:_URGENT_SHOWN]]
    left_out = len(ranked) - len(rows)
    more = tag("p", f"and {left_out:,} more in the tables below") if left_out else None
    return tag("section", tag("h2", report.urgent, id="urgent"), _table(report, rows), more, aria_labelledby="urgent")


def _then(landing: str | None) -> str:
    return "" if landing is None else f"; {landing}"


def _owners(owners: Sequence[OwnerRow], landing: str | None) -> Html:
    known = any(owner.told for owner in owners)
    headings = (("Owner", "c1"), ("Awaited, and asked", "c2") if known else None, ("Connections", "c4"))
    head = tag("tr", *(tag("th", each[0], scope="col", class_=each[1]) for each in headings if each))
    rows = (_owner(owner, known=known) for owner in owners[:_OWNERS_SHOWN])
    more = tag("p", f"and {len(owners) - _OWNERS_SHOWN:,} more") if len(owners) > _OWNERS_SHOWN else None
    return tag(
        "section",
        tag("h2", "Owners", id="owners"),
        tag("p", f"{len(owners):,} owner{'' if len(owners) == 1 else 's'} must agree in a browser{_then(landing)}."),
        tag("table", tag("thead", head), tag("tbody", *rows), class_="rows"),
        more,
        aria_labelledby="owners",
    )


def _owner(owner: OwnerRow, *, known: bool) -> Html:
    more = tag("li", f"and {owner.more:,} more") if owner.more else None
    return tag(
        "tr",
        tag("th", owner.account, scope="row"),
        tag("td", tag("ul", *(tag("li", line) for line in owner.told))) if known else None,
        tag("td", tag("ul", *map(_awaited, owner.connections), more)),
    )


def _awaited(connection: AwaitedRow) -> Html:
    where = f"{connection.provider}, {connection.schedule}" if connection.schedule else connection.provider
    return tag("li", connection.name, tag("small", where))


def _connections(report: Report) -> Iterator[Html]:
    yield tag("h2", "All connections", id="connections-heading")
    yield _filter(report)
    for site in report.sites:
        rows = [_row(row, row.name, filterable=True) for row in site.rows]
        yield tag(
            "section",
            tag("h3", site.name, " ", tag("small", site.site_id)),
            _table(report, rows) if rows else tag("p", tag("small", "No connection.")),
            class_="site",
            data_site=site.name,
        )


def _filter(report: Report) -> Html:
    counts = tally(report.rows)
    badges = [badge.word for badge in report.badges if counts[badge]]
    return tag(
        "form",
        tag("label", "Search", tag("input", type="search", name="text", autocomplete="off")),
        _choice(report.badge_heading, "badge", badges),
        _choice("Site", "site", [site.name for site in report.sites]),
        _choice("Provider", "provider", sorted({row.provider for row in report.rows})),
        tag("output", aria_live="polite"),
        class_="filter",
        role="search",
        aria_label="Filter the connections",
        # The script shows it: without one it could do nothing.
        hidden=True,
    )


def _choice(label: str, name: str, values: Sequence[str]) -> Html:
    options = (tag("option", value, value=value) for value in values)
    return tag("label", label, tag("select", tag("option", "all", value=""), *options, name=name))


def _table(report: Report, rows: Sequence[Html]) -> Html:
    headings = (("Connection", "c1"), ("Account", "c2"), (report.badge_heading, "c3"), (report.lines, "c4"))
    head = tag("tr", *(tag("th", text, scope="col", class_=width) for text, width in headings))
    return tag("table", tag("thead", head), tag("tbody", *rows), class_="rows")


def _row(row: Row, name: str, *, filterable: bool = False) -> Html:
    lines = [tag("li", line) for line in row.lines]
    return tag(
        "tr",
        tag("th", name, tag("small", row.schedule), scope="row"),
        tag("td", row.account, tag("small", row.provider), class_="who"),
        tag("td", tag("span", row.badge.word, class_=f"badge {row.badge.shade.name.lower()}")),
        tag("td", tag("ul", *lines) if lines else joined([])),
        data_badge=row.badge.word if filterable else None,
        data_provider=row.provider if filterable else None,
    )


def made_at(made: datetime) -> str:
    """`Made on 2 March 2026, 14:05 UTC`; the time must know its zone."""
    there = made.astimezone(UTC)
    return f"Made on {there.day} {there:%B %Y, %H:%M} UTC"
