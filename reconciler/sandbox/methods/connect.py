"""ConnectByCredentials and ConnectByOAuth."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from reconciler.sandbox import records
from reconciler.sandbox.connecting import connect
from reconciler.sandbox.contract import ConnectMethod
from reconciler.sandbox.methods.connections import answer
from reconciler.sandbox.methods.premium import require_premium
from reconciler.sandbox.refusal import application_error, not_supported

if TYPE_CHECKING:
    from reconciler.sandbox.call import Call
    from reconciler.sandbox.records import ProviderRecord, ScheduleRecord

CONSENT_PATH = "/consent"


def connect_by_credentials(call: Call) -> dict[str, object]:
    """ConnectByCredentials: signs in at the provider and connects the account."""
    email, password = call.body.text("email", max_length=320), call.body.text("password")
    provider, schedule = _parties(call)
    require_premium(call)
    _require_method(provider, ConnectMethod.CREDENTIALS)
    account = call.calendars.sign_in(provider.slug, email, password)
    if account is None:
        raise application_error(401, "BAD_CREDENTIALS", f"{provider.name} doesn't accept this email and password")
    connection_id = connect(call.database, call.calendars, call.site.id, schedule, provider, account, call.now)
    return answer(call, connection_id)


def connect_by_oauth(call: Call) -> dict[str, object]:
    """ConnectByOAuth: a link to the consent page. No connection exists until the owner agrees there."""
    redirect_url = call.body.web_url("redirectUrl")
    provider, schedule = _parties(call)
    _require_method(provider, ConnectMethod.OAUTH)
    consent_id = secrets.token_urlsafe(32)
    call.database.execute(
        "INSERT INTO consent (id, site_id, schedule_id, provider_id, redirect_url) VALUES (?, ?, ?, ?, ?)",
        (consent_id, call.site.id, schedule.id, provider.id, redirect_url),
    )
    return {"oauthUrl": f"{call.endpoint}{CONSENT_PATH}/{consent_id}"}


def _parties(call: Call) -> tuple[ProviderRecord, ScheduleRecord]:
    """The provider and the schedule that the body names, once the whole body is known to be sound."""
    provider_id, schedule_id = call.body.guid("providerId"), call.body.guid("scheduleId")
    call.body.check()
    return (
        records.provider(call.database, call.site.id, provider_id),
        records.schedule(call.database, call.site.id, schedule_id),
    )


def _require_method(provider: ProviderRecord, method: ConnectMethod) -> None:
    if method not in provider.connect_methods:
        raise not_supported(f"{provider.name} can't be connected by {method.value}")
