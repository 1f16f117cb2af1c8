"""Models what an owner was asked: since when their consent is awaited, and when messages went to them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

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

    approved: str = ""
    """The digest of what an apply was approved to connect and to set, last; empty where that is not known."""

    @property
    def last_asked_at(self) -> datetime | None:
        """When they were asked last; None where no message went to them."""
        return self.asked_at[-1] if self.asked_at else None


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class KnownRequests:
    """What this machine knows, at one moment, of the owners of some connections; of most it knows nothing."""

    requests: Mapping[tuple[str, str, Account | None], ConsentRequest] = field(default_factory=dict)
    """What was asked, by the site's id, the connection's address and the account."""

    now: datetime = _EPOCH
    """The moment, in UTC; of no meaning where nothing is known."""

    def find(self, site_id: str, address: str, account: Account | None) -> ConsentRequest | None:
        """What the owner of a connection was asked; None where nothing is known of them."""
        return self.requests.get((site_id, address, account))


NO_REQUESTS = KnownRequests()
"""Nothing is known of anybody."""
