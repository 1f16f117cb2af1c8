"""What holds for every request: credentials, ids, consistency tokens, bounds, tolerated oddities."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING

import pytest

from reconciler.sandbox.contract import Status
from reconciler.sandbox.request_log import LoggedRequest
from reconciler.sandbox.seed import SITE_ID, harbor_dental
from reconciler.sandbox.world import Site, World
from tests.support import web
from tests.support.sandbox.api import BASE, LEE, PATEL, code_of, faults_of
from tests.support.sandbox.clock import NOON

if TYPE_CHECKING:
    from reconciler.sandbox.server import RunningSandbox
    from tests.support.sandbox.api import Api


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"authorization": ""}, 401),
        ({"authorization": "wrong", "wix-site-id": SITE_ID}, 401),
        ({"authorization": "Bearer {key}", "wix-site-id": SITE_ID}, 401),
        ({"authorization": "{key}"}, 401),
        ({"authorization": "{key}", "wix-site-id": "5b52b41e-734a-4385-bf13-380e688a4a81"}, 403),
        ({"authorization": "{key}", "wix-site-id": "not a guid"}, 403),
        ({"authorization": "{key}", "wix-site-id": SITE_ID.upper()}, 200),
    ],
)
def test_credentials_open_their_site_only(sandbox: RunningSandbox, headers: dict[str, str], status: int) -> None:
    """Without a valid key 401, with a key for another site 403, always as a standard error with an id."""
    sent = {name: value.replace("{key}", sandbox.api_key) for name, value in headers.items()}
    answer = web.get(f"{sandbox.endpoint}{BASE}/providers", headers=sent)
    assert answer.status_code == status
    assert answer.headers["x-wix-request-id"]
    if status != 200:
        assert answer.json()["details"] == {}
        assert answer.json()["message"]


def test_a_sites_own_key_opens_that_site_alone(sandbox: RunningSandbox) -> None:
    """A site with a key of its own answers 403 to the world's key, and its key opens nothing else."""
    other = Site(id="198bb946-7233-4796-8338-edb9ab204a82", name="Pier Optics", api_key="pier-key")
    sandbox.replace_world(World(sites=(*harbor_dental(NOON).sites, other)))

    def status(key: str, site: str) -> int:
        headers = {"authorization": key, "wix-site-id": site}
        return web.get(f"{sandbox.endpoint}{BASE}/connections", headers=headers).status_code

    assert [status("pier-key", other.id), status(sandbox.api_key, SITE_ID)] == [200, 200]
    assert [status("pier-key", SITE_ID), status(sandbox.api_key, other.id)] == [403, 403]


def test_a_read_only_key_may_not_write(sandbox: RunningSandbox) -> None:
    """A key without the permission to manage reads, and gets 403 for a write."""
    site = Site(id=SITE_ID, name="Harbor Dental", read_only_key="look")
    sandbox.replace_world(World(sites=(site,)))
    headers = {"authorization": "look", "wix-site-id": SITE_ID}
    assert web.get(f"{sandbox.endpoint}{BASE}/providers", headers=headers).status_code == 200
    write = web.post(f"{sandbox.endpoint}{BASE}/connections:connectByOAuth", headers=headers, json={})
    assert code_of(write) == (403, None)


def test_every_response_has_a_request_id_of_its_own(api: Api) -> None:
    """Also what no route answers, and what isn't allowed."""
    answers = [
        api.get("/providers"),
        api.http.get("/nowhere"),
        api.http.delete(f"{BASE}/providers"),
        api.http.get("/consent/unknown"),
        api.post("/connections:connectByCredentials", {}),
        api.http.head(f"{BASE}/providers"),
    ]
    assert [answer.status_code for answer in answers] == [200, 404, 405, 404, 400, 200]
    assert len({answer.headers["x-wix-request-id"] for answer in answers}) == len(answers)
    assert answers[1].json() == {"message": "Not Found", "details": {}}
    assert "GET" in answers[2].headers["allow"]


def test_writes_answer_a_consistency_token_and_reads_give_it_back(api: Api) -> None:
    """A write brings a new `x-wix-consistent`, a read returns the one it was sent, and none if it was sent none."""
    first = api.by_credentials().headers["x-wix-consistent"]
    second = api.by_credentials(scheduleId=PATEL).headers["x-wix-consistent"]
    assert first != second
    assert api.http.get(f"{BASE}/connections", headers={"x-wix-consistent": first}).headers["x-wix-consistent"] == first
    assert "x-wix-consistent" not in api.get("/connections").headers
    huge = api.http.get(f"{BASE}/connections", headers={"x-wix-consistent": "x" * 2000})
    assert "x-wix-consistent" not in huge.headers


