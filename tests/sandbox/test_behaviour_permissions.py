"""What a key may do with connections that others made, under each reading of its permissions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from reconciler.sandbox.behaviour import Behaviour, Permissions
from reconciler.sandbox.seed import harbor_dental
from reconciler.sandbox.server import running
from reconciler.sandbox.world import ExistingConnection
from tests.support import web
from tests.support.sandbox.api import KIM, LEE, PATEL, UNHURRIED, Api, client, code_of
from tests.support.sandbox.clock import NOON
from tests.support.sandbox.exports import TO_PRIMARY, connected_google
from tests.support.sandbox.ics import YEAR
from tests.support.sandbox.states import change_password

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reconciler.sandbox.server import RunningSandbox
    from tests.sandbox.conftest import Behave

OWN_LISTED, OWN_CONFIG = (Behaviour(permissions=each) for each in (Permissions.OWN_LISTED, Permissions.OWN_CONFIG))
REFUSED = (403, None)


@pytest.fixture
def app(sandbox: RunningSandbox) -> Iterator[Api]:
    """A client with the token of the app: another caller than the key."""
    said = sandbox.ready()["app"]
    assert isinstance(said, dict)
    body = {
        "grant_type": "client_credentials",
        "client_id": said["app_id"],
        "client_secret": said["app_secret"],
        "instance_id": said["instance_id"],
    }
    token = web.post(f"{sandbox.endpoint}/oauth2/token", json=body).json()["access_token"]
    with client(sandbox.endpoint, token) as http:
        yield Api(http)


def listed(api: Api) -> list[str]:
    """The ids that ListConnections lists."""
    return [each["id"] for each in api.connections()]


def test_only_own_connections_are_there(api: Api, app: Api, behave: Behave) -> None:
    """What the key connected is listed; a consent's and another caller's is not, and 403 by id, whatever is asked."""
    own, others = api.connect()["id"], [app.connect(scheduleId=KIM)["id"], connected_google(api)]
    assert set(listed(api)) == {own, *others}
    behave(OWN_LISTED)
    assert listed(api) == [own]
    assert listed(app) == [others[0]]
    for each in others:
        path = f"/connections/{each}"
        answers = [api.get(path), api.get(f"{path}/calendars"), api.update(each, {}), api.disconnect(each)]
        assert [code_of(answer) for answer in answers] == [REFUSED] * 4
    assert api.get(f"/connections/{own}/calendars").status_code == 200
    assert api.update(own, {}).status_code == 200
    assert api.disconnect(own).status_code == 200
    behave(Behaviour())
    assert {each["id"]: each["status"] for each in api.connections()} == {
        own: "DISCONNECTED",
        others[0]: "CONNECTED",
        others[1]: "CONNECTED",
    }


def test_only_own_connections_are_configured(api: Api, app: Api, behave: Behave) -> None:
    """All are listed, got and disconnected; ListCalendars and UpdateSyncConfig are for own ones."""
    own, other, google = api.connect()["id"], app.connect(scheduleId=KIM)["id"], connected_google(api)
    before = api.get(f"/connections/{google}").json()
    behave(OWN_CONFIG)
    assert set(listed(api)) == {own, other, google}
    for each in (other, google):
        assert api.get(f"/connections/{each}").status_code == 200
        assert code_of(api.get(f"/connections/{each}/calendars")) == REFUSED
        assert code_of(api.update(each, TO_PRIMARY)) == REFUSED
    assert api.get(f"/connections/{google}").json() == before
    assert api.get(f"/connections/{own}/calendars").status_code == 200
    assert app.get(f"/connections/{other}/calendars").status_code == 200
    assert [api.disconnect(each).status_code for each in (own, other, google)] == [200] * 3


def test_events_of_all_connections_are_listed(api: Api, app: Api, behave: Behave) -> None:
    """The permissions that are known to be about own connections say nothing of ListEvents."""
    app.connect()
    before = api.get("/events", YEAR).json()
    assert before["events"]
    for each in (OWN_LISTED, OWN_CONFIG):
        behave(each)
        assert api.get("/events", YEAR).json() == before


def test_who_connects_an_account_again_has_it(api: Api, app: Api, behave: Behave, lee: Path) -> None:
    """A broken connection that is healed under its id belongs to who healed it."""
    other = app.connect()["id"]
    behave(OWN_LISTED)
    change_password(lee, "another")
    assert [each["status"] for each in app.connections()] == ["ERROR"]
    change_password(lee, "seagull-lantern-41")
    assert listed(api) == []
    assert api.connect()["id"] == other
    assert (listed(api), listed(app)) == ([other], [])


def test_what_stands_from_the_start_is_nobodys_own(sandbox: RunningSandbox, api: Api, behave: Behave) -> None:
    """As if it had been made in the dashboard."""
    world = harbor_dental(NOON)
    site, google = world.sites[0], api.provider("Google")
    standing = ExistingConnection(google, PATEL, "patel@harbor-dental.example", id="standing")
    sandbox.replace_world(replace(world, sites=(replace(site, connections=(standing,)),)))
    assert listed(api) == ["standing"]
    behave(OWN_LISTED)
    assert listed(api) == []


def test_a_caller_is_remembered_beyond_the_sandboxs_end(tmp_path: Path) -> None:
    """What a key connected is its own in the next run, too."""
    counts = []
    for schedule in (LEE, KIM):
        with (
            running(tmp_path, settings=UNHURRIED, behaviour=OWN_LISTED) as sandbox,
            client(sandbox.endpoint, sandbox.api_key) as http,
        ):
            Api(http).connect(scheduleId=schedule)
            counts.append(len(listed(Api(http))))
    assert counts == [1, 2]
