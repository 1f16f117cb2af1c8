"""Holds the behaviour that a running sandbox has at the moment, and puts its answers in order."""

from __future__ import annotations

from itertools import count
from random import Random

from reconciler.sandbox.behaviour.model import Behaviour, Order

_LISTS = frozenset({"calendars", "connectMethods", "connections", "failedProviderIds", "providers", "schedules"})
"""Those whose order the contract doesn't fix, wherever they stand in an answer."""


class BehaviourSwitch:
    """Shared by the sandbox's owner, in whatever thread, and the requests."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self._requests = count()

    def set(self, behaviour: Behaviour) -> None:
        """Behave like this from the next request on."""
        self.behaviour = behaviour
        self._requests = count()

    def in_order(self, answer: dict[str, object], behaviour: Behaviour) -> dict[str, object]:
        """The answer of one request, its lists in the order of `behaviour`.

        The same requests one after the other have the same orders in each run.
        """
        if behaviour.order is Order.STABLE:
            return answer
        order = Random(next(self._requests))  # noqa: S311 -- no secret
        return _shuffled(answer, order)


def _shuffled(fields: dict[str, object], order: Random) -> dict[str, object]:
    return {name: _in_other_order(name, value, order) for name, value in fields.items()}


def _in_other_order(name: str, value: object, order: Random) -> object:
    if isinstance(value, dict):
        return _shuffled(value, order)
    if isinstance(value, list) and name in _LISTS:
        return [_in_other_order("", each, order) for each in order.sample(value, len(value))]
    return value
