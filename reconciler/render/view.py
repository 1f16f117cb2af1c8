"""Defines what a reader of a plan or status asks to see."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReportView:
    """How much is shown to people: with `wide`, ids beside the names of schedules."""

    wide: bool = False


USUAL = ReportView()
