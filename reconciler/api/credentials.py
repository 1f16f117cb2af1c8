"""Makes the headers that authenticate a site's requests.

The headers hold a secret in the clear. They live in the request from just before it is sent until its answer is
read, are handed to httpx alone, and are never put in an error: errors are made anew from httpx's, not chained to them.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from reconciler.api.call import TOKEN, Call
from reconciler.api.clock import Clock
from reconciler.api.fields import LONG, ShapeError, WireObject
from reconciler.api.redaction import SHORTEST
from reconciler.api.secrets import Secrets
from reconciler.errors import ApiError, SecretError, UsageError
from reconciler.model.desired import ApiKeyAuth, AppAuth, SecretRef

_USUAL_LIFE = 4 * 3600.0
_LONGEST_LIFE = 24 * 3600.0
_MARGIN = 300.0


class Credentials(Protocol):
    """Gives the headers that authenticate a request."""

    async def headers(self) -> Mapping[str, str]:
        """The headers for the next request; raises SecretError or ApiError."""
        ...

    def renew(self, refused: Mapping[str, str]) -> bool:
        """Told that `refused` were answered by 401: whether other headers are worth a try."""
        ...


class Anonymous:
    """No credentials: for the request that fetches a token."""

    async def headers(self) -> Mapping[str, str]:
        """Nothing."""
        return {}

    def renew(self, refused: Mapping[str, str]) -> bool:  # noqa: ARG002 - the protocol's
        """Nothing else can be tried."""
        return False


class ApiKey:
    """An API key and the id of the site that it is used for; UsageError for an id that no header can hold."""

    def __init__(self, auth: ApiKeyAuth, site_id: str, secrets: Secrets) -> None:
        if not _fits_header(site_id):
            raise UsageError("a site's id must be a GUID: check siteId in the Site manifest")
        self._ref = auth.api_key
        self._site_id = site_id
        self._secrets = secrets

    async def headers(self) -> Mapping[str, str]:
        """The key, resolved anew, and the site's id."""
        return {"Authorization": _header_secret(self._secrets, self._ref), "wix-site-id": self._site_id}

    def renew(self, refused: Mapping[str, str]) -> bool:  # noqa: ARG002 - the protocol's
        """A key that was refused stays refused."""
        return False


@dataclass(frozen=True, slots=True)
class Token:
    """An access token and its life in seconds."""

    value: str = field(repr=False)
    life: float


class AppToken:
    """An app's access token: fetched when first needed, once for all who wait, and renewed before it ends."""

    def __init__(self, fetch: Callable[[], Awaitable[Token]], clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._one_at_a_time = asyncio.Lock()
        self._value: str | None = None
        self._ends = 0.0
        self._failures = 0
        self._failure: ApiError | None = None

    async def headers(self) -> Mapping[str, str]:
        """The current token, or a new one; a fetch that fails fails for all who waited for it."""
        failures_before = self._failures
        async with self._one_at_a_time:
            if self._failure is not None and self._failures != failures_before:
                raise self._failure
            if self._value is None or self._clock.monotonic() >= self._ends:
                try:
                    token = await self._fetch()
                except ApiError as error:
                    self._failures += 1
                    self._failure = error
                    raise
                self._value = token.value
                self._ends = self._clock.monotonic() + token.life - min(_MARGIN, token.life / 10)
            return {"Authorization": self._value}

    def renew(self, refused: Mapping[str, str]) -> bool:
        """Forget the token that was refused, unless another took its place already."""
        if refused.get("Authorization") == self._value:
            self._value = None
        return True


def token_call(auth: AppAuth, secrets: Secrets) -> Call:
    """The request that trades an app's secret for a token; the secret is resolved here."""
    body = {
        "grant_type": "client_credentials",
        "client_id": auth.app_id,
        "client_secret": secrets.resolve(auth.app_secret),
        "instance_id": auth.instance_id,
    }
    return Call("CreateAccessToken", "POST", TOKEN, body=json.dumps(body))


def read_token(answer: WireObject) -> Token:
    """The token of an answer; without a stated life it has the usual four hours."""
    value = answer.required("access_token", LONG)
    if not _fits_header(value):
        raise ShapeError("access_token", "printable ASCII text", "other characters")
    if len(value) < SHORTEST:
        raise ShapeError("access_token", f"at least {SHORTEST} characters", "fewer")
    life = answer.number("expires_in")
    if life is not None and life <= 0:
        raise ShapeError("expires_in", "a number of seconds above 0", "none left")
    return Token(value, min(life or _USUAL_LIFE, _LONGEST_LIFE))


def describe(auth: ApiKeyAuth | AppAuth, site_id: str) -> str:
    """What to check when a site's credentials are refused; names references, never values."""
    if isinstance(auth, ApiKeyAuth):
        return f"the API key ({auth.api_key}) and that it is valid for site {site_id}"
    return f"the app's id, secret ({auth.app_secret}) and instance id"


def _header_secret(secrets: Secrets, ref: SecretRef) -> str:
    value = secrets.resolve(ref)
    if not _fits_header(value):
        advice = "leave out the word Bearer" if value.lower().startswith("bearer ") else "store the key alone"
        raise SecretError(f"the secret {ref} can't be sent: it has blanks or characters beyond ASCII; {advice}")
    return value


def _fits_header(text: str) -> bool:
    return text.isascii() and text.isprintable() and " " not in text
