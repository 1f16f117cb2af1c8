"""Where connects are written down before they are sent; the machine's journal is one."""

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
