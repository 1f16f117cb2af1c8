"""`extcal plan` shows what would change."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import click

from reconciler import workflow
from reconciler.cli.allowances import (
    allow_option,
    check_allowances,
    parse_allowances,
    places_of_manifests,
    warn_of_unused,
)
from reconciler.cli.arguments import (
    BaseOptions,
    Command,
    NamesOptions,
    ReviewedPlan,
    base_options,
    manifest_paths,
    names_options,
    parallelism_option,
    paths_argument,
    refuse_stdout,
    reviewed_options,
)
from reconciler.cli.consent_requests import known_requests
from reconciler.cli.console import Console
from reconciler.cli.dask.options import dask, not_embedded, runner_options
from reconciler.cli.formats import PLAN_FORMATS, failures_as, report_findings, report_view, warn_of_overlooked
from reconciler.cli.options import GlobalOptions, current_options, global_options
from reconciler.cli.progress import note_duration
from reconciler.cli.redaction import redacted
from reconciler.cli.schedule_names import asks_for_names, named_plan
from reconciler.cli.selection import SelectionOptions, selection_options
from reconciler.cli.signals import run
from reconciler.cli.target import target
from reconciler.errors import UsageError
from reconciler.manifests import Limits, load
from reconciler.model.consent_request import KnownRequests
from reconciler.model.desired import Desired
from reconciler.model.plan import Allowance, Plan
from reconciler.planning.attribution import pending

FAILED = 1
PENDING = 2


@click.command(
    cls=Command,
    examples=[
        "extcal plan manifests",
        "extcal plan manifests --base origin/main --format markdown",
        "extcal plan manifests --out change.plan",
    ],
)
@paths_argument
@selection_options
@allow_option
@click.option(
    "--format",
    "output",
    type=click.Choice(list(PLAN_FORMATS)),
    default="text",
    help="The format of the plan on stdout.",
)
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 if changes are pending.")
@click.option("--out", metavar="FILE", help="Save the plan for apply --plan. It holds no secret.")
@base_options
@click.option(
    "--impact",
    is_flag=True,
    help="Count the busy times of the next 30 days that would no longer be imported; never show titles.",
)
@reviewed_options
@names_options
@parallelism_option
@runner_options
@global_options
def plan(
    *,
    paths: tuple[str, ...],
    limits: Limits,
    selection: SelectionOptions,
    allowances: tuple[str, ...],
    output: str,
    detailed_exitcode: bool,
    out: str | None,
    base: BaseOptions | None,
    impact: bool,
    reviewed: ReviewedPlan | None,
    names: NamesOptions,
    parallelism: int,
    scheduler: str | None,
) -> int:
    """Show what apply would change, without changing it.

    Use it before every apply, and in pull requests: --format markdown writes the plan as a comment, --base tells what
    the change does from what drifts already, and --out saves the plan so that exactly it can be applied.

    With --reviewed FILE, check before apply --plan FILE that a saved plan is still what the manifests yield: each of
    its actions must be one of a new plan, or done already.

    PATH is a manifest file or a folder of them.
    """
    options = current_options()
    refuse_stdout(out=out)
    if reviewed is not None:
        if selection.names_any or out or impact or detailed_exitcode or scheduler:
            raise UsageError(
                "--reviewed FILE checks the whole plan. Combine it with --digest, --base, --base-dir, --shard or "
                "--allow only."
            )
        from reconciler.cli.review import ReviewOptions, review  # noqa: PLC0415 - as said below

        manifests = manifest_paths(paths)
        to_review = ReviewOptions(reviewed, manifests, limits, base, selection, allowances, names, parallelism)
        return review(to_review, PLAN_FORMATS[output])
    if scheduler is not None:
        not_embedded(options)
        if base is not None or impact:
            raise UsageError(
                "--runner dask excludes --base, --base-dir and --impact. Leave them out, or plan without it."
            )
    with failures_as(options.console, PLAN_FORMATS[output].failure):
        desired = load(manifest_paths(paths), limits)
        warn_of_overlooked(desired, options.console, planned=True)
        before = None if base is None else _load_base(base, paths, limits, options.console)
        selected = selection.looked_up(desired, options).of(desired, options.console)
        allowed = parse_allowances(allowances)
        check_allowances(allowed, places_of_manifests(desired))
        named = asks_for_names(names, PLAN_FORMATS[output])
        request = _Request(desired, before, selected, allowed, parallelism, impact=impact, named=named)
        planned = run(_plan(request, options) if scheduler is None else _plan_by_workers(request, options, scheduler))
        plan = planned.plan
        if out is not None:
            _save(plan, out)
    view = replace(report_view(paths, options, wide=names.wide), requests=planned.requests)
    options.console.redacted_result(PLAN_FORMATS[output].shown(plan, options.console.paint, view))
    report_findings(plan, options.console)
    warn_of_unused(allowed, plan, options.console)
    note_duration(plan, parallelism, options.console)
    if not planned.blamed.whole:
        return FAILED
    return PENDING if detailed_exitcode and pending(planned.blamed) else 0


# Most plans have no base, are not saved and check no other: what that takes is imported when it is asked for.


def _load_base(base: BaseOptions, paths: tuple[str, ...], limits: Limits, console: Console) -> workflow.Base:
    from reconciler.cli.base_manifests import load_base  # noqa: PLC0415 - as said above

    return load_base(base, manifest_paths(paths), limits, console)


def _save(plan: Plan, out: str) -> None:
    from reconciler import planfile  # noqa: PLC0415 - as said above

    planfile.save(plan, Path(out))


@dataclass(frozen=True, slots=True)
class _Request:
    """What is to be planned; `base` holds the manifests as they were, where a change is to be kept apart from drift."""

    desired: Desired
    base: workflow.Base | None
    selection: workflow.Selection
    allowed: frozenset[Allowance]
    parallelism: int
    impact: bool
    named: bool


@dataclass(frozen=True, slots=True)
class _Planned:
    """A plan, and the same plan with only those faults that the exit code may speak of; no secret is in either.

    `requests` is what is known of the owners that it needs.
    """

    plan: Plan
    blamed: Plan
    requests: KnownRequests


async def _plan_by_workers(request: _Request, options: GlobalOptions, scheduler: str) -> _Planned:
    """As _plan, by the workers of a scheduler."""
    with target(options) as found:
        async with dask(scheduler, found.service.endpoint, request.allowed) as runner:
            plan = workflow.leaving(
                await runner.plan(request.desired, request.selection, named=request.named), redacted
            )
            return _Planned(plan, plan, known_requests(plan.actions, found.service, options.console))


async def _plan(request: _Request, options: GlobalOptions) -> _Planned:
    desired, selection, allowed = request.desired, request.selection, request.allowed
    with target(options) as found:
        service = replace(found.service, parallelism=request.parallelism)
        async with workflow.sessions(workflow.selected_sites(desired, selection), service) as opened:
            if request.base is None:
                plan = blamed = await workflow.plan(desired, opened, selection, allowed)
            else:
                against = await workflow.plan_against_base(desired, request.base, opened, selection, allowed)
                plan, blamed = against.plan, against.blamed
                for warning in against.warnings:
                    options.console.warning(warning)
            if request.impact:
                plan = await workflow.with_impact(plan, opened, datetime.now(UTC))
            if request.named:
                plan = await named_plan(plan, opened, options.console)
            requests = known_requests(plan.actions, service, options.console)
            shown = workflow.leaving(plan, redacted)
            blamed = shown if request.base is None else workflow.leaving(blamed, redacted)
            return _Planned(shown, blamed, requests)
