"""Resolves by a person's decision which of several connections of one declared stays.

Terms: a connect is left open where its answer was lost, and its journal holds no end of it; duplicates are several live
connections of one that is declared, whoever connected them. Steps:

1. `examine` looks up what the service lists of each connect that was left open, and finds the duplicates. It writes
   nothing.
2. `choose` makes the decisions: what is clear needs nobody; the rest is as `--keep` and `--forget` say.
3. `carry_out` disconnects what is not to stay, then closes the connect in its journal.
"""

import asyncio
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from reconciler.api.client import Reader, Writer
from reconciler.errors import ExtcalError, UsageError
from reconciler.execution.connect import disconnect_seen, unclear
from reconciler.execution.settle import Window, look_for_all
from reconciler.execution.site_view import Seen, now
from reconciler.machine import Machine
from reconciler.model.desired import DeclaredConnection, Desired, Site
from reconciler.model.intent import Adopted, Fate, Finding, Nothing, Settled, Several, Unclear, Unlisted
from reconciler.model.live import LiveConnection, LiveSite
from reconciler.model.source import Fault
from reconciler.planning.duplicates import Duplicates, find_duplicates, still_standing, unread
from reconciler.workflow.observation import find_schedules
from reconciler.workflow.plans import declared_by_site
from reconciler.workflow.service import Sessions, run_bounded

Open = Settled | Duplicates
"""What may be left to a person: a connect that was left open, or connections that stand twice."""


class ChangedSinceError(ExtcalError):
    """What stands is not what a person was shown; nothing was disconnected."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be done about something open: it is closed as `fate`.

    `keep` stays, `give_up` are disconnected.
    """

    about: Open
    fate: Fate
    keep: str | None = None
    give_up: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Examined:
    """What there is of each connect that was left open, the duplicates, and what is not known.

    `faults` says by name of which sites it can't be told what was left open, `unread` of which what stands twice;
    `warnings` name what of a site could not be read.
    """

    settled: tuple[Settled, ...]
    duplicates: tuple[Duplicates, ...]
    faults: Mapping[str, Fault]
    unread: Mapping[str, Fault]
    warnings: tuple[str, ...]

    @property
    def open(self) -> tuple[Open, ...]:
        """All of it; duplicates that one connect has made are part of it."""
        unseen = {each.pending.intent.address for each in self.settled if isinstance(each.finding, Unlisted)}
        # By their ids, too: the manifests may have given it another name since.
        made = {key for each in self.settled if isinstance(each.finding, Several) for key in _ids(each.finding)}
        apart = (each for each in self.duplicates if each.address not in unseen and not made & {*each.ids})
        return (*self.settled, *apart)


async def examine(
    desired: Desired, sites: Sequence[Site], opened: Sessions, machine: Machine, window: Window | None = None
) -> Examined:
    """Look up each connect that was left open, and find duplicates; nothing is closed."""

    async def left_open(site: Site) -> tuple[Settled, ...] | Fault:
        try:
            left = machine.site(site.site_id).journal.pending()
        except ExtcalError as error:
            return Fault(site.source, site.name, str(error))
        return await look_for_all(left, opened[site.name].reader(), window or Window())

    by_site = declared_by_site(desired, opened)

    async def read(site: Site) -> LiveSite | Fault:
        try:
            return await _read(by_site[site.name], opened[site.name].reader())
        except ExtcalError as error:
            return Fault(site.source, site.name, str(error))

    answers = await asyncio.gather(*(left_open(site) for site in sites))
    declaring = [site for site in sites if by_site[site.name]]
    seen = dict(zip(declaring, await run_bounded(read, declaring, opened.at_once), strict=True))
    lives = {site: live for site, live in seen.items() if isinstance(live, LiveSite)}
    return Examined(
        settled=tuple(each for answer in answers if not isinstance(answer, Fault) for each in answer),
        duplicates=tuple(
            each for site, live in lives.items() for each in find_duplicates(site.site_id, by_site[site.name], live)
        ),
        faults={s.name: answer for s, answer in zip(sites, answers, strict=True) if isinstance(answer, Fault)},
        unread={site.name: live for site, live in seen.items() if isinstance(live, Fault)},
        warnings=tuple(
            f"{site.name}: the service could not read the connections of provider {name}: which of them stand twice "
            "is not known"
            for site, live in lives.items()
            for name in unread(by_site[site.name], live)
        ),
    )


async def _read(declared: Sequence[DeclaredConnection], reader: Reader) -> LiveSite:
    """What telling a site's duplicates needs."""
    found = await find_schedules(declared, reader)
    listed = await reader.list_connections()
    return LiveSite(
        await reader.list_providers(),
        listed.connections,
        listed.failed_provider_ids,
        schedules=found.listed,
        other_schedules=found.others,
    )


