"""Formats plans, statuses and listings, and the warnings and errors beside them."""

import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from reconciler.cli.console import Console
from reconciler.cli.options import GlobalOptions
from reconciler.cli.redaction import redact
from reconciler.errors import ExtcalError, ManifestError, UsageError
from reconciler.model.desired import Desired
from reconciler.model.encoding import Json
from reconciler.model.plan import Plan
from reconciler.render import table, words
from reconciler.render.data_text import csv_text
from reconciler.render.emphasis import Paint
from reconciler.render.plan_json import failure_json, plan_json
from reconciler.render.plan_text import plan_text
from reconciler.render.view import ReportView

if TYPE_CHECKING:
    from reconciler.model.status import FleetStatus


def report_view(paths: Sequence[str], options: GlobalOptions, *, wide: bool) -> ReportView:
    """How plans and statuses of the manifests at these paths are shown."""
    if not paths:
        return ReportView(wide=wide)
    return ReportView(wide, redact(shlex.join(["extcal", "status", *paths, *options.repeated()])))


Failure = Callable[[Sequence[str]], str]
"""Messages as a document that says why there is nothing else."""

# Pages and comments are made of much that text has no use for, and plans have none for statuses: each is imported when
# it is asked for.


def _plan_markdown(plan: Plan, _paint: Paint, view: ReportView) -> str:
    from reconciler.render.plan_markdown import plan_markdown  # noqa: PLC0415 - as said above

    return plan_markdown(plan, view)


def _plan_failure_markdown(messages: Sequence[str]) -> str:
    from reconciler.render.plan_markdown import plan_failure_markdown  # noqa: PLC0415 - as said above

    return plan_failure_markdown(messages)


def _plan_html(plan: Plan, _paint: Paint, view: ReportView) -> str:
    from reconciler.render.html.plan_page import plan_html  # noqa: PLC0415 - as said above

    return plan_html(plan, datetime.now(UTC), view)


