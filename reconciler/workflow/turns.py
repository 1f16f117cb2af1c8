"""Doing the same for many, a few at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

_Item = TypeVar("_Item")
_Done = TypeVar("_Done")


async def in_turn(work: Callable[[_Item], Awaitable[_Done]], items: Iterable[_Item], at_once: int) -> list[_Done]:
    """What `work` makes of each item, in their order, with at most `at_once` under way."""
    slots = asyncio.Semaphore(at_once)

    async def one(item: _Item) -> _Done:
        async with slots:
            return await work(item)

    return await asyncio.gather(*map(one, items))
