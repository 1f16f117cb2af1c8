"""Under any mixture of behaviours the sandbox itself does not fail, and what it shows can be sent back."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from hypothesis import given

from reconciler.sandbox.behaviour import Behaviour
from reconciler.sandbox.seed import harbor_dental
from tests.support.profiles import examples
from tests.support.sandbox.api import KIM, LEE, Api, client, connection_of
from tests.support.sandbox.clock import NOON
from tests.support.sandbox.exports import TO_DEDICATED, TO_PRIMARY, connected_google
from tests.support.sandbox.ics import YEAR
from tests.support.scenarios.behaviours import behaviours

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from reconciler.sandbox.server import RunningSandbox
    from tests.support.sandbox.api import Json


def life(api: Api) -> list[httpx.Response]:
    """The answers along the life of two connections, one by password and one by consent."""
    answers = [api.by_credentials(), api.by_credentials(scheduleId=KIM)]
    ids = [connection_of(answers[0])["id"], connected_google(api)]
    configs: list[Json] = [TO_DEDICATED, TO_PRIMARY, {}, {"syncToCalendar": {}}]
    for each in ids:
        path = f"/connections/{each}"
        answers += [api.get(path), api.get(f"{path}/calendars")]
        answers += [api.update(each, config) for config in configs]
    answers += [api.get("/events", YEAR | {"partialFailure": partial}) for partial in ("true", "false")]
    answers += [api.disconnect(each) for each in (*ids, ids[0])]
    answers += [api.get(f"/connections/{ids[0]}"), api.get("/connections", {"scheduleIds": [LEE, KIM]})]
    return answers


@contextmanager
def behaving(server: RunningSandbox, behaviour: Behaviour) -> Iterator[Api]:
    """A client of the shared sandbox, which is fresh and behaves so for the length of the block."""
    server.replace_world(harbor_dental(NOON))
    server.behave(behaviour)
    try:
        with client(server.endpoint, server.api_key) as http:
            yield Api(http)
    finally:
        server.behave(Behaviour())


@examples(15)
@given(behaviour=behaviours(harsh=True))
def test_no_mixture_fails_by_itself(server: RunningSandbox, behaviour: Behaviour) -> None:
    """Every answer is one that the contract knows, and lists never fail."""
    with behaving(server, behaviour) as api:
        answers = life(api)
    assert {each.status_code for each in answers} <= {200, 403, 404, 428}
    assert answers[-1].status_code == 200


@examples(15)
@given(behaviour=behaviours())
def test_what_is_shown_can_be_sent_back(server: RunningSandbox, behaviour: Behaviour) -> None:
    """A client that sends all that it reads changes nothing, under any reading of what an update does."""
    configs: list[Json] = [{}, {"listEventFromCalendars": {"enabled": True}}, TO_DEDICATED]
    with behaving(server, behaviour) as api:
        for connection_id in (api.connect()["id"], connected_google(api)):
            for config in configs:
                api.update(connection_id, config)
                shown = read(api, connection_id)
                assert api.update(connection_id, shown).status_code == 200
                assert ordered(read(api, connection_id)) == ordered(shown)


def read(api: Api, connection_id: str) -> dict[str, Any]:
    """A connection's sync config."""
    config: dict[str, Any] = connection_of(api.get(f"/connections/{connection_id}"))["syncConfig"]
    return config


def ordered(value: Any) -> Any:  # noqa: ANN401 -- JSON
    """JSON without the order of its lists."""
    if isinstance(value, dict):
        return {name: ordered(each) for name, each in value.items()}
    return sorted(map(repr, map(ordered, value))) if isinstance(value, list) else value
