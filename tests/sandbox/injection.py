"""Injected faults, and requests that meet them."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx

from reconciler.sandbox.faults import (
    Fault,
    Faults,
)
from reconciler.sandbox.seed import harbor_dental
from tests.support.sandbox.api import APPLE_EMAIL, APPLE_PASSWORD, BASE, LEE, Api
from tests.support.sandbox.clock import NOON
from tests.support.timeouts import TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reconciler.sandbox.server import RunningSandbox

APPLE = next(provider.id for provider in harbor_dental(NOON).sites[0].providers if provider.name == "Apple")
"""Seconds after which what should have happened by itself hasn't."""


@contextmanager
def injecting(sandbox: RunningSandbox, *entries: Fault, seed: int = 0) -> Iterator[None]:
    """Faults for the length of the block; the log begins with it."""
    sandbox.requests.clear()
    sandbox.inject(Faults(entries, seed))
    try:
        yield
    finally:
        sandbox.inject(None)


def within_patience(holds: Callable[[], object]) -> None:
    """Wait until something holds; the test fails where it doesn't come to that."""
    deadline = time.monotonic() + TIMEOUT
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def listed_within_patience(api: Api) -> int:
    """How many connections are listed as soon as there is one."""
    within_patience(api.connections)
    return len(api.connections())


def connect(api: Api, timeout: float = TIMEOUT) -> httpx.Response:
    """ConnectByCredentials, and no other request beside it."""
    body = {"providerId": APPLE, "scheduleId": LEE, "email": APPLE_EMAIL, "password": APPLE_PASSWORD}
    return api.http.post(f"{BASE}/connections:connectByCredentials", json=body, timeout=timeout)


def statuses(api: Api, count: int) -> list[int]:
    """What as many ListProviders in a row are answered."""
    return [api.get("/providers").status_code for _ in range(count)]
