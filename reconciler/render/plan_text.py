"""Shows a plan as text: disconnects first, then consents, then site by site, a summary last."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet

from reconciler.model.action import Action, ActionKind, Attribution
from reconciler.model.consent_request import KnownRequests
from reconciler.model.plan import Plan, SitePlan
from reconciler.render import words
from reconciler.render.emphasis import Emphasis, Paint, plain
from reconciler.render.owners import landing, told_in_plan
from reconciler.render.plan_json import summary
from reconciler.render.schedule_labels import ScheduleLabel, ScheduleLabels, labels_in_plan
from reconciler.render.view import USUAL, ReportView
from reconciler.text import cut_middle, inert

_EMPHASIS = {
    ActionKind.CONNECT: Emphasis.ADD,
    ActionKind.UPDATE: Emphasis.CHANGE,
    ActionKind.RECONNECT: Emphasis.CHANGE,
    ActionKind.REPLACE: Emphasis.REMOVE,
    ActionKind.DISCONNECT: Emphasis.REMOVE,
    ActionKind.UNMANAGED: Emphasis.QUIET,
    ActionKind.NOOP: Emphasis.QUIET,
}


def plan_text(plan: Plan, paint: Paint = plain, view: ReportView = USUAL) -> str:
    """The plan as lines of text; the last line is the summary."""
    lines: list[str] = []
    labels = {site.site.name: labels_in_plan(site, view) for site in plan.sites}
    held_back = plan.held_back
    losses = [action for action in plan.actions if action.kind.disconnects]
    if losses:
        lines += _losses(losses, held_back, labels, paint, view.requests)
    if owners := [action for action in plan.actions if action.needs_owner and not action.kind.disconnects]:
        lines += _consents(owners, held_back, labels, paint, view.requests)
    for site in plan.sites:
        shown = [a for a in site.actions if not (a.kind is ActionKind.NOOP or a.kind.disconnects or a.needs_owner)]
        if shown:
            lines.append(paint(Emphasis.HEADING, inert(f"{site.site.name}  ({site.site.site_id})")))
            lines += _schedules(shown, held_back, labels[site.site.name], paint)
    for site in plan.sites:
        lines += _site_errors(site, paint)
    lines.append(" ".join([summary_line(plan), *out_of_scope(plan, inert(view.status_command))]))
    return "\n".join(lines)


_Labels = Mapping[str, ScheduleLabels]


def _schedule(label: ScheduleLabel, paint: Paint) -> str:
    words = (label.name or "schedule", paint(Emphasis.QUIET, label.id) if label.id else "")
    return "  ".join(word for word in words if word)


def _losses(
    losses: Sequence[Action], held_back: AbstractSet[str], labels: _Labels, paint: Paint, requests: KnownRequests
) -> Iterator[str]:
    count = f"{len(losses)} connection{'s' if len(losses) > 1 else ''}"
    waiting = words.of_which_held_back(losses, held_back)
    yield paint(Emphasis.REMOVE, f"DISCONNECTS: {count} would be disconnected{waiting}")
    for action in losses:
        yield f"  {headline(action, paint, name=action.address, held_back=action.address in held_back)}"
        yield f"        on {_schedule(labels[action.site].of(action.schedule_name, action.schedule_id), paint)}"
        yield f"        {words.loss(action)}"
        yield from (f"        {line}" for line in told_in_plan(action, requests))
        yield from (f"    {line}" for line in _details(action))
    yield ""


def _consents(
    owners: Sequence[Action], held_back: AbstractSet[str], labels: _Labels, paint: Paint, requests: KnownRequests
) -> Iterator[str]:
    who = f"{len(owners)} connections need their owners" if len(owners) > 1 else "1 connection needs its owner"
    yield paint(Emphasis.CHANGE, f"CONSENT: {who}, who must agree in a browser")
    for action in owners:
        yield f"  {headline(action, paint, name=action.address, held_back=action.address in held_back)}"
        yield f"        on {_schedule(labels[action.site].of(action.schedule_name, action.schedule_id), paint)}"
        yield from (f"        {line}" for line in told_in_plan(action, requests))
        yield from (f"    {line}" for line in _details(action))
    if (where := landing(owners, inert)) is not None:
        yield f"  {where}"
    yield ""


def _schedules(
    actions: Sequence[Action], held_back: AbstractSet[str], labels: ScheduleLabels, paint: Paint
) -> Iterator[str]:
    groups: dict[tuple[str, str], list[Action]] = defaultdict(list)
    for action in actions:
        groups[action.schedule_name or "", action.schedule_id].append(action)
    for (name, schedule_id), group in sorted(groups.items()):
        yield f"  {_schedule(labels.of(name, schedule_id), paint)}"
        for action in group:
            within = action.address.partition("/")[2]
            yield f"    {headline(action, paint, name=within, held_back=action.address in held_back)}"
            yield from (f"    {line}" for line in _details(action))
    yield ""


def headline(action: Action, paint: Paint, *, name: str, held_back: bool = False) -> str:
    """`+ connect NAME  provider account  (why)`, and whether errors keep it from being carried out."""
    done = paint(_EMPHASIS[action.kind], f"{words.SIGN[action.kind]} {action.kind}")
    who = f"{inert(action.provider)} {words.who(action.account)}"
    origin = words.origin(action)
    whose = f"  [{origin}]" if origin else ""
    waits = "  [held back]" if held_back else ""
    return f"{done} {shown_name(name)}  {who}  ({words.reason(action)}){whose}{waits}"


_LONGEST_NAME = 60


def shown_name(name: str) -> str:
    """A name that may hold an opaque id of hundreds of characters, inert and at a length that a line can bear."""
    return inert(cut_middle(name, _LONGEST_NAME))


def _details(action: Action) -> Iterator[str]:
    for remark in (words.method(action), words.impact(action)):
        if remark is not None:
            yield f"    {remark}"
    if action.kind is ActionKind.DISCONNECT:
        return
    for change in action.changes:
        path, (before, after) = inert(change.path.removeprefix("syncConfig.")), words.before_and_after(change)
        if change.before is None and action.kind in {ActionKind.CONNECT, ActionKind.REPLACE}:
            yield f"    {path}: {after}"
        else:
            yield f"    {path}: {before} -> {after}"
    if action.depends_on:
        yield f"    after {', '.join(map(shown_name, action.depends_on))}"


def _site_errors(site: SitePlan, paint: Paint) -> Iterator[str]:
    if not site.applyable:
        what = "the changes of this site can't be applied"
    elif site.faults:
        what = words.held_back(site)
    elif site.unread:
        what = "a part of this site could not be read"
    else:
        return
    yield paint(Emphasis.REMOVE, f"{inert(site.site.name)}: {what}; see the errors")
    yield ""


def out_of_scope(plan: Plan, status_command: str) -> Iterator[str]:
    """The sentence of the summary that tells what no manifest answers for, where there is anything."""
    if count := len(plan.out_of_scope):
        yield f"{words.out_of_scope(count)}; see {status_command}"


def summary_line(plan: Plan) -> str:
    """`Plan: 1 to connect, 2 to update. …`, or that there is nothing to do; and of which part of a fleet."""
    return f"{_tally(plan)}{words.part(plan.shards)}"


def _tally(plan: Plan) -> str:
    counts = summary(plan)
    parts = [f"{counts[kind.value]} to {kind.value}" for kind in ActionKind if kind.writes and counts[kind.value]]
    rest = f"{counts['noop']} as declared, {counts['unmanaged']} unmanaged."
    if parts:
        refused = "" if plan.whole else " Some of it can't be applied, see the errors."
        return f"Plan: {', '.join(parts)}{_whose(plan)}; {rest}{refused}"
    if not plan.whole:
        return f"Plan: incomplete, see the errors; {rest}"
    return f"Nothing to do: {rest}"


def _whose(plan: Plan) -> str:
    """` (2 by this change, 1 by drift)`, where that was asked."""
    origins = [action.attribution for action in plan.actions if action.attribution is not None]
    if not origins:
        return ""
    drifting = origins.count(Attribution.DRIFT)
    return f" ({len(origins) - drifting} by this change, {drifting} by drift)"
