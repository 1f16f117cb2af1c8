"""Stale reads: what was written a moment ago isn't seen, unless the request carries the write's token."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from reconciler.sandbox.contract import Status
from reconciler.sandbox.faults import READS, WRITES, Answer, Delay, Effect, Fault, Faults, Operation, Reset, Stale
from reconciler.sandbox.seed import harbor_dental
from reconciler.sandbox.server import running
from reconciler.sandbox.world import ExistingConnection
from tests.sandbox.consent_page import BACK, allow
from tests.sandbox.injection import APPLE, connect, injecting, within_patience
from tests.support.sandbox.api import APPLE_EMAIL, BASE, LEE, PATEL, Api, client, code_of, connection_of, faults_of
from tests.support.sandbox.clock import NOON
from tests.support.sandbox.exports import TO_DEDICATED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

    from reconciler.sandbox.server import RunningSandbox

LONG = 600.0
"""Seconds that no test takes."""


def listed(api: Api, token: str = "") -> list[str]:
    """The ids that ListConnections lists to a client that has the consistency token."""
    return [str(each["id"]) for each in seen(api, "/connections", token).json()["connections"]]


def seen(api: Api, path: str, token: str) -> httpx.Response:
    """What a client that has the consistency token is answered."""
    return api.http.get(BASE + path, headers={"x-wix-consistent": token} if token else {})


@contextmanager
def stale(sandbox: RunningSandbox, api: Api, seconds: float = LONG) -> Iterator[None]:
    """Stale reads for the length of the block, which know what stands when it begins."""
    with injecting(sandbox, Fault(Stale(seconds))):
        assert api.get("/providers").status_code == 200
        yield


def test_a_new_connection_is_not_seen_yet(api: Api, sandbox: RunningSandbox) -> None:
    """Neither in the list, which holds what it held, nor by its id."""
    old = api.connect()["id"]
    with stale(sandbox, api):
        new = api.connect(scheduleId=PATEL)["id"]
        assert listed(api) == [old]
        assert code_of(api.get(f"/connections/{new}")) == (404, None)
        assert api.get(f"/connections/{old}").status_code == 200
        # The others aren't stale, writes above all: what can't be seen can be changed.
        assert api.get(f"/connections/{new}/calendars").status_code == 200
        assert api.disconnect(new).status_code == 200
    assert listed(api) == [old, new]


def test_it_is_seen_in_the_end(api: Api, sandbox: RunningSandbox) -> None:
    """When so many seconds have gone by since the write."""
    seconds = 1.0
    with stale(sandbox, api, seconds):
        begun = time.monotonic()
        new = api.connect()["id"]
        at_once = listed(api)
        assert at_once == [] or time.monotonic() - begun >= seconds
        within_patience(lambda: listed(api))
        assert listed(api) == [new]


def test_a_token_lets_one_see_its_write_and_what_was_before(api: Api, sandbox: RunningSandbox) -> None:
    """Not what came later; a token of nobody's lets one see nothing more."""
    with stale(sandbox, api):
        answers = [api.by_credentials(scheduleId=schedule) for schedule in (LEE, PATEL)]
        first, second = (connection_of(answer)["id"] for answer in answers)
        tokens = [answer.headers["x-wix-consistent"] for answer in answers]
        assert [listed(api, token) for token in (*tokens, "made-up")] == [[first], [first, second], []]


def test_what_changed_looks_as_it_was(api: Api, sandbox: RunningSandbox) -> None:
    """A disconnected connection still stands, a sync config is the old one."""
    connection = api.connect()["id"]
    before = api.get(f"/connections/{connection}").json()["connection"]
    with stale(sandbox, api):
        api.update(connection, {"listEventFromCalendars": {"enabled": False}})
        token = api.disconnect(connection).headers["x-wix-consistent"]
        assert api.get(f"/connections/{connection}").json()["connection"] == before
        assert api.connections() == [before]
        fresh = seen(api, f"/connections/{connection}", token).json()["connection"]
        assert fresh["status"] == Status.DISCONNECTED


def test_a_stale_read_acts_on_nothing(api: Api, sandbox: RunningSandbox, lee: Path) -> None:
    """A connection that isn't any more isn't exported over, though it looks as if it were."""
    connection = api.connect()["id"]
    api.update(connection, TO_DEDICATED)
    dedicated = lee / "Harbor Dental.ics"
    assert dedicated.exists()
    with stale(sandbox, api):
        api.disconnect(connection)
        assert not dedicated.exists()
        assert api.get(f"/connections/{connection}").json()["connection"]["status"] == Status.CONNECTED
        assert listed(api) == [connection]
    assert not dedicated.exists()
    assert [each["status"] for each in api.connections()] == [Status.DISCONNECTED]


