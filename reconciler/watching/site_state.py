"""How a site stands at the end of a round, and in what that differs from the round before."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from reconciler.model.status import ConnectionStatus, Health
from reconciler.planning.account_warnings import OtherAccount
from reconciler.render import status_words
from reconciler.text import inert
from reconciler.watching.site_round import Visit


@dataclass(frozen=True, slots=True)
class Line:
    """A line to tell; `bad` where somebody should look."""

    text: str
    bad: bool = False


@dataclass(frozen=True, slots=True)
class Condition:
    """How one connection is, and why; `faulty` where a fault says so, which is told as a trouble of its site."""

    health: Health
    why: str | None = None
    faulty: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """A site: its connections by address, the gists of its troubles, and what else was remarked.

    `seen` is False where the site could not be read; its connections are then as they were seen last.
    """

    connections: Mapping[str, Condition]
    troubles: frozenset[tuple[str, str]] = frozenset()
    remarks: frozenset[str] = frozenset()
    seen: bool = True


NEW = Standing({})
"""A site that nothing is known of yet."""


def standing(visit: Visit, before: Standing) -> Standing:
    """How a site stands after a visit."""
    troubles = frozenset(trouble.gist for trouble in visit.troubles)
    # What is told of a connection is not told of its site once more.
    remarks = frozenset(visit.final.warnings) - {
        str(OtherAccount(each.action, account))
        for each in visit.status.connections
        if each.action is not None
        for account in each.other_accounts
    }
    if visit.status.unread is not None:
        return Standing(before.connections, troubles, remarks, seen=False)
    return Standing({each.address: _condition(each) for each in visit.status.connections}, troubles, remarks)


def _condition(status: ConnectionStatus) -> Condition:
    return Condition(status.health, status_words.reason(status), faulty=status.fault is not None)


def changes(visit: Visit, before: Standing, now: Standing) -> Iterator[Line]:
    """What is new since the round before, a line each; nothing where all is as it was."""
    if now.seen and not before.seen:
        yield Line(f"{visit.first.site.name}: can be read again")
    for trouble in visit.troubles:
        if trouble.gist not in before.troubles:
            yield Line(inert(trouble.text), bad=True)
    for remark in sorted(now.remarks - before.remarks):
        yield Line(inert(remark))
    for address, condition in now.connections.items():
        yield from _change(address, before.connections.get(address), condition)


def _change(address: str, before: Condition | None, now: Condition) -> Iterator[Line]:
    if before == now or now.faulty:
        return
    if now.health.needs_attention:
        why = f": {now.why}" if now.why else ""
        yield Line(inert(f"{address}: {status_words.WORD[now.health]}{why}"), bad=now.health is Health.ERROR)
    elif before is not None and before.health.needs_attention:
        yield Line(inert(f"{address}: healed, {status_words.WORD[now.health]}"))
    elif now.health is Health.UNMANAGED and before is None:
        yield Line(inert(f"{address}: {status_words.WORD[now.health]}: {now.why}"))
