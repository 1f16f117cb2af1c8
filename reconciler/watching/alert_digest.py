"""Composes the digest that people get: plain text, the worst first, grouped by cause, and bounded.

Chats read a meaning into plain text: mentions that ring everybody's telephone, links with another text, markup. What
manifests and services name is theirs, so it is written in a way that no chat takes for any of that.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from reconciler.text import clipped
from reconciler.watching.alert_state import Condition, Transition

MOST_NAMED = 20
"""How many addresses a digest names."""

LONGEST = 1_800
"""Characters of a digest's text; Discord takes 2,000 and cuts or refuses what is longer."""

_LONGEST_CAUSE = 200
_LONGEST_NAME = 80
_MORE_ROOM = 60

_BEGAN = {
    Condition.MACHINE: "The watch can't work",
    Condition.MANIFESTS: "The manifests can't be used",
    Condition.REPOSITORY: "The repository can't be pulled",
    Condition.UNREADABLE: "Can't be read",
    Condition.BROKEN: "Broke",
    Condition.HELD_BACK: "A guard holds changes back",
    Condition.STUCK: "Stuck",
    Condition.AWAITED: "Consent is awaited",
    Condition.DRIFTED: "Not as declared",
}
_ENDED = {
    Condition.MACHINE: "The watch works again",
    Condition.MANIFESTS: "The manifests can be used again",
    Condition.REPOSITORY: "The repository can be pulled again",
    Condition.UNREADABLE: "Can be read again",
    Condition.BROKEN: "Recovered",
    Condition.HELD_BACK: "No guard holds changes back any more",
    Condition.STUCK: "No longer stuck",
    Condition.AWAITED: "Consent is no longer awaited",
    Condition.DRIFTED: "As declared again",
}
_STILL_BAD = "No longer in error, and not connected"
_ORDER = list(Condition)


@dataclass(frozen=True, slots=True)
class Digest:
    """One message: a title, and plain text below it; `bad` where something began."""

    title: str
    text: str
    bad: bool


def compose(events: Sequence[Transition], redact: Callable[[str], str] = str) -> Digest:
    """The digest of events; `redact` takes secrets out of a text, before it is cut."""
    groups: dict[tuple[bool, int, str, str], list[Transition]] = defaultdict(list)
    for event in events:
        heading = _heading(event)
        cause = harmless(redact(event.cause), _LONGEST_CAUSE)
        groups[not event.began, _ORDER.index(event.condition), heading, cause].append(event)
    lines: list[str] = []
    named = room = 0
    for (_, _, heading, cause), members in sorted(groups.items(), key=lambda item: item[0]):
        wanted = [f"{heading}: {cause}" if cause else heading]
        for event in sorted(members, key=lambda event: event.address):
            wanted.append(_line(event, redact))
            size = sum(len(line) + 1 for line in wanted)
            if named == MOST_NAMED or room + size > LONGEST - _MORE_ROOM:
                break
            lines += wanted
            named, room, wanted = named + 1, room + size, []
    if named < len(events):
        lines.append(f"and {len(events) - named} more; extcal status shows all")
    return Digest(_title(events), "\n".join(lines), any(event.began for event in events))


def _heading(event: Transition) -> str:
    if event.began:
        return _BEGAN[event.condition]
    not_connected = event.condition is Condition.BROKEN and event.word in {"missing", "awaiting consent"}
    return _STILL_BAD if not_connected else _ENDED[event.condition]


def _line(event: Transition, redact: Callable[[str], str]) -> str:
    parts = [harmless(redact(part), _LONGEST_NAME) for part in (event.address, event.word, event.account) if part]
    often = "; it changes often, and is told less often now" if event.often else ""
    return f"- {parts[0]}" + (f": {', '.join(parts[1:])}" if parts[1:] else "") + often


def _title(events: Sequence[Transition]) -> str:
    counts = Counter((not event.began, _ORDER.index(event.condition), _heading(event)) for event in events)
    (_, _, heading), count = min(counts.items())
    more = len(events) - count
    return f"extcal: {heading[:1].lower()}{heading[1:]}: {count}" + (f", and {more} more" if more else "")


# Whoever a chat rings up by name: a word behind an @ that is not a mailbox's, and those that mean everybody anywhere.
_MENTION = re.compile(r"(?<![\w.+-])@|@(?=(?:everyone|here|channel|all|room|team)\b)", re.IGNORECASE)
_TAKEN_APART = (
    ("<", "\u2039"), (">", "\u203a"), ("](", "] ("), ("://", "[:]//"), ("`", "'"), ("||", "| |"), ("~~", "~ ~"),
    ("**", "* *"), ("__", "_ _"),
)  # fmt: skip


def harmless(text: str, longest: int) -> str:
    """A text on one line that no chat takes for a mention, a link or markup."""
    text = clipped(text, longest) if text else ""
    for marked, plain in _TAKEN_APART:
        text = text.replace(marked, plain)
    return _MENTION.sub("(at)", text)


SAMPLE = Digest(
    "extcal: a test",
    "This is a test of alerts by extcal notify --test. An alert names connections like this:\n"
    "Broke: access was revoked\n- example-site/example-connection: in error, owner@example.com",
    bad=False,
)
"""What `extcal notify --test` sends."""
