"""What is told of rounds: only what is new, a line each, and never a flood."""

from collections.abc import Collection, Sequence
from typing import Protocol

from reconciler.model.intent import Settled
from reconciler.model.result import Outcome
from reconciler.watching.figures import Ended
from reconciler.watching.site_round import Visit
from reconciler.watching.site_state import NEW, Line, Standing, changes, standing

_MOST_LINES = 50


class Voice(Protocol):
    """Who tells people what happens."""

    def line(self, line: Line) -> None:
        """Something is new."""
        ...

    def settled(self, settled: Settled) -> None:
        """It is known what became of a connect that an earlier run left open."""
        ...

    def outcome(self, outcome: Outcome) -> None:
        """An action has ended."""
        ...

    def round(self, ended: Ended, took: float, visits: Sequence[Visit]) -> None:
        """A round has ended."""
        ...


class News:
    """Remembers what was told of the sites and of the watch itself, as it stood at the end of the last round."""

    def __init__(self, voice: Voice) -> None:
        self._voice = voice
        self._standings: dict[str, Standing] = {}
        self._troubles: frozenset[str] = frozenset()
        self._remarks: frozenset[str] = frozenset()

    def keep(self, sites: Collection[str]) -> None:
        """Forget all other sites."""
        self._standings = {name: each for name, each in self._standings.items() if name in sites}

    def visited(self, visits: Sequence[Visit]) -> None:
        """Tell in what the sites differ from the round before."""
        self._tell([line for visit in visits for line in self._site(visit)])

    def troubled(self, troubles: Sequence[str]) -> None:
        """Tell what stands in the way of the watch itself now, where that was not so in the round before."""
        self._tell([Line(trouble, bad=True) for trouble in troubles if trouble not in self._troubles])
        if self._troubles and not troubles:
            self._voice.line(Line("manifests, repository and machine are in order again"))
        self._troubles = frozenset(troubles)

    def remarked(self, remarks: Sequence[str]) -> None:
        """Tell what is to be pointed out in the manifests as a whole, where that was not so in the round before."""
        self._tell([Line(remark) for remark in remarks if remark not in self._remarks])
        self._remarks = frozenset(remarks)

    def _site(self, visit: Visit) -> list[Line]:
        name = visit.first.site.name
        before = self._standings.get(name, NEW)
        now = self._standings[name] = standing(visit, before)
        return list(changes(visit, before, now))

    def _tell(self, lines: Sequence[Line]) -> None:
        for line in lines[:_MOST_LINES]:
            self._voice.line(line)
        if len(lines) > _MOST_LINES:
            bad = any(line.bad for line in lines[_MOST_LINES:])
            self._voice.line(Line(f"and {len(lines) - _MOST_LINES} more like these; extcal status shows all", bad))
