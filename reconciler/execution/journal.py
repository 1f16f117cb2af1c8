"""What is written down of a run: connects before they are sent, what they lack, and what saved plans were used for."""

from typing import Protocol

from reconciler.model.account import Account
from reconciler.model.desired import Site
from reconciler.model.intent import Fate, Intent, Made, Pending
from reconciler.model.result import Outcome


class Journal(Protocol):
    """The journal of one site; each method raises an ExtcalError where it can't be read or written."""

    def begin(self, intent: Intent) -> None:
        """Write an intent down, so that it outlives this process and this machine's power."""
        ...

    def end(
        self, intent: Intent, ending: Fate, connection_id: str | None = None, account: Account | None = None
    ) -> None:
        """Write down what became of it, and which account its connection shows."""
        ...

    def made(self, intent: Intent) -> Made | None:
        """What an earlier connect like this one has made without showing its account."""
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


class HistoryLog(Protocol):
    """Who changed what on one site; each method raises an ExtcalError where it can't be written."""

    def add(self, outcome: Outcome, site: Site, plan: str) -> None:
        """Write down how an action on the site, of the plan with this digest, has ended."""
        ...


class UnfinishedLog(Protocol):
    """Which connections have their sync config yet to come, by address and account; each method raises ExtcalError."""

    def add(self, address: str, account: Account | None) -> None:
        """Note that a connection is about to be made."""
        ...

    def remove(self, address: str, account: Account | None) -> None:
        """Note that it has its sync config."""
        ...