def test_the_list_s_parameters_hold(api: Api, sandbox: RunningSandbox) -> None:
    """By schedule, by what is out of reach, and refused as ever."""
    api.connect()
    patel = api.connect(scheduleId=PATEL)["id"]
    with stale(sandbox, api):
        api.disconnect(patel)
        (found,) = api.connections(scheduleIds=[PATEL])
        assert (found["id"], found["status"]) == (patel, Status.CONNECTED)
        assert faults_of(api.get("/connections", {"scheduleIds": "x"})) == {"scheduleIds[0]": "FORMAT"}
        sandbox.set_provider_down(APPLE, down=True)
        assert api.get("/connections").status_code == 503
        partial = api.get("/connections", {"partialFailure": "true"}).json()
        assert partial == {"connections": [], "failedProviderIds": [APPLE]}


def test_a_write_whose_answer_is_lost(api: Api, sandbox: RunningSandbox) -> None:
    """Its token is lost with it: a client that lists with the token that it has doesn't see it."""
    lost = Fault(Answer(504, effect=Effect.DONE), on={Operation.CONNECT_BY_CREDENTIALS}, skip=1)
    with injecting(sandbox, lost, Fault(Stale(LONG))):
        assert listed(api) == []
        made = connect(api)
        assert connect(api).status_code == 504
        token = made.headers["x-wix-consistent"]
        assert listed(api, token) == [connection_of(made)["id"]]
    assert len(api.connections()) == 2


def test_what_the_consent_page_made_is_not_seen_yet(api: Api, sandbox: RunningSandbox) -> None:
    """Whatever the way on which a connection was made."""
    with stale(sandbox, api):
        url = api.consent_url(redirect=BACK)
        assert allow(url).status_code == 303
        assert listed(api) == []
    assert len(api.connections()) == 1


def test_another_world_is_seen_at_once(api: Api, sandbox: RunningSandbox) -> None:
    """The past of a world that was replaced is none of the new one's."""
    with stale(sandbox, api):
        api.connect()
        world = harbor_dental(NOON)
        standing = ExistingConnection(APPLE, LEE, APPLE_EMAIL, id="standing")
        sandbox.replace_world(replace(world, sites=(replace(world.sites[0], connections=(standing,)),)))
        assert listed(api) == ["standing"]
        api.connect()
        assert listed(api) == ["standing"]


def test_the_past_of_a_world_that_another_program_replaced(tmp_path: Path) -> None:
    """Connections on schedules and providers that aren't any more are not listed; nothing breaks."""
    with running(tmp_path) as one, running(tmp_path) as other, client(one.endpoint, one.api_key) as http:
        api = Api(http)
        api.connect()
        with stale(one, api):
            site = harbor_dental(NOON).sites[0]
            other.replace_world(replace(harbor_dental(NOON), sites=(replace(site, schedules=site.schedules[1:]),)))
            assert listed(api) == []


def test_only_two_operations_can_be_stale(api: Api, sandbox: RunningSandbox) -> None:
    """`reads` means those two of them; the others don't use the entry up."""
    with injecting(sandbox, Fault(Stale(LONG), on=READS, skip=1, times=1)):
        api.get("/providers")
        assert listed(api) == []
        new = api.connect()["id"]
        assert (listed(api), listed(api)) == ([], [new])
    assert [request.fault for request in sandbox.requests if request.fault] == ["stale 600"]


def test_a_stale_read_can_be_late(api: Api, sandbox: RunningSandbox) -> None:
    """A delay goes with it."""
    with injecting(sandbox, Fault(Delay(0.1), on={Operation.LIST_CONNECTIONS}), Fault(Stale(LONG))):
        api.get("/providers")
        api.connect()
        assert listed(api) == []
    assert [request.fault for request in sandbox.requests if request.fault] == ["delay 0.1, stale 600"]


@pytest.mark.parametrize("on", [WRITES, {Operation.LIST_EVENTS}])
def test_what_cannot_be_stale(on: set[Operation]) -> None:
    """An entry about neither of the two would never fire, and is refused."""
    with pytest.raises(ValueError, match="must have one of GetConnection, ListConnections"):
        Faults((Fault(Reset()), Fault(Stale(1), on=on)))
