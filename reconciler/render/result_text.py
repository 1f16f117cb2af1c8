"""Shows a result as text: each outcome, the links that owners must open, a summary last."""

from collections import Counter
from collections.abc import Iterator

from reconciler.model.action import Action
from reconciler.model.consent_request import NO_REQUESTS, KnownRequests
from reconciler.model.result import Outcome, OutcomeStatus, Result
from reconciler.render import words
from reconciler.render.emphasis import Emphasis, Paint, plain
from reconciler.render.owners import told_in_plan
from reconciler.render.plan_text import shown_name
from reconciler.text import inert

_EMPHASIS = {
    OutcomeStatus.DONE: Emphasis.ADD,
    OutcomeStatus.FAILED: Emphasis.REMOVE,
    OutcomeStatus.UNKNOWN: Emphasis.REMOVE,
    OutcomeStatus.SKIPPED: Emphasis.CHANGE,
    OutcomeStatus.AWAITING_CONSENT: Emphasis.CHANGE,
}
_WORD = {
    OutcomeStatus.DONE: "done",
    OutcomeStatus.FAILED: "FAILED",
    OutcomeStatus.UNKNOWN: "UNKNOWN",
    OutcomeStatus.SKIPPED: "skipped",
    OutcomeStatus.AWAITING_CONSENT: "awaits consent",
}
_DONE_BEFORE = "done before"
_COUNTED = _WORD | {OutcomeStatus.AWAITING_CONSENT: "awaiting consent"}
_IN_TURN = [_COUNTED[status] for status in OutcomeStatus]
_IN_TURN.insert(1, _DONE_BEFORE)


def result_text(result: Result, paint: Paint = plain, requests: KnownRequests = NO_REQUESTS) -> str:
    """The result as lines of text; the last line is the summary."""
    lines = [line for outcome in result.outcomes for line in _outcome(outcome, paint, requests)]
    lines += _consents(result, paint)
    if result.unsettled:
        lines += ["", paint(Emphasis.REMOVE, "Still different after applying:")]
        lines += [f"  {_name(action)}: {words.reason(action)}" for action in result.unsettled]
    if result.unchecked:
        lines += ["", paint(Emphasis.REMOVE, "Not checked after applying; plan again to see where it stands:")]
        lines += [f"  {shown_name(fault.where)}: {inert(fault.message)}" for fault in result.unchecked]
    if lines:
        lines.append("")
    lines.append(summary_line(result))
    return "\n".join(lines)


def _outcome(outcome: Outcome, paint: Paint, requests: KnownRequests) -> Iterator[str]:
    yield outcome_line(outcome, paint)
    if outcome.status is OutcomeStatus.AWAITING_CONSENT:
        yield from (f"{_INDENT}{line}" for line in told_in_plan(outcome.action, requests))


_INDENT = " " * 18


def outcome_line(outcome: Outcome, paint: Paint = plain) -> str:
    """`done  connect site/name`, with what went wrong below it."""
    word = paint(_EMPHASIS[outcome.status], f"{_DONE_BEFORE if outcome.already else _WORD[outcome.status]:14}")
    line = f"{word}  {outcome.action.kind} {_name(outcome.action)}"
    return f"{line}\n{_INDENT}{inert(outcome.error)}" if outcome.error else line


def _consents(result: Result, paint: Paint) -> Iterator[str]:
    waiting = [outcome for outcome in result.outcomes if outcome.consent_url is not None]
    if not waiting:
        return
    yield ""
    yield paint(Emphasis.HEADING, "Awaiting consent: send each owner their link; whoever opens it connects a calendar")
    for outcome in waiting:
        yield from consent_lines(outcome.action, outcome.consent_url or "")


def consent_lines(action: Action, url: str) -> tuple[str, str]:
    """Whose consent is asked for, and the link that they must open."""
    return f"  {words.who(action.account)}  ({inert(action.provider)}, {_name(action)})", f"    {inert(url)}"


def _name(action: Action) -> str:
    return shown_name(action.address)


def summary_line(result: Result) -> str:
    """How many actions ended how, and of which part of a fleet."""
    return f"{_tally(result)}{words.part(result.plan.shards)}"


def _tally(result: Result) -> str:
    if not result.outcomes:
        return "Nothing was done."
    if all(outcome.already for outcome in result.outcomes):
        return "Nothing was done: this plan was applied before."
    counted = Counter(_DONE_BEFORE if outcome.already else _COUNTED[outcome.status] for outcome in result.outcomes)
    parts = [f"{counted[word]} {word}" for word in _IN_TURN if counted[word]]
    if result.interrupted:
        prefix = "Interrupted: "
    elif all(outcome.already or outcome.status is OutcomeStatus.SKIPPED for outcome in result.outcomes):
        prefix = "Nothing was done: "
    else:
        prefix = "Applied: "
    return f"{prefix}{', '.join(parts)}."