def choose(examined: Examined, keep: Mapping[str, str], forget: frozenset[str]) -> tuple[Decision, ...]:
    """Decide about each: what is clear by itself, the rest by `keep` (ids) and `forget`.

    Both name by address what is open; raises UsageError for what names nothing, or no connection of it.
    """
    found = examined.open
    connects = {each.pending.intent.address for each in found if isinstance(each, Settled)}
    standing = {each.address for each in found if isinstance(each, Duplicates)}
    for address in (*keep, *sorted(forget)):
        if address in connects or (address in keep and _may_stand(address, standing, examined)):
            continue
        left = ", ".join(sorted(connects | standing)) or "none"
        raise UsageError(f"{address}: nothing to resolve there; open are: {left}")
    decisions = []
    for each in found:
        if isinstance(each, Duplicates):
            decisions.append(_stays(each, keep.get(each.address)))
        else:
            address = each.pending.intent.address
            # Of what stands twice any may stay, whichever the connect has made.
            decisions.append(_decision(each, None if address in standing else keep.get(address), forget))
    return tuple(decision for decision in decisions if decision is not None)


def _may_stand(address: str, standing: Collection[str], examined: Examined) -> bool:
    """Whether something stands twice, or may do so where the site could not be read."""
    return address in standing or address.partition("/")[0] in examined.unread


def _stays(duplicates: Duplicates, keep: str | None) -> Decision | None:
    if keep is None:
        return None
    if keep not in duplicates.ids:
        ids = ", ".join(duplicates.ids)
        raise UsageError(f"--keep {duplicates.address}={keep}: not one of its connections, which are {ids}")
    return Decision(duplicates, Fate.ADOPTED, keep, tuple(each for each in duplicates.ids if each != keep))


def _decision(settled: Settled, keep: str | None, forget: frozenset[str]) -> Decision | None:
    address = settled.pending.intent.address
    if address in forget:
        return Decision(settled, Fate.FORGOTTEN)
    ids = _ids(settled.finding)
    if keep is not None and keep not in ids and not isinstance(settled.finding, Unlisted):
        raise UsageError(f"--keep {address}={keep}: its connect has made {', '.join(ids) or 'nothing'}")
    match settled.finding:
        case Adopted(connection):
            return Decision(settled, Fate.ADOPTED, connection.id)
        case Nothing():
            return Decision(settled, Fate.NOTHING)
        case Unclear() if keep is not None:
            return Decision(settled, Fate.ADOPTED, keep)
        case Several(connections) if keep is not None:
            # What shows no account may be another's, and stays.
            own = [connection.id for connection in connections if connection.account]
            return Decision(settled, Fate.ADOPTED, keep, tuple(each for each in own if each != keep))
        case _:
            return None


def _ids(finding: Finding) -> list[str]:
    return [connection.id for connection in _connections(finding)]


def _connections(finding: Finding) -> Sequence[LiveConnection]:
    """What has appeared, as far as a person may choose among it."""
    match finding:
        case Adopted(connection):
            return (connection,)
        case Several(connections) | Unclear(connections):
            return connections
        case _:
            return ()


async def carry_out(decision: Decision, sites: Sequence[Site], opened: Sessions, machine: Machine) -> None:
    """Disconnect what is not to stay, then close the connect, if it is one.

    Raises ExtcalError, and leaves it open.
    """
    about = decision.about
    # By its id: the manifests may have given it another name since.
    site_id = about.site_id if isinstance(about, Duplicates) else about.pending.intent.site_id
    site = next(site for site in sites if site.site_id == site_id)
    writer = opened[site.name].writer()
    if isinstance(about, Duplicates):
        await _keep(decision, about, writer)
    else:
        for connection in _connections(about.finding):
            if connection.id in decision.give_up:
                # Looked up first: a person may have thought it over for long.
                await disconnect_seen(Seen(connection, -math.inf), writer)
        machine.site(site.site_id).journal.end(about.pending.intent, decision.fate, decision.keep)


async def _keep(decision: Decision, duplicates: Duplicates, writer: Writer) -> None:
    """Disconnect the others.

    A person may have thought it over for long, so what is connected is looked up again.
    """
    listed = await writer.list_connections((duplicates.key.schedule_id,))
    standing = still_standing(duplicates, listed.connections)
    if decision.keep not in standing:
        why = "is no longer connected, so nothing was disconnected; run extcal resolve again"
        raise ChangedSinceError(f"{decision.keep} {why}")
    at = now()
    for connection in listed.connections:
        if connection.id in decision.give_up and connection.id in standing:
            await disconnect_seen(Seen(connection, at), writer)


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
