"""Reads lists page by page, until a page has no cursor to the next."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from reconciler.api.fields import LONG, WireObject
from reconciler.errors import MalformedAnswerError

T = TypeVar("T")

MOST_PAGES = 1000
_LONGEST_CURSOR = 8192


@dataclass(frozen=True, slots=True)
class CursorPage(Generic[T]):
    """One page of a list; `next` is the cursor of the page after it, None at the end."""

    items: tuple[T, ...]
    next: str | None
    failed_provider_ids: tuple[str, ...] = ()


def read_page(answer: WireObject, name: str, read: Callable[[WireObject], T]) -> CursorPage[T]:
    """A page whose items are in the list `name`."""
    items = answer.each(name, read)
    failed = answer.texts("failedProviderIds")
    metadata = answer.inner("pagingMetadata")
    return CursorPage(items, _next(metadata) if metadata else None, failed)


def _next(metadata: WireObject) -> str | None:
    more = metadata.flag("hasNext")
    if more:
        return metadata.required_inner("cursors").required("next", LONG)
    cursors = metadata.inner("cursors")
    return (cursors.text("next", LONG) or None) if cursors and more is None else None


async def follow(fetch: Callable[[str | None], Awaitable[CursorPage[T]]], method: str) -> list[CursorPage[T]]:
    """Every page that `fetch` gives, the first for the cursor None.

    Raises MalformedAnswerError where the pages never end: a cursor that was there before, too long a one, or more
    than a thousand pages.
    """
    pages: list[CursorPage[T]] = []
    seen: set[str | None] = set()
    cursor: str | None = None
    while cursor not in seen:
        seen.add(cursor)
        page = await fetch(cursor)
        pages.append(page)
        cursor = page.next
        if cursor is None:
            return pages
        if len(pages) >= MOST_PAGES or len(cursor) > _LONGEST_CURSOR:
            raise MalformedAnswerError(
                f"the list does not end: more than {MOST_PAGES} pages, or a cursor of {len(cursor)} characters; "
                "ask for less at once",
                method=method,
            )
    raise MalformedAnswerError("the list does not end: a cursor was repeated", method=method)
