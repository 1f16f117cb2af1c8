"""Models consent by OAuth: whether owners are asked, their callbacks, and the results."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from reconciler.model.account import Account


class ConsentMode(StrEnum):
    """What is done about a connection that only its owner can approve (`apply --consent`)."""

    WAIT = "wait"
    """Show a link that leads back to this machine, and await the owner's browser; without a prompt as SKIP."""

    POLL = "poll"
    """Show a link that leads to the Site's redirectUrl, and list until the connection is there; likewise."""

    MAIL = "mail"
    """Make a link that leads to the Site's redirectUrl, for whoever mails it to its owner; with nobody as SKIP."""

    LINK = "link"
    """Make such a link, and leave it with the outcome."""

    SKIP = "skip"
    """Ask nobody."""


@dataclass(frozen=True, slots=True)
class MailRules:
    """How often an owner is asked about a connection."""

    remind_after: timedelta
    """How long they have before they are asked again."""

    most_mails: int
    """How many messages they get about it in all."""


class ConsentRefusal(StrEnum):
    """Why there is no connection, in the API's words."""

    REJECT = "reject"
    UNSUPPORTED = "unsupported"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class Callback:
    """What a browser says: that a connection was made, or why not.

    Nothing of it is to be believed before the service was asked.
    """

    answer: str | ConsentRefusal

    @property
    def connection_id(self) -> str | None:
        """The id of the connection that is said to have been made."""
        return None if isinstance(self.answer, ConsentRefusal) else self.answer


class CallbackStatus(StrEnum):
    """What the service says about a callback."""

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
class CallbackResult:
    """What came of a callback, for its owner; `account` is what was connected, if known."""

    status: CallbackStatus
    account: Account | None = None
