"""Models sync configs: from which calendars is imported, and to which is exported."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Arm(StrEnum):
    """The alternatives of a direction's one-of, by the API's field names."""

    PRIMARY = "primaryCalendar"
    CALENDARS = "calendars"
    DEDICATED = "dedicatedCalendar"


@dataclass(frozen=True, slots=True, order=True)
class CalendarRef:
    """A calendar named by id, by name, or by both; one of them is always there."""

    id: str | None = None
    name: str | None = None

    def __str__(self) -> str:
        if self.id is None or self.name is None or self.id == self.name:
            return self.name or self.id or ""
        return f"{self.name} [{self.id}]"


def in_order(calendars: Iterable[CalendarRef]) -> tuple[CalendarRef, ...]:
    """A choice of calendars, which is a set: ordered by id, each once."""
    return tuple(sorted(set(calendars), key=lambda ref: (ref.id or "", ref.name or "")))


@dataclass(frozen=True, slots=True)
class Direction:
    """One direction of a sync config; None is a field that is left out.

    `calendars` counts only where `arm` is `Arm.CALENDARS`. `unknown` is what the service states beside that and nobody
    here knows: a JSON object with those fields at their places, empty where there are none. It is sent back untouched.
    """

    enabled: bool | None = None
    arm: Arm | None = None
    calendars: tuple[CalendarRef, ...] = ()
    unknown: str = ""


@dataclass(frozen=True, slots=True)
class SyncConfig:
    """`syncConfig`: `imports` is `listEventFromCalendars`, `exports` is `syncToCalendar`; None is left out.

    In a desired config a left-out field is not managed; in a live one it has the service's default. `unknown` is as in
    a direction, for fields beside the two.
    """

    imports: Direction | None = None
    exports: Direction | None = None
    unknown: str = ""

    @property
    def whole(self) -> bool:
        """Whether it states both directions."""
        return self.imports is not None and self.exports is not None

    def completed_by(self, other: "SyncConfig") -> "SyncConfig":
        """The same, with the directions that it leaves out, or all unknown fields, as the other one has them."""
        return SyncConfig(self.imports or other.imports, self.exports or other.exports, self.unknown or other.unknown)


IMPORTS = "syncConfig.listEventFromCalendars"
EXPORTS = "syncConfig.syncToCalendar"
