"""The quick reader of connections: it says what the reader that explains would say, or nothing."""

import contextlib
import copy
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.api.fields import Fields, ShapeError
from reconciler.api.quick import quick_connection
from reconciler.api.wire import read_connection, read_connections
from reconciler.model.live import ConnectionList, LiveConnection
from reconciler.sandbox.server import running
from reconciler.sandbox.settings import Settings
from tests.api import strategies as some
from tests.api.fakes import SITE_ID

LEE = "3e47ec65-2975-447c-a7ed-75041e850d5e"
EMAIL = "lee@harbor-dental.example"
METHODS = "/bookings/v2/external-calendars"

Json = dict[str, object]

chosen = st.just({})
refs = st.fixed_dictionaries({"id": some.texts}, optional={"name": some.texts})
specific = st.fixed_dictionaries({"calendars": st.lists(refs, max_size=3)})


def direction(one_of: str, choice: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    """A direction as the contract says, that may choose `one_of` besides the primary calendar."""
    enabled: st.SearchStrategy[Json] = st.fixed_dictionaries({"enabled": st.booleans()})
    arm = st.fixed_dictionaries({"primaryCalendar": chosen}) | st.fixed_dictionaries({one_of: choice}) | st.just({})
    return st.builds(lambda fields, which: {**fields, **which}, enabled, arm)


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

odd_texts = st.sampled_from(["", " ", "\n", "\x00\x1b[31m", "\ud83c", "a\udfffb", "\u202e", "é", "SYNCED", "true"])
names = st.sampled_from(
    [
        "id", "name", "providerId", "calendarType", "scheduleId", "userId", "appId", "externalAccountEmail", "status",
        "errorReason", "syncConfig", "listEventFromCalendars", "syncToCalendar", "enabled", "primaryCalendar",
        "calendars", "dedicatedCalendar", "revision", "ID", "", "\ud800",
    ]
)  # fmt: skip
numbers = st.sampled_from([0, 1, -1, 10**4000, 1.5, float("inf")])
odd = st.recursive(
    st.none() | st.booleans() | numbers | odd_texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(names, inner, max_size=3),
    max_leaves=5,
)


def containers(value: object) -> Iterator[Json | list[object]]:
    """The objects and lists of `value`, itself among them."""
    if isinstance(value, dict | list):
        yield value
        for inner in value.values() if isinstance(value, dict) else value:
            yield from containers(inner)


@st.composite
def bent(draw: st.DrawFn) -> object:
    """A connection in which up to three things are missing, of another kind, or new."""
    value = copy.deepcopy(draw(plain))
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.sampled_from([*containers(value)]))
        if isinstance(place, list):
            place.append(draw(odd | refs))
        elif place and draw(st.booleans()):
            name = draw(st.sampled_from([*place]))
            place.pop(name)
            if draw(st.booleans()):
                place[name] = draw(odd)
        else:
            place[draw(names)] = draw(odd | chosen | specific)
    return value


def explained(value: object) -> LiveConnection:
    """What the reader that explains says of a connection."""
    return read_connection(Fields({"connection": copy.deepcopy(value)}))


@given(bent() | odd)
def test_it_says_what_the_explaining_reader_says_or_nothing(value: object) -> None:
    """Whatever comes is read as the explaining reader reads it or left to it, and never changed."""
    before = repr(value)
    quick = quick_connection(value)
    assert repr(value) == before
    if quick is not None:
        # As text, too, since True and 1 are equal.
        assert (quick, repr(quick)) == (explained(value), repr(explained(value)))


@given(plain)
def test_a_plain_connection_is_read_quickly(value: Json) -> None:
    """What is as the contract says is not left to the explaining reader, in whatever language its texts are."""
    assert quick_connection(value) == explained(value)


@given(st.lists(plain | bent(), max_size=4))
def test_a_list_is_read_as_if_all_of_it_were_explained(values: list[object]) -> None:
    """Plain and unusual connections keep their order, unknown fields are kept, and an error says where it is."""
    expected: list[LiveConnection] = []
    failure = None
    for index, value in enumerate(values):
        try:
            expected.append(explained(value))
        except ShapeError as error:
            failure = str(error).replace("connection", f"connections[{index}]", 1)
            break
    with contextlib.nullcontext() if failure is None else pytest.raises(ShapeError) as raised:
        assert read_connections(Fields({"connections": copy.deepcopy(values)})) == ConnectionList(tuple(expected))
    if raised is not None:
        assert str(raised.value) == failure


@pytest.mark.parametrize("calendar_names", [True, False])
def test_connections_as_they_are_answered_are_read_quickly(tmp_path: Path, *, calendar_names: bool) -> None:
    """Every connection of a running API is read quickly: new, with each arm of its directions, and disconnected."""
    with (
        running(tmp_path / "data", settings=Settings(calendar_names=calendar_names)) as sandbox,
        httpx.Client(
            base_url=sandbox.endpoint + METHODS, headers={"Authorization": sandbox.api_key, "wix-site-id": SITE_ID}
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
