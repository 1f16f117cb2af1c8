"""Injected faults: which requests get one, and the answers that aren't the sandbox's own."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import httpx
import pytest

from reconciler.sandbox.faults import (
    READS,
    WRITES,
    Answer,
    Body,
    Cut,
    Delay,
    Effect,
    Fault,
    Faults,
    Later,
    Operation,
    Rate,
    Reset,
    Stale,
)
from reconciler.sandbox.request_log import LoggedRequest
from reconciler.sandbox.server import running
from reconciler.sandbox.store import DATABASE
from tests.sandbox.injection import connect, injecting, listed_within_patience, statuses, within_patience
from tests.support import web
from tests.support.sandbox.api import BASE, Api, client, faults_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from reconciler.sandbox.server import RunningSandbox


def test_an_error_as_the_contract_has_it(api: Api, sandbox: RunningSandbox) -> None:
    """JSON with a message, the request's id, and the given headers to the letter."""
    headers = (("Retry-After", "-5"), ("X-Odd", "Wed, 31 Feb, perhaps\t\xe9"))
    with injecting(sandbox, Fault(Answer(503, headers=headers))):
        answer = api.get("/providers")
    assert answer.status_code == 503
    assert answer.json() == {"message": "An injected fault answers 503", "details": {}}
    assert (answer.headers["retry-after"], answer.headers["x-odd"]) == ("-5", "Wed, 31 Feb, perhaps\t\xe9")
    assert answer.headers["x-wix-request-id"]


@pytest.mark.parametrize("status", [200, 302, 599])
@pytest.mark.parametrize("body", [Body.HTML, Body.EMPTY, Body.BROKEN])
def test_a_body_that_is_no_json(api: Api, sandbox: RunningSandbox, status: int, body: Body) -> None:
    """A gateway's page, nothing at all, JSON that breaks off: each with any status, in a whole HTTP answer."""
    with injecting(sandbox, Fault(Answer(status, body))):
        answer = api.get("/connections")
    assert answer.status_code == status
    assert int(answer.headers["content-length"]) == len(answer.content)
    if body is Body.EMPTY:
        assert (answer.content, "content-type" in answer.headers) == (b"", False)
    elif body is Body.HTML:
        assert answer.text.startswith(f"<html>\n<head><title>{status}")
        assert answer.headers["content-type"].startswith("text/html")
    else:
        assert answer.text.startswith('{"message": "An')
        with pytest.raises(ValueError, match=r"delimiter|Unterminated|Expecting"):
            answer.json()


def test_an_answer_without_a_body(api: Api, sandbox: RunningSandbox) -> None:
    """204 and 304 have none; a content type can be set like any header."""
    with injecting(
        sandbox, Fault(Answer(304, Body.EMPTY), times=1), Fault(Answer(200, headers=(("Content-Type", "x"),)))
    ):
        assert (api.get("/providers").status_code, api.get("/providers").headers["content-type"]) == (304, "x")


def test_without_effect(api: Api, sandbox: RunningSandbox) -> None:
    """What was answered by a fault wasn't done, unless it is told to be."""
    with injecting(sandbox, Fault(Answer(500), on=WRITES)):
        assert api.by_credentials().status_code == 500
        assert api.connections() == []


def test_with_effect(api: Api, sandbox: RunningSandbox) -> None:
    """The answer is lost, the connection is made; the write's consistency token is lost too."""
    with injecting(sandbox, Fault(Answer(504, Body.HTML, effect=Effect.DONE), on=WRITES)):
        answer = api.by_credentials()
        assert (answer.status_code, "x-wix-consistent" in answer.headers) == (504, False)
        assert len(api.connections()) == 1


def test_the_effect_of_a_refused_request(api: Api, sandbox: RunningSandbox) -> None:
    """A request that would have been refused gets its fault all the same, and no effect."""
    with injecting(sandbox, Fault(Answer(504, effect=Effect.DONE), on=WRITES)):
        assert api.by_credentials(password="wrong").status_code == 504
        assert api.connections() == []


