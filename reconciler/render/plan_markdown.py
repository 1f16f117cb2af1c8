"""Shows a plan as Markdown for the comment of a pull request: disconnects first, details folded.

Its first line is a hidden marker, by which a workflow finds the comment that it is to update. However large the plan,
it fits into a comment.
"""

from collections.abc import Iterable, Iterator, Sequence

from reconciler.model.action import Action, Attribution
from reconciler.model.plan import Plan
from reconciler.render import markdown as entries
from reconciler.render import words
from reconciler.render.markdown import Bullet, code
from reconciler.render.markdown_sections import LIMIT, WHOLE_PLAN, Section, fitted, owners_section
from reconciler.render.owners import landing, owners_in_plan
from reconciler.render.plan_text import out_of_scope, summary_line
from reconciler.render.view import USUAL, ReportView

MARKER = "<!-- extcal-plan -->"
_LONGEST_MESSAGE = 1_000


def plan_markdown(plan: Plan, view: ReportView = USUAL, *, limit: int = LIMIT) -> str:
    """The plan as GitHub Flavored Markdown of at most `limit` bytes, which must be 20,000 at the least."""
    foot = [f"Digest of the plan: {code(plan.digest)}", ""]
    outside = [line for told in out_of_scope(plan, code(view.status_command)) for line in (told, "")]
    return fitted(
        MARKER, [f"### {summary_line(plan)}", "", *outside, *_remarks(plan)], _sections(plan, view), foot, limit
    )


def plan_failure_markdown(messages: Sequence[str], *, limit: int = LIMIT) -> str:
    """The comment for a plan that could not even be begun."""
    errors = tuple(Bullet(f"- {code(message, _LONGEST_MESSAGE)}") for message in messages)
    return fitted(MARKER, ["### Plan: failed", ""], [Section("#### Errors", errors, "errors")], [], limit)


def _remarks(plan: Plan) -> Iterator[str]:
    """What a reviewer must know before anything else."""
    blocked = sum(not site.applyable for site in plan.sites)
    if blocked:
        of = f"{blocked} of {len(plan.sites)} sites" if len(plan.sites) > 1 else "This site"
        yield from (f"**{of} can't be applied as planned; see the errors.**", "")
    for site in plan.sites:
        if site.applyable and site.faults:
            yield from (f"**{code(site.site.name)}: {words.held_back(site)}; see the errors.**", "")


def _sections(plan: Plan, view: ReportView) -> list[Section]:
    """The sections, the most important first, which is also the order in which they are read."""
    write = entries.Entries(plan, view)
    pending, held = [action for action in plan.actions if action.kind.writes], plan.held_back
    losses = _own_first(action for action in pending if action.kind.disconnects)
    consents = _own_first(action for action in pending if entries.needs_consent(action))
    rest = _own_first(a for a in pending if not a.kind.disconnects and not entries.needs_consent(a))
    counts = entries.fold_counts(rest)
    return [
        Section(
            f"#### Will be disconnected: {_connections(len(losses))}{words.of_which_held_back(losses, held)}",
            tuple(Bullet(write.loss(action)) for action in losses),
            "to be disconnected",
        ),
        Section("#### Errors", tuple(entries.errors(plan, _LONGEST_MESSAGE)), "errors"),
        Section("#### Warnings", tuple(entries.warnings(plan, _LONGEST_MESSAGE)), "warnings"),
        Section(
            f"#### Needs its owner's consent: {_connections(len(consents))}",
            tuple(Bullet(write.consent(action)) for action in consents),
            "that need consent",
        ),
        owners_section(owners_in_plan(plan, view), view.requests.now, WHOLE_PLAN, landing(plan.actions, code)),
        Section(
            "#### Everything else" if losses or consents else "#### Changes",
            tuple(Bullet(write.change(action), entries.fold(action, counts)) for action in rest),
            "changes",
        ),
    ]


def _own_first(actions: Iterable[Action]) -> list[Action]:
    """What the change does comes before what was drifting anyway."""
    return sorted(actions, key=lambda action: action.attribution is Attribution.DRIFT)


def _connections(count: int) -> str:
    return f"{count:,} connection{'' if count == 1 else 's'}"
