"""The clock of the benchmarks."""

import time
from collections.abc import Callable


def timed(what: Callable[[], object]) -> float:
    """How many seconds `what` takes."""
    start = time.perf_counter()
    what()
    return time.perf_counter() - start
