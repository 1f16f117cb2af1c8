"""The formats that a plan is shown in."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from reconciler.cli.report import Failure
from reconciler.model.plan import Plan
from reconciler.render.html.plan_page import plan_failure_html, plan_html
from reconciler.render.plan_json import failure_json, plan_json
from reconciler.render.plan_markdown import plan_failure_markdown, plan_markdown
from reconciler.render.plan_text import plan_text
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
