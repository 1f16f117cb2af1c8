"""`POST /oauth2/token`, and what its tokens open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.support import web
from tests.support.sandbox.api import BASE, faults_of

if TYPE_CHECKING:
    from reconciler.sandbox.server import RunningSandbox
    from tests.support.sandbox.clock import Clock


def _ask(sandbox: RunningSandbox, **changed: object) -> httpx.Response:
    app: Any = sandbox.ready()["app"]
    body = {
        "grant_type": "client_credentials",
        "client_id": app["app_id"],
        "client_secret": app["app_secret"],
        "instance_id": app["instance_id"],
    }
    return web.post(f"{sandbox.endpoint}/oauth2/token", json=body | changed)


def _providers(sandbox: RunningSandbox, token: str) -> int:
    headers = {"authorization": token}
    return web.get(f"{sandbox.endpoint}{BASE}/providers", headers=headers).status_code


def test_an_apps_token_opens_its_site_until_it_expires(sandbox: RunningSandbox, clock: Clock) -> None:
    """The token alone is enough, for about four hours; then 401, and a new one is to be had."""
    answer = _ask(sandbox)
    assert answer.status_code == 200
    token = answer.json()
    assert token["token_type"] == "Bearer"
    assert token["expires_in"] == 4 * 3600
    assert _providers(sandbox, token["access_token"]) == 200
    clock.now += 4 * 3600
    assert _providers(sandbox, token["access_token"]) == 401
    assert _providers(sandbox, _ask(sandbox).json()["access_token"]) == 200


@pytest.mark.parametrize("field", ["client_id", "client_secret", "instance_id"])
def test_an_unknown_app_gets_no_token(sandbox: RunningSandbox, field: str) -> None:
    """A wrong id or secret is answered with 401."""
    assert _ask(sandbox, **{field: "wrong"}).status_code == 401


def test_a_token_request_names_all_its_faults(sandbox: RunningSandbox) -> None:
    """Missing fields and another grant type are validation errors."""
    answer = _ask(sandbox, grant_type="password", client_id=None, client_secret=7, instance_id="")
    assert faults_of(answer) == {
        "grant_type": "INVALID_ENUM_VALUE",
        "client_id": "REQUIRED_FIELD",
        "client_secret": "FORMAT",
        "instance_id": "REQUIRED_FIELD",
    }
