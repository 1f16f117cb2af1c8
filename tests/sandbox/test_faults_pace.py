"""Faults of pace: delays, clients that lose patience, and the rate limit."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import httpx
import pytest

from reconciler.sandbox.faults import WRITES, Answer, Delay, Fault, Rate, When
from reconciler.sandbox.seed import harbor_dental
from reconciler.sandbox.world import Site, World
from tests.sandbox.injection import connect, injecting, listed_within_patience, statuses, within_patience
from tests.support import web
from tests.support.sandbox.api import BASE
from tests.support.sandbox.clock import NOON

if TYPE_CHECKING:
    from reconciler.sandbox.server import RunningSandbox
    from tests.support.sandbox.api import Api


def test_delays_add_up_and_go_with_another_fault(api: Api, sandbox: RunningSandbox) -> None:
    """All of them are waited for, then what follows happens."""
    entries = (Fault(Delay(0.2)), Fault(Delay(0.1, When.AFTER)), Fault(Answer(503), times=1), Fault(Delay(0.1)))
    with injecting(sandbox, *entries):
        for least, status in ((0.3, 503), (0.4, 200)):
            begun = time.monotonic()
            assert api.get("/providers").status_code == status
            assert time.monotonic() - begun >= least


@pytest.mark.parametrize(("when", "at_once"), [(When.BEFORE, 0), (When.AFTER, 1)])
def test_a_client_that_loses_patience(api: Api, sandbox: RunningSandbox, when: When, at_once: int) -> None:
    """A delay lies before the effect or behind it; the effect comes though the client has left meanwhile."""
    delay = 1.5
    with injecting(sandbox, Fault(Delay(delay, when), on=WRITES)):
        begun = time.monotonic()
        with pytest.raises(httpx.ReadTimeout):
            connect(api, timeout=0.5)
        if at_once:
            within_patience(api.connections)
        seen, logged = len(api.connections()), len([each for each in sandbox.requests if each.method == "POST"])
        # On a machine that took longer the delay may be over.
        if time.monotonic() - begun < delay:
            assert (seen, logged) == (at_once, 0)
        assert listed_within_patience(api) == 1
        within_patience(lambda: any(request.method == "POST" for request in sandbox.requests))


def test_over_the_rate(api: Api, sandbox: RunningSandbox) -> None:
    """Only so much is let through within the window; each 429 says when to come again."""
    with injecting(sandbox, Fault(Rate(2, 600, retry_after="1"))):
        answers = [api.get("/providers") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 429, 429]
    assert answers[2].headers["retry-after"] == "1"
    assert answers[2].json()["details"] == {}
    assert [request.fault for request in sandbox.requests] == [None, None, "rate 2/600", "rate 2/600"]


def test_under_the_rate(api: Api, sandbox: RunningSandbox) -> None:
    """What lies further back than the window is forgotten."""
    with injecting(sandbox, Fault(Rate(1, 0.2))):
        for _ in range(3):
            assert statuses(api, 1) == [200]
            time.sleep(0.25)


def test_the_rate_is_a_site_s(api: Api, sandbox: RunningSandbox) -> None:
    """By key or by the app's token it is the same site; another has its own; who opens none is only refused."""
    other = Site(id="198bb946-7233-4796-8338-edb9ab204a82", name="Pier Optics")
    sandbox.replace_world(World(sites=(*harbor_dental(NOON).sites, other)))
    app = sandbox.ready()["app"]
    assert isinstance(app, dict)
    asked = {"grant_type": "client_credentials", "client_id": app["app_id"], "client_secret": app["app_secret"]}
    token = api.http.post("/oauth2/token", json={**asked, "instance_id": app["instance_id"]}).json()["access_token"]

    def status(**headers: str) -> int:
        return web.get(f"{sandbox.endpoint}{BASE}/providers", headers=headers).status_code

    with injecting(sandbox, Fault(Rate(1, 600))):
        assert [status(authorization="nobody") for _ in range(2)] == [401, 401]
        assert [*statuses(api, 2), status(authorization=token)] == [200, 429, 429]
        own = {"authorization": sandbox.api_key, "wix-site-id": other.id}
        assert [status(**own) for _ in range(2)] == [200, 429]
        assert "retry-after" not in api.get("/providers").headers


def test_no_rate_at_all(api: Api, sandbox: RunningSandbox) -> None:
    """A rate of 0 lets nothing through; its counts and times are as those of any fault."""
    with injecting(sandbox, Fault(Rate(0, 1), skip=1, times=2)):
        assert statuses(api, 4) == [200, 429, 429, 200]
