"""The part of the oracle that is about sync configs: merged, compared, and held against what a provider can do."""

from collections.abc import Iterable, Mapping, Sequence

from tests.support.json_fields import Fields, inner, many, text

Value = bool | str | frozenset[str] | None
Changes = frozenset[tuple[str, Value]]
IMPORTS, EXPORTS = "listEventFromCalendars", "syncToCalendar"
_ARMS = {IMPORTS: ("primaryCalendar", "calendars"), EXPORTS: ("primaryCalendar", "dedicatedCalendar")}
_UNABLE = {
    ("PRIMARY_CALENDAR_ONLY", "calendars"),
    ("PRIMARY_CALENDAR_ONLY", "dedicatedCalendar"),
    ("DEDICATED_CALENDAR", "primaryCalendar"),
}


def merged(policy: Fields, own: Fields) -> dict[str, Fields]:
    """A connection's sync config over its policy's; an alternative takes the place of the policy's."""
    found: dict[str, Fields] = {}
    for way, arms in _ARMS.items():
        mine, shared = inner(own, way), inner(policy, way)
        found[way] = {**{k: v for k, v in shared.items() if not (k in arms and arm(way, mine))}, **mine}
    return found


def managed(sync: Mapping[str, Fields], ignored: Iterable[object]) -> dict[str, Fields]:
    """Without what `ignoreChanges` names; the alternatives of a direction are one thing."""
    names = set(ignored)
    found: dict[str, Fields] = {}
    for way, arms in _ARMS.items():
        off = {each for each in ("enabled", *arms) if f"syncConfig.{way}.{each}" in names}
        off |= {*arms} if off & {*arms} else set()
        whole = {"syncConfig", f"syncConfig.{way}"} & names
        found[way] = {} if whole else {k: v for k, v in sync[way].items() if k not in off}
    return found


def as_switched(sync: Mapping[str, Fields], ignored: Iterable[object], live: Fields) -> dict[str, Fields]:
    """A managed sync config, on or off as it is live where that is not managed."""
    names = set(ignored)
    kept = [
        way for way in sync if f"syncConfig.{way}.enabled" in names and not {"syncConfig", f"syncConfig.{way}"} & names
    ]
    return {**sync, **{way: {**sync[way], "enabled": works({}, inner(live, way))} for way in kept}}


def arm(way: str, direction: Fields) -> str | None:
    """The alternative that a direction chooses."""
    return next((each for each in _ARMS[way] if each in direction), None)


def works(wanted: Fields, have: Fields) -> bool:
    """Whether a direction is to be on; what a manifest leaves out stays as it is."""
    return bool(wanted.get("enabled", have.get("enabled")))


def beyond(features: Fields, asked: Mapping[str, Fields], live: Fields | None) -> bool:
    """Whether a provider can't do what is asked of it; what is switched off asks for nothing.

    Nothing can name the one calendar of an export; one that is `live` already need not be named.
    """
    on = {way: fields for way, fields in asked.items() if fields and fields.get("enabled") is not False}
    nameless = text(features, EXPORTS) == "SPECIFIC_CALENDAR" and EXPORTS in on
    if nameless and (live is None or changes({EXPORTS: on[EXPORTS]}, live, frozenset())):
        return True
    return any(
        text(features, way) == "NOT_SUPPORTED" or (text(features, way), arm(way, fields)) in _UNABLE
        for way, fields in on.items()
    )


def calendar_ids(wanted: Fields, known: Sequence[object]) -> frozenset[str] | None:
    """The ids of the calendars that a direction names, None where `known` does not settle all of them."""
    found: set[str] = set()
    for ref in many(wanted, "calendars"):
        key, value = ("id", text(ref, "id")) if text(ref, "id") else ("name", text(ref, "name") or ref)
        ids = {text(calendar, "id") for calendar in known if inner(calendar).get(key) == value}
        if len(ids) != 1:
            return None
        found |= ids
    return frozenset(found)


def changes(sync: Mapping[str, Fields], live: Fields, ids: frozenset[str]) -> Changes:
    """The fields that an update changes, each with what it shall be; `ids` are the calendars that are named."""
    found: set[tuple[str, Value]] = set()
    for way, wanted in sync.items():
        have = inner(live, way)
        if "enabled" in wanted and wanted["enabled"] != (have.get("enabled") is True):
            found.add((f"syncConfig.{way}.enabled", wanted["enabled"] is True))
        new, old = arm(way, wanted), arm(way, have)
        had = frozenset(text(calendar, "id") for calendar in many(have, "calendars", "calendars"))
        if new is None or not works(wanted, have) or (new == old and (new != "calendars" or ids == had)):
            continue
        found.add((f"syncConfig.{way}.{new}", ids if new == "calendars" else "chosen"))
        if old is not None and old != new:
            found.add((f"syncConfig.{way}.{old}", None))
    return frozenset(found)


def meet(one: Mapping[str, Fields], other: Mapping[str, Fields]) -> bool:
    """Whether two connections of one account may use the same calendar: both export, or their imports may overlap."""
    if all(sync[EXPORTS].get("enabled") is not False for sync in (one, other)):
        return True
    if any(sync[IMPORTS].get("enabled") is False for sync in (one, other)):
        return False
    refs = [many(sync[IMPORTS], "calendars") for sync in (one, other)]
    return not all(refs) or any(_may_be_one(mine, theirs) for mine in refs[0] for theirs in refs[1])


def _may_be_one(mine: object, theirs: object) -> bool:
    ids = text(mine, "id"), text(theirs, "id")
    names = text(mine, "name") or mine, text(theirs, "name") or theirs
    return ids[0] == ids[1] if all(ids) else names[0] == names[1] or any(ids)
