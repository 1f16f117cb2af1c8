"""The formats that plans, statuses and tables are shown in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from reconciler.cli.report import Failure
from reconciler.model.encoding import Json
from reconciler.model.plan import Plan
from reconciler.model.status import FleetStatus
from reconciler.render import table
from reconciler.render.csv_text import csv_text
from reconciler.render.html.plan_page import plan_failure_html, plan_html
from reconciler.render.html.status_page import status_failure_html, status_html
from reconciler.render.plan_json import failure_json, plan_json
from reconciler.render.plan_markdown import plan_failure_markdown, plan_markdown
from reconciler.render.plan_text import plan_text
from reconciler.render.status_csv import status_csv
from reconciler.render.status_json import status_failure_json, status_json
from reconciler.render.status_text import status_text
from reconciler.render.tone import Paint


@dataclass(frozen=True, slots=True)
class PlanFormat:
    """How a plan is shown, and how it is told that there is none; None where stderr says it all."""

    shown: Callable[[Plan, Paint], str]
    failure: Failure | None


PLAN_FORMATS = {
    "text": PlanFormat(plan_text, None),
    "json": PlanFormat(lambda plan, _paint: plan_json(plan), failure_json),
    "markdown": PlanFormat(lambda plan, _paint: plan_markdown(plan), plan_failure_markdown),
    "html": PlanFormat(
        lambda plan, _paint: plan_html(plan, datetime.now(UTC)),
        lambda messages: plan_failure_html(messages, datetime.now(UTC)),
    ),
}


@dataclass(frozen=True, slots=True)
class StatusFormat:
    """How a status is shown, and how it is told that there is none; None where stderr says it all."""

    shown: Callable[[FleetStatus, Paint], str]
    failure: Failure | None


STATUS_FORMATS = {
    "text": StatusFormat(status_text, None),
    "json": StatusFormat(lambda fleet, _paint: status_json(fleet), status_failure_json),
    "csv": StatusFormat(lambda fleet, _paint: status_csv(fleet), None),
    "html": StatusFormat(
        lambda fleet, _paint: status_html(fleet, datetime.now(UTC)),
        lambda messages: status_failure_html(messages, datetime.now(UTC)),
    ),
}


@dataclass(frozen=True, slots=True)
class Listing:
    """Live values, as rows for people and as objects in the API's words for scripts."""

    headings: table.Row
    rows: Sequence[table.Row]
    objects: Sequence[dict[str, Json]]


LISTING_FORMATS: dict[str, Callable[[Listing], str]] = {
    "text": lambda listing: table.table(listing.headings, listing.rows),
    "json": lambda listing: table.as_json(listing.objects),
    "csv": lambda listing: csv_text(listing.headings, listing.rows),
}
