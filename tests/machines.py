"""Machines for tests: places where runs meet, each its own."""

import atexit
import itertools
import shutil
import tempfile
from pathlib import Path

from reconciler.machine import Machine

_FOLDER = Path(tempfile.mkdtemp(prefix="extcal-machines-"))
_numbers = itertools.count()
atexit.register(shutil.rmtree, _FOLDER, ignore_errors=True)


def fresh_machine() -> Machine:
    """A machine on which nothing has run yet."""
    return Machine(_FOLDER / str(next(_numbers)), "a service")
