"""Owners of accounts whose browsers come when and with what a script says."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from reconciler.model.action import Action
from reconciler.model.consent import Callback, CallbackResult, ConsentRefusal

TIMEOUT = 60.0


@dataclass
class ScriptedConsent:
    """A pending consent whose callbacks come `every` seconds, one for each of `answers`; afterwards none does."""

    address: str
    answers: list[str | ConsentRefusal]
    every: float = 1.0
    results: list[CallbackResult] = field(default_factory=list)

    @property
    def redirect_url(self) -> str:
        """Where they come."""
        return f"http://127.0.0.1/{self.address}"

    async def receive(self) -> Callback:
        """Wait for the next one."""
        await asyncio.sleep(self.every if self.answers else 1e6)
        return Callback(self.answers.pop(0))

    def reply(self, result: CallbackResult) -> None:
        """Note what is shown."""
        self.results.append(result)


@dataclass
class ScriptedPrompt:
    """A prompt with a consent for each address; `pending` are those that are awaited, `shown` the links."""

    consents: dict[str, ScriptedConsent]
    timeout: float = TIMEOUT
    shown: list[tuple[str, str]] = field(default_factory=list)
    pending: set[str] = field(default_factory=set)

    @contextmanager
    def open(self, action: Action) -> Iterator[ScriptedConsent]:
        """A pending consent of an action."""
        self.pending.add(action.address)
        try:
            yield self.consents.setdefault(action.address, ScriptedConsent(action.address, []))
        finally:
            self.pending.remove(action.address)

    def show_link(self, action: Action, url: str) -> None:
        """Show the link."""
        assert action.address in self.pending
        self.shown.append((action.address, url))
