"""The quick reader of connections: it says what the reader that explains would say, or nothing."""

import copy
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.api.fields import ShapeError, WireObject
from reconciler.api.wire import read_connection, read_connections
from reconciler.api.wire_fast import quick_connection
from reconciler.model.live import ConnectionList, LiveConnection
from reconciler.sandbox.backend import Settings
from reconciler.sandbox.server import running
from tests.api import strategies as some
from tests.support.builders.api import SITE_ID
from tests.support.profiles import examples

LEE = "3e47ec65-2975-447c-a7ed-75041e850d5e"
EMAIL = "lee@harbor-dental.example"
METHODS = "/bookings/v2/external-calendars"

Json = dict[str, object]

# A new object each time, since some are changed.
chosen: st.SearchStrategy[Json] = st.builds(dict)
refs: st.SearchStrategy[Json] = st.fixed_dictionaries({"id": some.texts}, optional={"name": some.texts})
specific: st.SearchStrategy[Json] = st.fixed_dictionaries({"calendars": st.lists(refs, max_size=3)})


def direction(one_of: str, choice: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    """A direction as the contract says, that may choose `one_of` besides the primary calendar."""
    enabled: st.SearchStrategy[Json] = st.fixed_dictionaries({"enabled": st.booleans()})
    primary: st.SearchStrategy[Json] = st.fixed_dictionaries({"primaryCalendar": chosen})
    other: st.SearchStrategy[Json] = st.fixed_dictionaries({one_of: choice})
    return st.builds(lambda fields, arm: {**fields, **arm}, enabled, chosen | primary | other)


plain: st.SearchStrategy[Json] = st.fixed_dictionaries(
    {
        "id": some.texts | st.just("c" * 400),
        "providerId": some.texts,
        "calendarType": some.words,
        "scheduleId": some.texts,
        "status": some.words,
        "syncConfig": st.fixed_dictionaries(
            {
                "listEventFromCalendars": direction("calendars", specific),
                "syncToCalendar": direction("dedicatedCalendar", chosen),
            }
        ),
    },
    optional={"userId": some.texts, "appId": some.texts, "externalAccountEmail": some.texts, "errorReason": some.words},
)

NAMES = [
    "id", "name", "providerId", "calendarType", "scheduleId", "userId", "appId", "externalAccountEmail", "status",
    "errorReason", "syncConfig", "listEventFromCalendars", "syncToCalendar", "enabled", "primaryCalendar",
    "calendars", "dedicatedCalendar", "revision", "ID", "", "\ud800",
]  # fmt: skip
MISSING = object()
ODD: list[object] = [
    None, True, False, 0, 1, -1, 10**400, 1.5, float("inf"),
    "", " ", "\n", "\x00\x1b[31m", "\ud83c", "a\udfffb", "\u202e", "é", "SYNCED", "NEW_TOMORROW",
    {}, [], [None], [[]], [{}], {"revision": 1}, {"calendars": []}, {"calendars": {}}, {"calendars": [{}]},
]  # fmt: skip
anything: st.SearchStrategy[object] = st.recursive(
    st.sampled_from(ODD).map(copy.deepcopy),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
    max_leaves=5,
)


def places(value: object) -> list[Json | list[object]]:
    """The objects and lists of `value`, itself among them."""
    if not isinstance(value, dict | list):
        return []
    within = value.values() if isinstance(value, dict) else value
    return [value, *(place for inner in within for place in places(inner))]


def keys(place: Json | list[object]) -> list[str | int]:
    """Where something may be put into `place`, over what is there or beside it."""
    return [*place, *NAMES] if isinstance(place, dict) else [*range(len(place) + 1)]


def put(place: Json | list[object], key: str | int, new: object) -> None:
    """Change `place` at `key`, which is gone if `new` is MISSING."""
    if isinstance(place, dict):
        place.pop(str(key), None)
        place |= {} if new is MISSING else {str(key): new}
    else:
        place[int(key) : int(key) + 1] = [] if new is MISSING else [new]


@st.composite
def bent(draw: st.DrawFn) -> object:
    """A connection in which up to three things are missing, of another kind, or new."""
    value = draw(plain)
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.sampled_from(places(value)))
        put(place, draw(st.sampled_from(keys(place))), draw(st.just(MISSING) | anything | refs | specific))
    return value


def bent_once(value: Json) -> Iterator[Json]:
    """Every way to bend `value` in one place."""
    for number, place in enumerate(places(value)):
        for key in dict.fromkeys(keys(place)):
            for new in (MISSING, *ODD):
                changed = copy.deepcopy(value)
                put(places(changed)[number], key, new if new is MISSING else copy.deepcopy(new))
                yield changed


