"""What the routes share: where the data is, how the sandbox is set, and where it can be reached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.sandbox.settings import Settings
    from reconciler.sandbox.store import Store


@dataclass(frozen=True, slots=True)
class Backend:
    """`endpoint` is the base URL, without a slash at its end."""

    store: Store
    settings: Settings
    endpoint: str
