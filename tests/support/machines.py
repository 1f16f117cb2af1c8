"""Machines for tests: places where runs meet, each its own."""

import itertools
import os
import tempfile
from pathlib import Path

from reconciler.machine import Machine

_numbers = itertools.count()


def fresh_machine() -> Machine:
    """A machine on which nothing has run yet; its folder goes with the run of the tests."""
    return Machine(Path(tempfile.gettempdir()) / f"pytest-of-machines-{os.getpid()}" / str(next(_numbers)), "a service")
