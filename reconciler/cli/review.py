"""`extcal plan --reviewed FILE`: whether a saved plan still is what the manifests yield."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from reconciler import planfile, workflow
from reconciler.cli.allowances import check_allowances, parse_allowances, places_of_manifests, warn_of_unused
from reconciler.cli.arguments import BaseChoice, Reviewed
from reconciler.cli.base import load_base
from reconciler.cli.formats import PlanFormat, failing_as, report_troubles, tell_overlooked
from reconciler.cli.options import Globals, said_globals
from reconciler.cli.selection import Selecting
from reconciler.cli.signals import run
from reconciler.cli.target import target
from reconciler.manifests import Limits, load
from reconciler.model.desired import Desired
from reconciler.model.plan import Plan
from reconciler.planning.guards import Allowance
from reconciler.planning.partition import partition_of

_FAILED = 1


@dataclass(frozen=True, slots=True)
class Checking:
    """What is to be checked, and the manifests that must yield it; what `base` protects is protected, too."""

    reviewed: Reviewed
    paths: Sequence[Path]
    limits: Limits
    base: BaseChoice | None
    selecting: Selecting
    allowances: tuple[str, ...]
    parallelism: int


def review(checking: Checking, output: PlanFormat) -> int:
    """Plan anew, show that plan, and tell on stderr whether the saved one stands; the exit code is about that alone."""
    said = said_globals()
    console = said.console
    file = checking.reviewed.file
    with failing_as(console, output.failure):
        document = planfile.read(file)
        saved = partition_of(planfile.plan_of(document, file, checking.reviewed.digest), checking.selecting.shards)
        desired = load(checking.paths, checking.limits)
        tell_overlooked(desired, console, planned=True)
        before = None if checking.base is None else load_base(checking.base, checking.paths, checking.limits, console)
        selection = checking.selecting.of(desired, console)
        allowed = parse_allowances(checking.allowances)
        check_allowances(allowed, places_of_manifests(desired))
        found = run(_review(saved, desired, before, selection, allowed, checking.parallelism, said))
    console.show(lambda plan: output.shown(plan, console.paint), found.fresh)
    report_troubles(found.fresh, console)
    warn_of_unused(allowed, found.fresh, console)
    for refusal in found.refusals:
        console.error(str(refusal))
    if found.refusals:
        console.error(f"{file}: these manifests don't yield the reviewed plan; plan and review anew")
        return _FAILED
    console.note(f"The reviewed plan stands: {document['digest']}")
    return 0


async def _review(
    saved: Plan,
    desired: Desired,
    base: workflow.Base | None,
    selection: workflow.Selection,
    allowed: frozenset[Allowance],
    parallelism: int,
    said: Globals,
) -> workflow.Review:
    with target(said) as found:
        service = replace(found.service, parallelism=parallelism)
        async with workflow.sessions(workflow.selected_sites(desired, selection), service) as opened:
            return await workflow.review_saved(saved, desired, base, opened, selection, allowed)
