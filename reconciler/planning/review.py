"""Checks whether a plan that was made before is what the manifests yield now.

Terms: the *saved* plan is the one that was reviewed; the *fresh* one was made just now, from the manifests and the live
state. The saved plan stands where each of its actions that write is an action of the fresh one, the same in every field
but those that are only shown, or where what it would bring about is there already, so that applying it does nothing.
Fields are compared by their encoding, so one that is added to an action is compared until it is named here.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from reconciler.model.action import Action, ActionKind
from reconciler.model.desired import DeclaredConnection, SecretRef, Site
from reconciler.model.encoding import Json, canonical, encoded
from reconciler.model.live import LiveSite, Status
from reconciler.model.plan import Plan, SitePlan
from reconciler.planning.preconditions import already_done, disconnecting, holds
from reconciler.text import cut

_SHOWN_ONLY = {"changes", "reason", "error_reason", "recovery", "attribution", "impact"}
# More to wait for, more that was known to be taken away, and less that stood there, hold an action back all the more.
_ONE_WAY = {"depends_on", "disconnected", "standing"}
# Named by their own fields, which no other part has.
_PARTS = ("key", "connect")
_WHO = ("site", "site_id", "schedule_id", "provider_id", "account")
_LONGEST_VALUE = 100


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a saved plan may not be carried out: at which address, and for which action where it is about one."""

    address: str
    kind: ActionKind | None
    why: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.address, self.kind, self.why) if part is not None)


def refusals(
    saved: Plan, fresh: Plan, live: Mapping[str, LiveSite], declared: Iterable[DeclaredConnection]
) -> tuple[Refusal, ...]:
    """Why the saved plan does not stand, empty where it does.

    `live` holds what the fresh plan rests on: each site that could be read, whole, by its name; `declared` is what the
    manifests declare.
    """
    passwords = {connection.address: connection.password for connection in declared}
    now = {site.site.name: site for site in fresh.sites}
    found: list[Refusal] = []
    for name, count in Counter(site.site.name for site in saved.sites).items():
        if count > 1:
            found.append(Refusal(name, None, "the reviewed plan holds this site more than once"))
    for site in saved.sites:
        found += _of_site(site, now.get(site.site.name))
        found += _of_actions(site, saved, now.get(site.site.name), live.get(site.site.name), passwords)
    return tuple(found)


def _of_site(saved: SitePlan, fresh: SitePlan | None) -> Iterator[Refusal]:
    """What is wrong with the site as a whole."""
    name = saved.site.name
    if fresh is None:
        yield Refusal(name, None, "these manifests declare no such site")
        return
    if differing := _differing(saved.site, fresh.site):
        yield Refusal(name, None, f"the Site that was reviewed is not that of these manifests: {differing}")
    # Of a saved site that is held back nothing is carried out.
    if saved.applyable and not fresh.applyable and any(action.kind.writes for action in saved.actions):
        yield Refusal(name, None, "these manifests can't be applied to the site as it is now; fix the other errors")


def _of_actions(
    site: SitePlan,
    saved: Plan,
    fresh: SitePlan | None,
    live: LiveSite | None,
    passwords: Mapping[str, SecretRef | None],
) -> Iterator[Refusal]:
    now = {} if fresh is None else {action.address: action for action in fresh.actions}
    counts = Counter(action.address for action in saved.actions if action.kind.writes)
    leaving = disconnecting(site.actions)
    for action in site.actions:
        if not action.kind.writes:
            continue
        yielded = now.get(action.address)
        if counts[action.address] > 1:
            why: str | None = "the reviewed plan holds this address more than once"
        elif _held_back(action, site, yielded, fresh):
            why = "these manifests have errors that hold it back; fix the other errors"
        elif _is_done(action, yielded, live, leaving) and _sends_its_own(action, site.site, passwords):
            why = None
        else:
            why = _unlike(action, yielded, counts)
        if why is not None:
            yield Refusal(action.address, action.kind, why)


