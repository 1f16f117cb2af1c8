"""Models an HTML report: the connections of each site with a badge, errors, warnings."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from reconciler.render import words
from reconciler.render.html.assets import Shade
from reconciler.render.owners import Awaited, AwaitedOwner
from reconciler.text import clipped

_CONNECTIONS_SHOWN = 20
"""How many connections of one owner are named."""


@dataclass(frozen=True, slots=True)
class Badge:
    """A word and a colour that a connection is shown with; `urgent` ones are listed on top."""

    word: str
    shade: Shade
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One connection: what it is, its badge, and lines that say why and what to do. All of it is clipped."""

    name: str
    schedule: str
    provider: str
    account: str
    badge: Badge
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SiteRows:
    """The rows of one site, in the order in which they are shown."""

    name: str
    site_id: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class AwaitedRow:
    """A connection that its owner must consent to. All of it is clipped."""

    name: str
    schedule: str
    provider: str


@dataclass(frozen=True, slots=True)
class OwnerRow:
    """An owner who must consent: `told` is since when they are awaited, and when they were asked. All is clipped.

    `more` is how many connections of theirs are not among those that are named.
    """

    account: str
    told: tuple[str, ...]
    connections: tuple[AwaitedRow, ...]
    more: int


@dataclass(frozen=True, slots=True)
class Report:
    """A report: `lead` is its one sentence, `badges` all there are in the order of their weight.

    `badge_heading`, `urgent`, `urgent_short` and `lines` are headings: of the badges, of the urgent rows, of their
    number, and of the lines of a row.
    """

    title: str
    lead: str
    made: str
    badge_heading: str
    urgent: str
    urgent_short: str
    lines: str
    badges: tuple[Badge, ...]
    sites: tuple[SiteRows, ...]
    owners: tuple[OwnerRow, ...] = ()
    """Who must consent, the worst first."""

    landing: str | None = None
    """Where their browsers go then, clipped; None where that is not said."""

    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    foot: str = ""

    @property
    def rows(self) -> tuple[Row, ...]:
        """Every row of every site."""
        return tuple(row for site in self.sites for row in site.rows)


def tally(rows: Iterable[Row]) -> Counter[Badge]:
    """How many rows bear which badge."""
    return Counter(row.badge for row in rows)


def owner_rows(owners: Iterable[AwaitedOwner], now: datetime, *unknown: str) -> tuple[OwnerRow, ...]:
    """A row for each owner; `unknown` stands where nothing is known of them."""
    return tuple(
        OwnerRow(
            clipped(words.who(owner.account)),
            owner.told(now) or unknown,
            tuple(map(_awaited, owner.connections[:_CONNECTIONS_SHOWN])),
            max(0, len(owner.connections) - _CONNECTIONS_SHOWN),
        )
        for owner in owners
    )


def _awaited(connection: Awaited) -> AwaitedRow:
    schedule = str(connection.schedule)
    return AwaitedRow(clipped(connection.address), clipped(schedule) if schedule else "", clipped(connection.provider))
