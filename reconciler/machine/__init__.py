"""What the runs on one machine share: a site's journal and lock, its requests, uses of plans, calendars of a day.

None of it says what is connected, the service alone does. It may be thrown away whenever nothing runs; what it holds
that nobody else knows is which connects have been sent without an answer, and which saved plans were carried out.
"""

from reconciler.machine.folder import Machine, SiteFolder
from reconciler.machine.ledger import FileLedger
from reconciler.machine.lock import LockedError, Owner, make_room

__all__ = ["FileLedger", "LockedError", "Machine", "Owner", "SiteFolder", "make_room"]
