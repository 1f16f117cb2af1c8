"""A plan and a result as JSON (contract: `plan --format json`, `apply --format json`; schemas/plan.schema.json)."""

import json
from collections import Counter
from collections.abc import Sequence

from reconciler.model.encoding import Json, digest, encoded
from reconciler.model.plan import Action, ActionKind, Chosen, FieldValue, Plan
from reconciler.model.result import Outcome, Result
from reconciler.render.inert import inert

FORMAT_VERSION = 1


def plan_json(plan: Plan) -> str:
    """The plan as a JSON document of many lines."""
    return _dumps(_document(plan, [_action(action) for action in plan.actions]))


def result_json(result: Result) -> str:
    """The plan with what came of each action; those that are only shown have the status of having been shown.

    The consent links are in it: whoever holds one can attach a calendar.
    """
    outcomes = {outcome.action.address: outcome for outcome in result.outcomes}
    actions: list[Json] = [_action(action) | _outcome(outcomes.get(action.address)) for action in result.plan.actions]
    document = _document(result.plan, actions)
    if result.remaining is not None:
        document["remaining"] = [_action(action) for action in result.unsettled]
    return _dumps(document)


def failure_json(messages: Sequence[str]) -> str:
    """The document of a plan that could not even be begun."""
    errors: list[Json] = [{"address": None, "message": inert(message)} for message in messages]
    return _dumps(_document(Plan(), []) | {"errors": errors})


def summary(plan: Plan) -> dict[str, int]:
    """How many actions there are of each kind."""
    counts = Counter(action.kind for action in plan.actions)
    return {kind.value: counts[kind] for kind in ActionKind}


def _document(plan: Plan, actions: list[Json]) -> dict[str, Json]:
    document: dict[str, Json] = {
        "format_version": FORMAT_VERSION,
        "digest": digest(encoded(plan)),
        "summary": dict(summary(plan)),
        "actions": actions,
    }
    if errors := _errors(plan):
        document["errors"] = errors
    return document


def _errors(plan: Plan) -> list[Json]:
    """Why a part of the plan may not be carried out, or is missing."""
    found: list[Json] = []
    for site in plan.sites:
        found += [{"address": inert(f.where), "message": inert(str(f))} for f in (*site.faults, *site.unread)]
        found += [
            {"address": violation.address, "guard": violation.guard, "message": inert(violation.message)}
            for violation in site.violations
        ]
    return found


def _action(action: Action) -> dict[str, Json]:
    found: dict[str, Json] = {
        "action": action.kind.value,
        "address": inert(action.address),
        "site_id": action.site_id,
        "schedule_id": inert(action.schedule_id),
        "provider": inert(action.provider),
        "account": None if action.account is None else inert(action.account),
        "connection_id": None if action.connection_id is None else inert(action.connection_id),
        "reason": action.reason.value,
        "recovery": action.recovery.value,
        "changes": [
            {"path": change.path, "before": _value(change.before), "after": _value(change.after)}
            for change in action.changes
        ],
    }
    if action.origin is not None:
        found["origin"] = action.origin.value
    if action.impact is not None:
        found["impact"] = {"busy_blocks": action.impact.busy_blocks, "days": action.impact.days}
    return found


def _value(value: FieldValue) -> Json:
    match value:
        case Chosen():
            return {}
        case str():
            return inert(value)
        case tuple():
            named: list[Json] = []
            for ref in value:
                fields = {"id": ref.id, "name": ref.name}
                named.append({key: inert(text) for key, text in fields.items() if text is not None})
            return named
        case _:
            return value


def _outcome(outcome: Outcome | None) -> dict[str, Json]:
    if outcome is None:
        return {"status": "done", "error": None, "consent_url": None}
    found: dict[str, Json] = {
        "status": outcome.status.value,
        "error": None if outcome.error is None else inert(outcome.error),
        "consent_url": None if outcome.consent_url is None else inert(outcome.consent_url),
    }
    if outcome.connection_id is not None:
        found["connection_id"] = inert(outcome.connection_id)
    return found


def _dumps(document: Json) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False)
