"""Owners of accounts whose browsers come when and with what a script says."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from reconciler.model.consent import Callback, Refusal, Verdict
from reconciler.model.plan import Action


@dataclass
class ScriptedVisit:
    """A visit to which browsers come `every` seconds, one for each of `answers`; afterwards nobody does."""

    address: str
    answers: list[str | Refusal]
    every: float = 1.0
    verdicts: list[Verdict] = field(default_factory=list)

    @property
    def redirect_url(self) -> str:
        """Where they come."""
        return f"http://127.0.0.1/{self.address}"

    async def arrival(self) -> Callback:
        """Wait for the next one."""
        await asyncio.sleep(self.every if self.answers else 1e6)
        return Callback(self.answers.pop(0))

    def tell(self, verdict: Verdict) -> None:
        """Note what it is told."""
        self.verdicts.append(verdict)


@dataclass
class ScriptedDoor:
    """A door with a visit for each address; `opened` and `shown` say what was done at it."""

    visits: dict[str, ScriptedVisit]
    shown: list[tuple[str, str]] = field(default_factory=list)
    open: set[str] = field(default_factory=set)

    @contextmanager
    def expect(self, action: Action) -> Iterator[ScriptedVisit]:
        """Expect an action's owner."""
        self.open.add(action.address)
        try:
            yield self.visits.setdefault(action.address, ScriptedVisit(action.address, []))
        finally:
            self.open.remove(action.address)

    def asked(self, action: Action, url: str) -> None:
        """Show the link."""
        assert action.address in self.open
        self.shown.append((action.address, url))
