"""Defines how the sandbox behaves where nobody outside knows how the hosted API does."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum


def key_of(name: str) -> str:
    """The key in a file of behaviour for the field `name` of `Behaviour`."""
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


class Update(StrEnum):
    """What UpdateSyncConfig does to what its body leaves out."""

    MERGE = "merge"
    """It stays as it is."""
    REPLACE = "replace"
    """It is unset: a missing direction is off, a missing field of a direction has its default."""


class Reconnect(StrEnum):
    """What connecting an account does whose connection is in `ERROR`."""

    SAME_ID = "same-id"
    """It heals that connection."""
    NEW_ID = "new-id"
    """It makes another one, and leaves the broken one as it is."""


class StartsWith(StrEnum):
    """The sync config of a new connection."""

    DEFAULTS = "defaults"
    """It imports what the provider can, and exports nothing."""
    NOTHING = "nothing"
    """Both directions are off, and no calendar is chosen."""
    EVERYTHING = "everything"
    """Both directions are on, as far as the provider can."""


class Directions(StrEnum):
    """The directions that a sync config shows."""

    BOTH = "both"
    SET = "set"
    """One that is off and has no calendar chosen is left out."""
    BY_ID = "by-id"
    """ListConnections leaves both out; what is answered of one connection has them."""


class CalendarNames(StrEnum):
    """Whether the calendars in a sync config have names beside their ids."""

    SHOWN = "shown"
    HIDDEN = "hidden"


class Order(StrEnum):
    """The order of lists whose order the contract doesn't fix."""

    STABLE = "stable"
    SHUFFLED = "shuffled"
    """It is another one at each request."""


class LoopbackRedirects(StrEnum):
    """Whether ConnectByOAuth takes a `redirectUrl` on this machine."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    """It answers 400."""


class Permissions(StrEnum):
    """What a key may do with connections that it did not make itself by ConnectByCredentials."""

    ALL = "all"
    OWN_LISTED = "own-listed"
    """Nothing: they aren't listed, and 403 by id."""
    OWN_CONFIG = "own-config"
    """List, get and disconnect them; ListCalendars and UpdateSyncConfig answer 403."""


class PartialFailure(StrEnum):
    """What `partialFailure=true` answers where a provider fails."""

    PARTIAL = "partial"
    """What could be read, even if that is nothing."""
    FAILS_WHEN_NOTHING_READABLE = "fails-when-nothing-readable"
    """503 where no connection could be read."""


class Unsaid(StrEnum):
    """How an enum field is answered that has no value, `errorReason` above all."""

    LEFT_OUT = "left-out"
    UNDEFINED = "UNDEFINED"


class Hidden(StrEnum):
    """The fields that answers may lack."""

    APP_ID = "appId"
    FAILED_PROVIDER_IDS = "failedProviderIds"
    USER_ID = "userId"


class Disconnected(StrEnum):
    """What becomes of a connection once it is disconnected."""

    LISTED = "listed"
    FORGOTTEN = "forgotten"
    """It is listed no more, and 404 by id."""


class UpdateAnswer(StrEnum):
    """The directions in the answer of UpdateSyncConfig."""

    WHOLE = "whole"
    SENT_DIRECTIONS = "sent-directions"
    """Those that the body had, as in the vendor's example."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One reading of what is unknown about the hosted API; the defaults are one that is easy to work with.

    A field is named as in a file of behaviour, which writes `startsWith` for `starts_with`.
    """

    update: Update = Update.MERGE
    """Whether UpdateSyncConfig merges or replaces. An undocumented `fieldMask` suggests the one, the vendor's example
    the other."""

    reconnect: Reconnect = Reconnect.SAME_ID
    """Whether a connection keeps its id when its account is connected again."""

    healing: bool = True
    """Whether UpdateSyncConfig heals `EXTERNAL_CALENDAR_CREATION_FAILED` and `EXTERNAL_CALENDAR_DELETED`."""

    starts_with: StartsWith = StartsWith.DEFAULTS
    """What a new connection imports and exports: "the provider's defaults", which no page lists."""

    directions: Directions = Directions.BOTH
    """Whether both directions are in every `syncConfig`."""

    calendar_names: CalendarNames = CalendarNames.SHOWN
    """Whether `syncConfig` names calendars, or has their ids alone."""

    unknown_fields: bool = False
    """Whether `syncConfig` holds more than is documented. `syncToCalendar.includeBufferTime` is known to exist."""

    order: Order = Order.STABLE
    """Whether lists come in the same order each time."""

    loopback_redirects: LoopbackRedirects = LoopbackRedirects.ACCEPTED
    """Whether an owner's browser may be sent to a server on its own machine."""

    permissions: Permissions = Permissions.ALL
    """What an API key's permissions are about: all connections, or its own. An owner's consent makes a connection that
    is nobody's own; so are those that stand from the start."""

    without_primary: frozenset[str] = frozenset()
    """The providers, by their slugs, that have no primary calendar. No feature says which have one."""

    partial_failure: PartialFailure = PartialFailure.PARTIAL
    """Whether `partialFailure=true` succeeds where nothing at all could be read."""

    unsaid: Unsaid = Unsaid.LEFT_OUT
    """Whether an enum without a value is missing or `UNDEFINED`."""

    hidden: frozenset[Hidden] = frozenset()
    """The optional fields that aren't in answers."""

    disconnected: Disconnected = Disconnected.LISTED
    """Whether a connection stays when it is disconnected."""

    update_answer: UpdateAnswer = UpdateAnswer.WHOLE
    """Whether UpdateSyncConfig answers the whole sync config."""

    def differences(self) -> dict[str, object]:
        """What is not as it is by default, as a file of behaviour has it."""
        found = {each.name: (getattr(self, each.name), each.default) for each in fields(self)}
        return {
            key_of(name): sorted(value) if isinstance(value, frozenset) else value
            for name, (value, default) in found.items()
            if value != default
        }
