"""Shows the status of a fleet as text: why a connection is as it is, and what to do."""

from collections.abc import Iterator, Sequence

from reconciler.model.action import Action, ActionKind, Reason
from reconciler.model.live import ConnectMethod
from reconciler.model.status import MOST_OUT_OF_SCOPE, ConnectionStatus, FleetStatus, Health, SiteStatus, counted
from reconciler.planning.account_warnings import OtherAccount
from reconciler.render import words
from reconciler.render.emphasis import Emphasis, Paint, plain
from reconciler.render.owners import awaited_longest, owners_in_status, told_in_status
from reconciler.render.plan_text import shown_name
from reconciler.render.schedule_labels import ScheduleLabels, labels_in_status
from reconciler.render.view import USUAL, ReportView
from reconciler.text import inert, padded, width

WORD = {health: health.value.replace("-", " ") for health in Health} | {Health.ERROR: "in error"}
_SILENT = {Reason.IN_SYNC, Reason.ABSENT}
_AS_DECLARED = {Health.OK, Health.SYNCING, Health.ABSENT}


def reason(status: ConnectionStatus) -> str | None:
    """Why it is not as declared; None where it is."""
    if status.fault is not None:
        return inert(status.fault.message)
    action = status.action
    if action is None or action.reason in _SILENT:
        return None
    if status.other_accounts:
        return inert("; ".join(OtherAccount(action, account).why for account in status.other_accounts))
    return _why(action)


def _why(action: Action) -> str:
    match action.kind:
        case ActionKind.UPDATE:
            paths = ", ".join(change.path.removeprefix("syncConfig.") for change in action.changes)
            return f"sync config differs in {paths}"
        case ActionKind.DISCONNECT if action.reason is Reason.TOMBSTONE:
            return "still connected, though its manifest says state: absent"
        case ActionKind.REPLACE:
            before = words.account(action) if action.reason is Reason.ACCOUNT_CHANGED else "another provider"
            return f"not connected; {before} is connected instead"
    return words.reason(action)


def remedy(status: ConnectionStatus) -> str | None:
    """What to do about it; None where there is nothing to do."""
    if status.fault is not None:
        return inert(status.fault.hint) or (_LOOK_AGAIN if status.health is Health.UNKNOWN else "fix its manifest")
    action = status.action
    if action is None or status.health in _AS_DECLARED:
        return None
    if status.other_accounts:
        return inert("; ".join(OtherAccount(action, account).way_out for account in status.other_accounts))
    return _way_out(action)


def _way_out(action: Action) -> str:
    match action.kind:
        case ActionKind.CONNECT | ActionKind.RECONNECT | ActionKind.REPLACE:
            return _connecting(action)
        case ActionKind.UPDATE:
            return "run extcal apply to restore it, or change the manifest"
        case ActionKind.DISCONNECT:
            return f"extcal apply disconnects it; {words.recovery(action)}"
    if action.reason is Reason.OUT_OF_SCOPE:
        return "declare it in a manifest to manage it, with state: absent to disconnect it"
    return "declare it in a manifest to manage it"


_LOOK_AGAIN = "try again later"


def _connecting(action: Action) -> str:
    if action.reason is Reason.WAS_DISCONNECTED:
        return f"if the schedule's owner changed, declare their account; else {_connecting_anew(action)}"
    return _connecting_anew(action)


def _connecting_anew(action: Action) -> str:
    if action.method is ConnectMethod.OAUTH:
        return "its owner must consent: extcal apply mails them a link (--consent mail) or shows it (--consent link)"
    if action.method is ConnectMethod.CREDENTIALS:
        secret = inert(str(action.password))
        if action.reason is Reason.TOKEN_REVOKED:
            return f"put a new password in {secret}, then run extcal apply"
        if action.reason is Reason.WAS_DISCONNECTED:
            return f"extcal apply connects it with the password in {secret}; put a new one there if access was revoked"
        return f"extcal apply connects it with the password in {secret}"
    again = "run extcal apply: it sends the sync config again, which may bring the calendar back"
    if action.reason is Reason.CALENDAR_DELETED:
        return f"{again}; if one that it imports from is gone, change the manifest"
    return again


