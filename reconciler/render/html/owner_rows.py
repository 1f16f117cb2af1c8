"""Makes the rows of an HTML report that list who must consent."""

from collections.abc import Iterable
from datetime import datetime

from reconciler.render import words
from reconciler.render.html.report import AwaitedRow, OwnerRow
from reconciler.render.owners import Awaited, Owner
from reconciler.text import clipped

_CONNECTIONS_SHOWN = 20


def owner_rows(owners: Iterable[Owner], now: datetime, *unknown: str) -> tuple[OwnerRow, ...]:
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
