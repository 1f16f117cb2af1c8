"""Models a connect about to be sent: what it takes to find out later what became of it."""

from dataclasses import dataclass
from enum import StrEnum

from reconciler.model.account import Account
from reconciler.model.key import ConnectionKey
from reconciler.model.live import LiveConnection


@dataclass(frozen=True, slots=True)
class Intent:
    """A connect by credentials, without the credentials.

    `id` tells intents apart; `known` are the ids of the connections that stood on its schedule, at its provider, before
    it was sent, which it can't have made; of those, `broken` were in ERROR. `blind` tells that nobody knows which stood
    there. `plan_id` tells the saved plan that it is of, and is empty where it was planned just before. `answered` is
    the id of what it has made where the service does not list that: then it may be one by consent, too.
    """

    id: str
    address: str
    site: str
    site_id: str
    key: ConnectionKey
    provider_id: str
    known: tuple[str, ...]
    plan_id: str = ""
    broken: tuple[str, ...] = ()
    blind: bool = False
    answered: str | None = None

    @property
    def place(self) -> tuple[str, str]:
        """Where it connects: connections of one place can be told apart by their account alone."""
        return self.key.schedule_id, self.key.provider


class Fate(StrEnum):
    """What became of an intent."""

    DONE = "done"
    ADOPTED = "adopted"
    REFUSED = "refused"
    NOTHING = "nothing"
    FORGOTTEN = "forgotten"
    OTHER_ACCOUNT = "other-account"


@dataclass(frozen=True, slots=True)
class Made:
    """A connection that a connect has made without showing the account that was asked for.

    `account` is the one that it shows, None where it showed none.
    """

    connection_id: str
    account: Account | None


@dataclass(frozen=True, slots=True)
class Pending:
    """An intent of which nobody knows what became of it, `age` seconds after it was written down."""

    intent: Intent
    age: float


@dataclass(frozen=True, slots=True)
class Adopted:
    """One connection appeared: it is what the connect has made."""

    connection: LiveConnection


@dataclass(frozen=True, slots=True)
class Several:
    """More than one appeared, and nobody can tell which is meant."""

    connections: tuple[LiveConnection, ...]


@dataclass(frozen=True, slots=True)
class Unclear:
    """Some appeared that may be another's: they show no account, or another one."""

    connections: tuple[LiveConnection, ...]


@dataclass(frozen=True, slots=True)
class Nothing:
    """None appeared for as long as it was looked for."""


@dataclass(frozen=True, slots=True)
class Unlisted:
    """It could not be looked for; `why` is a message."""

    why: str


Finding = Adopted | Several | Unclear | Nothing | Unlisted


@dataclass(frozen=True, slots=True)
class Settled:
    """A pending intent and what was found when it was looked for; it is closed where the finding is clear."""

    pending: Pending
    finding: Finding
