"""Owners of accounts whose browsers come when and with what a script says."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from reconciler.execution.consent import AuthorizationLink
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
    """A prompt with a consent for each address; `pending` are those that are awaited, `shown` the links.

    Unless browsers come back `here`, nobody comes; `landing` has the addresses whose links don't lead here.
    """

    consents: dict[str, ScriptedConsent]
    timeout: float = TIMEOUT
    here: bool = True
    landing: list[str] = field(default_factory=list)
    shown: list[tuple[str, str]] = field(default_factory=list)
    pending: set[str] = field(default_factory=set)

    @contextmanager
    def open(self, action: Action) -> Iterator[ScriptedConsent | None]:
        """A pending consent of an action."""
        self.pending.add(action.address)
        try:
            consent = self.consents.setdefault(action.address, ScriptedConsent(action.address, []))
            yield consent if self.here else None
        finally:
            self.pending.remove(action.address)

    def show_link(self, action: Action, link: AuthorizationLink) -> None:
        """Show the link."""
        assert action.address in self.pending
        self.shown.append((action.address, link.url))
        if not link.returns_here:
            self.landing.append(action.address)