def summary_line(fleet: FleetStatus, view: ReportView = USUAL, listed: str = "above") -> str:
    """`Status: 1 error, 12 ok. …`: how many declared connections there are of each health, the worst first.

    Then since when owners are awaited. `listed` is where what is out of scope is.
    """
    counts = counted(fleet.connections)
    unmanaged = counts.pop(Health.UNMANAGED)
    parts = [f"{count} {WORD[health]}" for health, count in counts.items() if count]
    unread = sum(site.unread is not None for site in fleet.sites)
    gap = f"; {unread} site{'' if unread == 1 else 's'} could not be read" if unread else ""
    told = f"Status: {', '.join(parts) or 'no connection is declared'}; {unmanaged} unmanaged{gap}."
    awaited = awaited_longest(owners_in_status(fleet, view), view.requests.now)
    return f"{told}{awaited}{words.part(fleet.shards)}{_kept(len(fleet.out_of_scope), listed)}"


def _kept(outside: int, listed: str) -> str:
    """What is out of scope, and how it would go."""
    if not outside:
        return ""
    they = "it" if outside == 1 else "them"
    return f" {words.out_of_scope(outside)}; see {listed}. To disconnect {they}, declare {they} with state: absent."


_EMPHASIS = {
    Health.ERROR: Emphasis.REMOVE,
    Health.MISSING: Emphasis.REMOVE,
    Health.UNKNOWN: Emphasis.REMOVE,
    Health.AWAITING_CONSENT: Emphasis.CHANGE,
    Health.DRIFTED: Emphasis.CHANGE,
    Health.SYNCING: Emphasis.CHANGE,
    Health.OK: Emphasis.ADD,
    Health.ABSENT: Emphasis.QUIET,
    Health.UNMANAGED: Emphasis.QUIET,
}
_WORST_FIRST = {health: place for place, health in enumerate(Health)}
_WIDTH = max(map(len, WORD.values()))


def status_text(fleet: FleetStatus, paint: Paint = plain, view: ReportView = USUAL) -> str:
    """The status as lines of text; the last line is the summary."""
    lines: list[str] = []
    for site in fleet.sites:
        if site.connections or site.unread or site.out_of_scope:
            lines += [*_site(site, paint, view), ""]
    lines.append(summary_line(fleet, view))
    return "\n".join(lines)


def worst_first(connections: Sequence[ConnectionStatus]) -> list[ConnectionStatus]:
    """The connections by health, then by address."""
    return sorted(connections, key=lambda status: (_WORST_FIRST[status.health], status.address))


def _site(site: SiteStatus, paint: Paint, view: ReportView) -> Iterator[str]:
    labels = labels_in_status(site, view)
    yield paint(Emphasis.HEADING, f"{inert(site.site.name)}  ({inert(site.site.site_id)})")
    if site.unread is not None:
        yield f"  {paint(Emphasis.REMOVE, 'could not be read:')} {inert(site.unread.message)}"
    columns = max((width(_name(status)) for status in site.connections), default=0)
    for status in worst_first(site.connections):
        yield _connection(status, labels, paint, columns)
        if status.health is not Health.UNMANAGED and site.unread is None:
            yield from (f"{_INDENT}{line}" for line in explained(status, view))
    yield from _out_of_scope(site.out_of_scope, labels, paint)


def _out_of_scope(statuses: Sequence[ConnectionStatus], labels: ScheduleLabels, paint: Paint) -> Iterator[str]:
    if not statuses:
        return
    yield paint(Emphasis.QUIET, "  out of scope: no manifest names their schedules, so they stay connected")
    for status in statuses[:MOST_OUT_OF_SCOPE]:
        yield f"    {_whose(status, labels)}  {paint(Emphasis.QUIET, _name(status))}"
    if (more := len(statuses) - MOST_OUT_OF_SCOPE) > 0:
        yield f"    and {more:,} more, which --format json lists"


def _whose(status: ConnectionStatus, labels: ScheduleLabels) -> str:
    where = str(labels.of(status.schedule, status.schedule_id)) or "schedule not known"
    return f"{inert(status.provider)} {words.who(status.account)}  on {where}"


def _name(status: ConnectionStatus) -> str:
    return shown_name(status.address.partition("/")[2])


def explained(status: ConnectionStatus, view: ReportView) -> Iterator[str]:
    """Why it is not as declared, since when its owner is awaited, and what to do about it: a line each."""
    if (why := reason(status)) is not None:
        yield why
    yield from told_in_status(status, view.requests)
    if (way_out := remedy(status)) is not None:
        yield way_out


_INDENT = " " * (_WIDTH + 4)


def _connection(status: ConnectionStatus, labels: ScheduleLabels, paint: Paint, columns: int) -> str:
    word = paint(_EMPHASIS[status.health], f"{WORD[status.health]:{_WIDTH}}")
    return f"  {word}  {padded(_name(status), columns)}  {_whose(status, labels)}"
