"""Asks for the names of the schedules that a plan or a status shows, once it is made.

Nothing rests on them: where they can't be read, ids are shown, and nobody waits for them long.
"""

import asyncio
from collections.abc import Callable, Mapping

from reconciler.api.client import SCHEDULES_A_PAGE
from reconciler.errors import ExtcalError
from reconciler.model.plan import Plan
from reconciler.model.status import FleetStatus
from reconciler.planning.schedule_names import (
    LackingNames,
    Names,
    lacking_in_plan,
    lacking_in_status,
    with_names_in_plan,
    with_names_in_status,
)
from reconciler.workflow.service import Sessions, run_bounded

_PATIENCE_SECONDS = 10.0
OnUnnamed = Callable[[str, str], None]
"""What is called for each site whose schedules' names can't be read: the site's name, and why."""


async def with_schedule_names(plan: Plan, opened: Sessions, on_unnamed: OnUnnamed) -> Plan:
    """The plan with the names of schedules that it lacks; only sites with something to show are asked for them."""
    return with_names_in_plan(plan, await _names(lacking_in_plan(plan), opened, on_unnamed))


async def status_with_schedule_names(fleet: FleetStatus, opened: Sessions, on_unnamed: OnUnnamed) -> FleetStatus:
    """The status with the names of schedules that it lacks, in the same way."""
    return with_names_in_status(fleet, await _names(lacking_in_status(fleet), opened, on_unnamed))


async def _names(lacking: Mapping[str, LackingNames], opened: Sessions, on_unnamed: OnUnnamed) -> dict[str, Names]:
    async def of_site(name: str) -> Names:
        ids = lacking[name].asked(SCHEDULES_A_PAGE)
        found: dict[str, str] = {}
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                for first in range(0, len(ids), SCHEDULES_A_PAGE):
                    some = ids[first : first + SCHEDULES_A_PAGE]
                    found |= {each.id: each.name for each in await opened[name].reader().schedules_by_id(some)}
        except TimeoutError:
            on_unnamed(name, f"no answer within {_PATIENCE_SECONDS:g} s")
        except ExtcalError as error:
            on_unnamed(name, str(error))
        return {key: found[key] for key in ids if found.get(key)}

    asked = [name for name, each in lacking.items() if each.telling]
    return dict(zip(asked, await run_bounded(of_site, asked, opened.at_once), strict=True))
