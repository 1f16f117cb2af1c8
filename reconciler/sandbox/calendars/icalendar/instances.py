"""What an expansion answers, as it goes from process to process."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Instance:
    """An event, or one instance of a recurring one; `start` and `end` (exclusive) are in seconds since the epoch.

    `key` tells apart what starts at the same moment in one calendar. `mark` is what a sandbox that exported the event
    says of itself in it, or empty.
    """

    start: int
    key: str
    end: int
    all_day: bool
    title: str
    uid: str
    mark: str
