"""`extcal merge` joins what the shards of a fleet found."""

from collections.abc import Sequence
from pathlib import Path

import click

from reconciler import planfile
from reconciler.cli.arguments import Command, refuse_stdout
from reconciler.cli.console import Console
from reconciler.cli.formats import PLAN_FORMATS, failures_as, report_findings
from reconciler.cli.options import current_options, offline_options
from reconciler.errors import UsageError
from reconciler.model.plan import Plan
from reconciler.planning.attribution import pending
from reconciler.render.data_text import json_text
from reconciler.render.view import USUAL
from reconciler.workflow.merge import (
    Document,
    DocumentPart,
    Kind,
    MergeError,
    PlanPart,
    document_part,
    document_pending,
    merged_document,
    merged_plan,
    missing,
    missing_of,
)

FAILED = 1
PENDING = 2


@click.command(
    cls=Command, examples=["extcal merge shard-*.plan --out fleet.plan", "extcal merge status-1.json status-2.json"]
)
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--out", metavar="FILE", help="Save the joined plan for apply --plan. The FILEs must be saved plans.")
@click.option(
    "--format",
    "output",
    type=click.Choice(list(PLAN_FORMATS)),
    help="The format of the joined plan on stdout. Documents are always json.  [default: text, for documents json]",
)
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 if the joined plan has changes pending.")
@offline_options
def merge(
    files: tuple[str, ...],
    out: str | None,
    output: str | None,
    detailed_exitcode: bool,  # noqa: FBT001 - click hands flags over as arguments
) -> int:
    """Join the plans, results or statuses of a fleet's shards.

    Use it after a job for each --shard has planned, applied or read its sites. No service is asked.

    Each FILE is a plan saved by plan --out, or what plan, apply or status printed with --format json; all of one kind.
    The exit code is 1 if a shard is missing: the joined plan is then shown, and not saved.
    """
    refuse_stdout(out=out)
    console = current_options().console
    with failures_as(console, None if output is None else PLAN_FORMATS[output].failure):
        plans, documents = _read([Path(file) for file in files])
        if plans:
            return _show_plan(merged_plan(plans), out, output or "text", console, detailed=detailed_exitcode)
        if out is not None or output not in {None, "json"}:
            raise UsageError(
                "JSON documents are joined as JSON on stdout. For --out or another --format, join saved plans."
            )
        if detailed_exitcode and any(each.kind in {Kind.APPLY, Kind.STATUS} for each in documents):
            raise UsageError("--detailed-exitcode is for plans. Leave it out.")
        return _show_document(merged_document(documents), console, detailed=detailed_exitcode)


def _read(files: Sequence[Path]) -> tuple[list[PlanPart], list[DocumentPart]]:
    """The saved plans, or the documents; raises ExtcalError for a file that is neither, and where both are there."""
    plans: list[PlanPart] = []
    documents: list[DocumentPart] = []
    for file in files:
        found = planfile.read(file)
        if "plan" in found:
            plans.append(PlanPart(file, planfile.plan_of(found, file)))
        else:
            documents.append(document_part(found, file))
    if plans and documents:
        raise MergeError(f"{plans[0].file} is a saved plan and {documents[0].file} is not. Join files of one kind.")
    return plans, documents


def _show_plan(plan: Plan, out: str | None, output: str, console: Console, *, detailed: bool) -> int:
    if out is not None and plan.shards is None:
        planfile.save(plan, Path(out))
    console.show(lambda shown: PLAN_FORMATS[output].shown(shown, console.paint, USUAL), plan)
    report_findings(plan, console)
    if plan.shards is not None:
        console.error(missing(plan.shards) + ("; nothing was saved" if out is not None else ""))
        return FAILED
    return PENDING if detailed and pending(plan) else 0


def _show_document(document: Document, console: Console, *, detailed: bool) -> int:
    console.show(json_text, document)
    if (lacking := missing_of(document)) is not None:
        console.error(lacking)
        return FAILED
    return PENDING if detailed and document_pending(document) else 0
