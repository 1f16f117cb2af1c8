"""A referee that answers some steps otherwise, as a test teaches it."""

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.support.referee import Reading, Referee, Step
from tests.support.servers.loopback import Answer, Fields

Instead = Callable[[Callable[[], Answer]], Answer]
"""What answers a step, given what would have been its effect and answer."""


@dataclass
class TaughtReferee(Referee):
    """A referee whose steps in `instead` are answered as that says."""

    reading: Reading = field(default_factory=lambda: Reading("as it is"))
    instead: dict[Step, Instead] = field(default_factory=dict)

    def _work(self, path: str, query: str, body: Fields) -> tuple[Step, Callable[[], Answer]]:
        step, effect = super()._work(path, query, body)
        instead = self.instead.get(step)
        return step, effect if instead is None else lambda: instead(effect)


def refusing(status: int, code: str = "", description: str = "refused") -> Instead:
    """Answer with an error, without effect."""
    error = {"code": code, "description": description}
    details = {"applicationError": error} if code else {}
    return lambda _: (status, {"message": description, "details": details})


def answering_with(answer: Fields) -> Instead:
    """Answer with this, without effect."""
    return lambda _: (200, answer)
