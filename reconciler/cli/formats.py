"""The formats that plans, statuses and listings are shown in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from reconciler.cli.report import Failure
from reconciler.model.encoding import Json
from reconciler.model.plan import Plan
from reconciler.model.status import FleetStatus
from reconciler.render import table
from reconciler.render.data_text import csv_text
from reconciler.render.emphasis import Paint
from reconciler.render.plan_json import failure_json, plan_json
from reconciler.render.plan_text import plan_text
from reconciler.render.status_data import status_csv, status_failure_json, status_json
from reconciler.render.status_text import status_text

# Pages and comments are made of much that text has no use for: they are imported when they are asked for.


def _plan_markdown(plan: Plan, _paint: Paint) -> str:
    from reconciler.render.plan_markdown import plan_markdown  # noqa: PLC0415 - as said above

    return plan_markdown(plan)


def _plan_failure_markdown(messages: Sequence[str]) -> str:
    from reconciler.render.plan_markdown import plan_failure_markdown  # noqa: PLC0415 - as said above

    return plan_failure_markdown(messages)


def _plan_html(plan: Plan, _paint: Paint) -> str:
    from reconciler.render.html.plan_page import plan_html  # noqa: PLC0415 - as said above

    return plan_html(plan, datetime.now(UTC))


def _plan_failure_html(messages: Sequence[str]) -> str:
    from reconciler.render.html.plan_page import plan_failure_html  # noqa: PLC0415 - as said above

    return plan_failure_html(messages, datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class PlanFormat:
    """How a plan is shown, and how it is told that there is none; None where stderr says it all."""

    shown: Callable[[Plan, Paint], str]
    failure: Failure | None


PLAN_FORMATS = {
    "text": PlanFormat(plan_text, None),
    "json": PlanFormat(lambda plan, _paint: plan_json(plan), failure_json),
    "markdown": PlanFormat(_plan_markdown, _plan_failure_markdown),
    "html": PlanFormat(_plan_html, _plan_failure_html),
}


# Pages are made of much that text has no use for: they are imported when they are asked for.


def _status_html(fleet: FleetStatus, _paint: Paint) -> str:
    from reconciler.render.html.status_page import status_html  # noqa: PLC0415 - as said above

    return status_html(fleet, datetime.now(UTC))


def _status_failure_html(messages: Sequence[str]) -> str:
    from reconciler.render.html.status_page import status_failure_html  # noqa: PLC0415 - as said above

    return status_failure_html(messages, datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class StatusFormat:
    """How a status is shown, and how it is told that there is none; None where stderr says it all."""

    shown: Callable[[FleetStatus, Paint], str]
    failure: Failure | None


STATUS_FORMATS = {
    "text": StatusFormat(status_text, None),
    "json": StatusFormat(lambda fleet, _paint: status_json(fleet), status_failure_json),
    "csv": StatusFormat(lambda fleet, _paint: status_csv(fleet), None),
    "html": StatusFormat(_status_html, _status_failure_html),
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
