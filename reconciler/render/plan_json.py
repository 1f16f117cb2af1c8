"""Shows plans and results as JSON, as schemas/plan.schema.json says."""

from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING

from reconciler.model.action import Action, ActionKind, Chosen, FieldValue
from reconciler.model.encoding import Json, encoded
from reconciler.model.plan import Plan
from reconciler.model.source import Fault
from reconciler.render import words
from reconciler.render.data_text import json_text
from reconciler.text import clipped

if TYPE_CHECKING:
    from reconciler.model.result import Outcome, Result

FORMAT_VERSION = 1


def plan_json(plan: Plan) -> str:
    """The plan as a JSON document of many lines."""
    held_back = plan.held_back
    return json_text(_document(plan, [_action(action, held_back) for action in plan.actions]))


def result_json(result: "Result") -> str:
    """The plan with what came of each action; the status of those that are only shown is null.

    The consent links are in it: whoever holds one can attach a calendar.
    """
    outcomes = {outcome.action.address: outcome for outcome in result.outcomes}
    held_back = result.plan.held_back
    actions: list[Json] = [
        _action(action, held_back) | _outcome(outcomes.get(action.address)) for action in result.plan.actions
    ]
    document = _document(result.plan, actions)
    if result.remaining is not None:
        document["remaining"] = [_action(action) for action in result.unsettled]
    if result.unchecked:
        document["unchecked"] = [_error(fault) for fault in result.unchecked]
    return json_text(document)


def failure_json(messages: Sequence[str]) -> str:
    """The document of a plan that could not even be begun."""
    errors: list[Json] = [{"address": None, "message": message} for message in messages]
    return json_text(_document(Plan(), []) | {"errors": errors})


def summary(plan: Plan) -> dict[str, int]:
    """How many actions there are of each kind."""
    counts = Counter(action.kind for action in plan.actions)
    return {kind.value: counts[kind] for kind in ActionKind}


def _document(plan: Plan, actions: list[Json]) -> dict[str, Json]:
    document: dict[str, Json] = {
        "format_version": FORMAT_VERSION,
        "digest": plan.digest,
        "summary": dict(summary(plan)),
        "actions": actions,
    }
    if plan.out_of_scope:
        document["out_of_scope"] = [_action(action) for action in plan.out_of_scope]
    if plan.shards is not None:
        document["shards"] = encoded(plan.shards)
    if errors := _errors(plan):
        document["errors"] = errors
    return document


def _errors(plan: Plan) -> list[Json]:
    """Why a part of the plan may not be carried out, or is missing."""
    found: list[Json] = []
    for site in plan.sites:
        found += [_error(fault) for fault in words.faults(site)]
        found += [
            {"address": violation.address, "guard": violation.guard, "message": violation.message}
            for violation in words.violations(site)
        ]
    return found


def _error(fault: Fault) -> dict[str, Json]:
    return {"address": fault.where, "message": str(fault)}


def _action(action: Action, held_back: AbstractSet[str] = frozenset()) -> dict[str, Json]:
    found: dict[str, Json] = {
        "action": action.kind.value,
        "address": action.address,
        "site_id": action.site_id,
        "schedule_id": action.schedule_id,
        "provider": action.provider,
        "account": encoded(action.account),
        "connection_id": action.connection_id,
        "reason": action.reason.value,
        "recovery": action.recovery.value,
        "changes": [
            {"path": change.path, "before": _value(change.before), "after": _value(change.after)}
            for change in action.changes
        ],
    }
    if action.error_reason is not None:
        found["error_reason"] = clipped(action.error_reason)
    if action.address in held_back:
        found["held_back"] = True
    if action.attribution is not None:
        found["origin"] = action.attribution.value
    if action.impact is not None:
        found["impact"] = {"busy_blocks": action.impact.busy_blocks, "days": action.impact.days}
    return found


def _value(value: FieldValue) -> Json:
    match value:
        case Chosen():
            return {}
        case tuple():
            named: list[Json] = []
            for ref in value:
                fields = {"id": ref.id, "name": ref.name}
                named.append({key: text for key, text in fields.items() if text is not None})
            return named
        case _:
            return value


def _outcome(outcome: "Outcome | None") -> dict[str, Json]:
    if outcome is None:
        return {"status": None, "error": None, "consent_url": None}
    found: dict[str, Json] = {
        "status": outcome.status.value,
        "error": outcome.error,
        "consent_url": outcome.consent_url,
    }
    if outcome.already:
        found["already"] = True
    if outcome.connection_id is not None:
        found["connection_id"] = outcome.connection_id
    return found
