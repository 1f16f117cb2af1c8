"""A plain HTTP client of the API, as short as tests like it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from reconciler.sandbox.backend import Settings
from reconciler.sandbox.seed import SITE_ID
from tests.support.timeouts import TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Mapping

BASE = "/bookings/v2/external-calendars"
LEE, PATEL, KIM = (
    "3e47ec65-2975-447c-a7ed-75041e850d5e",
    "de999fec-0911-48b6-abd3-951426fc9b88",
    "09562353-67fd-474c-9aa7-0881abec1d3a",
)
APPLE_EMAIL, APPLE_PASSWORD = "lee@harbor-dental.example", "seagull-lantern-41"
APPLE_DEFAULT = ["k93wqe", "a68yu6", "c02bth"]

UNHURRIED = Settings(operation_seconds=TIMEOUT)
"""A sandbox whose operations end in time on any machine; what is about time has settings of its own."""

Json = dict[str, Any]  # what a test reads of an answer is whatever JSON it holds
"""The body of an answer."""


@dataclass(frozen=True, slots=True)
class Api:
    """Requests with the credentials of one site; the raw `http` for everything else."""

    http: httpx.Client

    def get(self, path: str, params: Mapping[str, Any] | None = None, **headers: str) -> httpx.Response:
        """GET below the base path."""
        return self.http.get(BASE + path, params=params, headers=headers)

    def post(self, path: str, body: object = None, **headers: str) -> httpx.Response:
        """POST JSON below the base path."""
        return self.http.post(BASE + path, json=body, headers=headers)

    def provider(self, name: str) -> str:
        """The id of the provider with that name."""
        return next(str(each["id"]) for each in self.get("/providers").json()["providers"] if each["name"] == name)

    def by_credentials(self, **changed: object) -> httpx.Response:
        """ConnectByCredentials of Dr. Lee's Apple account, with fields changed."""
        body = {"scheduleId": LEE, "email": APPLE_EMAIL, "password": APPLE_PASSWORD}
        return self.post("/connections:connectByCredentials", {"providerId": self.provider("Apple")} | body | changed)

    def connect(self, **changed: object) -> Json:
        """The connection that ConnectByCredentials makes."""
        return connection_of(self.by_credentials(**changed))

    def consent_url(self, *, schedule: str = PATEL, provider: str = "Google", redirect: str) -> str:
        """The link that ConnectByOAuth answers."""
        answer = self.post(
            "/connections:connectByOAuth",
            {"providerId": self.provider(provider), "scheduleId": schedule, "redirectUrl": redirect},
        )
        assert answer.status_code == 200, answer.text
        return str(answer.json()["oauthUrl"])

    def update(self, connection_id: str, sync_config: object) -> httpx.Response:
        """UpdateSyncConfig."""
        return self.http.patch(f"{BASE}/connections/{connection_id}/sync-config", json={"syncConfig": sync_config})

    def disconnect(self, connection_id: str) -> httpx.Response:
        """Disconnect."""
        return self.post(f"/connections/{connection_id}/disconnect", {"connectionId": connection_id})

    def connections(self, **params: object) -> list[Json]:
        """What ListConnections lists."""
        listed: list[Json] = self.get("/connections", params).json()["connections"]
        return listed


def client(endpoint: str, api_key: str, site_id: str = SITE_ID) -> httpx.Client:
    """An HTTP client with an API key's headers."""
    headers = {"authorization": api_key, "wix-site-id": site_id}
    return httpx.Client(base_url=endpoint, headers=headers, timeout=TIMEOUT)


def connection_of(answer: httpx.Response) -> Json:
    """The connection that an answer holds."""
    assert answer.status_code == 200, answer.text
    connection: Json = answer.json()["connection"]
    return connection


def code_of(answer: httpx.Response) -> tuple[int, str | None]:
    """The status and the application error's code of an error."""
    return answer.status_code, answer.json()["details"].get("applicationError", {}).get("code")


def faults_of(answer: httpx.Response) -> dict[str, str]:
    """The fields that a validationError names, each with the rule it breaks."""
    assert answer.status_code == 400, answer.text
    violations = answer.json()["details"]["validationError"]["fieldViolations"]
    assert all(set(each) == {"field", "description", "violatedRule", "ruleName", "data"} for each in violations)
    return {each["field"]: each["violatedRule"] for each in violations}
