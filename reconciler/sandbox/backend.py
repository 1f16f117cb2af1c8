"""What the routes share: where the data is, how the sandbox is set, and where it can be reached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.sandbox.calendars.directory import CalendarDirectory
    from reconciler.sandbox.calendars.icalendar.expander import Expander
    from reconciler.sandbox.settings import Settings
    from reconciler.sandbox.store import Store
    from reconciler.sandbox.warnings_log import Told


@dataclass(frozen=True, slots=True)
class Backend:
    """`endpoint` is the base URL, without a slash at its end."""

    store: Store
    calendars: CalendarDirectory
    expander: Expander
    told: Told
    settings: Settings
    endpoint: str

    def close(self) -> None:
        """Let go of everything."""
        self.expander.close()
        self.calendars.close()
        self.store.close()
