"""What carrying out a plan needs of a site; the API's writer is one."""

from collections.abc import Callable, Sequence
from typing import Protocol

from reconciler.model.desired import SecretRef
from reconciler.model.live import Calendar, ConnectionList, LiveConnection, Provider
from reconciler.model.sync import SyncConfig


class Lister(Protocol):
    """What looking for a connection needs of a site; raises an ExtcalError when it fails."""

    async def list_connections(self, schedule_ids: Sequence[str] = (), *, followers: int = 0) -> ConnectionList:
        """List the connections of the given schedules; so many `followers` shall be able to be sent right after."""
        ...


class CalendarLister(Protocol):
    """What telling an account's calendars by name needs of a site; raises an ExtcalError when it fails."""

    async def list_calendars(self, connection_id: str) -> tuple[Calendar, ...]:
        """List the account's calendars."""
        ...


class ProviderLister(Protocol):
    """What telling the installations of one provider needs of a site; raises an ExtcalError when it fails."""

    async def list_providers(self) -> tuple[Provider, ...]:
        """List the providers that the site can connect to."""
        ...


class Observer(Lister, ProviderLister, Protocol):
    """What finding out what became of a connect needs of a site."""


class ConnectionReader(CalendarLister, Protocol):
    """What seeing a connection whole needs of a site; raises an ExtcalError when it fails."""

    async def get_connection(self, connection_id: str) -> LiveConnection:
        """Read one connection."""
        ...


class Port(Observer, ConnectionReader, Protocol):
    """The methods of one site that an action may call; each raises an ExtcalError when it fails."""

    def while_fresh(self, fresh: Callable[[], bool]) -> "Port":
        """The same methods; a write is not sent, and raises StaleError, where it is not `fresh` when its turn comes."""
        ...

    async def connect_by_credentials(
        self, provider_id: str, schedule_id: str, email: str, password: SecretRef
    ) -> LiveConnection:
        """Establish a connection."""
        ...

    async def connect_by_oauth(self, provider_id: str, schedule_id: str, redirect_url: str) -> str:
        """Ask for the link that the account's owner must open."""
        ...

    async def update_sync_config(self, connection_id: str, sync: SyncConfig) -> LiveConnection:
        """Send a sync config, whole."""
        ...

    async def disconnect(self, connection_id: str) -> LiveConnection:
        """Take a connection away."""
        ...
