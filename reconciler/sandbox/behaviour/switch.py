"""Holds the behaviour that a running sandbox has at the moment."""

from __future__ import annotations

from itertools import count

from reconciler.sandbox.behaviour.model import Behaviour


class BehaviourSwitch:
    """Shared by the sandbox's owner, in whatever thread, and the requests."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self._requests = count()

    def set(self, behaviour: Behaviour) -> None:
        """Behave like this from the next request on."""
        self.behaviour = behaviour
        self._requests = count()

    def next_request(self) -> int:
        """The number of the request since the behaviour was set: what is shuffled is so by it, the same in each run."""
        return next(self._requests)
