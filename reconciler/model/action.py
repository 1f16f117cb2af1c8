"""Defines an action, one step of a plan, in parts that say what each is for."""

from dataclasses import dataclass, field
from enum import Enum, StrEnum

from reconciler.model.account import Account
from reconciler.model.desired import SecretRef
from reconciler.model.encoding import NOT_ENCODED
from reconciler.model.key import ConnectionKey
from reconciler.model.live import ConnectMethod
from reconciler.model.source import Source
from reconciler.model.sync import CalendarRef, SyncConfig
from reconciler.text import inert


class ActionKind(StrEnum):
    """What is done to one connection; `noop` and `unmanaged` are shown and never carried out."""

    CONNECT = "connect"
    UPDATE = "update"
    DISCONNECT = "disconnect"
    RECONNECT = "reconnect"
    REPLACE = "replace"
    NOOP = "noop"
    UNMANAGED = "unmanaged"

    @property
    def writes(self) -> bool:
        """Whether carrying it out calls a method that changes something."""
        return self not in {ActionKind.NOOP, ActionKind.UNMANAGED}

    @property
    def disconnects(self) -> bool:
        """Whether it takes a live connection away."""
        return self in {ActionKind.DISCONNECT, ActionKind.REPLACE}


class Reason(StrEnum):
    """Why an action is planned."""

    NOT_CONNECTED = "not-connected"
    WAS_DISCONNECTED = "was-disconnected"
    CONFIG_DRIFT = "config-drift"
    TOMBSTONE = "tombstone"
    PRUNED = "pruned"
    TOKEN_REVOKED = "token-revoked"  # noqa: S105 - the API's word, no secret
    CALENDAR_CREATION_FAILED = "external-calendar-creation-failed"
    CALENDAR_DELETED = "external-calendar-deleted"
    ERROR = "error"
    ACCOUNT_CHANGED = "account-changed"
    PROVIDER_CHANGED = "provider-changed"
    IN_SYNC = "in-sync"
    ABSENT = "absent"
    NOT_DECLARED = "not-declared"
    DUPLICATE = "duplicate"
    NOTHING_DECLARED = "nothing-declared"
    OUT_OF_SCOPE = "out-of-scope"
    UNDO = "undo"


class Recovery(StrEnum):
    """What it would take to undo an action."""

    AUTOMATIC = "automatic"
    PASSWORD = "password"  # noqa: S105 - the contract's word, no secret
    CONSENT = "consent"


class Attribution(StrEnum):
    """Whose doing an action is, where a plan is held against a base (`plan --base`)."""

    THIS_CHANGE = "this-change"
    DRIFT = "already-drifting"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Impact:
    """What an action ends in the next `days`: busy blocks that would no longer protect the schedule.

    Blocks are counted by schedule and provider, so with several accounts of one provider it is an upper bound.
    """

    busy_blocks: int
    days: int


class Chosen(Enum):
    """The empty object by which the API says that an alternative is chosen (`primaryCalendar: {}`)."""

    CHOSEN = "{}"


FieldValue = bool | str | tuple[CalendarRef, ...] | Chosen | None


def value_text(value: FieldValue) -> str:
    """A field's value for people."""
    match value:
        case None:
            return "none"
        case bool():
            return "true" if value else "false"
        case Chosen():
            return "{}"
        case str():
            return inert(value)
        case tuple():
            return "[" + ", ".join(inert(str(ref)) for ref in value) + "]"


@dataclass(frozen=True, slots=True)
class Change:
    """One field that differs; None is a field that is not there."""

    path: str
    before: FieldValue
    after: FieldValue


@dataclass(frozen=True, slots=True)
class ConnectSpec:
    """How an account is connected."""

    method: ConnectMethod | None
    """Which way the provider offers; None in a disconnect, where undoing it chooses."""

    password: SecretRef | None = None
    """Where its password is kept; None where its owner consents instead."""

    redirect_url: str | None = None
    """Where the owner's browser lands after consent, when nobody waits for it."""


@dataclass(frozen=True, slots=True)
class Action:
    """One step of a plan, with all that carrying it out, showing it and undoing it needs."""

    kind: ActionKind
    """What is done."""

    address: str
    """The connection's name in the manifests, `site/name`; of an undeclared one `site/id:…`."""

    site: str
    """The site's name."""

    site_id: str
    """The site's id."""

    key: ConnectionKey
    """Which connection it is about; for a replace, the one that is to be connected."""

    provider_id: str
    """The id, on this site, of the provider that is asked."""

    connection_id: str | None
    """The live connection that is acted upon; for a replace, the one that gives way. None where there is none."""

    reason: Reason
    """Why it is planned."""

    recovery: Recovery
    """What it would take to undo it."""

    error_reason: str | None = None
    """The service's own word for an error that `Reason` has no word for; None where it gives none."""

    changes: tuple[Change, ...] = ()
    """The fields that differ, for people; nothing is carried out by them."""

    schedule_name: str | None = field(default=None, compare=False, metadata=NOT_ENCODED)
    """The schedule's name, where it is known: for people alone, so that a plan is the same under any name."""

    connect: ConnectSpec | None = None
    """How the account is connected, by this action or by one that undoes it."""

    superseded: ConnectionKey | None = None
    """Whose connection a replace disconnects; None for any other action."""

    sync: SyncConfig | None = None
    """What is managed of its sync config, as it shall be; what stands beside that is sent along. None: nothing is."""

    depends_on: tuple[str, ...] = ()
    """The addresses of the actions that must be done before."""

    precondition: str = ""
    """The fingerprint of the live fields that it rests on."""

    disconnected: tuple[str, ...] = ()
    """For one that connects: the ids of its key that are listed as DISCONNECTED when it is planned."""

    standing: tuple[str, ...] = ()
    """For one that connects: the ids that stand when it is planned and may be of its key."""

    live_sync: SyncConfig | None = None
    """The sync config that the live connection has, for undoing."""

    attribution: Attribution | None = None
    """Whose doing it is; None where that was not asked for."""

    impact: Impact | None = None
    """What it ends; None where that was not asked for."""

    prevent_disconnect: bool = False
    """What its manifest says in lifecycle.preventDisconnect."""

    source: Source | None = field(default=None, metadata=NOT_ENCODED)
    """Where its manifest stands; None where no manifest declares it."""

    @property
    def schedule_id(self) -> str:
        """The schedule that it is about."""
        return self.key.schedule_id

    @property
    def provider(self) -> str:
        """The word for the provider that it is about."""
        return self.key.provider

    @property
    def account(self) -> Account | None:
        """The account that it is about; None where the service does not show it."""
        return self.key.account

    @property
    def disconnected_account(self) -> Account | None:
        """The account whose connection it disconnects, as far as that is shown."""
        return (self.superseded or self.key).account

    @property
    def method(self) -> ConnectMethod | None:
        """How it connects; None where it makes no connection."""
        return None if self.connect is None else self.connect.method

    @property
    def password(self) -> SecretRef | None:
        """Where the account's password is kept, if it takes one."""
        return None if self.connect is None else self.connect.password

    @property
    def redirect_url(self) -> str | None:
        """Where the owner's browser lands after consent, when nobody waits for it; None where nothing says so."""
        return None if self.connect is None else self.connect.redirect_url

    @property
    def heals(self) -> bool:
        """Whether sending its sync config again is what may bring it out of ERROR."""
        return self.kind is ActionKind.RECONNECT and self.method is None

    @property
    def needs_owner(self) -> bool:
        """Whether it takes the account's owner, who must agree in a browser."""
        return self.method is ConnectMethod.OAUTH