def _plan_failure_html(messages: Sequence[str]) -> str:
    from reconciler.render.html.plan_page import plan_failure_html  # noqa: PLC0415 - as said above

    return plan_failure_html(messages, datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class PlanFormat:
    """How a plan is shown, and how a failure to make one is; None where stderr says it all.

    `for_people` says that schedules are shown by name.
    """

    shown: Callable[[Plan, Paint, ReportView], str]
    failure: Failure | None
    for_people: bool = True


PLAN_FORMATS = {
    "text": PlanFormat(plan_text, None),
    "json": PlanFormat(lambda plan, _paint, _view: plan_json(plan), failure_json, for_people=False),
    "markdown": PlanFormat(_plan_markdown, _plan_failure_markdown),
    "html": PlanFormat(_plan_html, _plan_failure_html),
}


def _status_text(fleet: "FleetStatus", paint: Paint, view: ReportView) -> str:
    from reconciler.render.status_text import status_text  # noqa: PLC0415 - as said above

    return status_text(fleet, paint, view)


def _status_json(fleet: "FleetStatus", _paint: Paint, view: ReportView) -> str:
    from reconciler.render.status_data import status_json  # noqa: PLC0415 - as said above

    return status_json(fleet, view)


def _status_failure_json(messages: Sequence[str]) -> str:
    from reconciler.render.status_data import status_failure_json  # noqa: PLC0415 - as said above

    return status_failure_json(messages)


def _status_csv(fleet: "FleetStatus", _paint: Paint, view: ReportView) -> str:
    from reconciler.render.status_data import status_csv  # noqa: PLC0415 - as said above

    return status_csv(fleet, view)


def _status_markdown(fleet: "FleetStatus", _paint: Paint, view: ReportView) -> str:
    from reconciler.render.status_markdown import status_markdown  # noqa: PLC0415 - as said above

    return status_markdown(fleet, view)


def _status_failure_markdown(messages: Sequence[str]) -> str:
    from reconciler.render.status_markdown import status_failure_markdown  # noqa: PLC0415 - as said above

    return status_failure_markdown(messages)


def _status_html(fleet: "FleetStatus", _paint: Paint, view: ReportView) -> str:
    from reconciler.render.html.status_page import status_html  # noqa: PLC0415 - as said above

    return status_html(fleet, datetime.now(UTC), view)


def _status_failure_html(messages: Sequence[str]) -> str:
    from reconciler.render.html.status_page import status_failure_html  # noqa: PLC0415 - as said above

    return status_failure_html(messages, datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class StatusFormat:
    """How a status is shown, and how a failure to read it is; None where stderr says it all.

    `for_people` says that schedules are shown by name.
    """

    shown: Callable[["FleetStatus", Paint, ReportView], str]
    failure: Failure | None
    for_people: bool = True


STATUS_FORMATS = {
    "text": StatusFormat(_status_text, None),
    "json": StatusFormat(_status_json, _status_failure_json, for_people=False),
    "markdown": StatusFormat(_status_markdown, _status_failure_markdown),
    "csv": StatusFormat(_status_csv, None, for_people=False),
    "html": StatusFormat(_status_html, _status_failure_html),
}


@dataclass(frozen=True, slots=True)
class Listing:
    """Live values, as rows for people and as objects in the API's words for scripts."""

    headings: table.Row
    rows: Sequence[table.Row]
    objects: Sequence[dict[str, Json]]
    for_people: tuple[table.Row, Sequence[table.Row]] | None = None
    """Headings and rows as a terminal shows them, where spreadsheets get others."""


LISTING_FORMATS: dict[str, Callable[[Listing], str]] = {
    "text": lambda listing: table.table(*(listing.for_people or (listing.headings, listing.rows))),
    "json": lambda listing: table.as_json(listing.objects),
    "csv": lambda listing: csv_text(listing.headings, listing.rows),
}


def show_listing(console: Console, output: str, listing: Listing, *, whole: bool) -> None:
    """Show a listing on stdout; headings alone would say that there is nothing, where nothing could be read."""
    if whole or listing.rows or output != "text":
        console.show(LISTING_FORMATS[output], listing)


_FEW_LOOKUPS = 20
"""The most requests for the sake of names that are not worth a word."""


def report_findings(plan: Plan, console: Console) -> None:
    """Report the faults, violations, gaps and warnings of a plan, and what its names cost, on stderr."""
    # A file that may be about any site is a warning of each.
    shown: set[str] = set()
    for site in plan.sites:
        for warning in (*site.site.warnings, *site.warnings):
            if warning not in shown:
                shown.add(warning)
                console.warning(warning)
        for fault in words.faults(site):
            console.fault(fault)
        for violation in words.violations(site):
            console.error(words.guard_sentence(violation))
    lookups = sum(site.lookups for site in plan.sites)
    if lookups > _FEW_LOOKUPS:
        console.note(
            f"names in manifests took {lookups:,} requests. extcal pin PATH writes ids beside those in connections."
        )


def warn_of_overlooked(desired: Desired, console: Console, *, planned: bool = False) -> None:
    """Warn of files that look like manifests and are not read.

    A plan that is shown has the warnings of its sites. It notes, as validate does, what of rosters is not read.
    """
    for note in desired.notes if planned else ():
        console.note(f"note: {note}")
    for one in desired.overlooked:
        if not (planned and one.sites):
            console.warning(str(one.warning))


@contextmanager
def failures_as(console: Console, failure: Failure | None) -> Iterator[None]:
    """Whatever fails inside is a document on stdout too, where its format has one for it; wrong usage is not."""
    try:
        yield
    except UsageError:
        raise
    except ExtcalError as error:
        if failure is not None:
            faults = error.faults if isinstance(error, ManifestError) else (error,)
            console.show(failure, [str(fault) for fault in faults])
        raise


def failures_as_json(console: Console, *, as_json: bool) -> AbstractContextManager[None]:
    """Where JSON is asked for, whatever fails inside is the JSON document of a plan on stdout too."""
    return failures_as(console, failure_json if as_json else None)
