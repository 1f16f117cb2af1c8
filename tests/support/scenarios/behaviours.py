"""Readings of what nobody knows of the hosted API, for hypothesis to pick from and for matrices to walk."""

import dataclasses
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

from hypothesis import strategies as st

from reconciler.sandbox.behaviour import (
    Behaviour,
    CalendarNames,
    Directions,
    Disconnected,
    Hidden,
    Order,
    PartialFailure,
    Permissions,
    Reconnect,
    StartsWith,
    Unsaid,
    Update,
    UpdateAnswer,
)

_EITHER: dict[str, st.SearchStrategy[Any]] = {
    "update": st.sampled_from(Update),
    "reconnect": st.sampled_from(Reconnect),
    "starts_with": st.sampled_from(StartsWith),
    "directions": st.sampled_from(Directions),
    "calendar_names": st.sampled_from(CalendarNames),
    "unknown_fields": st.booleans(),
    "order": st.sampled_from(Order),
    "partial_failure": st.sampled_from(PartialFailure),
    "unsaid": st.sampled_from(Unsaid),
    "hidden": st.sets(st.sampled_from((Hidden.APP_ID, Hidden.USER_ID))).map(frozenset),
    "disconnected": st.sampled_from(Disconnected),
    "update_answer": st.sampled_from(UpdateAnswer),
}
"""Whatever of these holds, what is declared can come about."""
_HARSH: dict[str, st.SearchStrategy[Any]] = {
    "healing": st.booleans(),
    "permissions": st.sampled_from(Permissions),
    "without_primary": st.sets(st.sampled_from(("apple", "google", "microsoft"))).map(frozenset),
    "hidden": st.sets(st.sampled_from(Hidden)).map(frozenset),
}
"""With some of these it can't; nothing may be lost all the same."""


def behaviours(*, harsh: bool = False) -> st.SearchStrategy[Behaviour]:
    """Every reading under which what is declared can come about; the others too, where they may be `harsh`."""
    return st.builds(Behaviour, **{**_EITHER, **(_HARSH if harsh else {})})


def one_by_one() -> Iterator[Behaviour]:
    """The reading that is easy to work with, then each other answer to each question, alone; last, many at once."""
    yield Behaviour()
    for name, value in _others():
        yield dataclasses.replace(Behaviour(), **{name: value})
    yield Behaviour(
        Update.REPLACE,
        Reconnect.NEW_ID,
        starts_with=StartsWith.EVERYTHING,
        directions=Directions.SET,
        calendar_names=CalendarNames.HIDDEN,
        unknown_fields=True,
        order=Order.SHUFFLED,
        unsaid=Unsaid.UNDEFINED,
        hidden=frozenset(Hidden),
        disconnected=Disconnected.FORGOTTEN,
        update_answer=UpdateAnswer.SENT_DIRECTIONS,
    )


def _others() -> Iterator[tuple[str, Any]]:
    for field in dataclasses.fields(Behaviour):
        match getattr(Behaviour(), field.name):
            case bool() as usual:
                yield field.name, not usual
            case StrEnum() as usual:
                yield from ((field.name, other) for other in type(usual) if other is not usual)
    for hidden in Hidden:
        yield "hidden", frozenset({hidden})
    yield "without_primary", frozenset({"apple", "google", "microsoft"})