def explained(value: object) -> LiveConnection:
    """What the reader that explains says of a connection."""
    return read_connection(WireObject({"connection": copy.deepcopy(value)}))


def agree(value: object) -> None:
    """Check that the quick reader says what the explaining one says or nothing, and leaves `value` as it is."""
    before = repr(value)
    quick = quick_connection(value)
    assert repr(value) == before
    if quick is not None:
        # As text, too, since True and 1 are equal.
        assert (quick, repr(quick)) == (explained(value), repr(explained(value)))


@examples(150)
@given(bent() | anything)
def test_it_says_what_the_explaining_reader_says_or_nothing(value: object) -> None:
    """Whatever comes is read as the explaining reader reads it or left to it, and never changed."""
    agree(value)


@pytest.mark.parametrize(
    ("imports", "exports"),
    [
        ({"enabled": True, "primaryCalendar": {}}, {"enabled": True, "primaryCalendar": {}}),
        ({"enabled": True, "calendars": {"calendars": [{"id": "a"}]}}, {"enabled": True, "dedicatedCalendar": {}}),
        ({"enabled": True, "calendars": {"calendars": []}}, {"enabled": False}),
        ({"enabled": False}, {"enabled": True, "dedicatedCalendar": {}}),
    ],
)
def test_every_oddity_is_read_alike_or_left(imports: Json, exports: Json) -> None:
    """No single thing that is missing, of another kind or new makes the two readers differ."""
    fields = ("id", "providerId", "calendarType", "scheduleId", "appId", "externalAccountEmail", "status")
    sync = {"listEventFromCalendars": imports, "syncToCalendar": exports}
    value: Json = {**dict.fromkeys(fields, "a"), "syncConfig": sync}
    assert quick_connection(value) is not None
    for changed in bent_once(value):
        agree(changed)


@examples(50)
@given(plain)
def test_a_plain_connection_is_read_quickly(value: Json) -> None:
    """What is as the contract says is not left to the explaining reader, in whatever language its texts are."""
    assert quick_connection(value) == explained(value)


@examples(50)
@given(st.lists(plain | bent(), max_size=4))
def test_a_list_is_read_as_if_all_of_it_were_explained(values: list[object]) -> None:
    """Plain and unusual connections keep their order, unknown fields are kept, and an error says where it is."""
    answer = WireObject({"connections": copy.deepcopy(values)})
    expected: list[LiveConnection] = []
    for index, value in enumerate(values):
        try:
            expected.append(explained(value))
        except ShapeError as error:
            message = str(error).replace("connection", f"connections[{index}]", 1)
            with pytest.raises(ShapeError, match=f"^{re.escape(message)}$"):
                read_connections(answer)
            return
    assert read_connections(answer) == ConnectionList(tuple(expected))


@pytest.mark.parametrize("calendar_names", [True, False])
def test_connections_as_they_are_answered_are_read_quickly(tmp_path: Path, *, calendar_names: bool) -> None:
    """Every connection of a running API is read quickly: new, with each arm of its directions, and disconnected."""
    with (
        running(tmp_path / "data", settings=Settings(calendar_names=calendar_names)) as sandbox,
        httpx.Client(
            base_url=sandbox.endpoint + METHODS,
            headers={"Authorization": sandbox.api_key, "wix-site-id": SITE_ID},
            timeout=120,
        ) as client,
    ):

        def listed() -> Json:
            (value,) = client.get("/connections").raise_for_status().json()["connections"]
            assert isinstance(value, dict)
            assert quick_connection(value) == explained(value)
            return value

        (apple,) = [each for each in client.get("/providers").json()["providers"] if each["name"] == "Apple"]
        made = {"providerId": apple["id"], "scheduleId": LEE, "email": EMAIL, "password": _password(sandbox.ready())}
        client.post("/connections:connectByCredentials", json=made).raise_for_status()
        first = listed()
        assert "calendars" in str(first["syncConfig"])
        for exports in ({"enabled": True, "dedicatedCalendar": {}}, {"enabled": False}):
            body = {"connectionId": first["id"], "syncConfig": {"syncToCalendar": exports}}
            client.patch(f"/connections/{first['id']}/sync-config", json=body).raise_for_status()
            listed()
        client.post(f"/connections/{first['id']}/disconnect", json={}).raise_for_status()
        assert listed()["status"] == "DISCONNECTED"


def _password(ready: Json) -> object:
    sites = ready["sites"]
    assert isinstance(sites, list)
    (password,) = (
        each["password"] for each in sites[0]["accounts"] if (each["provider"], each["email"]) == ("apple", EMAIL)
    )
    return password