@pytest.mark.parametrize(
    "body",
    [
        b"{not json",
        b"[]",
        b'"text"',
        b"\xff\xfe",
        b'{"a": NaN}',
        b'{"email": "\\ud800"}',
        b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
        b'{"a": ' + b"1" * 10_000 + b"}",
    ],
    ids=["broken", "list", "string", "not utf-8", "nan", "surrogate", "deep", "huge number"],
)
@pytest.mark.parametrize("path", [f"{BASE}/connections:connectByCredentials", "/oauth2/token"])
def test_a_malformed_body_is_a_validation_error(api: Api, path: str, body: bytes) -> None:
    """Whatever a body holds that isn't a JSON object: 400, never 500."""
    answer = api.http.post(path, content=body, headers={"content-type": "application/json"})
    assert faults_of(answer) == {"body": "FORMAT"}


@pytest.mark.parametrize("content_type", ["text/plain", "application/json; charset=utf-8", None])
def test_the_content_type_of_a_body_does_not_matter(api: Api, content_type: str | None) -> None:
    """JSON is read as JSON, whatever it is called."""
    headers = {} if content_type is None else {"content-type": content_type}
    body = json.dumps({"query": {}}).encode()
    assert api.http.post("/calendar/v3/schedules/query", content=body, headers=headers).status_code == 200


def test_what_is_too_long_is_refused(api: Api) -> None:
    """Bodies, queries and headers have bounds, each with its own status."""
    body = api.post("/connections:connectByCredentials", {"email": "x" * 300_000})
    query = api.get("/connections", {"pad": "x" * 33_000})
    headers = api.http.get(f"{BASE}/connections", headers={"x-pad": "x" * 17_000})
    many = api.get("/connections", {"scheduleIds": ["x"] * 1001})
    assert [answer.status_code for answer in (body, query, headers, many)] == [413, 414, 431, 400]
    assert all(answer.headers["x-wix-request-id"] for answer in (body, query, headers, many))


def test_a_client_that_leaves_in_the_middle_of_a_body_harms_nobody(api: Api, sandbox: RunningSandbox) -> None:
    """The next request is answered as ever, and nothing was written."""
    port = int(sandbox.endpoint.rpartition(":")[2])
    line = f"POST {BASE}/connections:connectByCredentials HTTP/1.1"
    head = f"{line}\r\nhost: localhost:{port}\r\ncontent-length: 999\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port)) as half:
        half.sendall(f"{head}{{".encode())
    assert api.connections() == []


def test_the_path_parameter_may_be_repeated(api: Api) -> None:
    """In the query of a GET and the body of a POST or PATCH, as the official client does; unknown fields are fine."""
    connection_id = api.connect(unknown={"a": [1]})["id"]
    path = f"/connections/{connection_id}"
    assert api.get(path, {"connectionId": connection_id, "unknown": "1"}).status_code == 200
    assert api.get(f"{path}/calendars", {"connectionId": connection_id}).status_code == 200
    patch = {"connectionId": connection_id, "syncConfig": {"more": 1}, "fieldMask": None}
    assert api.http.patch(f"{BASE}{path}/sync-config", json=patch).status_code == 200
    assert api.post(f"{path}/disconnect", {"connectionId": connection_id}).json()["connection"]["status"] == (
        Status.DISCONNECTED
    )


def test_arrays_repeat_their_key(api: Api) -> None:
    """`scheduleIds=a&scheduleIds=b` filters by both, in any case."""
    api.connect()
    api.connect(scheduleId=PATEL)
    api.connect(scheduleId=PATEL)
    assert len(api.connections(scheduleIds=[LEE.upper()])) == 1
    assert len(api.connections(scheduleIds=[LEE, PATEL])) == 3
    assert faults_of(api.get("/connections", {"scheduleIds": [LEE, "x"], "partialFailure": "yes"})) == {
        "scheduleIds[1]": "FORMAT",
        "partialFailure": "FORMAT",
    }


def test_requests_are_logged(api: Api, sandbox: RunningSandbox) -> None:
    """Whoever runs the sandbox can count what was asked, and start counting anew."""
    api.get("/connections", {"scheduleIds": LEE})
    api.post("/connections:connectByOAuth", {})
    assert list(sandbox.requests) == [
        LoggedRequest("GET", f"{BASE}/connections", f"scheduleIds={LEE}", 200),
        LoggedRequest("POST", f"{BASE}/connections:connectByOAuth", "", 400),
    ]
    sandbox.requests.clear()
    assert len(sandbox.requests) == 0
