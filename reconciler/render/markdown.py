"""Writes the entries of a plan in Markdown; text from outside formats nothing in it."""

import html
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from reconciler.model.account import Account
from reconciler.model.action import Action, ActionKind, Attribution
from reconciler.model.live import ConnectMethod
from reconciler.model.plan import Plan
from reconciler.render import words
from reconciler.render.owners import Awaited, AwaitedOwner, told_in_plan
from reconciler.render.schedule_labels import labels_in_plan
from reconciler.render.view import ReportView
from reconciler.text import clipped

_LONGEST = 300
_CONNECTIONS_SHOWN = 5
"""How many connections of one owner are named."""


def code(text: str, longest: int = _LONGEST) -> str:
    """The text as a code span of one line, cut in the middle where it has more than `longest` characters."""
    shown = clipped(text, longest)
    runs = {len(run) for run in re.findall("`+", shown)}
    fence = "`" * next(length for length in range(1, len(shown) + 2) if length not in runs)
    # One blank at each end is taken off again, where both ends have one.
    pad = " " if shown[0] == "`" or shown[-1] == "`" else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def code_tag(text: str, longest: int = _LONGEST) -> str:
    """The text as a `<code>` element, for places where Markdown is not read (`<summary>`)."""
    return f"<code>{html.escape(clipped(text, longest))}</code>"


Counts = Mapping[tuple[str, bool], Mapping[ActionKind, int]]
_WHOLE = 1_000


@dataclass(frozen=True, slots=True)
class Bullet:
    """One entry, and the summary of the fold that it lies in, if it does."""

    text: str
    fold: str | None = None


def needs_consent(action: Action) -> bool:
    """Whether it ends when the account's owner consents; a replace tells so among the losses."""
    return action.needs_owner and not action.kind.disconnects


class Entries:
    """Writes the actions of a plan, each as an entry."""

    def __init__(self, plan: Plan, view: ReportView) -> None:
        self._held_back = plan.held_back
        self._requests = view.requests
        self._labels = {site.site.name: labels_in_plan(site, view) for site in plan.sites}

    def loss(self, action: Action) -> str:
        """An action that takes a connection away, and what it takes to bring that back."""
        lines = [
            self._headline(action),
            f"  - {words.taken(action)} the calendar of {code(words.account(action))}; {words.recovery(action)}",
        ]
        if (impact := words.impact(action)) is not None:
            lines.append(f"  - {impact}")
        if action.kind is ActionKind.REPLACE:
            lines += [f"  - {_method(action)}", *self._asked(action), *_changes(action)]
        return "\n".join(lines)

    def consent(self, action: Action) -> str:
        """A connect or reconnect that waits for a person."""
        return "\n".join([self._headline(action), *self._asked(action), *_changes(action)])

    def change(self, action: Action) -> str:
        """Any other action."""
        lines = [self._headline(action)]
        if action.method is not None:
            lines.append(f"  - {_method(action)}")
        if (impact := words.impact(action)) is not None:
            lines.append(f"  - {impact}")
        return "\n".join([*lines, *_changes(action)])

    def _asked(self, action: Action) -> Iterator[str]:
        return (f"  - {line}" for line in told_in_plan(action, self._requests))

    def _headline(self, action: Action) -> str:
        label = self._labels[action.site].of(action.schedule_name, action.schedule_id)
        schedule = f", schedule {code(str(label))}" if str(label) else ""
        whose = words.origin(action)
        waits = " **[held back]**" if action.address in self._held_back else ""
        who = account_code(action.account)
        return (
            f"- **{action.kind}** {code(action.address)}: {code(action.provider)} {who}{schedule}; "
            f"{words.reason(action, code)}{f' *[{whose}]*' if whose else ''}{waits}"
        )


def owner_entry(owner: AwaitedOwner, now: datetime) -> str:
    """An owner, since when they are awaited, and the first of the connections that they must consent to."""
    told = "; ".join(owner.told(now))
    shown = owner.connections[:_CONNECTIONS_SHOWN]
    lines = [f"- {account_code(owner.account)}{f': {told}' if told else ''}", *map(_awaited, shown)]
    if more := len(owner.connections) - len(shown):
        lines.append(f"  - and {more:,} more")
    return "\n".join(lines)


def account_code(account: Account | None) -> str:
    """An account as a code span, or that the service does not show it."""
    return code(words.who(account)) if account else "an account not shown"


def _awaited(connection: Awaited) -> str:
    schedule = f", schedule {code(str(connection.schedule))}" if str(connection.schedule) else ""
    return f"  - {code(connection.address)}: {code(connection.provider)}{schedule}"


def fold_counts(actions: Sequence[Action]) -> Counts:
    """How many actions of each kind lie in each fold."""
    counts: dict[tuple[str, bool], Counter[ActionKind]] = defaultdict(Counter)
    for action in actions:
        counts[_fold_key(action)][action.kind] += 1
    return counts


def fold(action: Action, counts: Counts) -> str:
    """The summary of the fold that an action lies in: one for each site, and one for what was drifting there."""
    found = counts[_fold_key(action)]
    parts = [f"{found[kind]:,} to {kind}" for kind in ActionKind if found.get(kind)]
    drift = ", drift from before this change" if action.attribution is Attribution.DRIFT else ""
    return f"{code_tag(action.site)}: {', '.join(parts)}{drift}"


def _fold_key(action: Action) -> tuple[str, bool]:
    return (action.site, action.attribution is Attribution.DRIFT)


def errors(plan: Plan, longest: int) -> Iterator[Bullet]:
    """Why a part of the plan may not be applied or is missing, guards with the words that overrule them."""
    for site in plan.sites:
        for fault in words.faults(site):
            yield Bullet(f"- {code(str(fault), longest)}")
        for violation in words.violations(site):
            text = (
                f"- guard **{violation.guard}**, {code(violation.address, _WHOLE)}: {code(violation.message, longest)}"
            )
            allow = words.overruling(violation)
            yield Bullet(f"{text}. If this is intended, add {code(allow, _WHOLE)}" if allow else text)


def warnings(plan: Plan, longest: int) -> Iterator[Bullet]:
    """What keeps nothing from being applied, and is to be known."""
    for site in plan.sites:
        yield from (Bullet(f"- {code(warning, longest)}") for warning in site.warnings)


def _method(action: Action) -> str:
    if action.method is ConnectMethod.OAUTH:
        return "the owner of the new account must consent in a browser"
    return f"with the password in {code(str(action.password))}"


def _changes(action: Action) -> Iterator[str]:
    for field in action.changes:
        path = code(field.path.removeprefix("syncConfig."))
        former, after = (code(value) for value in words.before_and_after(field))
        before = "" if field.before is None and action.kind is not ActionKind.UPDATE else f"{former} → "
        yield f"  - {path}: {before}{after}"
