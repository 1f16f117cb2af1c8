"""How long one operation may take, whatever it asks and whomever: a request to the sandbox's API, say."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from reconciler.sandbox.calendars.errors import NoAnswerError


@dataclass(frozen=True, slots=True)
class Deadline:
    """`seconds` from when it was made; it is handed on, and all that is done for an operation shares it."""

    seconds: float
    _begun: float = field(default_factory=time.monotonic)

    def left(self) -> float:
        """How many seconds are left, 0 once it is over."""
        return max(0.0, self._begun + self.seconds - time.monotonic())

    def first(self, share: float) -> Deadline:
        """The deadline of work that may take a share of the operation's time, counted from its beginning."""
        return Deadline(self.seconds * share, self._begun)

    def missed(self, where: str) -> NoAnswerError:
        """The error that says that it is over."""
        return NoAnswerError(f"{where}: took longer than {self.seconds:g} s")

    def check(self, where: str) -> None:
        """Raises `NoAnswerError` once it is over."""
        if not self.left():
            raise self.missed(where)
