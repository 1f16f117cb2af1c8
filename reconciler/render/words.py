"""Words actions the same in every output for people, with their signs."""

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet

from reconciler.model.account import Account, shown
from reconciler.model.action import Action, ActionKind, Attribution, Change, Reason, Recovery, value_text
from reconciler.model.live import ConnectMethod
from reconciler.model.plan import SitePlan, Violation
from reconciler.model.shards import Shards
from reconciler.model.source import Fault
from reconciler.text import clipped, inert

SIGN = {
    ActionKind.CONNECT: "+",
    ActionKind.UPDATE: "~",
    ActionKind.DISCONNECT: "-",
    ActionKind.RECONNECT: "~",
    ActionKind.REPLACE: "-/+",
    ActionKind.NOOP: " ",
    ActionKind.UNMANAGED: "?",
}

WHY_GONE = "access may have been revoked, or the schedule's owner changed"
"""Why a connection is gone that nobody meant to disconnect: the vendor's pages name these two."""

_REASON = {
    Reason.NOT_CONNECTED: "not connected yet",
    Reason.WAS_DISCONNECTED: f"was disconnected; {WHY_GONE}",
    Reason.CONFIG_DRIFT: "sync config differs",
    Reason.TOMBSTONE: "its manifest says state: absent",
    Reason.PRUNED: "no manifest declares it",
    Reason.TOKEN_REVOKED: "access was revoked",
    Reason.CALENDAR_CREATION_FAILED: "its dedicated calendar could not be created",
    Reason.CALENDAR_DELETED: "a calendar that it uses was deleted",
    Reason.ERROR: "the service reports an error",
    Reason.ACCOUNT_CHANGED: "another account is declared",
    Reason.PROVIDER_CHANGED: "another provider is declared",
    Reason.IN_SYNC: "as declared",
    Reason.ABSENT: "absent, as declared",
    Reason.NOT_DECLARED: "no manifest declares it; left alone",
    Reason.DUPLICATE: "broken, beside a working connection of the same account",
    Reason.NOTHING_DECLARED: "the site declares nothing; left alone",
    Reason.OUT_OF_SCOPE: "no manifest names its schedule; left alone",
    Reason.UNDO: "undoes what was applied",
}

_RECOVERY = {
    Recovery.PASSWORD: "connecting it again needs the account's password",
    Recovery.CONSENT: "connecting it again needs its owner's consent",
}


def held_back(site: SitePlan) -> str:
    """What the faults of a site's connections keep from being carried out."""
    faulty = len({fault.where for fault in site.faults})
    disconnects = sum(action.kind.disconnects and site.holds_back(action) for action in site.actions)
    also = f" and {disconnects} disconnect{'' if disconnects == 1 else 's'}" if disconnects else ""
    return f"{faulty} connection{'' if faulty == 1 else 's'}{also} held back by errors"


def of_which_held_back(actions: Sequence[Action], held_back: AbstractSet[str]) -> str:
    """How many of them errors keep from being carried out, as the end of a heading."""
    count = sum(action.address in held_back for action in actions)
    return f" ({count} held back)" if count else ""


def reason(action: Action, quoted: Callable[[str], str] = clipped) -> str:
    """Why the action is planned; `quoted` makes the service's own word for an error fit to be shown."""
    if action.reason is Reason.ERROR and action.error_reason:
        return f"{_REASON[action.reason]}: {quoted(action.error_reason)}"
    return _REASON[action.reason]


_ATTRIBUTION = {
    Attribution.THIS_CHANGE: "this change",
    Attribution.DRIFT: "drift",
    Attribution.BOTH: "this change and drift",
}


def origin(action: Action) -> str | None:
    """Whose doing the action is, where that was asked."""
    return None if action.attribution is None else _ATTRIBUTION[action.attribution]


def loss(action: Action) -> str | None:
    """What carrying out the action takes away, and what it would take to bring it back."""
    if not action.kind.disconnects:
        return None
    return f"{taken(action)} the calendar of {account(action)}; {recovery(action)}"


def taken(action: Action) -> str:
    """What a disconnect does to the account's calendar, up to whose that is.

    The service deletes what the site has exported there; a connection whose live sync config is not known may export.
    """
    live = action.live_sync.exports if action.live_sync is not None else None
    exports_nothing = live is not None and live.enabled is False
    return "exports nothing to" if exports_nothing else "deletes the site's events from"


def recovery(action: Action) -> str:
    """What it would take to undo the action."""
    return _RECOVERY.get(action.recovery, "it can be undone")


def impact(action: Action) -> str | None:
    """What stops protecting the schedule; None where that was not asked for."""
    if action.impact is None:
        return None
    blocks = f"{action.impact.busy_blocks:,} busy block{'' if action.impact.busy_blocks == 1 else 's'}"
    return f"{blocks} in the next {action.impact.days} days would no longer block the schedule"


def account(action: Action) -> str:
    """The account whose calendars are meant; for a replace, the one that is given up."""
    return inert(shown(action.disconnected_account, "an account not shown"))


def who(account: Account | None) -> str:
    """An account, or that the service does not show it."""
    return inert(shown(account))


def method(action: Action) -> str | None:
    """How the account is connected, where it is."""
    if action.method is ConnectMethod.OAUTH:
        return f"{inert(shown(action.account, 'its owner'))} must consent in a browser"
    if action.method is ConnectMethod.CREDENTIALS:
        return f"with the password in {inert(str(action.password))}"
    return None


def before_and_after(change: Change) -> tuple[str, str]:
    """The values of a field for people."""
    before, after = change.before, change.after
    if change.path == "account":
        before, after = (shown(each) if isinstance(each, str) else each for each in (before, after))
    return value_text(before), value_text(after)


def out_of_scope(count: int) -> str:
    """That live connections stay which no manifest answers for."""
    if count == 1:
        return "1 connection is out of scope and stays connected"
    return f"{count:,} connections are out of scope and stay connected"


def part(shards: Shards | None) -> str:
    """` Only shard 2 of 4.`, where it is not about the whole of what was asked for."""
    return "" if shards is None else f" Only {shards}."


def faults(site: SitePlan) -> list[Fault]:
    """Why a part of the site may not be carried out, or could not be planned."""
    return sorted((*site.faults, *site.unread), key=lambda fault: (fault.where, str(fault)))


def violations(site: SitePlan) -> list[Violation]:
    """The guards that forbid the site."""
    return sorted(site.violations, key=lambda violation: (violation.address, violation.guard, violation.message))


def guard_sentence(violation: Violation) -> str:
    """Which guard forbids the site, why, and what overrules it."""
    allow = overruling(violation)
    advice = f". If this is intended, add {allow}" if allow else ""
    return f"{violation.address}: guard {violation.guard}: {violation.message}{advice}"


def overruling(violation: Violation) -> str | None:
    """The words that overrule a guard; None where nothing does."""
    return f"--allow {violation.guard}:{violation.address}" if violation.overrulable else None
