"""Waiting for what is to happen, for as long as a busy machine may need."""

import time
from collections.abc import Callable

TIMEOUT = 120.0
"""Seconds after which something is taken to hang; no test rests on its being quicker."""


def until(condition: Callable[[], object]) -> None:
    """Wait until `condition` holds."""
    deadline = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)
