"""Machines for tests: places where runs meet, each its own."""

import itertools
import os
import tempfile
from pathlib import Path

from reconciler.machine import Machine

_numbers = itertools.count()


def fresh_machine() -> Machine:
    """A machine on which nothing has run yet; its folder goes with the run of the tests."""
    folder = Path(tempfile.gettempdir()) / "machines" / f"{os.getpid()}-{next(_numbers)}"
    return Machine(folder, "a service")
