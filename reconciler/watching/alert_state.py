"""Decides what there is to alert about: purely, from what was told before and what a round has seen.

A *condition* is what somebody should know of a *subject*: a connection, a site, or the watch itself. A memory holds for
each subject the conditions that stand now and those that people were told of. What differs between the two is news,
so that a transition is told once, however often it is seen, and what came and went untold is nobody's business.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum


class Condition(StrEnum):
    """What somebody should know, the worst first."""

    MACHINE = "machine"
    """The watch itself fails on this machine."""

    MANIFESTS = "manifests"
    """The manifests can't be used."""

    REPOSITORY = "repository"
    """The manifests' repository can't be pulled."""

    UNREADABLE = "unreadable"
    """It could not be read in several rounds."""

    BROKEN = "broken"
    """A connection is in error, or was lost."""

    HELD_BACK = "held-back"
    """A guard stops an apply."""

    STUCK = "stuck"
    """A sync does not end."""

    AWAITED = "awaited"
    """Its owner's consent is awaited for long."""

    DRIFTED = "drifted"
    """It is not as declared."""


@dataclass(frozen=True, slots=True)
class AlertLimits:
    """How long what may pass by itself must last before it is told."""

    unread_rounds: int = 3
    """Rounds in a row in which something could not be read."""

    consent_seconds: float = 3 * 24 * 3600.0
    """How long a consent is awaited."""


@dataclass(frozen=True, slots=True)
class Look:
    """What one round has seen of a subject; `causes` has each condition that one look can tell, and why."""

    word: str = ""
    """How it is, in a word or two."""

    account: str = ""
    """Whose connection it is; empty where that is not known, or it is none."""

    causes: Mapping[Condition, str] = field(default_factory=dict)
    unread: str | None = None
    """Why it could not be read; nothing else is known of it then. None where it was."""

    awaited: str | None = None
    """Why its owner's consent is awaited; None where it is not."""

    awaited_since: float | None = None
    """Since when, as an apply has written down; seconds since the epoch."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is known of a subject."""

    told: frozenset[Condition] = frozenset()
    """The conditions that people were told of."""

    now: Mapping[Condition, str] = field(default_factory=dict)
    """The conditions that stand, and why."""

    word: str = ""
    account: str = ""
    unread_rounds: int = 0
    awaited_since: float | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """A transition to tell: a condition that began, or ended."""

    address: str
    condition: Condition
    began: bool
    cause: str
    word: str
    account: str


Memory = Mapping[str, Subject]
"""The subjects by address; a site's own is by its name."""


def after(
    memory: Memory, looks: Mapping[str, Look], now: float, limits: AlertLimits, kept: Iterable[str] = ()
) -> Memory:
    """The memory after a round that has seen `looks` at `now`, in seconds since the epoch.

    Subjects that were not looked at are forgotten, unless they are among `kept`.
    """
    left = {address: memory[address] for address in kept if address in memory}
    seen = {address: _after(memory.get(address, Subject()), look, now, limits) for address, look in looks.items()}
    return left | seen


def _after(before: Subject, look: Look, now: float, limits: AlertLimits) -> Subject:
    if look.unread is not None:
        # A look that sees nothing proves nothing: all else is as it was.
        rounds = before.unread_rounds + 1
        stands = dict(before.now)
        if rounds >= limits.unread_rounds:
            stands[Condition.UNREADABLE] = look.unread
        account = look.account or before.account
        return replace(before, now=stands, unread_rounds=rounds, account=account, word=look.word)
    stands = dict(look.causes)
    since = None
    if look.awaited is not None:
        known = [each for each in (before.awaited_since, look.awaited_since) if each is not None]
        since = min(known, default=now)
        # Once told it stands until it ends: a clock that is set back changes nothing.
        if now - since >= limits.consent_seconds or Condition.AWAITED in before.now:
            stands[Condition.AWAITED] = look.awaited
    return Subject(before.told, stands, look.word, look.account, 0, since)


def news(memory: Memory) -> Iterator[Event]:
    """What people are to be told."""
    for address, subject in memory.items():
        for condition in Condition:
            stands, told = condition in subject.now, condition in subject.told
            if stands != told:
                cause = subject.now.get(condition, "")
                yield Event(address, condition, stands, cause, subject.word, subject.account)


def after_telling(memory: Memory, events: Iterable[Event]) -> Memory:
    """The memory once people were told of the events; whoever was forgotten meanwhile stays so."""
    changed = dict(memory)
    for event in events:
        subject = changed.get(event.address)
        if subject is not None:
            one = {event.condition}
            told = subject.told | one if event.began else subject.told - one
            changed[event.address] = replace(subject, told=told)
    return changed
