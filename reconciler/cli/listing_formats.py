"""The formats that tables of live values are shown in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from reconciler.model.encoding import Json
from reconciler.render import table
from reconciler.render.csv_text import csv_text


@dataclass(frozen=True, slots=True)
class Listing:
    """Live values, as rows for people and as objects in the API's words for scripts."""

    headings: table.Row
    rows: Sequence[table.Row]
    objects: Sequence[dict[str, Json]]


LISTING_FORMATS: dict[str, Callable[[Listing], str]] = {
    "text": lambda listing: table.table(listing.headings, listing.rows),
    "json": lambda listing: table.as_json(listing.objects),
    "csv": lambda listing: csv_text(listing.headings, listing.rows),
}
