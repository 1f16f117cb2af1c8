"""What an HTML report shows, whatever it is about: marked connections by site, and what is wrong."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.render.html.style import Shade


@dataclass(frozen=True, slots=True)
class Mark:
    """A word that a connection is marked with; `urgent` ones are told on top."""

    word: str
    shade: Shade
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One connection: what it is, its mark, and lines that say why and what to do. All of it is clipped."""

    name: str
    schedule: str
    provider: str
    account: str
    mark: Mark
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SiteRows:
    """The rows of one site, in the order in which they are shown."""

    name: str
    site_id: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """A report: `lead` is its one sentence, `marks` all there are in the order of their weight.

    `marked`, `urgent`, `urgent_short` and `lines` are headings: of the marks, of the urgent rows, of their number, and
    of the lines of a row.
    """

    title: str
    lead: str
    made: str
    marked: str
    urgent: str
    urgent_short: str
    lines: str
    marks: tuple[Mark, ...]
    sites: tuple[SiteRows, ...]
    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    foot: str = ""

    @property
    def rows(self) -> tuple[Row, ...]:
        """Every row of every site."""
        return tuple(row for site in self.sites for row in site.rows)


def tally(rows: Iterable[Row]) -> Counter[Mark]:
    """How many rows bear which mark."""
    return Counter(row.mark for row in rows)
