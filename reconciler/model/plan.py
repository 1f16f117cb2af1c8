"""Defines a plan: what would be done and why, to be shown, saved, reviewed and applied."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from reconciler.model.action import Action, Reason
from reconciler.model.desired import Site
from reconciler.model.encoding import NOT_ENCODED, digest, encoded
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
    one. While any connection has a fault, only tombstones (`state: absent`) without a fault are disconnected.
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
    lookups: int = field(default=0, compare=False, metadata=NOT_ENCODED)
    """How many requests it took to find out what names in the manifests mean."""

    out_of_scope: tuple[Action, ...] = field(default=(), compare=False, metadata=NOT_ENCODED)
    """Live connections on schedules that no manifest names, which stay connected; none where that can't be known."""

    def __repr__(self) -> str:
        # Where asyncio.run restores the handler of SIGINT, `signal` raises and drops a ValueError (CPython 3.11) whose
        # message shows the handler, its task and the task's result: all of a plan, at a cost.
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
        """`sha256:…` of the content, without plan ids: saving twice gives the same."""
        return digest(encoded(self.with_ids({})))

    def with_ids(self, plan_ids: Mapping[str, str]) -> "Plan":
        """The plan with `plan_ids[site name]` at each site, empty where there is none."""
        sites = tuple(replace(site, plan_id=plan_ids.get(site.site.name, "")) for site in self.sites)
        return replace(self, sites=sites)

    @property
    def actions(self) -> tuple[Action, ...]:
        """Every action of every site."""
        return tuple(action for site in self.sites for action in site.actions)

    @property
    def out_of_scope(self) -> tuple[Action, ...]:
        """The live connections of every site that its manifests don't answer for, as far as that is known."""
        return tuple(action for site in self.sites for action in site.out_of_scope)

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
        """Whether any action writes, held back or not."""
        return any(action.kind.writes for action in self.actions)

    @property
    def whole(self) -> bool:
        """Whether every site was read and planned in full and may be carried out."""
        return not any(site.faults or site.violations or site.unread for site in self.sites)
