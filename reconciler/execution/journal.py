"""What is written down of a run: connects before they are sent, and what saved plans were used for."""

from typing import Protocol

from reconciler.model.intent import Fate, Intent, Pending


class Journal(Protocol):
    """The journal of one site; each method raises an ExtcalError where it can't be read or written."""

    def begin(self, intent: Intent) -> None:
        """Write an intent down, so that it outlives this process and this machine's power."""
        ...

    def end(self, intent: Intent, ending: Fate, connection_id: str | None = None) -> None:
        """Write down what became of it."""
        ...

    def pending(self) -> tuple[Pending, ...]:
        """Those that have no end, the oldest first."""
        ...


class Use(Protocol):
    """What one saved plan has been used for on one site; each method raises an ExtcalError where it can't be told."""

    @property
    def plan_id(self) -> str:
        """Which saved plan."""
        ...

    def when(self, address: str) -> str | None:
        """When the action of an address was carried out, or was seen to have come about; None where it never was."""
        ...

    def add(self, address: str) -> None:
        """Write down that the action of an address was carried out, or has come about."""
        ...
