"""What ListEvents is asked for, and what it answers (contract: Methods)."""

from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.model.live import Event

_A_PAGE = 1000


@dataclass(frozen=True, slots=True)
class EventQuery:
    """What ListEvents is asked for.

    `start` (inclusive) and `end` are RFC 3339 text; events that overlap an edge are included. At most 100 ids of
    each kind. `all_day` None: both kinds. `private` asks for titles and names (`OWN_PI`), which take a permission.
    """

    start: str
    end: str
    schedule_ids: tuple[str, ...] = ()
    user_ids: tuple[str, ...] = ()
    all_day: bool | None = None
    private: bool = False


@dataclass(frozen=True, slots=True)
class EventList:
    """ListEvents' answer, pages gathered; events of `failed_provider_ids` could not be read and may be missing."""

    events: tuple[Event, ...]
    failed_provider_ids: tuple[str, ...] = ()


def event_params(query: EventQuery, cursor: str | None) -> Iterator[tuple[str, str]]:
    """The query parameters of one page; a cursor stands for the range and the filters."""
    if cursor is None:
        yield "from", query.start
        yield "to", query.end
        yield from (("scheduleIds", each) for each in query.schedule_ids)
        yield from (("userIds", each) for each in query.user_ids)
        if query.all_day is not None:
            yield "allDay", "true" if query.all_day else "false"
    else:
        yield "cursorPaging.cursor", cursor
    yield "cursorPaging.limit", str(_A_PAGE)
    yield "fieldsets", "OWN_PI" if query.private else "NO_PI"
    yield "partialFailure", "true"
