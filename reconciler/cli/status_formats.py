"""The formats that statuses are shown in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from reconciler.cli.report import Failure
from reconciler.model.status import FleetStatus
from reconciler.render.status_csv import status_csv
from reconciler.render.status_json import status_failure_json, status_json
from reconciler.render.status_text import status_text
from reconciler.render.tone import Paint

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
