"""Reading what planning one site needs, with the fewest requests (source: DESIGN, Planning, Observe)."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from reconciler.api.client import Reader
from reconciler.errors import ApiError
from reconciler.model.desired import DeclaredConnection
from reconciler.model.live import Calendar, LiveSite, Schedule
from reconciler.planning.planner import calendar_lookups, schedule_lookups


async def observe(declared: Sequence[DeclaredConnection], reader: Reader) -> LiveSite:
    """Read one site for these declared connections; raises ApiError or SecretError where it can't be read."""
    by_name, external_ids = schedule_lookups(declared)

    async def schedules() -> tuple[Schedule, ...]:
        if not by_name and not external_ids:
            return ()
        return await reader.query_schedules(() if by_name else external_ids)

    providers, connections, found = await asyncio.gather(
        reader.list_providers(), reader.list_connections(), schedules()
    )
    live = LiveSite(providers, connections.connections, connections.failed_provider_ids, found)
    wanted = calendar_lookups(declared, live)
    answers = await asyncio.gather(*(_calendars(reader, connection_id) for connection_id in wanted))
    by_id = dict(zip(wanted, answers, strict=True))
    return replace(
        live,
        calendars={key: answer for key, answer in by_id.items() if not isinstance(answer, str)},
        unlisted={key: answer for key, answer in by_id.items() if isinstance(answer, str)},
    )


async def _calendars(reader: Reader, connection_id: str) -> tuple[Calendar, ...] | str:
    """The account's calendars, or why they are not to be had: one account's trouble must not hide the site."""
    try:
        return await reader.list_calendars(connection_id)
    except ApiError as error:
        return str(error)
