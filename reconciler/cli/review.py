"""`extcal plan --reviewed FILE`: whether a saved plan still is what the manifests yield."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from reconciler import planfile, workflow
from reconciler.cli.arguments import BaseChoice, parse_allowances
from reconciler.cli.base import load_base
from reconciler.cli.options import Globals, said_globals
from reconciler.cli.plan_formats import PlanFormat
from reconciler.cli.report import failing_as, report_troubles
from reconciler.cli.selecting import Selecting
from reconciler.cli.signals import run
from reconciler.cli.target import target
from reconciler.manifests import load
from reconciler.model.desired import Desired
from reconciler.model.plan import Plan
from reconciler.planning.guards import Allowance
from reconciler.planning.sharding import part_of

_FAILED = 1


def review(
    file: Path,
    digest: str | None,
    paths: Sequence[Path],
    base: BaseChoice | None,
    selecting: Selecting,
    allowances: tuple[str, ...],
    output: PlanFormat,
    parallelism: int,
) -> int:
    """Plan anew, show that plan, and tell on stderr whether the saved one stands; the exit code is about that alone.

    With `digest`, a saved plan of another one is refused; what `base` protects is protected in the new plan, too.
    """
    said = said_globals()
    console = said.console
    with failing_as(console, output.failure):
        document = planfile.read(file)
        saved = part_of(planfile.plan_of(document, file, digest), selecting.shards)
        desired = load(paths)
        before = None if base is None else load_base(base, paths, console)
        selection = selecting.of(desired, console)
        allowed = parse_allowances(allowances, desired.sites)
        found = run(_review(saved, desired, before, selection, allowed, parallelism, said))
    console.result(output.shown(found.fresh, console.paint))
    report_troubles(found.fresh, console)
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
