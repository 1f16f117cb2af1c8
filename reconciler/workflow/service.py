"""Opens sessions with the sites of a run, and selects which sites it is about."""

import asyncio
import os
import pwd
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import httpx

from reconciler.api.endpoint import check_public, parse_endpoint
from reconciler.api.retry import RetryBudget
from reconciler.api.secrets import Secrets
from reconciler.api.session import SessionLimits, SiteSession, open_pool
from reconciler.machine import Machine
from reconciler.model.desired import ApiKeyAuth, Desired, Site
from reconciler.model.history import Origin
from reconciler.model.limits import SITES_AT_ONCE
from reconciler.model.live import LiveSite
from reconciler.model.shards import Shards
from reconciler.model.traffic import SiteTraffic

_CONNECTIONS_EACH = 4
OnRead = Callable[[str, int], None]
OnLookups = Callable[[str, int, SiteTraffic], None]


class Sessions(dict[str, SiteSession]):
    """The sessions of a run by the names of their sites; at most `at_once` work at a time.

    `on_read` is called for each site that was read, or could not be: its name, and how many sites there are;
    `on_lookups` where reading one takes more requests than any site's does: its name, how many, and what it was sent.
    `machine` is where the runs on this machine meet, where there is one. `verified` holds what sites were like when
    they were read whole after the last write of the run.
    """

    def __init__(
        self,
        by_name: Mapping[str, SiteSession],
        at_once: int = SITES_AT_ONCE,
        on_read: OnRead = lambda _name, _total: None,
        machine: Machine | None = None,
        on_lookups: OnLookups = lambda _name, _requests, _traffic: None,
    ) -> None:
        super().__init__(by_name)
        self.at_once = at_once
        self.machine = machine
        self.verified: dict[str, LiveSite] = {}
        self._on_read = on_read
        self._on_lookups = on_lookups

    def read(self, name: str) -> None:
        """Tell that a site was read, or could not be."""
        self._on_read(name, len(self))

    def foresee(self, name: str, lookups: int) -> None:
        """Tell that reading a site takes so many lookups, a request each."""
        if lookups:
            self._on_lookups(name, lookups, self[name].traffic)


@dataclass(frozen=True, slots=True)
class Service:
    """How the API is reached.

    `machine` is where the runs on this machine meet. `auth` stands in for every site's own, where the endpoint has a
    key for all; `on_wait` is called for every wait (seconds, why) that a person may wonder about; `budget` is what the
    run may spend on trying again, `limits` are those of each session; `parallelism` is how many sites are read or
    written at once; `on_read` is called for each site that was read, with how many there are, `on_lookups` for each
    that has lookups to make, with how many and what it was sent.
    """

    endpoint: str
    secrets: Secrets
    machine: Machine
    auth: ApiKeyAuth | None = None
    proxy: str | None = None
    on_wait: Callable[[float, str], None] = field(default=lambda _seconds, _why: None)
    budget: RetryBudget = field(default_factory=RetryBudget)
    limits: SessionLimits = field(default_factory=SessionLimits)
    parallelism: int = SITES_AT_ONCE
    on_read: OnRead = field(default=lambda _name, _total: None)
    on_lookups: OnLookups = field(default=lambda _name, _requests, _traffic: None)

    def session(self, site: Site, pool: httpx.AsyncBaseTransport) -> SiteSession:
        """A session with one site over the connections of `pool`, yet to be entered."""
        reached = site if self.auth is None else replace(site, auth=self.auth)
        return SiteSession(
            reached,
            endpoint=self.endpoint,
            secrets=self.secrets,
            proxy=self.proxy,
            limits=self.limits,
            ledger=self.machine.site(site.site_id).ledger,
            budget=self.budget,
            pool=pool,
            on_wait=self.on_wait,
        )


def reach(
    endpoint: str,
    *,
    environ: Mapping[str, str],
    state_folder: Path,
    secrets_folder: Path | None = None,
    private: bool = False,
    proxy: str | None = None,
) -> Service:
    """The API at an endpoint: `https://www.wixapis.com`, or http on this machine.

    `environ` is where `{env: …}` references are looked up, `secrets_folder` where `{file: …}` references lie. The
    locks, journals and request counts of the runs on this machine are in `state_folder`, which must be its user's
    alone. Raises UsageError where credentials may not be sent to the endpoint: over http to another machine, or to an
    address that is not public unless it is said to be `private`.
    """
    where = parse_endpoint(endpoint)
    if not private:
        # What a proxy reaches may have another address there, or none here.
        check_public(where, resolve=proxy is None)
    secrets = Secrets(environ, secrets_folder)
    # An earlier run may have told the service one that this run does not need.
    secrets.remember_environ()
    return Service(where, secrets, Machine(state_folder, where, secrets.redact, run_origin(environ)), proxy=proxy)


def run_origin(environ: Mapping[str, str]) -> Origin:
    """Who runs this, as GitHub, GitLab or this machine say."""
    actor = environ.get("GITHUB_ACTOR") or environ.get("GITLAB_USER_LOGIN") or _user()
    return Origin(actor, socket.gethostname() or None, environ.get("GITHUB_SHA") or environ.get("CI_COMMIT_SHA"))


def _user() -> str | None:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return None


@asynccontextmanager
async def sessions(sites: Sequence[Site], service: Service) -> AsyncIterator[Sessions]:
    """Open a session for each site, by name.

    What they learn (tokens, consistency) lasts while they are open.
    """
    async with AsyncExitStack() as stack:
        # As many pools as sites are at work at once, handed on from site to site: with one for each of hundreds of
        # sites there would be hundreds of handshakes, and a single one looks through itself for every request.
        count = max(1, min(service.parallelism, len(sites)))
        pools = [open_pool(service.endpoint, service.proxy, _CONNECTIONS_EACH) for _ in range(count)]
        for pool in pools:
            await stack.enter_async_context(pool)
        opened = {
            site.name: await stack.enter_async_context(service.session(site, pools[number % count]))
            for number, site in enumerate(sites)
        }
        yield Sessions(opened, service.parallelism, service.on_read, service.machine, service.on_lookups)


@dataclass(frozen=True, slots=True)
class Selection:
    """What of the manifests is planned; None is all.

    Names of sites, addresses of connections, shards of the fleet.

    What is planned is in each of them.
    """

    sites: frozenset[str] | None = None
    connections: frozenset[str] | None = None
    shards: Shards | None = None


def selected_sites(desired: Desired, selection: Selection) -> tuple[Site, ...]:
    """The sites that a selection leaves."""
    wanted = selection.sites
    if selection.connections is not None:
        with_connections = frozenset(address.partition("/")[0] for address in selection.connections)
        wanted = with_connections if wanted is None else wanted & with_connections
    named = (site for site in desired.sites if wanted is None or site.name in wanted)
    return tuple(site for site in named if selection.shards is None or selection.shards.holds(site.site_id))


_Item = TypeVar("_Item")
_Done = TypeVar("_Done")


async def run_bounded(work: Callable[[_Item], Awaitable[_Done]], items: Iterable[_Item], at_once: int) -> list[_Done]:
    """What `work` makes of each item, in their order, with at most `at_once` under way."""
    slots = asyncio.Semaphore(at_once)

    async def one(item: _Item) -> _Done:
        async with slots:
            return await work(item)

    return await asyncio.gather(*map(one, items))
