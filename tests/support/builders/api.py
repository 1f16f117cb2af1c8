"""A clock whose time passes only by sleeping, and values that tests share."""

import asyncio
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from reconciler.api.secrets import Secrets
from reconciler.model.desired import ApiKeyAuth, AppAuth, Scope, SecretKind, SecretRef, Site
from reconciler.model.source import Source

T = TypeVar("T")

SITE_ID = "7a3f0c1e-5d2b-4f6a-9c8e-1b2d3e4f5a6b"
API_KEY = "IST.key-of-the-site.4c21"
APP_SECRET = "app-secret-9f2e"
PASSWORD = 'pä"ss/w+rd &1'
PASSWORD_REF = SecretRef(SecretKind.ENV, "EXTCAL_LEE_APP_PASSWORD")


class FakeClock:
    """Begins at 2026-03-02 12:00 UTC; every sleep is noted and takes no time."""

    def __init__(self) -> None:
        self.elapsed = 0.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        """Seconds since the beginning."""
        return self.elapsed

    def now(self) -> datetime:
        """The time of day."""
        return datetime(2026, 3, 2, 12, tzinfo=UTC) + timedelta(seconds=self.elapsed)

    async def sleep(self, seconds: float) -> None:
        """Let `seconds` pass at once."""
        self.slept.append(seconds)
        self.elapsed += seconds
        await asyncio.sleep(0)


def secrets() -> Secrets:
    """The secrets that the sites of these tests refer to."""
    values = {"EXTCAL_API_KEY": API_KEY, "EXTCAL_APP_SECRET": APP_SECRET, PASSWORD_REF.name: PASSWORD}
    return Secrets(values, None)


def key_site() -> Site:
    """A site with an API key."""
    return _site(ApiKeyAuth(SecretRef(SecretKind.ENV, "EXTCAL_API_KEY")))


def app_site() -> Site:
    """A site on which an app is installed."""
    return _site(AppAuth("app-1", SecretRef(SecretKind.ENV, "EXTCAL_APP_SECRET"), "instance-1"))


def _site(auth: ApiKeyAuth | AppAuth) -> Site:
    return Site(
        name="harbor-dental",
        site_id=SITE_ID,
        auth=auth,
        scope=Scope.SCHEDULES,
        prune=False,
        max_disconnects=25,
        redirect_url=None,
        source=Source("site.yaml", 1, 1),
    )


def run(work: Coroutine[object, object, T]) -> T:
    """The result of `work`, in a loop of its own."""
    return asyncio.run(work)
