"""A plan: what would be done and why, as a value that can be shown, saved, reviewed and carried out."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, StrEnum

from reconciler.model.desired import SecretRef, Site
from reconciler.model.encoding import NOT_ENCODED, digest, encoded
from reconciler.model.live import ConnectMethod
from reconciler.model.shards import Shards
from reconciler.model.source import Fault, Source
from reconciler.model.sync import CalendarRef, SyncConfig


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
    UNDO = "undo"


class Recovery(StrEnum):
    """What it would take to undo an action."""

    AUTOMATIC = "automatic"
    PASSWORD = "password"  # noqa: S105 - the contract's word, no secret
    CONSENT = "consent"


class Origin(StrEnum):
    """Whose doing an action is, where a plan was made against a base (contract: `plan --base`)."""

    THIS_CHANGE = "this-change"
    DRIFT = "already-drifting"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Impact:
    """What an action takes away in the next `days`: busy blocks that would no longer protect the schedule.

    Blocks are counted by schedule and provider, so with several accounts of one provider it is an upper bound.
    """

    busy_blocks: int
    days: int


class Chosen(Enum):
    """The empty object by which the API says that an alternative is chosen (`primaryCalendar: {}`)."""

    CHOSEN = "{}"


FieldValue = bool | str | tuple[CalendarRef, ...] | Chosen | None


@dataclass(frozen=True, slots=True)
class Change:
    """One field that differs; None is a field that is not there."""

    path: str
    before: FieldValue
    after: FieldValue


@dataclass(frozen=True, slots=True)
class Action:
    """One step of a plan, with all that carrying it out needs.

    `provider` is the word a person would use (`apple`, or the provider's name); `method`, `password` and
    `redirect_url` say how a connect goes; `sync` is what UpdateSyncConfig is to be sent (None: nothing);
    `connection_id` is the live connection acted upon (for `replace`, the one that is given up);
    `after` holds addresses of actions that must be done before; `ground` is the fingerprint of the live fields
    that the action rests on; for one that connects, `disconnected` holds the ids of the connections of its schedule,
    provider and account that had been taken away before it was planned, as far as the service lists them, and
    `standing` those of the ones that stood there and may be of that account. `before` is the live sync config, for
    undoing; `origin` and `impact` are known only where they were asked for.
    `prevent_disconnect` is what its manifest says in lifecycle.preventDisconnect.
    """

    kind: ActionKind
    address: str
    site: str
    site_id: str
    schedule_id: str
    provider: str
    provider_id: str
    account: str | None
    connection_id: str | None
    reason: Reason
    recovery: Recovery
    changes: tuple[Change, ...] = ()
    schedule_name: str | None = None
    method: ConnectMethod | None = None
    password: SecretRef | None = None
    redirect_url: str | None = None
    sync: SyncConfig | None = None
    after: tuple[str, ...] = ()
    ground: str = ""
    disconnected: tuple[str, ...] = ()
    standing: tuple[str, ...] = ()
    before: SyncConfig | None = None
    origin: Origin | None = None
    impact: Impact | None = None
    prevent_disconnect: bool = False
    source: Source | None = field(default=None, metadata=NOT_ENCODED)

    @property
    def needs_owner(self) -> bool:
        """Whether it takes the account's owner, who must agree in a browser."""
        return self.method is ConnectMethod.OAUTH


def account_given_up(action: Action) -> str | None:
    """The account whose connection an action takes away, as far as it is known; for a replace, the former one."""
    before = next((change.before for change in action.changes if change.path == "account"), action.account)
    return before if isinstance(before, str) else None


@dataclass(frozen=True, slots=True)
class Violation:
    """A guard that forbids a plan; `--allow guard:address` overrules it, where it can be overruled."""

    guard: str
    address: str
    message: str
    overrulable: bool = True


@dataclass(frozen=True, slots=True)
class SitePlan:
    """The plan of one site, and what keeps it, or a part of it, from being carried out.

    A violation holds back all of it, as does a fault of the site itself. A fault of one connection holds back that
    one; and while there is any, nothing is disconnected but what a manifest without a fault says is to go.
    `unread` names declared connections that could not be planned since the service answered only in part; the rest
    stands all the same. `plan_id` tells which saved plan it was loaded from; it is empty where it was planned just
    now.
    """

    site: Site
    actions: tuple[Action, ...] = ()
    faults: tuple[Fault, ...] = ()
    violations: tuple[Violation, ...] = ()
    unread: tuple[Fault, ...] = ()
    warnings: tuple[str, ...] = ()
    plan_id: str = ""

    def __repr__(self) -> str:
        # asyncio's runner shows its result to the signal module, which words it in an error that nobody sees.
        return f"SitePlan({self.site.name}: {len(self.actions)} actions)"

    @property
    def applyable(self) -> bool:
        """Whether it may be carried out, but for what a connection's fault holds back."""
        return not self.violations and not any(fault.where == self.site.name for fault in self.faults)

    def holds_back(self, action: Action) -> bool:
        """Whether a fault of a connection keeps an action from being carried out."""
        if not self.faults:
            return False
        unnamed = action.kind.disconnects and action.reason is not Reason.TOMBSTONE
        return unnamed or any(fault.where == action.address for fault in self.faults)


@dataclass(frozen=True, slots=True)
class Plan:
    """The plans of all sites, ordered by site; actions are ordered by address.

    `shards` says which part of a fleet it is about; None is all that was selected.
    """

    sites: tuple[SitePlan, ...] = ()
    shards: Shards | None = None

    @property
    def digest(self) -> str:
        """`sha256:…` over what would be done, whichever saved plan it is of."""
        return digest(encoded(self.with_ids({})))

    def with_ids(self, plan_ids: Mapping[str, str]) -> "Plan":
        """The plan, each site with the id of the saved plan that it is of, given by its name; without one: none."""
        sites = tuple(replace(site, plan_id=plan_ids.get(site.site.name, "")) for site in self.sites)
        return replace(self, sites=sites)

    @property
    def actions(self) -> tuple[Action, ...]:
        """Every action of every site."""
        return tuple(action for site in self.sites for action in site.actions)

    @property
    def held_back(self) -> frozenset[str]:
        """The addresses of the actions that errors and guards keep from being carried out."""
        return frozenset(
            action.address
            for site in self.sites
            for action in site.actions
            if action.kind.writes and (not site.applyable or site.holds_back(action))
        )

    @property
    def pending(self) -> bool:
        """Whether carrying it out would change anything."""
        return any(action.kind.writes for action in self.actions)

    @property
    def whole(self) -> bool:
        """Whether every site was read and planned in full and may be carried out."""
        return not any(site.faults or site.violations or site.unread for site in self.sites)
