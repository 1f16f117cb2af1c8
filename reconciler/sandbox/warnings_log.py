"""Warnings about the external calendars, for whoever reads the sandbox's log."""

from __future__ import annotations

import logging
import threading

from reconciler.sandbox.reasons import inert

_MAX_TOLD = 10_000
_log = logging.getLogger(__name__)


class Told:
    """Which warnings were logged already: each is said once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._told: set[str] = set()

    def warn(self, warning: str) -> None:
        """Log a warning that wasn't logged yet, with nothing in it that could move a terminal's cursor."""
        with self._lock:
            if warning in self._told:
                return
            if len(self._told) >= _MAX_TOLD:
                self._told.clear()
            self._told.add(warning)
        _log.warning("%s", inert(warning))
