"""Connections that would meet each other: on one live connection, or in one external calendar (contract: Manifests)."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from reconciler.model.account import folded
from reconciler.model.desired import DeclaredConnection, ProviderRef, ScheduleRef
from reconciler.model.source import Fault
from reconciler.planning.overlaps import Meeting, meetings
from reconciler.text import escaped

_Slot = tuple[str, ScheduleRef]
_Account = tuple[ProviderRef, str]


def find_overlaps(connections: Iterable[DeclaredConnection]) -> Iterator[Fault]:
    """The faults of all connections that meet an earlier one; each names the first that it meets.

    `connections` come in the order of their places. What only the service can tell, such as that two spellings mean
    the same provider, is left to planning. Accounts are compared as `folded` says.
    """
    by_account: defaultdict[_Account, dict[_Slot, DeclaredConnection]] = defaultdict(dict)
    for connection in connections:
        slots = by_account[connection.provider, folded(connection.account)]
        first = slots.setdefault((connection.site, connection.schedule), connection)
        if first is not connection:
            message = f"would match the same live connection as {first.address}"
            hint = f"that one is at {first.sources.root}; keep one for this schedule, provider and account"
            yield Fault(connection.sources.at("account"), "spec.account", message, hint)
    for slots in by_account.values():
        if len(slots) > 1:
            yield from (_fault(meeting) for meeting in meetings(slots.values()))


def _fault(meeting: Meeting) -> Fault:
    one, other = meeting.connection, meeting.other
    # A name and an id may be of one schedule, which is no better: planning finds two manifests of one connection then.
    surely = one.site != other.site or one.schedule.by is other.schedule.by
    message = escaped(meeting.message("another schedule" if surely else "the same schedule or another"))
    return Fault(one.sources.at("account"), "spec.account", message, meeting.hint)
