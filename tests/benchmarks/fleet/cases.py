"""What is measured of a fleet: commands that are run in turn, so that each can be held against another."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.benchmarks.fleet import peers
from tests.benchmarks.fleet.runs import Command, installed, words
from tests.benchmarks.fleet.worlds import Fleet, Live, write_manifests, write_sets

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.benchmarks.fleet.runs import Server

REQUESTS_A_MINUTE = 190
"""What extcal allows itself for a site: an apply that needs more waits, and would measure the waiting."""

START = "start-up"
VALIDATE = "validate"
VALIDATE_SETS = "validate, as sets"
VALIDATE_LABELLED = "validate, names beside ids"
VALIDATE_LABELLED_SETS = "validate, as sets, names beside ids"
AGREEING_SETS = "plan, agreeing, as sets"
AGREEING = f"plan, {Live.AGREEING}"

_LARGEST_OF_PEERS = 10_000
_OF_TERRAFORM = Fleet(1_000, 1)
_AWAITING = 3


@dataclass(frozen=True, slots=True)
class Key:
    """What is measured: what is done, by whom, on which fleet (None: on none)."""

    what: str
    who: str
    fleet: Fleet | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One measurement: the command, and how the service stands to the manifests before it."""

    key: Key
    command: Command
    live: Live | None = None


_AS_SETS = ((VALIDATE_SETS, "sets"), (VALIDATE_LABELLED, "labelled"), (VALIDATE_LABELLED_SETS, "labelled-sets"))


@dataclass(frozen=True, slots=True)
class Peers:
    """The peers that are at hand: octoDNS's programs, and Terraform; None where one is not to be had."""

    octodns: Path | None
    terraform: str | None

    def plan_zones(self, fleet: Fleet) -> Path | None:
        """The programs of octoDNS, if it is measured on such a fleet."""
        return self.octodns if fleet.sites > 1 and fleet.connections <= _LARGEST_OF_PEERS else None

    def plan_resources(self, fleet: Fleet) -> str | None:
        """Terraform, if it is measured on such a fleet."""
        return self.terraform if fleet == _OF_TERRAFORM else None


def write_inputs(fleet: Fleet, folder: Path, at_hand: Peers) -> None:
    """The files of one fleet, for extcal and for the peers."""
    write_manifests(fleet, folder / "manifests")
    if fleet.sites > 1:
        write_sets(fleet, folder / "sets")
        write_manifests(fleet, folder / "labelled", labelled=True)
        write_sets(fleet, folder / "labelled-sets", labelled=True)
    if at_hand.plan_zones(fleet):
        peers.write_zones(fleet, folder / "zones")
    if terraform := at_hand.plan_resources(fleet):
        peers.write_resources(terraform, fleet.connections, folder / "resources")


def starting() -> Iterator[Case]:
    """How long it takes to begin."""
    yield Case(Key(START, "extcal"), Command(words(installed("extcal"), "--version")))
    yield Case(Key(START, "click"), Command(words(sys.executable, "-c", "import click")))


def of_fleet(fleet: Fleet, folder: Path, server: Server, at_hand: Peers) -> Iterator[Case]:
    """Everything that is measured of one fleet, in the order in which it is run."""
    manifests, zones = folder / "manifests", folder / "zones"
    floor = (sys.executable, "-m", "tests.benchmarks.fleet.floor", manifests)
    octodns, terraform = at_hand.plan_zones(fleet), at_hand.plan_resources(fleet)

    for what, name in ((VALIDATE, "manifests"), *(_AS_SETS if fleet.sites > 1 else ())):
        yield Case(Key(what, "extcal", fleet), Command(words(installed("extcal"), "validate", folder / name)))
    yield Case(Key(VALIDATE, "floor", fleet), Command(words(*floor)))
    if octodns:
        yield Case(Key(VALIDATE, "octoDNS", fleet), peers.octodns_validate(octodns, zones))

    for live in (Live.AGREEING, Live.CHANGED, Live.NEW):
        planned = words(installed("extcal"), "plan", manifests, "--endpoint", server.endpoint)
        yield Case(Key(f"plan, {live}", "extcal", fleet), Command(planned), live)
        if live is not Live.AGREEING:
            continue
        if fleet.sites > 1:
            as_sets = words(installed("extcal"), "plan", folder / "sets", "--endpoint", server.endpoint)
            yield Case(Key(AGREEING_SETS, "extcal", fleet), Command(as_sets), live)
        yield Case(Key(AGREEING, "floor", fleet), Command(words(*floor, server.endpoint)), live)
        if octodns:
            yield Case(Key(AGREEING, "octoDNS", fleet), peers.octodns_plan(octodns, zones))
        if terraform:
            yield Case(Key(AGREEING, "Terraform", fleet), peers.terraform_plan(terraform, folder / "resources"))

    for live in (Live.CHANGED, Live.NEW):
        if _most_requests(fleet, live) <= REQUESTS_A_MINUTE:
            applied = words(
                installed("extcal"), "apply", manifests, "--auto-approve", "--consent", "link", "--endpoint",
                server.endpoint,
            )  # fmt: skip
            # Google's and Microsoft's owners must consent before a connection is there.
            fine = frozenset({0, _AWAITING})
            yield Case(Key(f"apply, {live}", "extcal", fleet), Command(applied, fine=fine), live)


def _most_requests(fleet: Fleet, live: Live) -> int:
    """What an apply may ask of one site: planned twice, and up to four requests for a connection."""
    return 4 + 4 * max(fleet.changed(site, live) for site in range(fleet.sites))
