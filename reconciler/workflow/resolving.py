"""Settling by a person's word what extcal can't decide: which of several connections that one connect made stays."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reconciler.errors import ExtcalError, NotFoundError, PreconditionFailedError, UsageError
from reconciler.execution.connecting import unclear
from reconciler.execution.settling import Window, look_for_all
from reconciler.machine import Machine
from reconciler.model.desired import Site
from reconciler.model.intent import Adopted, Fate, Finding, Nothing, Pending, Settled, Several, Unclear, Unlisted
from reconciler.model.source import Fault
from reconciler.workflow.service import Sessions


@dataclass(frozen=True, slots=True)
class Choice:
    """What is to be done about one open connect: it is closed as `fate`; `keep` stays, `give_up` are disconnected."""

    pending: Pending
    fate: Fate
    keep: str | None = None
    give_up: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Examined:
    """What there is of each connect that was left open, and why that can't be told of some sites, by their names."""

    settled: tuple[Settled, ...]
    faults: Mapping[str, Fault]


async def examine(sites: Sequence[Site], opened: Sessions, machine: Machine, window: Window | None = None) -> Examined:
    """Look what there is of each connect that was left open; nothing is closed."""

    async def one(site: Site) -> tuple[Settled, ...] | Fault:
        try:
            left = machine.site(site.site_id).journal.pending()
        except ExtcalError as error:
            return Fault(site.source, site.name, str(error))
        return await look_for_all(left, opened[site.name].reader(), window or Window())

    answers = await asyncio.gather(*(one(site) for site in sites))
    faults: dict[str, Fault] = {}
    found: list[Settled] = []
    for site, answer in zip(sites, answers, strict=True):
        if isinstance(answer, Fault):
            faults[site.name] = answer
        else:
            found += answer
    return Examined(tuple(found), faults)


def choose(found: Sequence[Settled], keep: Mapping[str, str], forget: frozenset[str]) -> tuple[Choice, ...]:
    """What to do about each: what is clear settles itself, the rest is as `keep` (connection ids) and `forget` say.

    Both name open connects by address; raises UsageError for what names none, or no connection of it.
    """
    by_address = {settled.pending.intent.address: settled for settled in found}
    for address in (*keep, *sorted(forget)):
        if address not in by_address:
            left = ", ".join(by_address) or "none"
            raise UsageError(f"{address}: no connect of it was left open; left open: {left}")
    choices = (_choice(settled, keep.get(settled.pending.intent.address), forget) for settled in found)
    return tuple(choice for choice in choices if choice is not None)


def _choice(settled: Settled, keep: str | None, forget: frozenset[str]) -> Choice | None:
    address = settled.pending.intent.address
    if address in forget:
        return Choice(settled.pending, Fate.FORGOTTEN)
    ids = _ids(settled.finding)
    if keep is not None and keep not in ids and not isinstance(settled.finding, Unlisted):
        raise UsageError(f"--keep {address}={keep}: its connect has made {', '.join(ids) or 'nothing'}")
    match settled.finding:
        case Adopted(connection):
            return Choice(settled.pending, Fate.ADOPTED, connection.id)
        case Nothing():
            return Choice(settled.pending, Fate.NOTHING)
        case Unclear() if keep is not None:
            return Choice(settled.pending, Fate.ADOPTED, keep)
        case Several() if keep is not None:
            return Choice(settled.pending, Fate.ADOPTED, keep, tuple(each for each in ids if each != keep))
        case _:
            return None


def _ids(finding: Finding) -> list[str]:
    match finding:
        case Adopted(connection):
            return [connection.id]
        case Several(connections) | Unclear(connections):
            return [connection.id for connection in connections]
        case _:
            return []


async def carry_out(choice: Choice, sites: Sequence[Site], opened: Sessions, machine: Machine) -> None:
    """Give up what is not to stay, then close the connect; raises ExtcalError, and leaves it open."""
    # By its id: the manifests may have given it another name since.
    site_id = choice.pending.intent.site_id.lower()
    site = next(site for site in sites if site.site_id.lower() == site_id)
    writer = opened[site.name].writer()
    for connection_id in choice.give_up:
        try:
            await writer.disconnect(connection_id)
        except NotFoundError:
            continue
        except PreconditionFailedError as error:
            if error.code != "CONNECTION_ALREADY_DISCONNECTED":
                raise
    machine.site(site.site_id).journal.end(choice.pending.intent, choice.fate, choice.keep)


def described(finding: Finding) -> str:
    """A finding in words."""
    match finding:
        case Adopted(connection):
            return f"it has made {connection.id}"
        case Nothing():
            return "it has made nothing so far"
        case Several(connections):
            ids = ", ".join(connection.id for connection in connections)
            return f"{len(connections)} connections appeared where one was meant: {ids}"
        case Unclear(connections):
            return unclear(connections)
        case unlisted:
            return f"what it has made can't be seen: {unlisted.why}"
