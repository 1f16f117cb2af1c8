"""Shows a plan as Markdown for the comment of a pull request: disconnects first, details folded.

Its first line is a hidden marker, by which a workflow finds the comment that it is to update. However large the plan,
the text stays under GitHub's limit of 65,536 characters a comment: whole entries are left out, those of the least
important part first, and counted. Sizes are bytes of UTF-8, which are never fewer than characters.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from reconciler.model.action import Action, Attribution
from reconciler.model.plan import Plan
from reconciler.render import markdown as entries
from reconciler.render import words
from reconciler.render.markdown import Bullet, code
from reconciler.render.owners import owners_in_plan
from reconciler.render.plan_text import out_of_scope, summary_line
from reconciler.render.view import USUAL, ReportView

MARKER = "<!-- extcal-plan -->"
LIMIT = 65_000
_LONGEST_MESSAGE = 1_000
_OWNERS_SHOWN = 20
_LEAST = 6_000
"""Bytes that every part gets, however much the more important ones have to say."""


@dataclass(frozen=True, slots=True)
class _Part:
    """The sizes of a part's entries, each of which is there whole or not at all, and of what frames them."""

    entries: tuple[int, ...]
    frame: int

    @property
    def size(self) -> int:
        """The bytes of the whole part; one without entries is not there."""
        return self.frame + sum(self.entries) if self.entries else 0


@dataclass(frozen=True, slots=True)
class _Section:
    """A heading and its entries; `rest` says what those are that did not fit, `more` are some that are not to."""

    heading: str
    entries: tuple[Bullet, ...]
    rest: str
    more: int = 0

    def part(self) -> _Part:
        """Its size, the fold that entries lie in counted with the first of them."""
        folds = [None, *(entry.fold for entry in self.entries)]
        sizes = [
            _size(entry.text) + (_size(_open(entry.fold)) + _size(_CLOSE) if entry.fold not in {None, before} else 0)
            for entry, before in zip(self.entries, folds, strict=False)
        ]
        return _Part(tuple(sizes), _size(self.heading) + _size(self._cut(len(self.entries) + self.more)) + 4)

    def shown(self, count: int) -> Iterator[str]:
        """Its lines with the first `count` entries."""
        if not self.entries:
            return
        yield from (self.heading, "")
        for fold, group in groupby(self.entries[:count], key=lambda entry: entry.fold):
            texts = [entry.text for entry in group]
            yield from texts if fold is None else (_open(fold), *texts, _CLOSE)
        if left_out := len(self.entries) + self.more - count:
            yield from ("", self._cut(left_out))
        yield ""

    def _cut(self, count: int) -> str:
        return f"*… and {count:,} more {self.rest}; the whole plan is in the JSON artifact.*"


def _open(fold: str | None) -> str:
    return f"<details><summary>{fold}</summary>\n"


_CLOSE = "\n</details>\n"


def plan_markdown(plan: Plan, view: ReportView = USUAL, *, limit: int = LIMIT) -> str:
    """The plan as GitHub Flavored Markdown of at most `limit` bytes, which must be 20,000 at the least."""
    foot = [f"Digest of the plan: {code(plan.digest)}", ""]
    outside = [line for told in out_of_scope(plan, code(view.status_command)) for line in (told, "")]
    return _fitted([f"### {summary_line(plan)}", "", *outside, *_remarks(plan)], _sections(plan, view), foot, limit)


def plan_failure_markdown(messages: Sequence[str], *, limit: int = LIMIT) -> str:
    """The comment for a plan that could not even be begun."""
    errors = tuple(Bullet(f"- {code(message, _LONGEST_MESSAGE)}") for message in messages)
    return _fitted(["### Plan: failed", ""], [_Section("#### Errors", errors, "errors")], [], limit)