def test_an_effect_that_fails(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The fault goes on, and the log says what happened."""
    faults = Faults((Fault(Answer(504, effect=Effect.DONE)),))
    with running(tmp_path / "data", faults=faults) as sandbox, client(sandbox.endpoint, sandbox.api_key) as http:
        for path in (tmp_path / "data").glob(f"{DATABASE}*"):
            path.unlink()
        assert statuses(Api(http), 1) == [504]
    assert "a request whose answer nobody sees failed: " in caplog.text


def test_an_effect_that_comes_later(api: Api, sandbox: RunningSandbox) -> None:
    """Whoever lists at once doesn't see it; it is made nevertheless."""
    later = 1.0
    with injecting(sandbox, Fault(Answer(504, effect=Later(later)), on=WRITES)):
        begun = time.monotonic()
        assert api.by_credentials().status_code == 504
        seen = api.connections()
        assert seen == [] or time.monotonic() - begun >= later
        assert listed_within_patience(api) == 1


def test_faults_are_for_operations(api: Api, sandbox: RunningSandbox) -> None:
    """By their names, all reads or all writes; the others are answered as ever."""
    connection = api.connect()["id"]
    asks: dict[Operation, Callable[[], httpx.Response]] = {
        Operation.LIST_PROVIDERS: lambda: api.get("/providers"),
        Operation.LIST_CONNECTIONS: lambda: api.get("/connections"),
        Operation.GET_CONNECTION: lambda: api.get(f"/connections/{connection}"),
        Operation.CONNECT_BY_OAUTH: lambda: api.post("/connections:connectByOAuth", {}),
        Operation.CONNECT_BY_CREDENTIALS: lambda: api.post("/connections:connectByCredentials", {}),
        Operation.LIST_CALENDARS: lambda: api.get(f"/connections/{connection}/calendars"),
        Operation.UPDATE_SYNC_CONFIG: lambda: api.update(connection, {}),
        Operation.DISCONNECT: lambda: api.disconnect("nobody"),
        Operation.LIST_EVENTS: lambda: api.get("/events"),
        Operation.QUERY_SCHEDULES: lambda: api.http.post("/calendar/v3/schedules/query", json={}),
        Operation.ISSUE_TOKEN: lambda: api.http.post("/oauth2/token", json={}),
    }
    assert set(asks) == set(Operation)
    for on in ({Operation.GET_CONNECTION}, READS, WRITES, {Operation.ISSUE_TOKEN}, frozenset(Operation)):
        with injecting(sandbox, Fault(Answer(599), on=on)):
            assert {name for name, ask in asks.items() if ask().status_code == 599} == set(on)


def test_the_consent_page_is_left_alone(api: Api, sandbox: RunningSandbox) -> None:
    """Its owner's browser isn't the client under test; neither are paths that the API doesn't have."""
    url = api.consent_url(redirect="https://harbor-dental.example/")
    with injecting(sandbox, Fault(Answer(503))):
        assert (web.get(url).status_code, api.http.get("/nowhere").status_code) == (200, 404)
        assert api.http.delete(f"{BASE}/providers").status_code == 405


def test_skip_and_times(api: Api, sandbox: RunningSandbox) -> None:
    """The first ones pass, then so many get the fault, then all pass again."""
    with injecting(sandbox, Fault(Answer(503), on={Operation.LIST_PROVIDERS}, skip=2, times=2)):
        api.connections()
        assert statuses(api, 6) == [200, 200, 503, 503, 200, 200]


def test_the_first_that_fires_decides(api: Api, sandbox: RunningSandbox) -> None:
    """Entries behind it don't see the request: they are played one after the other."""
    entries = (Fault(Answer(500), times=1), Fault(Answer(502), skip=1, times=2), Fault(Answer(504), skip=1))
    with injecting(sandbox, *entries):
        assert statuses(api, 6) == [500, 200, 502, 502, 504, 504]


def test_probability_is_seeded(api: Api, sandbox: RunningSandbox) -> None:
    """The same seed and sequence bring the same faults, another seed others; 0 is never and 1 always."""

    def played(seed: int, *, interrupted: bool = False) -> list[int]:
        with injecting(sandbox, Fault(Answer(503), on={Operation.LIST_PROVIDERS}, probability=0.5), seed=seed):
            first = statuses(api, 20)
            if interrupted:
                api.connections()
            return first + statuses(api, 20)

    assert played(7) == played(7) == played(7, interrupted=True)
    assert played(7) != played(8)
    assert 5 < played(7).count(503) < 35
    for probability, expected in ((0.0, 200), (1.0, 503)):
        with injecting(sandbox, Fault(Answer(503), probability=probability)):
            assert set(statuses(api, 10)) == {expected}


def test_requests_at_once_share_the_counts(api: Api, sandbox: RunningSandbox) -> None:
    """Of many at the same time exactly as many get the fault as are to."""
    with ThreadPoolExecutor(8) as pool, injecting(sandbox, Fault(Delay(0.05)), Fault(Answer(503), skip=4, times=3)):
        answered = list(pool.map(lambda _: api.get("/providers").status_code, range(24)))
    assert sorted(answered) == [200] * 21 + [503] * 3


def test_faults_are_replaced_and_cleared_while_it_serves(api: Api, sandbox: RunningSandbox) -> None:
    """Each injection counts anew; None, or no entry at all, lets all go well; the ready line counts them."""
    once = Faults((Fault(Answer(503), times=1),))
    seen = []
    for faults in (once, once, Faults(()), once, None):
        sandbox.inject(faults)
        seen.append((sandbox.ready()["faults"], *statuses(api, 2)))
    assert seen == [(1, 503, 200), (1, 503, 200), (0, 200, 200), (1, 503, 200), (0, 200, 200)]


def test_a_sandbox_begins_with_faults(tmp_path: Path) -> None:
    """The very first request can get one."""
    faults = Faults((Fault(Answer(503), times=1),))
    with running(tmp_path, faults=faults) as sandbox, client(sandbox.endpoint, sandbox.api_key) as http:
        assert statuses(Api(http), 2) == [503, 200]


def test_what_fired_is_logged_and_told(api: Api, sandbox: RunningSandbox, caplog: pytest.LogCaptureFixture) -> None:
    """The request log names the faults of each request, and a line for each says which entry it was, for what."""
    delay, reset = Fault(Delay(0.01), skip=1), Fault(Reset(), on=WRITES)
    with injecting(sandbox, delay, reset, Fault(Answer(503), times=1), Fault(Cut(30), times=1)):
        api.get("/providers")
        with pytest.raises(httpx.TransportError):
            api.post("/connections:connectByOAuth")
        with pytest.raises(httpx.TransportError):
            api.get("/providers")
        api.get("/providers", {"a": "b"})
    assert list(sandbox.requests) == [
        LoggedRequest("GET", f"{BASE}/providers", "", 503, "answer 503"),
        LoggedRequest("POST", f"{BASE}/connections:connectByOAuth", "", 0, "delay 0.01, reset"),
        LoggedRequest("GET", f"{BASE}/providers", "", 200, "delay 0.01, cut 30"),
        LoggedRequest("GET", f"{BASE}/providers", "a=b", 200, "delay 0.01"),
    ]
    assert [record.getMessage() for record in caplog.records if record.name.startswith("reconciler.sandbox")] == [
        "fault 3: ListProviders: answer 503",
        "fault 1 and 2: ConnectByOAuth: delay 0.01, reset",
        "fault 1 and 4: ListProviders: delay 0.01, cut 30",
        "fault 1: ListProviders: delay 0.01",
    ]


def test_bounds_hold_with_faults(api: Api, sandbox: RunningSandbox) -> None:
    """What is too long, or no JSON, is refused as ever where a fault lets it through."""
    with injecting(sandbox, Fault(Delay(0.01))):
        assert api.post("/connections:connectByCredentials", {"email": "x" * 600_000}).status_code == 413
        answer = api.http.post(f"{BASE}/connections:connectByCredentials", content=b"{")
        assert faults_of(answer) == {"body": "FORMAT"}


def test_a_request_that_never_arrived_whole_counts_for_nothing(api: Api, sandbox: RunningSandbox) -> None:
    """A client that leaves in the middle of its body uses no fault up."""

    def half() -> Iterator[bytes]:
        yield b"{"
        raise InterruptedError

    with injecting(sandbox, Fault(Answer(503), on=WRITES, times=1)):
        with client(sandbox.endpoint, sandbox.api_key) as http, pytest.raises(InterruptedError):
            http.post(f"{BASE}/connections:connectByOAuth", content=half())
        assert [api.post("/connections:connectByOAuth", {}).status_code for _ in range(2)] == [503, 400]


def test_a_body_that_never_ends_is_refused_in_time(
    api: Api, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Waiting for the whole request has the same bound as without faults."""
    monkeypatch.setattr("reconciler.sandbox.request_body.BODY_SECONDS", 0.1)

    def slow() -> Iterator[bytes]:
        yield b"{"
        within_patience(lambda: any(request.status == 408 for request in sandbox.requests))

    with injecting(sandbox, Fault(Answer(503))):
        assert api.http.post(f"{BASE}/connections:connectByOAuth", content=slow()).status_code == 408


def test_a_sandbox_that_stops_waits_for_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What is delayed is answered at once, and what was to take effect late has done so when it has stopped."""
    faults = Faults((Fault(Reset(Later(600)), on=WRITES), Fault(Delay(600), on={Operation.LIST_EVENTS})))
    with ThreadPoolExecutor(1) as pool:
        with running(tmp_path, faults=faults) as sandbox, client(sandbox.endpoint, sandbox.api_key) as http:
            with pytest.raises(httpx.TransportError):
                connect(Api(http))
            waiting = pool.submit(web.get, f"{sandbox.endpoint}{BASE}/events")
            within_patience(lambda: "ListEvents: delay 600" in caplog.text)
            assert not waiting.done()
        assert waiting.result().status_code == 401
    with running(tmp_path) as again, client(again.endpoint, again.api_key) as http:
        assert len(Api(http).connections()) == 1


def test_a_fault_that_cannot_be() -> None:
    """Values say so when they are made."""
    for make, message in (
        (lambda: Answer(199), "status must be from 200 to 599"),
        (lambda: Answer(204), "body must be empty"),
        (lambda: Answer(503, headers=(("a b", "x"),)), "can't be the name of a header"),
        (lambda: Answer(503, headers=(("a", "x\r\ny: z"),)), "can't be the value of a header"),
        (lambda: Answer(503, headers=(("Content-Length", "9"),)), "To break an answer off, use cut"),
        (lambda: Cut(-1), "bytes must be a whole number from 0"),
        (lambda: Delay(float("nan")), "seconds must be from 0 to 3600"),
        (lambda: Later(4000), "seconds must be from 0 to 3600"),
        (lambda: Rate(-1, 1), "requests must be a whole number from 0"),
        (lambda: Fault(Reset(), on=()), "on must be reads, writes, or some of ListProviders"),
        (lambda: Fault(Stale(1), on=WRITES), "only they can be stale"),
        (lambda: Fault(Reset(), times=0), "times must be a whole number from 1"),
        (lambda: Fault(Reset(), probability=1.5), "probability must be from 0 to 1"),
    ):
        with pytest.raises(ValueError, match=message):
            make()
