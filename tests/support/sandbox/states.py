"""What a connection of the sandbox shows of its state, and what changes it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.support.sandbox.ics import imported

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.sandbox.api import Api, Json


def state(connection: Json) -> tuple[str, str | None]:
    """A connection's status and its reason."""
    return connection["status"], connection.get("errorReason")


def look_by_listing(api: Api, _connection_id: str) -> None:
    """ListConnections."""
    api.connections()


def look_by_getting(api: Api, connection_id: str) -> None:
    """GetConnection."""
    api.get(f"/connections/{connection_id}")


def look_by_events(api: Api, _connection_id: str) -> None:
    """ListEvents."""
    imported(api)


LOOKS = [look_by_listing, look_by_getting, look_by_events]


def change_password(account: Path, password: str | None) -> None:
    """As the owner would at the provider."""
    said = json.loads((account / "account.json").read_text())
    (account / "account.json").write_text(json.dumps(said | {"password": password}))
