"""What an owner's browser brings back from the consent page, and what came of it (contract: OAuth connect)."""

from dataclasses import dataclass
from enum import StrEnum


class Refusal(StrEnum):
    """Why there is no connection, in the API's words."""

    REJECT = "reject"
    UNSUPPORTED = "unsupported"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class Callback:
    """What a browser says: that a connection was made, or why not. Nothing of it is to be believed unread."""

    answer: str | Refusal

    @property
    def connection_id(self) -> str | None:
        """The id of the connection that is said to have been made."""
        return None if isinstance(self.answer, Refusal) else self.answer


class Finding(StrEnum):
    """What a callback turned out to be."""

    CONNECTED = "connected"
    REJECTED = "rejected"
    UNSUPPORTED = "unsupported"
    INTERNAL = "internal"
    WRONG_ACCOUNT = "wrong-account"
    NO_ACCOUNT_YET = "no-account-yet"
    BROKEN = "broken"
    FOREIGN = "foreign"
    UNREAD = "unread"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is found, to be told to the owner; `account` is the one that was connected, where it is known."""

    finding: Finding
    account: str | None = None
