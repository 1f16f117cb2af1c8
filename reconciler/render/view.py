"""Defines what a reader of a plan or status asks to see, and what they are told to type to see more."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReportView:
    """How a plan or a status is shown to a person."""

    wide: bool = False
    """Whether ids stand beside the names of schedules."""

    status_command: str = "extcal status PATH"
    """What shows the status of the same sites, which names connections that are out of scope."""


USUAL = ReportView()
