"""The health of every declared connection, from one look at each site."""

from reconciler.model.desired import Desired
from reconciler.model.status import FleetStatus
from reconciler.workflow.rounds import look
from reconciler.workflow.service import Selection, Sessions


async def status(desired: Desired, opened: Sessions, selection: Selection) -> FleetStatus:
    """Read the live state of every selected site and say how each declared connection is; only reads are sent.

    A site that can't be read has a status that says so.
    """
    looks = await look(desired, opened, selection)
    return FleetStatus(tuple(looks[name].status for name in sorted(looks)), selection.shards)
