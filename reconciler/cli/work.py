"""What apply carries out: manifests that are planned now, or a plan that was made before."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler import planfile, workflow
from reconciler.model.desired import Desired, Site
from reconciler.model.plan import Plan
from reconciler.model.result import Result
from reconciler.model.shards import Shards
from reconciler.planning.guards import Allowance, overruled
from reconciler.planning.sharding import part_of


@dataclass(frozen=True, slots=True)
class Manifests:
    """Manifests, planned now and planned again after applying."""

    desired: Desired
    selection: workflow.Selection

    @property
    def sites(self) -> Sequence[Site]:
        """The selected sites."""
        return workflow.selected_sites(self.desired, self.selection)

    async def plan(self, opened: workflow.Sessions, allowed: frozenset[Allowance]) -> Plan:
        """Plan against the live state."""
        return await workflow.plan(self.desired, opened, self.selection, allowed)

    async def verify(self, result: Result, opened: workflow.Sessions, allowed: frozenset[Allowance]) -> Result:
        """Plan again."""
        return await workflow.verify(result, self.desired, opened, self.selection, allowed)


class Saved:
    """A plan that `plan --out` saved, or the part of it that is in `shards`; `digest` is what its must be.

    `whole` is all of it.

    After applying, its own actions are looked at.
    """

    def __init__(self, file: Path, shards: Shards | None = None, digest: str | None = None) -> None:
        self.whole = planfile.load(file, digest)
        self._plan = part_of(self.whole, shards)

    @property
    def sites(self) -> Sequence[Site]:
        """The sites of the plan."""
        return [site.site for site in self._plan.sites]

    async def plan(self, opened: workflow.Sessions, allowed: frozenset[Allowance]) -> Plan:
        """The plan as it was made, with the guards that are overruled now."""
        del opened
        return overruled(self._plan, allowed)

    async def verify(self, result: Result, opened: workflow.Sessions, allowed: frozenset[Allowance]) -> Result:
        """Look whether what was done is there."""
        del allowed
        return await workflow.verify_saved(result, opened)