def _fitted(head: Sequence[str], sections: Sequence[_Section], foot: Sequence[str], limit: int) -> str:
    frame = sum(map(_size, (MARKER, *head, *foot)))
    kept = _kept([section.part() for section in sections], limit - frame)
    body = [line for section, count in zip(sections, kept, strict=True) for line in section.shown(count)]
    return "\n".join([MARKER, *head, *body, *foot])


def _remarks(plan: Plan) -> Iterator[str]:
    """What a reviewer must know before anything else."""
    blocked = sum(not site.applyable for site in plan.sites)
    if blocked:
        of = f"{blocked} of {len(plan.sites)} sites" if len(plan.sites) > 1 else "This site"
        yield from (f"**{of} can't be applied as planned; see the errors.**", "")
    for site in plan.sites:
        if site.applyable and site.faults:
            yield from (f"**{code(site.site.name)}: {words.held_back(site)}; see the errors.**", "")


def _sections(plan: Plan, view: ReportView) -> list[_Section]:
    """The sections, the most important first, which is also the order in which they are read."""
    write = entries.Entries(plan, view)
    pending, held = [action for action in plan.actions if action.kind.writes], plan.held_back
    losses = _own_first(action for action in pending if action.kind.disconnects)
    consents = _own_first(action for action in pending if entries.needs_consent(action))
    rest = _own_first(a for a in pending if not a.kind.disconnects and not entries.needs_consent(a))
    counts = entries.fold_counts(rest)
    return [
        _Section(
            f"#### Will be disconnected: {_connections(len(losses))}{words.of_which_held_back(losses, held)}",
            tuple(Bullet(write.loss(action)) for action in losses),
            "to be disconnected",
        ),
        _Section("#### Errors", tuple(entries.errors(plan, _LONGEST_MESSAGE)), "errors"),
        _Section("#### Warnings", tuple(entries.warnings(plan, _LONGEST_MESSAGE)), "warnings"),
        _Section(
            f"#### Needs its owner's consent: {_connections(len(consents))}",
            tuple(Bullet(write.consent(action)) for action in consents),
            "that need consent",
        ),
        _owners(plan, view, write),
        _Section(
            "#### Everything else" if losses or consents else "#### Changes",
            tuple(Bullet(write.change(action), entries.fold(action, counts)) for action in rest),
            "changes",
        ),
    ]


def _owners(plan: Plan, view: ReportView, write: entries.Entries) -> _Section:
    """Whom the plan needs: who is awaited longest comes first, and only so many are named."""
    owners = owners_in_plan(plan, view)
    must = "1 must consent" if len(owners) == 1 else f"{len(owners):,} must consent"
    shown = owners[:_OWNERS_SHOWN]
    bullets = tuple(Bullet(write.owner(owner)) for owner in shown)
    return _Section(f"#### Owners: {must}", bullets, "owners", more=len(owners) - len(shown))


def _own_first(actions: Iterable[Action]) -> list[Action]:
    """What the change does comes before what was drifting anyway."""
    return sorted(actions, key=lambda action: action.attribution is Attribution.DRIFT)


def _connections(count: int) -> str:
    return f"{count:,} connection{'' if count == 1 else 's'}"


def _size(text: str) -> int:
    """The bytes of a text and of the end of its line."""
    return len(text.encode()) + 1


def _kept(parts: Sequence[_Part], limit: int) -> list[int]:
    """How many entries of each part fit into `limit` bytes; the most important part comes first."""
    kept: list[int] = []
    left = limit
    for place, part in enumerate(parts):
        promised = sum(min(later.size, _LEAST) for later in parts[place + 1 :])
        count, used = _as_many(part, left - promised)
        kept.append(count)
        left -= used
    return kept


def _as_many(part: _Part, room: int) -> tuple[int, int]:
    """How many entries fit, from the first on, and the bytes that they take."""
    used = part.frame if part.entries else 0
    for count, entry in enumerate(part.entries):
        if used + entry > room:
            return count, used
        used += entry
    return len(part.entries), used
