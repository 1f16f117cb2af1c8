"""Random live values and the JSON that the service would send for them."""

import json

from hypothesis import strategies as st

from reconciler.model.account import Account
from reconciler.model.encoding import encoded
from reconciler.model.live import Calendar, Event, Extra, Features, LiveConnection, Provider, Schedule
from reconciler.model.sync import Arm, CalendarRef, Direction, SyncConfig, in_order

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
# Too short for a GUID, the only ids that are not read to the letter.
ids = texts
maybe = st.none() | texts
json_values = st.recursive(
    st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner | st.none(), max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
extras = st.dictionaries(texts.map("x-{}".format), json_values, max_size=2).map(
    lambda fields: tuple(sorted((name, json.dumps(value, sort_keys=True)) for name, value in fields.items()))
)
words = st.sampled_from(["SYNCED", "ERROR", "GOOGLE", "SPECIFIC_CALENDARS", "NEW_TOMORROW"])

calendar_refs = st.builds(CalendarRef, id=maybe, name=maybe).filter(lambda ref: ref != CalendarRef())


def directions(one_of: Arm) -> st.SearchStrategy[Direction]:
    """A direction that may choose `one_of` besides the primary calendar."""
    enabled = st.none() | st.booleans()
    if one_of is Arm.CALENDARS:
        refs = st.lists(calendar_refs, max_size=3).map(tuple)
        chosen = st.builds(Direction, enabled=enabled, arm=st.just(one_of), calendars=refs.map(in_order))
    else:
        chosen = st.builds(Direction, enabled=enabled, arm=st.just(one_of))
    return chosen | st.builds(Direction, enabled=enabled, arm=st.sampled_from([None, Arm.PRIMARY]))


sync_configs = st.builds(
    SyncConfig, imports=st.none() | directions(Arm.CALENDARS), exports=st.none() | directions(Arm.DEDICATED)
)
features = st.builds(
    Features,
    connect_methods=st.lists(words, max_size=2).map(tuple),
    update_sync_config=st.booleans(),
    imports=words,
    exports=words,
)
providers = st.builds(Provider, id=ids, name=texts, calendar_type=words, features=features, extra=extras)
connections = st.builds(
    LiveConnection,
    id=texts,
    provider_id=ids,
    calendar_type=words,
    schedule_id=ids,
    account=maybe.map(lambda text: Account(text) if text else None),
    status=words,
    error_reason=maybe,
    sync=sync_configs,
    user_id=maybe,
    app_id=maybe,
    extra=extras,
)
calendars = st.builds(Calendar, id=texts, name=texts, extra=extras)
schedules = st.builds(
    Schedule, id=ids, name=texts, external_id=maybe, status=words, time_zone=maybe, app_id=maybe, extra=extras
)
events = st.builds(
    Event,
    schedule_id=ids,
    calendar_type=words,
    start=texts,
    end=texts,
    all_day=st.booleans(),
    schedule_owner_id=maybe,
    calendar_name=maybe,
    title=maybe,
    schedule_owner_name=maybe,
    extra=extras,
)

Json = dict[str, object]


def extra_json(extra: Extra) -> Json:
    """The fields that a reader doesn't know."""
    return {name: json.loads(text) for name, text in extra}


def direction_json(direction: Direction | None) -> Json | None:
    """A direction, with null for what it leaves out."""
    if direction is None:
        return None
    fields: Json = {"enabled": direction.enabled, "primaryCalendar": None}
    if direction.arm is Arm.CALENDARS:
        fields["calendars"] = {"calendars": [{"id": ref.id, "name": ref.name} for ref in direction.calendars]}
    elif direction.arm:
        fields[direction.arm.value] = {}
    return fields


def provider_json(provider: Provider) -> Json:
    """A provider as the service sends it."""
    kinds = provider.features
    return {
        "id": provider.id,
        "name": provider.name,
        "calendarType": provider.calendar_type,
        "features": {
            "connectMethods": list(kinds.connect_methods),
            "updateSyncConfig": kinds.update_sync_config,
            "listEventFromCalendars": kinds.imports,
            "syncToCalendar": kinds.exports,
        },
        **extra_json(provider.extra),
    }


def connection_json(live: LiveConnection) -> Json:
    """A connection as the service sends it."""
    return {
        "id": live.id,
        "providerId": live.provider_id,
        "calendarType": live.calendar_type,
        "scheduleId": live.schedule_id,
        "externalAccountEmail": encoded(live.account),
        "status": live.status,
        "errorReason": live.error_reason,
        "syncConfig": {
            "listEventFromCalendars": direction_json(live.sync.imports),
            "syncToCalendar": direction_json(live.sync.exports),
        },
        "userId": live.user_id,
        "appId": live.app_id,
        **extra_json(live.extra),
    }


def calendar_json(calendar: Calendar) -> Json:
    """A calendar as the service sends it."""
    return {"id": calendar.id, "name": calendar.name, **extra_json(calendar.extra)}


def schedule_json(schedule: Schedule) -> Json:
    """A schedule as the service sends it."""
    return {
        "id": schedule.id,
        "name": schedule.name,
        "externalId": schedule.external_id,
        "status": schedule.status,
        "timeZone": schedule.time_zone,
        "appId": schedule.app_id,
        **extra_json(schedule.extra),
    }


def event_json(event: Event) -> Json:
    """An event as the service sends it."""
    return {
        "scheduleId": event.schedule_id,
        "calendarType": event.calendar_type,
        "start": event.start,
        "end": event.end,
        "allDay": event.all_day,
        "scheduleOwnerId": event.schedule_owner_id,
        "calendarName": event.calendar_name,
        "title": event.title,
        "scheduleOwnerName": event.schedule_owner_name,
        **extra_json(event.extra),
    }
