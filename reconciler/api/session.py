"""A session holds the connections, credentials and limits of one site for its reader and its writer."""

import functools
import logging
import random
import ssl
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import TracebackType
from typing import Self

import httpx

from reconciler import __version__
from reconciler.api.answers import Answers
from reconciler.api.client import Reader, Writer
from reconciler.api.clock import Clock, OnWait, SystemClock, nobody
from reconciler.api.credentials import Anonymous, ApiKey, AppToken, Credentials, Token, describe, read_token, token_call
from reconciler.api.endpoint import parse_endpoint
from reconciler.api.exchange import Exchange, ExchangeLimits
from reconciler.api.failures import Explainer
from reconciler.api.rate_limit import Ledger, Traffic
from reconciler.api.readonly import ReadOnlyTransport, SharedTransport
from reconciler.api.response_limits import ACCEPTED, RUN, CostLimit, Spending
from reconciler.api.retry import RetryBudget
from reconciler.api.secrets import Secrets
from reconciler.errors import UsageError
from reconciler.model.desired import ApiKeyAuth, SecretRef, Site
from reconciler.model.traffic import Rate, SiteTraffic

_chance = random.SystemRandom().random

# At its lowest level it writes the headers of answers, which may echo what was sent.
logging.getLogger("httpcore").setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """The limits of a session; `connect` and `read` are seconds of silence, to connect and between two bytes.

    `run` is what all its answers together may cost.
    """

    rate: Rate = field(default_factory=Rate)
    exchange: ExchangeLimits = field(default_factory=ExchangeLimits)
    connect: float = 10.0
    read: float = 30.0
    run: CostLimit = RUN


class SiteSession:
    """Talks to one site; an async context manager that closes its connections at the end.

    `endpoint` is where the API is (UsageError unless https, or http on loopback), `secrets` resolves the site's
    references. `proxy` is the URL of a proxy for https; this machine itself is always reached directly. At most
    `max_connections` requests are under way at once. `ledger` counts them together with other runs', `budget` is what
    all sessions of a run may spend on trying again, `pool` the connections that they share (see `open_pool`); without
    one it has its own. `on_wait` is told of every wait. `clock` and `chance` (random
    numbers from 0 to 1) can be handed in. Nothing is read from the environment, no redirect is followed and no
    cookie kept. Its readers and writers share what `Answers` remembers: it lives as long as the session.
    """

    def __init__(
        self,
        site: Site,
        *,
        endpoint: str,
        secrets: Secrets,
        proxy: str | None = None,
        max_connections: int = 4,
        limits: SessionLimits | None = None,
        ledger: Ledger | None = None,
        budget: RetryBudget | None = None,
        pool: httpx.AsyncBaseTransport | None = None,
        clock: Clock | None = None,
        chance: Callable[[], float] = _chance,
        on_wait: OnWait = nobody,
    ) -> None:
        self._endpoint = parse_endpoint(endpoint)
        self._limits = limits or SessionLimits()
        self._chance = chance
        self._secrets = secrets
        self._key = site.auth.api_key if isinstance(site.auth, ApiKeyAuth) else site.auth.app_secret
        self._explainer = Explainer(secrets, describe(site.auth, site.site_id))
        clock = clock or SystemClock()
        self._answers = Answers(clock.now)
        self._sent: Counter[str] = Counter()
        self._budget = budget or RetryBudget()
        self._spending = Spending(self._limits.run, "for a run of the site")
        self._traffic = Traffic(self._limits.rate, max_connections, clock, on_wait, ledger)
        self._owns_pool = pool is None
        self._pool = pool or open_pool(self._endpoint, proxy, max_connections)
        self._reading = self._client(ReadOnlyTransport(self._pool, self._endpoint))
        self._writing = self._client(SharedTransport(self._pool))
        self._credentials = self._way_in(site, clock)

    @property
    def requests(self) -> int:
        """How many requests were sent, tries and tokens included."""
        return self._traffic.requests

    @property
    def lookups(self) -> int:
        """How many requests found out what names of schedules and calendars mean."""
        return self._sent["QuerySchedules"] + self._sent["ListCalendars"]

    @property
    def traffic(self) -> SiteTraffic:
        """What was sent to the site, as far as its rate limit counts it."""
        return self._traffic.lately()

    @property
    def key(self) -> SecretRef:
        """The secret that it shows to the service."""
        return self._key

    def check_secret(self, ref: SecretRef) -> None:
        """Raise SecretError where a secret can't be resolved."""
        self._secrets.resolve(ref)

    def reader(self) -> Reader:
        """The methods that read; its transport refuses everything else."""
        return Reader(self._exchange(self._reading, self._credentials), self._answers)

    def writer(self) -> Writer:
        """The methods that read and write."""
        return Writer(self._exchange(self._writing, self._credentials), self._answers, self._secrets)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._reading.aclose()
        await self._writing.aclose()
        if self._owns_pool:
            await self._pool.aclose()

    def _way_in(self, site: Site, clock: Clock) -> Credentials:
        auth = site.auth
        if isinstance(auth, ApiKeyAuth):
            return ApiKey(auth, site.site_id, self._secrets)
        exchange = self._exchange(self._reading, Anonymous())

        async def fetch() -> Token:
            token = await exchange.call(token_call(auth, self._secrets), read_token)
            self._secrets.remember(token.value)
            return token

        return AppToken(fetch, clock)

    def _exchange(self, client: httpx.AsyncClient, credentials: Credentials) -> Exchange:
        return Exchange(
            client,
            self._endpoint,
            traffic=self._traffic,
            credentials=credentials,
            explainer=self._explainer,
            limits=self._limits.exchange,
            budget=self._budget,
            spending=self._spending,
            chance=self._chance,
            sent=self._sent,
        )

    def _client(self, transport: httpx.AsyncBaseTransport) -> httpx.AsyncClient:
        silence = self._limits.read
        return httpx.AsyncClient(
            transport=transport,
            timeout=httpx.Timeout(silence, connect=self._limits.connect),
            headers={
                "Accept": "application/json",
                "Accept-Encoding": ACCEPTED,
                "User-Agent": f"extcal/{__version__}",
            },
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            follow_redirects=False,
            trust_env=False,
        )


def open_pool(endpoint: str, proxy: str | None, connections: int) -> httpx.AsyncHTTPTransport:
    """The connections that sessions with the sites of one endpoint share, to be closed by whoever opened it.

    What a request is allowed to do, and as whom, is decided above it. Raises UsageError for a proxy that can't be one.
    """
    encrypted = endpoint.startswith("https:")
    return httpx.AsyncHTTPTransport(
        # Loading the authorities takes most of the time that making a pool takes; http has no use for them.
        verify=_trusted() if encrypted else _unused(),
        trust_env=False,
        limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
        proxy=_proxy(proxy) if encrypted and proxy else None,
    )


def _proxy(url: str) -> httpx.Proxy:
    try:
        proxy = httpx.Proxy(url)
    except (ValueError, httpx.InvalidURL):
        proxy = None
    # SOCKS would take another package.
    if proxy is None or proxy.url.scheme not in {"http", "https"} or not proxy.url.host:
        # The URL is not shown, since it may hold the proxy's password.
        raise UsageError("proxy: expected the URL of an HTTP proxy, such as http://proxy.example:3128")
    return proxy


@functools.cache
def _unused() -> ssl.SSLContext:
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@functools.cache
def _trusted() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)
