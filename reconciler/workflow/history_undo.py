"""Makes an entry of the history into a plan that undoes it, as far as the live state is still as it left it."""

from dataclasses import replace

from reconciler.errors import ExtcalError
from reconciler.model.action import Action, ActionKind
from reconciler.model.desired import Site
from reconciler.model.history import HistoryEntry
from reconciler.model.plan import Plan, SitePlan
from reconciler.model.result import Outcome, OutcomeStatus, Result
from reconciler.model.sync import EXPORTS, IMPORTS, Arm, CalendarRef, Direction, in_order
from reconciler.planning import undo as undoing
from reconciler.planning.diff import diff
from reconciler.planning.undo import Undo
from reconciler.workflow.apply_plan import undo
from reconciler.workflow.service import Service, sessions

_AWAITED = "it was waiting for its owner's consent, so nothing was done that could be undone"
_FAILED = "it failed, so nothing was done that could be undone"


def recorded_outcome(entry: HistoryEntry) -> tuple[Site, Outcome]:
    """The site and the outcome that an entry tells; raises ExtcalError where it can't be undone, whatever is live."""
    try:
        site, outcome = entry.outcome()
        # What can't be encoded again is no action of ours.
        Plan((SitePlan(site, (outcome.action,)),)).digest  # noqa: B018 - it raises
    # Values of the right types may still not go together.
    except (ValueError, TypeError) as error:
        raise ExtcalError(f"it can't be undone: {error}") from error
    if not outcome.action.kind.writes:
        raise ExtcalError("it can't be undone: it is no change")
    if not undoing.had_effect(outcome):
        raise ExtcalError(_AWAITED if outcome.status is OutcomeStatus.AWAITING_CONSENT else _FAILED)
    return site, outcome


async def undo_entry(site: Site, outcome: Outcome, service: Service) -> Undo:
    """The plan that undoes a recorded outcome, made against the live state; only reads are sent.

    Raises ExtcalError where the live state can't be read.
    """
    # What it waited for was of its own plan.
    action = replace(outcome.action, depends_on=())
    result = Result(Plan((SitePlan(site, (action,)),)), (replace(outcome, action=action),))
    async with sessions([site], service) as opened:
        inverse = await undo(result, opened)
    if not inverse.plan.sites and not inverse.remarks:
        return Undo(Plan(), (f"{outcome.action.address}: it is as it was before already",))
    moved = [path for back in inverse.plan.actions for path in _moved(outcome.action, back)]
    if not moved:
        return inverse
    fields = f"{outcome.action.address}: {', '.join(moved)} changed since"
    if all(back.kind is ActionKind.DISCONNECT for back in inverse.plan.actions):
        return replace(inverse, remarks=(*inverse.remarks, f"{fields}: that goes with the connection"))
    return Undo(Plan(), (*inverse.remarks, f"{fields}, so it is not undone: undo what came later first, or plan anew"))


def _moved(action: Action, back: Action) -> list[str]:
    """The fields that are not as an action has left them, of the connection that its inverse would act on.

    Of calendars that were declared by name the service may list ids alone: those can't be told, and count as the same.
    """
    if action.sync is None or back.live_sync is None:
        return []
    wanted, live = action.sync, back.live_sync
    imports, exports = _with_ids(wanted.imports, live.imports), _with_ids(wanted.exports, live.exports)
    untold = {
        f"{path}.{Arm.CALENDARS}"
        for path, declared, found in ((IMPORTS, imports, live.imports), (EXPORTS, exports, live.exports))
        if declared is not None and found is not None
        if any(each.id is None for each in declared.calendars) and any(each.name is None for each in found.calendars)
    }
    changes = diff(replace(wanted, imports=imports, exports=exports), live)
    return [change.path for change in changes if change.path not in untold]


def _with_ids(declared: Direction | None, found: Direction | None) -> Direction | None:
    """A declared direction with the ids of the calendars that it names, as far as the live one tells them."""
    if declared is None or found is None:
        return declared
    by_name: dict[str | None, CalendarRef] = {each.name: each for each in found.calendars if each.name is not None}
    named = (each if each.id is not None else by_name.get(each.name, each) for each in declared.calendars)
    return replace(declared, calendars=in_order(named))
