"""A plan: what would be done and why, as a value that can be shown, saved, reviewed and carried out."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from reconciler.model.action import Action, Reason
from reconciler.model.desired import Site
from reconciler.model.encoding import digest, encoded
from reconciler.model.shards import Shards
from reconciler.model.source import Fault


@dataclass(frozen=True, slots=True)
class Violation:
    """A guard that forbids a plan; `--allow guard:address` overrules it, where it can be overruled."""

    guard: str
    address: str
    message: str
    overrulable: bool = True


@dataclass(frozen=True, slots=True)
class Allowance:
    """One guard overruled at one address: `--allow GUARD:ADDRESS`."""

    guard: str
    address: str

    def __str__(self) -> str:
        return f"{self.guard}:{self.address}"


@dataclass(frozen=True, slots=True)
class SitePlan:
    """The plan of one site, and what keeps it, or a part of it, from being carried out.

    A violation holds back all of it, as does a fault of the site itself. A fault of one connection holds back that
    one; and while there is any, nothing is disconnected but what a manifest without a fault says is to go.
    `unread` names declared connections that could not be planned since the service answered only in part; the rest
    stands all the same. `plan_id` tells which saved plan it was loaded from; it is empty where it was planned just
    now.
    """

    site: Site
    actions: tuple[Action, ...] = ()
    faults: tuple[Fault, ...] = ()
    violations: tuple[Violation, ...] = ()
    unread: tuple[Fault, ...] = ()
    warnings: tuple[str, ...] = ()
    plan_id: str = ""

    def __repr__(self) -> str:
        # asyncio's runner shows its result to the signal module, which words it in an error that nobody sees.
        return f"SitePlan({self.site.name}: {len(self.actions)} actions)"

    @property
    def applyable(self) -> bool:
        """Whether it may be carried out, but for what a connection's fault holds back."""
        return not self.violations and not any(fault.where == self.site.name for fault in self.faults)

    def holds_back(self, action: Action) -> bool:
        """Whether a fault of a connection keeps an action from being carried out."""
        if not self.faults:
            return False
        unnamed = action.kind.disconnects and action.reason is not Reason.TOMBSTONE
        return unnamed or any(fault.where == action.address for fault in self.faults)


@dataclass(frozen=True, slots=True)
class Plan:
    """The plans of all sites, ordered by site; actions are ordered by address.

    `shards` says which part of a fleet it is about; None is all that was selected.
    """

    sites: tuple[SitePlan, ...] = ()
    shards: Shards | None = None

    @property
    def digest(self) -> str:
        """`sha256:…` over what would be done, whichever saved plan it is of."""
        return digest(encoded(self.with_ids({})))

    def with_ids(self, plan_ids: Mapping[str, str]) -> "Plan":
        """The plan, each site with the id of the saved plan that it is of, given by its name; without one: none."""
        sites = tuple(replace(site, plan_id=plan_ids.get(site.site.name, "")) for site in self.sites)
        return replace(self, sites=sites)

    @property
    def actions(self) -> tuple[Action, ...]:
        """Every action of every site."""
        return tuple(action for site in self.sites for action in site.actions)

    @property
    def held_back(self) -> frozenset[str]:
        """The addresses of the actions that errors and guards keep from being carried out."""
        return frozenset(
            action.address
            for site in self.sites
            for action in site.actions
            if action.kind.writes and (not site.applyable or site.holds_back(action))
        )

    @property
    def pending(self) -> bool:
        """Whether carrying it out would change anything."""
        return any(action.kind.writes for action in self.actions)

    @property
    def whole(self) -> bool:
        """Whether every site was read and planned in full and may be carried out."""
        return not any(site.faults or site.violations or site.unread for site in self.sites)
