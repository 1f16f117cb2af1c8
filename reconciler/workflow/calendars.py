"""Finds the calendars of the accounts whose manifests name some, with the fewest requests.

Those that were listed earlier in the run, or in the last day on this machine, will do where a connection is as declared
with them. So no change and no fault rests on them, and a calendar that is new or was renamed is found as soon as its
name matters. All others are listed now.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from reconciler.api.client import Reader
from reconciler.errors import ApiError
from reconciler.machine.calendars import CalendarFile, ListedCalendars
from reconciler.model.account import Account
from reconciler.model.live import Calendar, LiveSite, Status, each_once
from reconciler.planning.planner import CalendarLookup

_UNLISTED = {Status.DISCONNECTED.value, Status.ERROR.value}


async def with_calendars(
    live: LiveSite,
    lookups: Sequence[CalendarLookup],
    reader: Reader,
    file: CalendarFile | None,
    foresee: Callable[[int], None],
    *,
    whole: bool,
) -> LiveSite:
    """The site with the calendars that are looked up, or why one account's are not to be had.

    `file` remembers them for the next runs, where there is one; `foresee` is told how many are asked for, before they
    are. `whole` tells that all connections of the site are in `live`: what is remembered of others is forgotten then.
    """
    by_id: dict[str, list[CalendarLookup]] = defaultdict(list)
    for each in lookups:
        by_id[each.connection.id].append(each)
    accounts = {each.id: each.account for each in live.connections if each.status not in _UNLISTED}
    entries = {} if file is None else file.read()
    recent = {key: entry for key, entry in entries.items() if file is not None and file.is_recent(entry)}
    known: dict[str, tuple[Calendar, ...]] = {}
    for key, same in by_id.items():
        before = _of_run(key, accounts, reader) or recent.get(key)
        if before is None or before.account != accounts.get(key):
            continue
        if all(each.is_settled_by(before.calendars) for each in same):
            known[key] = before.calendars
    asked = [key for key in by_id if key not in known]
    foresee(len(asked))
    answers = dict(zip(asked, await asyncio.gather(*(_listed(reader, key) for key in asked)), strict=True))
    if file is not None:
        of_run = {key: entry for key in by_id if (entry := _of_run(key, accounts, reader)) is not None}
        left = {key: entry for key, entry in (recent | of_run).items() if key in accounts or not whole}
        if left != entries:
            file.write(left)
    return replace(
        live,
        calendars=known | {key: answer for key, answer in answers.items() if not isinstance(answer, str)},
        unlisted={key: answer for key, answer in answers.items() if isinstance(answer, str)},
    )


def _of_run(connection_id: str, accounts: Mapping[str, Account | None], reader: Reader) -> ListedCalendars | None:
    """What was listed last of a connection's account in this run, None where nothing was."""
    answer = reader.listed_calendars(connection_id)
    if answer is None:
        return None
    # Whatever else the service says of a calendar is not told by it, and not written down.
    calendars = tuple(Calendar(each.id, each.name) for each in each_once(answer.value))
    return ListedCalendars(accounts.get(connection_id), int(answer.at.timestamp()), calendars)


async def _listed(reader: Reader, connection_id: str) -> tuple[Calendar, ...] | str:
    """List the account's calendars now, or say why not: one's error must not hide the site."""
    try:
        return each_once(await reader.list_calendars(connection_id, reader.moment))
    except ApiError as error:
        return str(error)
