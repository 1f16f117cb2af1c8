"""Groups the connections that need somebody's consent by owner, and words since when each owner is awaited.

An owner is an account: of several sites, too. An account that the service does not show may be anybody's, so it is one
owner. Those who are awaited longest come first, then those of whom nothing is known.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from reconciler.model.account import Account
from reconciler.model.action import Action
from reconciler.model.consent_request import ConsentRequest, KnownRequests
from reconciler.model.plan import Plan
from reconciler.model.status import ConnectionStatus, FleetStatus
from reconciler.render.schedule_labels import ScheduleLabel, labels_in_plan, labels_in_status
from reconciler.render.view import ReportView

_HOSTS_SHOWN = 5
_MINUTE = 60
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR


@dataclass(frozen=True, slots=True)
class Awaited:
    """A connection that its owner must consent to."""

    address: str
    provider: str
    account: Account | None
    schedule: ScheduleLabel
    request: ConsentRequest | None
    """What its owner was asked; None where this machine does not know of them."""


@dataclass(frozen=True, slots=True)
class AwaitedOwner:
    """An account's owner, and the connections that they must consent to, by address."""

    account: Account | None
    connections: tuple[Awaited, ...]

    @property
    def awaited_since(self) -> datetime | None:
        """Since when they are awaited, for the first of their connections; None where that is not known."""
        return min((each.request.awaited_since for each in self.connections if each.request), default=None)

    @property
    def asked_at(self) -> tuple[datetime, ...]:
        """When messages went to them, the oldest first; one about several connections counts once."""
        times = {time for each in self.connections if each.request for time in each.request.asked_at}
        return tuple(sorted(times))

    def told(self, now: datetime) -> tuple[str, ...]:
        """Since when they are awaited, and when they were asked; nothing where that is not known."""
        return () if self.awaited_since is None else _told(self.awaited_since, self.asked_at, now)


def owners_in_plan(plan: Plan, view: ReportView) -> list[AwaitedOwner]:
    """The owners that a plan needs, those who are awaited longest first."""
    found: list[Awaited] = []
    for site in plan.sites:
        labels = labels_in_plan(site, view)
        for action in site.actions:
            if action.needs_owner:
                label = labels.of(action.schedule_name, action.schedule_id)
                request = request_of(action, view.requests)
                found.append(Awaited(action.address, action.provider, action.account, label, request))
    return _owners(found)


def owners_in_status(fleet: FleetStatus, view: ReportView) -> list[AwaitedOwner]:
    """The owners whose consent is lacking in a fleet, in the same order."""
    found: list[Awaited] = []
    for site in fleet.sites:
        labels = labels_in_status(site, view)
        for status in site.connections:
            if awaits_owner(status):
                label = labels.of(status.schedule, status.schedule_id)
                request = request_in_status(status, view.requests)
                found.append(Awaited(status.address, status.provider, status.account, label, request))
    return _owners(found)


def _owners(found: Iterable[Awaited]) -> list[AwaitedOwner]:
    by_account: dict[Account | None, list[Awaited]] = defaultdict(list)
    for awaited in found:
        by_account[awaited.account].append(awaited)
    owners = [
        AwaitedOwner(account, tuple(sorted(connections, key=lambda each: each.address)))
        for account, connections in by_account.items()
    ]
    return sorted(owners, key=lambda owner: (owner.awaited_since or _LAST, _name(owner)))


_LAST = datetime.max.replace(tzinfo=UTC)


def _name(owner: AwaitedOwner) -> str:
    return "" if owner.account is None else owner.account.normal


def awaits_owner(status: ConnectionStatus) -> bool:
    """Whether only its owner can bring a connection about, or out of its error."""
    return status.action is not None and status.action.needs_owner


def request_of(action: Action, requests: KnownRequests) -> ConsentRequest | None:
    """What the owner that an action needs was asked, as far as that is known."""
    return requests.find(action.site_id, action.address, action.account) if action.needs_owner else None


def request_in_status(status: ConnectionStatus, requests: KnownRequests) -> ConsentRequest | None:
    """What the owner of a connection was asked, as far as that is known."""
    return requests.find(status.site_id, status.address, status.account) if awaits_owner(status) else None


def landing(actions: Iterable[Action], quoted: Callable[[str], str]) -> str | None:
    """The hosts that owners' browsers go to once they have agreed, which a manifest says; None where none does.

    Reports hold no address of the web that could be opened.
    """
    pages = {action.redirect_url for action in actions if action.needs_owner and action.redirect_url}
    hosts = sorted({urlsplit(page).netloc.rpartition("@")[2] for page in pages})
    if not hosts:
        return None
    more = f" and {len(hosts) - _HOSTS_SHOWN:,} more" if len(hosts) > _HOSTS_SHOWN else ""
    return f"once they agree, their browsers go to {', '.join(map(quoted, hosts[:_HOSTS_SHOWN]))}{more}"


def told_in_plan(action: Action, requests: KnownRequests) -> Iterator[str]:
    """The line that says since when an action's owner is awaited, where that is known."""
    if (request := request_of(action, requests)) is not None:
        yield "; ".join(_told(request.awaited_since, request.asked_at, requests.now))


def told_in_status(status: ConnectionStatus, requests: KnownRequests) -> Iterator[str]:
    """The line that says the same of a connection, or that nobody was asked, where it takes its owner."""
    if (request := request_in_status(status, requests)) is not None:
        yield "; ".join(_told(request.awaited_since, request.asked_at, requests.now))
    elif awaits_owner(status):
        yield NOT_ASKED


NOT_ASKED = "not asked yet, as far as this machine knows"


def awaited_longest(owners: Sequence[AwaitedOwner], now: datetime) -> str:
    """` 3 owners awaited, the longest for 12 days.`, as the end of a summary; empty where nobody knows since when."""
    if not owners or (since := owners[0].awaited_since) is None:
        return ""
    if len(owners) == 1:
        return f" 1 owner awaited for {age(since, now)}."
    return f" {len(owners):,} owners awaited, the longest for {age(since, now)}."


def _told(since: datetime, asked_at: Sequence[datetime], now: datetime) -> tuple[str, str]:
    awaited = f"awaited for {age(since, now)}"
    if not asked_at:
        return awaited, "not asked by mail"
    mails = f"{len(asked_at)} mail{'' if len(asked_at) == 1 else 's'}"
    return awaited, f"asked {age(asked_at[-1], now)} ago ({mails})"


def age(since: datetime, now: datetime) -> str:
    """How long ago a moment was, in its largest unit: `2 days`. A clock that was set back makes no time negative."""
    seconds = (now - since).total_seconds()
    for unit, name in ((_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute")):
        if (count := int(seconds // unit)) > 0:
            return f"{count:,} {name}{'' if count == 1 else 's'}"
    return "less than a minute"
