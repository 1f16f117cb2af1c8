"""The consent page, as a browser without scripts uses it."""

from __future__ import annotations

import httpx

from tests.support import web

BACK = "https://harbor-dental.example/back?step=2#done"
PATEL_EMAIL = "patel@harbor-dental.example"


def answer(url: str, **fields: str) -> httpx.Response:
    """Send the form."""
    return web.post(url, data=fields)


def allow(url: str, account: str = PATEL_EMAIL) -> httpx.Response:
    """Agree."""
    return answer(url, account=account, outcome="connected", decision="allow")
