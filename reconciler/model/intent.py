"""A connect that is about to be sent: what must be known to find out later what became of it."""

from dataclasses import dataclass
from enum import StrEnum

from reconciler.model.live import LiveConnection


@dataclass(frozen=True, slots=True)
class Intent:
    """A connect by credentials, without the credentials.

    `id` tells intents apart; `known` are the ids of the connections that stood there before, which it can't have
    made; `plan_id` tells the saved plan that it is of, and is empty where it was planned just before.
    """

    id: str
    address: str
    site: str
    site_id: str
    schedule_id: str
    provider_id: str
    provider: str
    account: str
    known: tuple[str, ...]
    plan_id: str = ""


class Fate(StrEnum):
    """What became of an intent."""

    DONE = "done"
    ADOPTED = "adopted"
    REFUSED = "refused"
    NOTHING = "nothing"
    FORGOTTEN = "forgotten"


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
class Nothing:
    """None appeared for as long as it was looked for."""


@dataclass(frozen=True, slots=True)
class Unlisted:
    """It could not be looked for; `why` is a message."""

    why: str


Finding = Adopted | Several | Nothing | Unlisted


@dataclass(frozen=True, slots=True)
class Settled:
    """A pending intent and what was found when it was looked for; it is closed where the finding is clear."""

    pending: Pending
    finding: Finding
