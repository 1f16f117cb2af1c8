"""Answers ConnectByCredentials and ConnectByOAuth."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.sandbox import records
from reconciler.sandbox.auth import require_premium
from reconciler.sandbox.behaviour.model import LoopbackRedirects
from reconciler.sandbox.calendars.errors import (
    BadCredentialsError,
    CalendarError,
    MisconfiguredError,
    PasswordsNotTakenError,
)
from reconciler.sandbox.calendars.protocol import Login
from reconciler.sandbox.contract import ConnectMethod, is_loopback
from reconciler.sandbox.errors import application_error, not_supported, unreachable_because
from reconciler.sandbox.exports.export_sync import sync_connection
from reconciler.sandbox.messages import reason
from reconciler.sandbox.methods.answers import answer
from reconciler.sandbox.new_connection import ConnectTarget, connect, used_calendars

if TYPE_CHECKING:
    from reconciler.sandbox.calendars.protocol import CalendarRef
    from reconciler.sandbox.context import Call
    from reconciler.sandbox.records import ProviderRecord, ScheduleRecord

CONSENT_PATH = "/consent"


def connect_by_credentials(call: Call) -> dict[str, object]:
    """ConnectByCredentials: signs in at the provider and connects the account."""
    email, password = call.body.text("email", max_length=320), call.body.text("password")
    provider, schedule = _parties(call)
    require_premium(call)
    _require_method(provider, ConnectMethod.CREDENTIALS)
    target = ConnectTarget(call.site.id, schedule, provider, call.site.caller, call.behaviour)
    login, calendars = _signed_in(call, target, Login(email, password))
    with call.session.writing():
        connection_id = connect(call.database, target, login, calendars, call.now)
    sync_connection(call.context, records.connection(call.database, call.site.id, connection_id), prepare=True)
    return answer(call, connection_id)


def connect_by_oauth(call: Call) -> dict[str, object]:
    """ConnectByOAuth: a link to the consent page.

    No connection exists until the owner agrees there.
    """
    redirect_url = call.body.web_url("redirectUrl")
    if call.behaviour.loopback_redirects is LoopbackRedirects.REFUSED and is_loopback(redirect_url):
        call.body.reject("redirectUrl", "must not be on the user's own machine")
    provider, schedule = _parties(call)
    _require_method(provider, ConnectMethod.OAUTH)
    consent_id = secrets.token_urlsafe(32)
    with call.session.writing():
        call.database.execute(
            "INSERT INTO consent (id, site_id, schedule_id, provider_id, redirect_url) VALUES (?, ?, ?, ?, ?)",
            (consent_id, call.site.id, schedule.id, provider.id, redirect_url),
        )
    return {"oauthUrl": f"{call.endpoint}{CONSENT_PATH}/{consent_id}"}


def _parties(call: Call) -> tuple[ProviderRecord, ScheduleRecord]:
    """The provider and the schedule that the body names, once the whole body is valid."""
    provider_id, schedule_id = call.body.guid("providerId"), call.body.guid("scheduleId")
    call.body.check()
    return (
        records.provider(call.database, call.site.id, provider_id),
        records.schedule(call.database, call.site.id, schedule_id),
    )


def _signed_in(call: Call, target: ConnectTarget, login: Login) -> tuple[Login, tuple[CalendarRef, ...]]:
    """The account as the provider spells it, and its calendars.

    A refusal where it can't be opened.
    """
    provider = target.provider
    try:
        email = call.calendars.of(provider.slug).sign_in(login)
        used = used_calendars(call.database, target, email)
        return replace(login, email=email), call.calendars.calendars(provider.slug, login, fresh=True, used=used)
    except CalendarError as error:
        why = reason(error, login)
        call.warnings.warn(f"{provider.slug}/{login.email}: not connected: {why}")
        if isinstance(error, BadCredentialsError):
            description = f"{provider.name} doesn't accept this email and password"
            raise application_error(401, "BAD_CREDENTIALS", description) from None
        if isinstance(error, MisconfiguredError | PasswordsNotTakenError):
            raise not_supported(f"{provider.name} can't be connected by email and password: {why}") from None
        raise unreachable_because(provider.name, why) from None


def _require_method(provider: ProviderRecord, method: ConnectMethod) -> None:
    if method not in provider.connect_methods:
        raise not_supported(f"{provider.name} can't be connected by {method.value}")
