"""Sends messages to owners and says what became of them, for tests of delivery."""

from collections.abc import Callable, Sequence

from reconciler.consent.mail_delivery import MailDelivery, MailLimits, deliver
from reconciler.consent.mail_message import ConsentMail
from reconciler.consent.mail_settings import MailSettings
from tests.consent.mails import composed

LEE, KIM, ANN = (f"{name}@harbor-dental.example" for name in ("lee", "kim", "ann"))
_USUAL = MailLimits()


def sent(
    settings: MailSettings,
    *owners: str,
    before: Callable[[ConsentMail], None] = lambda _mail: None,
    limits: MailLimits = _USUAL,
) -> list[MailDelivery]:
    """What becomes of a message to each owner."""
    return list(deliver(map(composed, owners), settings, before_sending=before, limits=limits))


def outcomes(deliveries: Sequence[MailDelivery]) -> list[str]:
    """What became of each."""
    return [each.outcome.value for each in deliveries]
