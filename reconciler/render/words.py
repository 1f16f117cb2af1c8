"""The words and signs by which people are told of actions, the same in every output for people."""

from reconciler.model.live import ConnectMethod
from reconciler.model.plan import Action, ActionKind, Chosen, FieldValue, Reason, Recovery
from reconciler.model.sync import CalendarRef
from reconciler.render.inert import inert

SIGN = {
    ActionKind.CONNECT: "+",
    ActionKind.UPDATE: "~",
    ActionKind.DISCONNECT: "-",
    ActionKind.RECONNECT: "~",
    ActionKind.REPLACE: "-/+",
    ActionKind.NOOP: " ",
    ActionKind.UNMANAGED: "?",
}

_REASON = {
    Reason.NOT_CONNECTED: "not connected yet",
    Reason.WAS_DISCONNECTED: "was disconnected",
    Reason.CONFIG_DRIFT: "sync config differs",
    Reason.TOMBSTONE: "its manifest says state: absent",
    Reason.PRUNED: "no manifest declares it",
    Reason.TOKEN_REVOKED: "access was revoked",
    Reason.CALENDAR_CREATION_FAILED: "its dedicated calendar could not be created",
    Reason.CALENDAR_DELETED: "its dedicated calendar was deleted",
    Reason.ERROR: "the service reports an error",
    Reason.ACCOUNT_CHANGED: "another account is declared",
    Reason.PROVIDER_CHANGED: "another provider is declared",
    Reason.IN_SYNC: "as declared",
    Reason.ABSENT: "absent, as declared",
    Reason.NOT_DECLARED: "no manifest declares it; left alone",
    Reason.DUPLICATE: "a second connection of a declared account",
    Reason.NOTHING_DECLARED: "the site declares nothing; left alone",
    Reason.UNDO: "undoes what was applied",
}

_RECOVERY = {
    Recovery.PASSWORD: "undoing it takes the account's password",
    Recovery.CONSENT: "undoing it takes its owner's consent",
}


def reason(action: Action) -> str:
    """Why the action is planned."""
    return _REASON[action.reason]


def loss(action: Action) -> str | None:
    """What carrying out the action takes away, and what it would take to bring it back."""
    if not action.kind.disconnects:
        return None
    back = _RECOVERY.get(action.recovery, "it can be undone")
    return f"deletes the site's events from {account(action)}'s calendar; {back}"


def account(action: Action) -> str:
    """The account whose calendars are meant; for a replace, the one that is given up."""
    before = next((c.before for c in action.changes if c.path == "account" and isinstance(c.before, str)), None)
    return inert(before or action.account or "an account not shown")


def method(action: Action) -> str | None:
    """How the account is connected, where it is."""
    if action.method is ConnectMethod.OAUTH:
        return "its owner must consent in a browser"
    if action.method is ConnectMethod.CREDENTIALS:
        return f"with the password in {action.password}"
    return None


def value(field: FieldValue) -> str:
    """A field's value for people."""
    match field:
        case None:
            return "none"
        case bool():
            return "true" if field else "false"
        case Chosen():
            return "chosen"
        case str():
            return inert(field)
        case tuple():
            return "[" + ", ".join(_calendar(ref) for ref in field) + "]"


def _calendar(ref: CalendarRef) -> str:
    return inert(str(ref))
