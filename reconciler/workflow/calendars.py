"""Finds the calendars of the accounts whose manifests name some, with the fewest requests.

Those that were listed earlier in the run, or in the last day on this machine, will do where a connection is as declared
with them. So no change and no fault rests on them, and a calendar that is new or was renamed is found as soon as its
name matters. All others are listed now.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from reconciler.api.client import Reader
from reconciler.errors import ApiError
from reconciler.machine.calendars import CalendarFile, ListedCalendars
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
    memory = _Memory(live, reader, file)
    known: dict[str, tuple[Calendar, ...]] = {}
    for key, same in by_id.items():
        before = memory.of(key)
        if before is not None and all(each.is_settled_by(before.calendars) for each in same):
            known[key] = before.calendars
    asked = [key for key in by_id if key not in known]
    foresee(len(asked))
    try:
        answers = dict(zip(asked, await asyncio.gather(*(_listed(reader, key) for key in asked)), strict=True))
    finally:
        # A run that is interrupted, or fails half-way, leaves to the next one what it has listed.
        memory.keep(by_id, whole=whole)
    return replace(
        live,
        calendars=known | {key: answer for key, answer in answers.items() if not isinstance(answer, str)},
        unlisted={key: answer for key, answer in answers.items() if isinstance(answer, str)},
    )


class _Memory:
    """What was listed of the accounts of one site, in this run and in those before."""

    def __init__(self, live: LiveSite, reader: Reader, file: CalendarFile | None) -> None:
        self._reader = reader
        self._file = file
        self._accounts = {each.id: each.account for each in live.connections if each.status not in _UNLISTED}
        self._entries = {} if file is None else file.read()
        self._recent = {key: one for key, one in self._entries.items() if file is not None and file.is_recent(one)}

    def of(self, connection_id: str) -> ListedCalendars | None:
        """What was listed last of the account that a connection has now."""
        found = self._of_run(connection_id) or self._recent.get(connection_id)
        return found if found is not None and found.account == self._accounts.get(connection_id) else None

    def keep(self, connection_ids: Iterable[str], *, whole: bool) -> None:
        """Leave what was listed of these connections to the next runs; if `whole`, none of those that are not there."""
        if self._file is None:
            return
        of_run = {key: entry for key in connection_ids if (entry := self._of_run(key)) is not None}
        left = {key: one for key, one in (self._recent | of_run).items() if key in self._accounts or not whole}
        if left != self._entries:
            self._file.write(left)

    def _of_run(self, connection_id: str) -> ListedCalendars | None:
        answer = self._reader.listed_calendars(connection_id)
        if answer is None:
            return None
        # Whatever else the service says of a calendar is not told by it, and not written down.
        calendars = tuple(Calendar(each.id, each.name) for each in each_once(answer.value))
        return ListedCalendars(self._accounts.get(connection_id), int(answer.at.timestamp()), calendars)


async def _listed(reader: Reader, connection_id: str) -> tuple[Calendar, ...] | str:
    """List the account's calendars now, or say why not: one's error must not hide the site."""
    try:
        return each_once(await reader.list_calendars(connection_id, reader.moment))
    except ApiError as error:
        return str(error)
