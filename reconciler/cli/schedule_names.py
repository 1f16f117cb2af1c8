"""Has plans and statuses show schedules by name, where a command is to ask for names."""

from collections.abc import Mapping

from reconciler import workflow
from reconciler.cli.arguments import NamesOptions
from reconciler.cli.console import Console
from reconciler.cli.formats import PlanFormat, StatusFormat
from reconciler.model.plan import Plan
from reconciler.model.status import FleetStatus


def asks_for_names(names: NamesOptions, output: PlanFormat | StatusFormat) -> bool:
    """Whether names are to be asked for: programs read ids."""
    return names.ask and output.for_people


async def named_plan(plan: Plan, opened: workflow.Sessions, console: Console) -> Plan:
    """The plan with names of schedules; a note says where they can't be read."""
    unnamed: dict[str, str] = {}
    found = await workflow.with_schedule_names(plan, opened, unnamed.__setitem__)
    _note(unnamed, console)
    return found


async def named_status(fleet: FleetStatus, opened: workflow.Sessions, console: Console) -> FleetStatus:
    """The status with names of schedules, in the same way."""
    unnamed: dict[str, str] = {}
    found = await workflow.status_with_schedule_names(fleet, opened, unnamed.__setitem__)
    _note(unnamed, console)
    return found


def _note(unnamed: Mapping[str, str], console: Console) -> None:
    """One note, however many sites it is about: keys that may not read schedules are often alike."""
    if not unnamed:
        return
    site, others = min(unnamed), len(unnamed) - 1
    more = f" and {others} more site{'' if others == 1 else 's'}" if others else ""
    console.note(
        f"{site}{more}: the names of schedules can't be read, so ids are shown: {unnamed[site]}. With --no-names they "
        "are not asked for."
    )
