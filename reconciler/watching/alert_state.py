"""Decides what there is to alert about: purely, from what was told before and what a round has seen.

A *condition* is what somebody should know of a *subject*: a connection, a site, or the watch itself. A memory holds for
each subject the conditions that stand now and those that people were told of. What differs between the two is news,
so that a transition is told once, however often it is seen, and what came and went untold is nobody's business. What
changes often is told less and less often.
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
class Observation:
    """What one round has seen of a subject; `causes` has each condition that one observation can tell, and why."""

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


FORGIVEN = 6 * 3600.0
"""Seconds after which what changed often is taken for steady; nothing is held back for longer."""

_FREE = 3
_QUIET = 3600.0


@dataclass(frozen=True, slots=True)
class Telling:
    """When a condition's beginning or end was told last, in seconds since the epoch, and how many times in a row."""

    at: float
    times: int

    def holds_back(self, now: float) -> bool:
        """Whether it has changed too often to be told again already; a clock that was set back holds nothing back."""
        quiet = min(FORGIVEN, _QUIET * 2 ** min(self.times - _FREE, 8)) if self.times >= _FREE else 0.0
        return 0 <= now - self.at < quiet


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
    tellings: Mapping[Condition, Telling] = field(default_factory=dict)
    """Of the conditions that were told lately."""


@dataclass(frozen=True, slots=True)
class Transition:
    """A transition to tell: a condition that began, or ended."""

    address: str
    condition: Condition
    began: bool
    cause: str
    word: str
    account: str
    often: bool = False
    """Whether it changes so often that its next change is held back."""


Memory = Mapping[str, Subject]
"""The subjects by address; a site's own is by its name."""


def after(
    memory: Memory, observations: Mapping[str, Observation], now: float, limits: AlertLimits, kept: Iterable[str] = ()
) -> Memory:
    """The memory after a round that has seen `observations` at `now`, in seconds since the epoch.

    Subjects that were not looked at are forgotten, unless they are among `kept`.
    """
    left = {address: memory[address] for address in kept if address in memory}
    seen = {
        address: _after(memory.get(address, Subject()), observation, now, limits)
        for address, observation in observations.items()
    }
    return left | seen


def _after(before: Subject, observation: Observation, now: float, limits: AlertLimits) -> Subject:
    if observation.unread is not None:
        # An observation that sees nothing proves nothing: all else is as it was.
        rounds = before.unread_rounds + 1
        stands = dict(before.now)
        if rounds >= limits.unread_rounds:
            stands[Condition.UNREADABLE] = observation.unread
        account = observation.account or before.account
        return replace(before, now=stands, unread_rounds=rounds, account=account, word=observation.word)
    stands = dict(observation.causes)
    since = None
    if observation.awaited is not None:
        known = [each for each in (before.awaited_since, observation.awaited_since) if each is not None]
        since = min(known, default=now)
        # Once told it stands until it ends: a clock that is set back changes nothing.
        if now - since >= limits.consent_seconds or Condition.AWAITED in before.now:
            stands[Condition.AWAITED] = observation.awaited
    tellings = {each: told for each, told in before.tellings.items() if 0 <= now - told.at < FORGIVEN}
    return Subject(before.told, stands, observation.word, observation.account, 0, since, tellings)


def news(memory: Memory, now: float) -> Iterator[Transition]:
    """What people are to be told at `now`, in seconds since the epoch."""
    for address, subject in memory.items():
        for condition in Condition:
            stands, told = condition in subject.now, condition in subject.told
            last = subject.tellings.get(condition)
            if stands != told and not (last and last.holds_back(now)):
                cause, often = subject.now.get(condition, ""), _told(last, now).holds_back(now)
                yield Transition(address, condition, stands, cause, subject.word, subject.account, often)


def _told(last: Telling | None, now: float) -> Telling:
    """The telling at `now`, after the last one."""
    lately = last is not None and 0 <= now - last.at < FORGIVEN
    return Telling(now, last.times + 1 if lately and last else 1)


def after_telling(memory: Memory, events: Iterable[Transition], now: float) -> Memory:
    """The memory once people were told of the events, at `now`; whoever was forgotten meanwhile stays so."""
    changed = dict(memory)
    for event in events:
        subject = changed.get(event.address)
        if subject is not None:
            one = {event.condition}
            told = subject.told | one if event.began else subject.told - one
            telling = _told(subject.tellings.get(event.condition), now)
            changed[event.address] = replace(
                subject, told=told, tellings={**subject.tellings, event.condition: telling}
            )
    return changed
