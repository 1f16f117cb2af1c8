"""What the runs on one machine share: a site's journal, its lock, the ledger of its requests, what plans were used for.

None of it says what is connected, the service alone does. It may be thrown away whenever nothing runs; what it holds
that nobody else knows is which connects have been sent without an answer, and which saved plans were carried out.
"""

from reconciler.machine.folder import Machine, SiteFolder
from reconciler.machine.ledger import FileLedger
from reconciler.machine.lock import LockedError, Owner, make_room

__all__ = ["FileLedger", "LockedError", "Machine", "Owner", "SiteFolder", "make_room"]
