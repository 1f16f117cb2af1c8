"""What answers may cost: a service that sends without end must cost this machine neither its memory nor a day."""

from dataclasses import dataclass

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Cost:
    """Bytes of bodies when they are inflated, values in their JSON, and seconds of sending and receiving."""

    bytes: float = 0.0
    values: float = 0.0
    seconds: float = 0.0

    def plus(self, other: "Cost", times: int = 1) -> "Cost":
        """Both together, the other one so many times."""
        return Cost(
            self.bytes + times * other.bytes, self.values + times * other.values, self.seconds + times * other.seconds
        )

    def words(self, kind: str) -> str:
        """How much it is of one kind, in words."""
        amount = getattr(self, kind)
        if kind == "bytes" and amount >= _MIB:
            return f"{amount / _MIB:.0f} MiB"
        return f"{amount:.0f} {kind}"


@dataclass(frozen=True, slots=True)
class CostLimit:
    """At most so much in all, and for each call so much more."""

    most: Cost
    each: Cost = Cost()


PAGES = CostLimit(Cost(64 * _MIB, 2_000_000, 300.0), Cost(seconds=5.0))
"""For all pages of one list: a thousand of them may be slow, and few of them large."""
RUN = CostLimit(Cost(512 * _MIB, 8_000_000, 900.0), Cost(256 * 1024, 4_000, 10.0))
"""For a run of a site: thousands of quick calls, or large lists read dozens of times."""


class Spending:
    """What was spent of a budget, and of the `whole` that it is part of; `where` ends the sentence that tells it."""

    def __init__(self, budget: CostLimit, where: str, whole: "Spending | None" = None) -> None:
        self._budget = budget
        self._where = where
        self._whole = whole
        self._calls = 0
        self._spent = Cost()

    def call(self) -> None:
        """Count a call."""
        self._calls += 1
        if self._whole is not None:
            self._whole.call()

    def spend(self, cost: Cost) -> None:
        """Count what a call has cost."""
        self._spent = self._spent.plus(cost)
        if self._whole is not None:
            self._whole.spend(cost)

    def left(self, kind: str, most: float) -> tuple[float, str]:
        """How much is left of one kind, `most` at the most, and in words what the limit is."""
        limit = self._budget.most.plus(self._budget.each, self._calls)
        left = getattr(limit, kind) - getattr(self._spent, kind)
        outer = (most, Cost(**{kind: most}).words(kind)) if self._whole is None else self._whole.left(kind, most)
        return outer if outer[0] <= left else (left, f"{limit.words(kind)} {self._where}")
