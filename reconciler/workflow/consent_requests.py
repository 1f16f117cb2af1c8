"""Looks up since when the owners that a plan or a status needs are awaited, and when they were asked.

That is only shown: nothing rests on it, and nothing is changed by it.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from reconciler.errors import ExtcalError
from reconciler.machine import Machine
from reconciler.model.account import Account
from reconciler.model.action import Action
from reconciler.model.consent_request import ConsentRequest, KnownRequests

OnUnreadable = Callable[[str, str], None]
"""What is called for each site whose requests can't be read: the site's name, and why."""


def known_requests(actions: Iterable[Action], machine: Machine, on_unreadable: OnUnreadable) -> KnownRequests:
    """What this machine knows now of the owners that the actions need; sites that need none are not looked at."""
    sites = {action.site_id: action.site for action in actions if action.needs_owner}
    found: dict[tuple[str, str, Account | None], ConsentRequest] = {}
    for site_id, name in sites.items():
        try:
            requests = machine.site(site_id).consent_requests.read()
        except (ExtcalError, OSError) as error:
            on_unreadable(name, str(error))
        else:
            found.update({(site_id, each.address, each.account): each for each in requests})
    return KnownRequests(found, datetime.now(UTC))
