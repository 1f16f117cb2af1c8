"""Decides which owners may be asked by mail now, by what the operator allows and by what they were asked before."""

from collections.abc import Mapping
from datetime import UTC, datetime

from reconciler.consent.mail_settings import MailSettings
from reconciler.machine import Machine
from reconciler.model.account import Account
from reconciler.model.action import Action
from reconciler.model.consent import MailRules
from reconciler.model.consent_request import ConsentRequest
from reconciler.render.owners import age


class AskedOwners:
    """Says who may be asked now; what was asked before is read once for each site.

    Whoever uses it holds the locks of the sites that it is asked about.
    """

    def __init__(self, machine: Machine, settings: MailSettings, rules: MailRules) -> None:
        self._machine = machine
        self._settings = settings
        self._rules = rules
        self._known: dict[str, Mapping[tuple[str, Account | None], ConsentRequest]] = {}

    def why_not(self, action: Action) -> str | None:
        """Why the owner that an action needs is not asked now; None where they are.

        Raises ConsentRequestsError where it is not known what they were asked: they might be asked again and again.
        """
        if (forbidden := self._settings.allows(action.account)) is not None:
            return f"not mailed: {forbidden}"
        request, now = self.request(action), datetime.now(UTC)
        if request is None or request.last_asked_at is None:
            return self._too_many(action, now)
        count = len(request.asked_at)
        if count >= self._rules.most_mails:
            return (
                f"asked {_times(count)}, the last time {_since(request.last_asked_at, now)}, and not again; ask them "
                "yourself, or raise --most-mails"
            )
        if now - request.last_asked_at < self._rules.remind_after:
            mails = f"{count} mail{'' if count == 1 else 's'}"
            reminded = age(now - self._rules.remind_after, now)
            return f"asked {_since(request.last_asked_at, now)} ({mails}), reminded after {reminded}"
        return self._too_many(action, now)

    def _too_many(self, action: Action, now: datetime) -> str | None:
        """Why an owner has got enough mail about a site lately, whatever its connections were called; None if not.

        Manifests name connections: who renames one again and again must not have its owner mailed each time.
        """
        since = now - self._rules.remind_after
        requests = [each for each in self._known[action.site_id].values() if each.account == action.account]
        lately = {at for each in requests for at in each.asked_at if at > since}
        if len(lately) < self._rules.most_mails:
            return None
        return (
            f"asked {_times(len(lately))} about this site in the last {age(since, now)}, and not again now; ask them "
            "yourself, or raise --most-mails"
        )

    def request(self, action: Action) -> ConsentRequest | None:
        """What the owner that an action needs was asked before this run; raises ConsentRequestsError."""
        if action.site_id not in self._known:
            requests = self._machine.site(action.site_id).consent_requests.read()
            self._known[action.site_id] = {(each.address, each.account): each for each in requests}
        return self._known[action.site_id].get((action.address, action.account))


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _since(asked_at: datetime, now: datetime) -> str:
    """How long ago a message was sent; a clock that was set back makes no time negative."""
    if asked_at > now:
        return f"on {asked_at:%Y-%m-%d}, by a clock that was ahead of this one"
    return f"{age(asked_at, now)} ago"
