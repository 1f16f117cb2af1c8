"""Shows a plan as an HTML report."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from reconciler.model.action import Action, ActionKind
from reconciler.model.plan import Plan, SitePlan
from reconciler.render import words
from reconciler.render.html.assets import Shade
from reconciler.render.html.page import made_at, page
from reconciler.render.html.report import Badge, Report, Row, SiteRows, owner_rows
from reconciler.render.owners import landing, owners_in_plan, told_in_plan
from reconciler.render.plan_text import out_of_scope, summary_line
from reconciler.render.schedule_labels import ScheduleLabels, labels_in_plan
from reconciler.render.view import USUAL, ReportView
from reconciler.text import clipped

_BADGE = {
    ActionKind.DISCONNECT: Badge("disconnect", Shade.BAD, urgent=True),
    ActionKind.REPLACE: Badge("replace", Shade.LACKING, urgent=True),
    ActionKind.RECONNECT: Badge("reconnect", Shade.MOVING),
    ActionKind.CONNECT: Badge("connect", Shade.GOOD),
    ActionKind.UPDATE: Badge("update", Shade.CHANGED),
    ActionKind.UNMANAGED: Badge("unmanaged", Shade.OUTSIDE),
    ActionKind.NOOP: Badge("as declared", Shade.QUIET),
}
_CONSENT_BADGE = {
    ActionKind.RECONNECT: Badge("reconnect, consent", Shade.OBSCURE),
    ActionKind.CONNECT: Badge("connect, consent", Shade.WAITING),
}
"""What needs its owner; a replace stays what it is, since it takes something away."""
_BADGES = tuple(badge for kind in _BADGE for badge in (_CONSENT_BADGE.get(kind), _BADGE[kind]) if badge is not None)
_WEIGHT = {badge: place for place, badge in enumerate(_BADGES)}
_TITLE = "Calendar connections: plan"
_LONGEST = 1_000
_HELD_BACK = ("held back, see the errors",)


def plan_html(plan: Plan, made: datetime, view: ReportView = USUAL) -> str:
    """The plan as one HTML document; `made` is when the service was looked at."""
    lead = " ".join([summary_line(plan), *out_of_scope(plan, clipped(view.status_command))])
    report = _report(plan, made, lead, [error for site in plan.sites for error in _errors(site)], view)
    warnings = tuple(clipped(warning, _LONGEST) for site in plan.sites for warning in site.warnings)
    return page(replace(report, warnings=warnings, foot=f"Digest of the plan: {plan.digest}"))


def plan_failure_html(messages: Sequence[str], made: datetime) -> str:
    """The document of a plan that could not even be begun."""
    return page(_report(Plan(), made, "The plan failed.", messages))


def _report(plan: Plan, made: datetime, lead: str, errors: Sequence[str], view: ReportView = USUAL) -> Report:
    return Report(
        title=_TITLE,
        lead=lead,
        made=made_at(made),
        badge_heading="Action",
        urgent="Will be disconnected",
        urgent_short="Disconnected",
        lines="Why, and what changes",
        badges=_BADGES,
        sites=tuple(_site(site, view) for site in plan.sites),
        owners=owner_rows(owners_in_plan(plan, view), view.requests.now),
        landing=landing(plan.actions, clipped),
        errors=tuple(clipped(error, _LONGEST) for error in errors),
    )


def _errors(site: SitePlan) -> Iterator[str]:
    yield from map(str, words.faults(site))
    yield from map(words.guard_sentence, words.violations(site))


def _site(site: SitePlan, view: ReportView) -> SiteRows:
    labels = labels_in_plan(site, view)
    ranked = sorted(site.actions, key=lambda action: (_WEIGHT[_badge(action)], action.address))
    rows = tuple(_row(action, labels, view, held_back=_is_held_back(site, action)) for action in ranked)
    return SiteRows(clipped(site.site.name), clipped(site.site.site_id), rows)


def _badge(action: Action) -> Badge:
    return _CONSENT_BADGE.get(action.kind, _BADGE[action.kind]) if action.needs_owner else _BADGE[action.kind]


def _is_held_back(site: SitePlan, action: Action) -> bool:
    return action.kind.writes and (not site.applyable or site.holds_back(action))


def _row(action: Action, labels: ScheduleLabels, view: ReportView, *, held_back: bool) -> Row:
    return Row(
        name=clipped(action.address.partition("/")[2]),
        schedule=clipped(str(labels.of(action.schedule_name, action.schedule_id))),
        provider=clipped(action.provider),
        account=clipped(words.who(action.account)),
        badge=_badge(action),
        lines=tuple(clipped(line, _LONGEST) for line in (*_HELD_BACK[:held_back], *_lines(action, view))),
    )


def _lines(action: Action, view: ReportView) -> Iterator[str]:
    if action.kind is ActionKind.NOOP:
        return
    whose = words.origin(action)
    yield f"{words.reason(action)} [{whose}]" if whose else words.reason(action)
    for line in (words.loss(action), words.impact(action), words.method(action)):
        if line is not None:
            yield line
    yield from told_in_plan(action, view.requests)
    if action.kind is ActionKind.DISCONNECT:
        return
    for change in action.changes:
        path, (before, after) = change.path.removeprefix("syncConfig."), words.before_and_after(change)
        first = change.before is None and action.kind is not ActionKind.UPDATE
        yield f"{path}: {after}" if first else f"{path}: {before} → {after}"
