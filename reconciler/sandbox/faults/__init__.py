"""Lets requests fail on purpose, for tests and rehearsals of bad days.

`Faults` says what shall go wrong; `read_faults` reads it from a file. Give it to `reconciler.sandbox.server.running`,
or to `RunningSandbox.inject` while it serves. Of a request that several entries are about, the first one that fires
decides; delays add to what follows them. Entries behind the one that decided don't see the request. The consent page is
never touched.
"""

from reconciler.sandbox.contract import READS, WRITES, Operation
from reconciler.sandbox.faults.model import (
    Answer,
    Body,
    Cut,
    Delay,
    Effect,
    Fault,
    Faults,
    Later,
    Rate,
    Reset,
    Stale,
    When,
)
from reconciler.sandbox.faults.reader import read_faults

__all__ = [
    "READS",
    "WRITES",
    "Answer",
    "Body",
    "Cut",
    "Delay",
    "Effect",
    "Fault",
    "Faults",
    "Later",
    "Operation",
    "Rate",
    "Reset",
    "Stale",
    "When",
    "read_faults",
]
