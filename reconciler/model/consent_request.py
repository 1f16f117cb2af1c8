"""Models what an owner was asked: since when their consent is awaited, and when messages went to them."""

from dataclasses import dataclass
from datetime import datetime

from reconciler.model.account import Account


@dataclass(frozen=True, slots=True)
class ConsentRequest:
    """The consent of one owner to one connection, as far as this machine knows; times are in UTC, whole seconds."""

    address: str
    account: Account | None
    awaited_since: datetime
    """When an apply first found that it takes their consent."""

    asked_at: tuple[datetime, ...] = ()
    """When a message was sent to them, or may have been, the oldest first; the links of the run are in none of it."""

    thread: str | None = None
    """The Message-ID of the first message, which later ones refer to."""

    @property
    def last_asked_at(self) -> datetime | None:
        """When they were asked last; None where no message went to them."""
        return self.asked_at[-1] if self.asked_at else None
