"""Remembers for a run what the service has answered, so that the same is not asked twice in it.

That is for what a run may rest on from its beginning to its end: providers, schedules, calendars. What an action rests
on is asked for again each time, and not through this.

A *moment* counts the answers of a run. Whoever finds that a remembered answer lacks something asks for one since a
moment: one of before is asked for again, and one that came meanwhile is not.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar, cast

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Answer(Generic[_Value]):
    """What was answered; it was asked for at the time `at`, and came at the moment `moment` of its run."""

    value: _Value
    moment: int
    at: datetime


class Answers:
    """The answers of one run by what was asked; `now` tells the time of day.

    Those who ask for the same at the same time share a request, and its error. An error is not remembered.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.moment = 0
        self._now = now
        self._given: dict[Hashable, Answer[object]] = {}
        # A request goes on for as long as somebody waits for it.
        self._under_way: dict[Hashable, asyncio.Task[object]] = {}
        self._waiting: Counter[asyncio.Task[object]] = Counter()

    def given(self, question: Hashable) -> Answer[object] | None:
        """What was answered in the run, None where nothing was."""
        return self._given.get(question)

    def forget(self, question: Hashable) -> None:
        """Remember no answer, not even one that is on its way."""
        self._given.pop(question, None)
        self._under_way.pop(question, None)

    async def once(self, question: Hashable, ask: Callable[[], Awaitable[_Value]], since: int = 0) -> _Value:
        """The remembered answer if it came after the moment `since`, else what `ask` gives, which may raise."""
        known = self._given.get(question)
        if known is not None and known.moment > since:
            return cast("_Value", known.value)
        request = self._under_way.get(question)
        if request is None:
            request = self._under_way[question] = asyncio.create_task(self._asked(question, ask))
        self._waiting[request] += 1
        try:
            await asyncio.wait([request])
        finally:
            self._waiting[request] -= 1
            if not self._waiting[request]:
                del self._waiting[request]
                self._end(question, request)
                request.cancel()
                await asyncio.gather(request, return_exceptions=True)
        return cast("_Value", request.result())

    async def _asked(self, question: Hashable, ask: Callable[[], Awaitable[object]]) -> object:
        request, at = asyncio.current_task(), self._now()
        try:
            value = await ask()
            # One that was forgotten meanwhile may have been asked too early.
            if self._under_way.get(question) is request:
                self.moment += 1
                self._given[question] = Answer(value, self.moment, at)
            return value
        finally:
            self._end(question, request)

    def _end(self, question: Hashable, request: asyncio.Task[object] | None) -> None:
        if self._under_way.get(question) is request:
            del self._under_way[question]
