"""`--allow GUARD:ADDRESS` overrules a guard at an address; one that does not exist is refused, so that a typo is seen.

What the manifests, or a saved plan, can't have is wrong usage. Whether a live connection that no manifest declares
(`SITE/id:ID`) is there is known only once it was planned: then it is a warning, since it may have gone meanwhile.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import click

from reconciler.cli.console import Console
from reconciler.errors import UsageError
from reconciler.model.desired import Desired
from reconciler.model.plan import Allowance, Plan
from reconciler.planning.guards import GUARDS, MAX_DISCONNECTS
from reconciler.text import did_you_mean, listed

_UNDECLARED = "id:"
_Command = TypeVar("_Command", bound=Callable[..., object])


def allow_option(function: _Command) -> _Command:
    """Give a command `--allow`."""
    return click.option(
        "--allow",
        "allowances",
        metavar="GUARD:ADDRESS",
        multiple=True,
        help=f"Overrule a guard at one address, such as {MAX_DISCONNECTS}:harbor-dental; may be repeated. Guards: "
        f"{', '.join(GUARDS)}.",
    )(function)


@dataclass(frozen=True, slots=True)
class GuardedPlaces:
    """Where guards can be overruled: names of sites, addresses of connections; all of them if `whole`."""

    sites: frozenset[str]
    connections: frozenset[str]
    whole: bool


def places_of_manifests(desired: Desired) -> GuardedPlaces:
    """The places that manifests declare; others may be live."""
    return GuardedPlaces(
        frozenset(site.name for site in desired.sites),
        frozenset(connection.address for connection in desired.connections),
        whole=False,
    )


def places_of_plan(plan: Plan) -> GuardedPlaces:
    """The places that a saved plan is about."""
    wrong = (each for site in plan.sites for each in (*site.faults, *site.unread))
    broken = (violation.address for site in plan.sites for violation in site.violations)
    return GuardedPlaces(
        frozenset(site.site.name for site in plan.sites),
        frozenset({action.address for action in plan.actions} | {fault.where for fault in wrong} | {*broken}),
        whole=True,
    )


def parse_allowances(texts: Sequence[str]) -> frozenset[Allowance]:
    """Read `GUARD:ADDRESS`es; raises UsageError for an unknown guard, and for an address that is not of its kind."""
    found = set()
    for text in texts:
        guard, _, address = text.partition(":")
        if guard not in GUARDS:
            hint = did_you_mean(guard, GUARDS) or f"guards are {', '.join(GUARDS)}"
            raise UsageError(f"--allow {text}: unknown guard {guard!r}; {hint}")
        site, _, name = address.partition("/")
        if not site:
            where = f"{guard}:SITE" if guard == MAX_DISCONNECTS else f"{guard}:SITE/NAME"
            raise UsageError(f"--allow {text}: the address is missing. Write {where}.")
        if guard == MAX_DISCONNECTS and name:
            raise UsageError(f"--allow {text}: {guard} guards a site, not a connection. Write {guard}:{site}.")
        if guard != MAX_DISCONNECTS and not name:
            raise UsageError(f"--allow {text}: {guard} guards a connection, not a site. Write {guard}:{site}/NAME.")
        found.add(Allowance(guard, address))
    return frozenset(found)


def check_allowances(allowed: Iterable[Allowance], places: GuardedPlaces) -> None:
    """Raise UsageError for a place that there is not."""
    for allowance in sorted(allowed, key=str):
        site, _, name = allowance.address.partition("/")
        if site not in places.sites:
            hint = did_you_mean(site, places.sites) or f"sites are {listed(places.sites)}"
            raise UsageError(f"--allow {allowance}: unknown site {site!r}; {hint}")
        if not name or allowance.address in places.connections or (name.startswith(_UNDECLARED) and not places.whole):
            continue
        hint = did_you_mean(allowance.address, places.connections) or f"connections are {listed(places.connections)}"
        why = "the plan does not have it" if places.whole else "no manifest declares it"
        raise UsageError(f"--allow {allowance}: {why}; {hint}")


def warn_of_unused(allowed: Iterable[Allowance], plan: Plan, console: Console) -> None:
    """Warn of allowances that overrule nothing: the plan does not have their live connection."""
    sites = {site.site.name: site for site in plan.sites}
    for allowance in sorted(allowed, key=str):
        name, _, connection = allowance.address.partition("/")
        site = sites.get(name)
        # What a site has that could not be read in full is unknown.
        if site is None or not connection.startswith(_UNDECLARED) or site.unread:
            continue
        if any(fault.where == name for fault in site.faults):
            continue
        if all(action.address != allowance.address for action in site.actions):
            console.warning(f"--allow {allowance}: the plan has no such connection, so this overrules nothing")
