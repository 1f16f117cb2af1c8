"""Tells who calls, on which site, and what they may do there.

A caller shows an API key and a site id, or an app's token.
"""

from __future__ import annotations

import hmac
import secrets
from typing import TYPE_CHECKING

from reconciler.sandbox.errors import RefusedError, ViolatedRule, application_error
from reconciler.sandbox.records import SiteRecord

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from reconciler.sandbox.backend import Settings
    from reconciler.sandbox.context import Call
    from reconciler.sandbox.request_body import Fields

_APP = "app"
"""The caller that shows an app's token: a new one every few hours, and the same app."""


def caller(database: sqlite3.Connection, headers: Mapping[str, str], now: float) -> SiteRecord:
    """The site that the headers open.

    A refusal, 401 without valid credentials, 403 where they don't open that site.
    """
    credential = headers.get("authorization")
    if not credential:
        raise RefusedError(401, "The Authorization header is missing; send an API key or an app's token")
    token = database.execute("SELECT site_id, expires_at FROM token WHERE token = ?", (credential,)).fetchone()
    if token is not None:
        if token["expires_at"] <= now:
            raise RefusedError(401, "The app's token has expired; ask for a new one")
        return _site(database, str(token["site_id"]), caller=_APP, may_write=True)
    keys = database.execute("SELECT site_id, may_write FROM api_key WHERE key = ?", (credential,)).fetchall()
    if not keys:
        advice = "; send it without `Bearer`" if credential.lower().startswith("bearer ") else ""
        raise RefusedError(401, f"The Authorization header holds no valid key or token{advice}")
    site_id = headers.get("wix-site-id")
    if not site_id:
        raise RefusedError(401, "The wix-site-id header is missing; an API key needs it")
    for key in keys:
        if str(key["site_id"]) == site_id.lower():
            return _site(database, str(key["site_id"]), caller=credential, may_write=bool(key["may_write"]))
    raise RefusedError(403, "The API key doesn't open this site")


def require_write(site: SiteRecord) -> None:
    """A refusal (403) where the caller may only read."""
    if not site.may_write:
        raise RefusedError(403, "The API key lacks the permission to manage external calendars")


def issue_token(database: sqlite3.Connection, body: Fields, settings: Settings) -> dict[str, object]:
    """`POST /oauth2/token`: a token for one app instance.

    A refusal (401) where the app or the instance is unknown.
    """
    grant_type = body.text("grant_type")
    client_id, client_secret = body.text("client_id"), body.text("client_secret")
    instance_id = body.text("instance_id")
    if grant_type and grant_type != "client_credentials":
        body.reject("grant_type", "must be client_credentials", ViolatedRule.INVALID_ENUM_VALUE)
    body.check()
    app = {
        str(row["name"]): str(row["value"])
        for row in database.execute("SELECT name, value FROM meta WHERE name IN ('app_id', 'app_secret')")
    }
    known = hmac.compare_digest(app["app_id"].encode(), client_id.encode())
    secret = hmac.compare_digest(app["app_secret"].encode(), client_secret.encode())
    site = database.execute("SELECT id FROM site WHERE instance_id = ?", (instance_id,)).fetchone()
    if not (known and secret) or site is None:
        raise RefusedError(401, "client_id, client_secret and instance_id don't name an installed app")
    now = settings.clock()
    token = f"sandbox-token.{secrets.token_urlsafe(48)}"
    database.execute("DELETE FROM token WHERE expires_at <= ?", (now,))
    database.execute("INSERT INTO token VALUES (?, ?, ?)", (token, site["id"], now + settings.token_lifetime))
    return {"access_token": token, "token_type": "Bearer", "expires_in": int(settings.token_lifetime)}


def _site(database: sqlite3.Connection, site_id: str, *, caller: str, may_write: bool) -> SiteRecord:
    row = database.execute("SELECT * FROM site WHERE id = ?", (site_id,)).fetchone()
    premium = bool(row["premium"])
    return SiteRecord(str(row["id"]), str(row["name"]), premium=premium, caller=caller, may_write=may_write)


def require_premium(call: Call) -> None:
    """A refusal (403) where the site has no premium plan."""
    if not call.site.premium:
        raise application_error(403, "PREMIUM_FEATURE_NOT_ENABLED", "The site's plan has no external calendars")
