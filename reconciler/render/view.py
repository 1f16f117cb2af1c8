"""Defines what a reader of a plan or status asks to see, and what they are told beside it."""

from dataclasses import dataclass

from reconciler.model.consent_request import NO_REQUESTS, KnownRequests


@dataclass(frozen=True, slots=True)
class ReportView:
    """How a plan or a status is shown to a person."""

    wide: bool = False
    """Whether ids stand beside the names of schedules."""

    status_command: str = "extcal status PATH"
    """What shows the status of the same sites, which names connections that are out of scope."""

    requests: KnownRequests = NO_REQUESTS
    """Since when owners are awaited, and when they were asked, as far as this machine knows."""


USUAL = ReportView()