def _held_back(action: Action, saved: SitePlan, yielded: Action | None, fresh: SitePlan | None) -> bool:
    """Whether a fault that the saved plan did not have keeps its action from being carried out."""
    return fresh is not None and fresh.holds_back(yielded or action) and not saved.holds_back(action)


def _is_done(action: Action, yielded: Action | None, live: LiveSite | None, leaving: frozenset[str]) -> bool:
    """Whether applying the action would find it done and send nothing.

    That takes more than a fresh plan without it: what is carried out goes by the precondition alone.
    """
    # What could not be read may stand.
    if live is None or live.failed_provider_ids:
        return False
    # What was pruned leaves nothing behind that could be planned.
    if yielded is None and action.kind is not ActionKind.DISCONNECT:
        return False
    if yielded is not None and (yielded.kind is not ActionKind.NOOP or _who(yielded) != _who(action)):
        return False
    if not _acts_on_its_own(action, yielded, live):
        return False
    nearby = [found for found in live.connections if found.schedule_id == action.schedule_id]
    return not holds(action, nearby, leaving) and already_done(action, nearby)


def _sends_its_own(action: Action, site: Site, passwords: Mapping[str, SecretRef | None]) -> bool:
    """Whether what an action would send of secrets and addresses is what the manifests say."""
    if action.connect is None:
        return True
    own_password = action.connect.password in {None, passwords.get(action.address)}
    return own_password and action.connect.redirect_url in {None, site.redirect_url}


def _acts_on_its_own(action: Action, yielded: Action | None, live: LiveSite) -> bool:
    """Whether the connection that an action is about is the one of its manifest, or is nowhere on the site any more.

    Else it could disconnect another one, were the state to become what the action says that it rests on.
    """
    standing = {found.id for found in live.connections if found.status != Status.DISCONNECTED}
    if action.connection_id not in standing:
        return action.kind is not ActionKind.UPDATE
    kept = action.kind in {ActionKind.UPDATE, ActionKind.RECONNECT}
    return kept and yielded is not None and action.connection_id == yielded.connection_id


def _who(action: Action) -> tuple[str | None, ...]:
    return tuple(getattr(action, name) for name in _WHO)


def _unlike(action: Action, yielded: Action | None, planned: Mapping[str, int]) -> str | None:
    """How an action differs from the one that the manifests yield at its address."""
    if yielded is None:
        return "these manifests plan nothing for it now"
    if yielded.kind is not action.kind:
        return f"these manifests now plan: {yielded.kind} ({yielded.reason})"
    missing = [address for address in yielded.depends_on if address in planned and address not in action.depends_on]
    if missing:
        return f"these manifests make it wait for {', '.join(missing)}"
    if set(yielded.disconnected) - set(action.disconnected):
        return "it was connected and disconnected again since it was planned; plan again"
    if set(action.standing) - set(yielded.standing):
        return "a connection that was live when it was planned shows another account, or is gone; plan again"
    return _differing(action, yielded, but={*_SHOWN_ONLY, *_ONE_WAY}) or None


def _differing(saved: object, fresh: object, but: set[str] | None = None) -> str:
    """The fields in which two values differ, with both of what they hold."""
    before, now = _fields(saved), _fields(fresh)
    names = [name for name in sorted({*before, *now} - (but or set())) if before.get(name) != now.get(name)]
    if names == ["precondition"]:
        return "the live state that it rests on has changed since it was planned; plan again"
    return "; ".join(
        f"{name} was {_shown(before.get(name))}, is {_shown(now.get(name))}" for name in names if name != "precondition"
    )


def _fields(value: object) -> dict[str, Json]:
    fields = encoded(value)
    if not isinstance(fields, dict):
        return {}
    flat = {name: field for name, field in fields.items() if name not in _PARTS}
    for part in _PARTS:
        inner = fields.get(part)
        flat |= inner if isinstance(inner, dict) else {}
    return flat


def _shown(value: Json) -> str:
    text = "not set" if value is None else canonical(value)
    return cut(text, _LONGEST_VALUE)
