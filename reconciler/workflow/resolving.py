"""Settling by a person's word what extcal can't decide: which of several connections that one connect made stays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reconciler.errors import NotFoundError, PreconditionFailedError, UsageError
from reconciler.execution.settling import Window, look_for_all
from reconciler.machine import Machine
from reconciler.model.desired import Site
from reconciler.model.intent import Adopted, Fate, Finding, Nothing, Pending, Settled, Several
from reconciler.workflow.service import Sessions


@dataclass(frozen=True, slots=True)
class Choice:
    """What is to be done about one open connect: `keep` stays and `give_up` are disconnected; or it is only closed."""

    site: str
    pending: Pending
    keep: str | None
    give_up: tuple[str, ...] = ()


async def examine(
    sites: Sequence[Site], opened: Sessions, machine: Machine, window: Window | None = None
) -> tuple[Settled, ...]:
    """What there is of each connect that was left open; nothing is closed. Raises ExtcalError."""
    found: list[Settled] = []
    for site in sites:
        left = machine.site(site.site_id).journal.pending()
        found += await look_for_all(left, opened[site.name].reader(), window or Window())
    return tuple(found)


def choose(found: Sequence[Settled], keep: Mapping[str, str], forget: frozenset[str]) -> tuple[Choice, ...]:
    """What to do about each: what is clear settles itself, the rest is as `keep` (connection ids) and `forget` say.

    Both name open connects by address; raises UsageError for what names none, or no connection of it.
    """
    by_address = {settled.pending.intent.address: settled for settled in found}
    for address in (*keep, *sorted(forget)):
        if address not in by_address:
            left = ", ".join(by_address) or "none"
            raise UsageError(f"{address}: no connect of it was left open; left open: {left}")
    choices = (_choice(settled, keep, forget) for settled in found)
    return tuple(choice for choice in choices if choice is not None)


def _choice(settled: Settled, keep: Mapping[str, str], forget: frozenset[str]) -> Choice | None:
    intent = settled.pending.intent
    if intent.address in forget:
        return Choice(intent.site, settled.pending, None)
    match settled.finding:
        case Adopted(connection):
            return Choice(intent.site, settled.pending, connection.id)
        case Nothing():
            return Choice(intent.site, settled.pending, None)
        case Several(connections) if intent.address in keep:
            ids = [connection.id for connection in connections]
            kept = keep[intent.address]
            if kept not in ids:
                raise UsageError(f"--keep {intent.address}={kept}: its connect has made {', '.join(ids)}")
            return Choice(intent.site, settled.pending, kept, tuple(each for each in ids if each != kept))
        case _:
            return None


async def carry_out(choice: Choice, sites: Mapping[str, Site], opened: Sessions, machine: Machine) -> None:
    """Give up what is not to stay, then close the connect; raises ExtcalError, and leaves it open."""
    writer = opened[choice.site].writer()
    for connection_id in choice.give_up:
        try:
            await writer.disconnect(connection_id)
        except NotFoundError:
            continue
        except PreconditionFailedError as error:
            if error.code != "CONNECTION_ALREADY_DISCONNECTED":
                raise
    journal = machine.site(sites[choice.site].site_id).journal
    fate = Fate.FORGOTTEN if choice.keep is None else Fate.ADOPTED
    journal.end(choice.pending.intent, fate, choice.keep)


def is_open(settled: Settled, choices: Sequence[Choice]) -> bool:
    """Whether nobody has decided it yet."""
    return all(choice.pending is not settled.pending for choice in choices)


def described(finding: Finding) -> str:
    """A finding in words."""
    match finding:
        case Adopted(connection):
            return f"it has made {connection.id}"
        case Nothing():
            return "it has made nothing"
        case Several(connections):
            ids = ", ".join(connection.id for connection in connections)
            return f"{len(connections)} connections appeared where one was meant: {ids}"
        case unlisted:
            return f"what it has made can't be seen: {unlisted.why}"
