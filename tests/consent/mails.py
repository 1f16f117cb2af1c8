"""Messages to owners and the operator's settings, as several tests need them."""

from collections.abc import Mapping
from datetime import UTC, datetime

from reconciler.consent.mail_message import ConsentMail, compose
from reconciler.consent.mail_request import RequestedConsent
from reconciler.consent.mail_settings import MailSettings
from reconciler.consent.mail_words import WordsBySite
from reconciler.model.account import Account
from reconciler.model.action import Action, ActionKind, Reason, Recovery
from reconciler.model.key import ConnectionKey
from reconciler.model.sync import Arm, Direction, SyncConfig

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
STATE = "eyJhbGciOiJIUzI1NiJ9.eyJzaXRlIjoiN2Ez.c2lnbmF0dXJl"
URL = f"https://accounts.example/o/oauth2/auth?client_id=12345&redirect_uri=https%3A%2F%2Fx.example%2F&state={STATE}"
FIRST = "<0123456789abcdef@mail.example>"
WORDS = WordsBySite({})
BUSY_TIMES = SyncConfig(Direction(enabled=True, arm=Arm.PRIMARY), Direction(enabled=False))
ENVIRON = {
    "EXTCAL_MAIL_FROM": "Harbor calendars <calendars@mail.example>",
    "EXTCAL_MAIL_DOMAINS": "harbor-dental.example",
}
ACTION = Action(
    kind=ActionKind.CONNECT,
    address="harbor-dental/lee",
    site="harbor-dental",
    site_id="7a3f0c1e-5d2b-4f6a-9c8e-1b2d3e4f5a6b",
    key=ConnectionKey("3e47ec65-2975-447c-a7ed-75041e850d5e", "google", Account("lee@harbor-dental.example")),
    provider_id="p-google",
    connection_id=None,
    reason=Reason.NOT_CONNECTED,
    recovery=Recovery.CONSENT,
)
"""What takes an owner's consent."""


def dry_settings(**more: str) -> MailSettings:
    """Settings that name no server."""
    return MailSettings.of({**ENVIRON, **more}, dry=True)


def server_settings(port: int, environ: Mapping[str, str] | None = None) -> MailSettings:
    """Settings for a server on loopback."""
    return MailSettings.of({**ENVIRON, "EXTCAL_SMTP_URL": f"smtp://127.0.0.1:{port}", **(environ or {})})


def requested(
    schedule: str = "Dr. Lee",
    *,
    site: str = "harbor-dental",
    provider: str = "Google",
    url: str = URL,
    sync: SyncConfig | None = BUSY_TIMES,
) -> RequestedConsent:
    """One link."""
    return RequestedConsent(f"{site}/connection", site, schedule, provider, url, sync)


def composed(
    owner: str = "lee@harbor-dental.example",
    *requests: RequestedConsent,
    words: WordsBySite = WORDS,
    settings: MailSettings | None = None,
    thread: str | None = None,
) -> ConsentMail:
    """A message; a reminder where there is a thread."""
    return compose(
        Account(owner),
        requests or (requested(),),
        words,
        settings or dry_settings(),
        reminder=thread is not None,
        message_id=FIRST,
        thread=thread,
        now=NOW,
    )
