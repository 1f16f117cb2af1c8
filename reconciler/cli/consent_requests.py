"""Has plans and statuses say since when owners are awaited, and when they were asked."""

from collections.abc import Iterable
from dataclasses import replace

from reconciler import workflow
from reconciler.cli.console import Console
from reconciler.model.action import Action
from reconciler.model.consent_request import KnownRequests


def known_requests(actions: Iterable[Action], service: workflow.Service, console: Console) -> KnownRequests:
    """What this machine knows of the owners that the actions need; one warning says where that can't be read."""
    unreadable: dict[str, str] = {}
    found = workflow.known_requests(actions, service.machine, unreadable.__setitem__)
    if unreadable:
        site, others = min(unreadable), len(unreadable) - 1
        more = f" and {others} more site{'' if others == 1 else 's'}" if others else ""
        console.warning(f"{site}{more}: {unreadable[site]}")
    return found


def known_after(before: KnownRequests, actions: Iterable[Action], service: workflow.Service) -> KnownRequests:
    """What is known once a plan was carried out, but for owners who have only come to be awaited, and were not asked.

    Of those its report says it all. What can't be read was told before.
    """
    found = workflow.known_requests(actions, service.machine, lambda _site, _why: None)
    kept = {key: each for key, each in found.requests.items() if each.asked_at or key in before.requests}
    return replace(found, requests=kept)
