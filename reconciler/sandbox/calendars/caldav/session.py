"""What a backend holds beside its settings: what is kept between calls, and what one operation knows."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import httpx

from reconciler.sandbox.calendars.caldav.authentication import known_challenges
from reconciler.sandbox.calendars.recent import Recent

if TYPE_CHECKING:
    import ssl

    from reconciler.sandbox.calendars.caldav.discovery import Principal
    from reconciler.sandbox.calendars.caldav.snapshot import Snapshot
    from reconciler.sandbox.calendars.errors import NoAnswerError
    from reconciler.sandbox.calendars.protocol import Deadline

_MAX_ACCOUNTS = 256
_MAX_KEPT = 128 * 1024 * 1024


class ServerCache:
    """What is kept of a server from one call to the next."""

    def __init__(self) -> None:
        self.accounts: Recent[Principal] = Recent(_MAX_ACCOUNTS, lambda _: 1)
        self.challenges = known_challenges()
        # An empty calendar weighs something too.
        self.snapshots: Recent[Snapshot] = Recent(_MAX_KEPT, lambda snapshot: snapshot.size + 1024)

    @cached_property
    def trusted(self) -> ssl.SSLContext:
        """The public authorities, and those that this machine trusts: people run CalDAV servers at home."""
        context = httpx.create_ssl_context(trust_env=False)
        context.load_default_certs()
        return context


@dataclass(frozen=True, slots=True)
class OperationState:
    """What the calls of one operation share; `failures` is empty until the server has once given no answer."""

    deadline: Deadline
    failures: list[NoAnswerError]


class Resolver(ThreadPoolExecutor):
    """Looks names up, and isn't waited for: that can't be cut off, and may take longer than anybody has time."""

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 -- the base class's
        """Let go of it."""
        del wait
        super().shutdown(wait=False, cancel_futures=cancel_futures)
