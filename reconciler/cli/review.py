"""`extcal plan --reviewed FILE` checks whether a saved plan still is what the manifests yield."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from reconciler import planfile, workflow
from reconciler.cli.allowances import check_allowances, parse_allowances, places_of_manifests, warn_of_unused
from reconciler.cli.arguments import BaseOptions, NamesOptions, ReviewedPlan
from reconciler.cli.base_manifests import load_base
from reconciler.cli.consent_requests import known_requests
from reconciler.cli.formats import PlanFormat, failures_as, report_findings, report_view, warn_of_overlooked
from reconciler.cli.options import GlobalOptions, current_options
from reconciler.cli.schedule_names import asks_for_names, named_plan
from reconciler.cli.selection import SelectionOptions
from reconciler.cli.signals import run
from reconciler.cli.target import target
from reconciler.manifests import Limits, load
from reconciler.model.consent_request import KnownRequests
from reconciler.model.desired import Desired
from reconciler.model.plan import Allowance, Plan
from reconciler.planning.partition import partition_of

_FAILED = 1


@dataclass(frozen=True, slots=True)
class ReviewOptions:
    """What is to be checked, and the manifests that must yield it; what `base` protects is protected, too."""

    reviewed: ReviewedPlan
    paths: Sequence[Path]
    limits: Limits
    base: BaseOptions | None
    selection: SelectionOptions
    allowances: tuple[str, ...]
    names: NamesOptions
    parallelism: int


def review(options: ReviewOptions, output: PlanFormat) -> int:
    """Plan again, show that plan, and say on stderr whether the saved one still holds; that decides the exit code."""
    globals_ = current_options()
    console = globals_.console
    file = options.reviewed.file
    with failures_as(console, output.failure):
        document = planfile.read(file)
        saved = partition_of(planfile.plan_of(document, file, options.reviewed.digest), options.selection.shards)
        desired = load(options.paths, options.limits)
        warn_of_overlooked(desired, console, planned=True)
        before = None if options.base is None else load_base(options.base, options.paths, options.limits, console)
        selection = options.selection.of(desired, console)
        allowed = parse_allowances(options.allowances)
        check_allowances(allowed, places_of_manifests(desired))
        named = asks_for_names(options.names, output)
        found, requests = run(
            _review(saved, desired, before, selection, allowed, options.parallelism, globals_, named=named)
        )
    view = report_view([str(path) for path in options.paths], globals_, wide=options.names.wide)
    view = replace(view, requests=requests)
    console.show(lambda plan: output.shown(plan, console.paint, view), found.fresh)
    report_findings(found.fresh, console)
    warn_of_unused(allowed, found.fresh, console)
    for refusal in found.refusals:
        console.error(str(refusal))
    if found.refusals:
        console.error(f"{file}: the manifests no longer yield the reviewed plan. Plan and review again.")
        return _FAILED
    console.note(f"The reviewed plan still holds: {document['digest']}")
    return 0


async def _review(
    saved: Plan,
    desired: Desired,
    base: workflow.Base | None,
    selection: workflow.Selection,
    allowed: frozenset[Allowance],
    parallelism: int,
    options: GlobalOptions,
    *,
    named: bool,
) -> tuple[workflow.Review, KnownRequests]:
    with target(options) as reached:
        service = replace(reached.service, parallelism=parallelism)
        async with workflow.sessions(workflow.selected_sites(desired, selection), service) as opened:
            found = await workflow.review_saved(saved, desired, base, opened, selection, allowed)
            fresh = await named_plan(found.fresh, opened, options.console) if named else found.fresh
        return replace(found, fresh=fresh), known_requests(fresh.actions, service, options.console)
