"""What whoever starts a sandbox may set."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """Times are in seconds.

    A new connection is `CONNECTED`, then `SYNC_IN_PROGRESS` from `sync_starts_after`, then `SYNCED` from
    `sync_done_after`. `calendar_names=False` leaves the calendars' names out of every `syncConfig`. `clock` tells the
    seconds since the epoch. `operation_seconds` is how long the external calendars may keep one request waiting.
    """

    sync_starts_after: float = 1.0
    sync_done_after: float = 3.0
    token_lifetime: float = 4 * 3600.0
    calendar_names: bool = True
    operation_seconds: float = 9.0
    clock: Callable[[], float] = time.time
