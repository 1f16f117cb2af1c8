"""Writes to one site so that its view knows what was written."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from reconciler.execution.port import Port
from reconciler.execution.site_view import SiteView
from reconciler.model.desired import SecretRef
from reconciler.model.live import Calendar, ConnectionList, LiveConnection, Provider, Status
from reconciler.model.sync import SyncConfig


@dataclass(frozen=True, slots=True)
class SitePort:
    """The methods of one site, whose `view` is told of each write; see `Port` for what they do."""

    port: Port
    view: SiteView

    def while_fresh(self, fresh: Callable[[], bool]) -> "SitePort":
        """The same methods for writes that rest on what is `fresh`."""
        return replace(self, port=self.port.while_fresh(fresh))

    async def list_connections(self, schedule_ids: Sequence[str] = (), *, followers: int = 0) -> ConnectionList:
        """List the connections of the given schedules."""
        return await self.port.list_connections(schedule_ids, followers=followers)

    async def list_providers(self) -> tuple[Provider, ...]:
        """List the providers that the site can connect to."""
        return await self.port.list_providers()

    async def list_calendars(self, connection_id: str) -> tuple[Calendar, ...]:
        """List the account's calendars."""
        return await self.port.list_calendars(connection_id)

    async def get_connection(self, connection_id: str) -> LiveConnection:
        """Read one connection."""
        return await self.port.get_connection(connection_id)

    async def connect_by_credentials(
        self, provider_id: str, schedule_id: str, email: str, password: SecretRef
    ) -> LiveConnection:
        """Establish a connection."""
        return await self.view.written(self.port.connect_by_credentials(provider_id, schedule_id, email, password))

    async def connect_by_oauth(self, provider_id: str, schedule_id: str, redirect_url: str) -> str:
        """Ask for the link that the account's owner must open."""
        return await self.port.connect_by_oauth(provider_id, schedule_id, redirect_url)

    async def update_sync_config(self, connection_id: str, sync: SyncConfig) -> LiveConnection:
        """Send a sync config, whole."""
        return await self.view.written(self.port.update_sync_config(connection_id, sync))

    async def disconnect(self, connection_id: str) -> LiveConnection:
        """Take a connection away."""
        return await self.view.written(self.port.disconnect(connection_id), Status.DISCONNECTED)
