"""Defines a connection's sync config: its default, its stored form and its wire form."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from reconciler.sandbox.contract import ExportSupport, ExportTarget, ImportSupport
from reconciler.sandbox.unknown_fields import UnknownFields

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Import:
    """`listEventFromCalendars`: `primary` and `calendars` (ids) are the two arms of its one-of.

    At most one is set.
    """

    enabled: bool = False
    primary: bool = False
    calendars: tuple[str, ...] | None = None

    @property
    def is_set(self) -> bool:
        """Whether it is on, or has an arm."""
        return self.enabled or self.primary or self.calendars is not None


@dataclass(frozen=True, slots=True)
class Export:
    """`syncToCalendar`: `target` is the arm of its one-of, if any is chosen."""

    enabled: bool = False
    target: ExportTarget | None = None

    @property
    def is_set(self) -> bool:
        """Whether it is on, or has an arm."""
        return self.enabled or self.target is not None


@dataclass(frozen=True, slots=True)
class SyncConfig:
    """Both directions of one connection, and what is there beside what is documented."""

    imports: Import = field(default_factory=Import)
    exports: Export = field(default_factory=Export)
    unknown: UnknownFields = field(default_factory=UnknownFields)


def starting_config(support: str, *, has_primary: bool, calendar_ids: Sequence[str]) -> SyncConfig:
    """The provider's defaults for a new connection: it imports what it can and exports nothing.

    Where the provider knows no primary calendar, it imports from every calendar of the account.
    """
    if support == ImportSupport.NOT_SUPPORTED:
        return SyncConfig()
    if has_primary or support == ImportSupport.PRIMARY_CALENDAR_ONLY:
        return SyncConfig(imports=Import(enabled=True, primary=True))
    return SyncConfig(imports=Import(enabled=True, calendars=tuple(calendar_ids)))


def widest_export(support: str, *, has_primary: bool) -> Export:
    """The export, on, to what a provider can export to; off where that is nothing.

    `SPECIFIC_CALENDAR` has no arm that could say which calendar.
    """
    if support == ExportSupport.DEDICATED_CALENDAR:
        return Export(enabled=True, target=ExportTarget.DEDICATED)
    if support == ExportSupport.PRIMARY_CALENDAR_ONLY and has_primary:
        return Export(enabled=True, target=ExportTarget.PRIMARY)
    return Export(enabled=support == ExportSupport.SPECIFIC_CALENDAR)


def to_wire(config: SyncConfig, names: Mapping[str, str]) -> dict[str, object]:
    """`syncConfig` as JSON; a calendar whose id is in `names` carries its name too."""
    imports: dict[str, object] = {"enabled": config.imports.enabled}
    if config.imports.primary:
        imports["primaryCalendar"] = {}
    if config.imports.calendars is not None:
        imports["calendars"] = {
            "calendars": [
                {"id": calendar, "name": names[calendar]} if calendar in names else {"id": calendar}
                for calendar in config.imports.calendars
            ]
        }
    exports: dict[str, object] = {"enabled": config.exports.enabled}
    if config.exports.target is not None:
        exports[config.exports.target.value] = {}
    return {"listEventFromCalendars": imports, "syncToCalendar": exports}


def to_stored(config: SyncConfig) -> str:
    """The text that the database keeps."""
    return json.dumps(
        {
            "import": {
                "enabled": config.imports.enabled,
                "primary": config.imports.primary,
                "calendars": config.imports.calendars,
            },
            "export": {"enabled": config.exports.enabled, "target": config.exports.target},
            "unknown": asdict(config.unknown),
        }
    )


def from_stored(text: str) -> SyncConfig:
    """The inverse of `to_stored`."""
    stored = json.loads(text)
    imports, exports = stored["import"], stored["export"]
    calendars = imports["calendars"]
    return SyncConfig(
        imports=Import(
            enabled=bool(imports["enabled"]),
            primary=bool(imports["primary"]),
            calendars=None if calendars is None else tuple(str(calendar) for calendar in calendars),
        ),
        exports=Export(
            enabled=bool(exports["enabled"]),
            target=None if exports["target"] is None else ExportTarget(exports["target"]),
        ),
        unknown=UnknownFields(**stored["unknown"]),
    )
