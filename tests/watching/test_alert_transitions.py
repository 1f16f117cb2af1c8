"""Each transition is told once: a property over random states, restarts, failures and pauses."""

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.machine import Machine
from reconciler.watching.alert_memory import AlertMemory, decode, encode
from reconciler.watching.alert_state import (
    FORGIVEN,
    AlertLimits,
    Condition,
    Memory,
    Observation,
    Subject,
    Transition,
    after,
    after_telling,
    news,
)

ADDRESSES = ("harbor/a", "harbor/b", "harbor")
SEEN = (Condition.BROKEN, Condition.DRIFTED, Condition.STUCK, Condition.HELD_BACK)
NEVER = AlertLimits(unread_rounds=10**6)
HOUR = 3600.0


@dataclass(frozen=True)
class Step:
    """A round: what is seen at each address (None: nothing), in which words, and what comes after it."""

    seen: Mapping[str, frozenset[Condition] | None]
    words: str
    seconds: float
    delivers: bool
    restarts: bool


def steps(shortest: float, longest: float) -> st.SearchStrategy[list[Step]]:
    """Rounds that are so many seconds apart."""
    conditions = st.none() | st.frozensets(st.sampled_from(SEEN), max_size=2)
    step = st.builds(
        Step,
        st.fixed_dictionaries(dict.fromkeys(ADDRESSES, conditions)),
        st.sampled_from(["access was revoked", "request 7f3", "another text", ""]),
        st.floats(shortest, longest),
        st.booleans(),
        st.booleans(),
    )
    return st.lists(step, max_size=25)


class People:
    """Those who are told: what they know, by what they heard. They complain when they hear it twice."""

    def __init__(self) -> None:
        self.know: set[tuple[str, Condition]] = set()
        self.heard = 0

    def hear(self, events: list[Transition]) -> None:
        """A digest arrives."""
        for event in events:
            about = (event.address, event.condition)
            assert event.began != (about in self.know), f"heard twice: {event}"
            self.know ^= {about}
            self.heard += 1


class Story:
    """A watch, what is really so as far as could be seen, and those who are told."""

    def __init__(self, path: Path) -> None:
        self.people = People()
        self.memory: Memory = {}
        self.now = 1_900_000_000.0
        self.truth: dict[str, frozenset[Condition]] = dict.fromkeys(ADDRESSES, frozenset())
        self._file = Machine(path, "service").site("harbor").alerts

    def live(self, step: Step) -> None:
        """Live through a round, and what comes after it."""
        self.now += step.seconds
        observations = {}
        for address, seen in step.seen.items():
            if seen is None:
                observations[address] = Observation("not read", unread=step.words)
            else:
                observations[address] = Observation("word", causes=dict.fromkeys(seen, step.words))
                self.truth[address] = seen
        self.memory = after(self.memory, observations, self.now, NEVER)
        if step.delivers:
            self.deliver()
        self._file.write(encode(AlertMemory(self.memory)))
        if step.restarts:
            self.memory = decode(self._file.read()).subjects
            for address in ADDRESSES:
                if address not in self.memory:
                    self.truth[address] = frozenset()
                else:
                    # What nobody was told is seen again, once it can be.
                    self.truth[address] = frozenset(self.memory[address].told)

    def deliver(self) -> None:
        """Let what is news arrive."""
        events = list(news(self.memory, self.now))
        self.people.hear(events)
        self.memory = after_telling(self.memory, events, self.now)

    def real(self) -> set[tuple[str, Condition]]:
        """What people should know."""
        return {(address, condition) for address, found in self.truth.items() for condition in found}


@contextmanager
def story() -> Iterator[Story]:
    """A story that begins, with a folder for its state."""
    with tempfile.TemporaryDirectory() as folder:
        yield Story(Path(folder) / "state")


@given(steps(1.0, 2 * HOUR))
@settings(deadline=None, max_examples=60)
def test_nobody_hears_anything_twice_and_all_know_in_the_end(lived: list[Step]) -> None:
    """At any pace, for any failures and restarts; what changes often is caught up with once it is steady."""
    with story() as watched:
        for step in lived:
            watched.live(step)
        watched.now += FORGIVEN
        watched.deliver()
        assert watched.people.know == watched.real()
        heard = watched.people.heard
        watched.deliver()
        assert watched.people.heard == heard


@given(steps(FORGIVEN, 3 * FORGIVEN))
@settings(deadline=None, max_examples=60)
def test_what_changes_seldom_is_told_at_the_first_delivery(lived: list[Step]) -> None:
    """Nothing is held back then: after each delivery people know what is so, one event for each difference."""
    with story() as watched:
        for step in lived:
            known, heard = set(watched.people.know), watched.people.heard
            watched.live(step)
            if step.delivers and not step.restarts:
                assert watched.people.know == watched.real()
                assert watched.people.heard - heard == len(known ^ watched.real())


def told(memory: Memory, now: float) -> tuple[Memory, list[bool]]:
    """The memory after a delivery, and for each event whether something began."""
    events = list(news(memory, now))
    return after_telling(memory, events, now), [event.began for event in events]


def test_what_flaps_is_told_less_and_less_often() -> None:
    """Every five minutes for a day: a few words an hour at first, then every few hours; the last state is told."""
    memory: Memory = {}
    told_at: list[float] = []
    for number in range(12 * 24):
        now = 1e9 + number * 300
        causes = {Condition.BROKEN: "revoked"} if number % 2 else {}
        memory = after(memory, {"a/b": Observation("x", causes=causes)}, now, NEVER)
        memory, events = told(memory, now)
        told_at += [now] * len(events)
    assert 3 <= len(told_at) <= 12
    memory, events = told(memory, 1e9 + 48 * HOUR)
    assert len(events) <= 1
    assert (Condition.BROKEN in memory["a/b"].now) == (Condition.BROKEN in memory["a/b"].told)


def test_a_consent_is_told_after_its_days_since_it_was_written_down_or_seen() -> None:
    """The earlier of the two; and its end is told."""
    limits = AlertLimits(consent_seconds=3 * 24 * HOUR)
    waits = Observation("awaiting consent", awaited="not connected yet")
    memory = after({}, {"a/b": waits}, 0.0, limits)
    assert not list(news(memory, 0.0))
    memory = after(memory, {"a/b": waits}, limits.consent_seconds - 1, limits)
    assert not list(news(memory, limits.consent_seconds - 1))
    memory = after(memory, {"a/b": waits}, limits.consent_seconds, limits)
    memory, events = told(memory, limits.consent_seconds)
    assert events == [True]
    memory, events = told(after(memory, {"a/b": Observation("ok")}, 9e9, limits), 9e9)
    assert events == [False]
    known = Observation("awaiting consent", awaited="not connected yet", awaited_since=1.0)
    assert told(after({}, {"a/b": known}, 1.0 + limits.consent_seconds, limits), 9e9)[1] == [True]


def test_who_is_not_declared_any_more_is_forgotten_without_a_word() -> None:
    """And who was only not looked at is not."""
    observations = {name: Observation("in error", causes={Condition.BROKEN: "revoked"}) for name in ("a/b", "a/c")}
    memory, _ = told(after({}, observations, 0.0, NEVER), 0.0)
    memory = after(memory, {}, 300.0, NEVER, kept=["a/c"])
    assert memory.keys() == {"a/c"}
    assert told(memory, 300.0)[1] == []


def test_a_memory_is_what_it_was_after_it_was_written() -> None:
    """But for what a round sees itself."""
    observations = {
        "a/b": Observation("in error", causes={Condition.BROKEN: "revoked"}),
        "a/c": Observation("?", unread="timeout"),
    }
    memory, _ = told(after({}, observations, 10.0, NEVER), 10.0)
    read = decode(json.loads(json.dumps(encode(AlertMemory(memory))))).subjects
    assert read["a/b"].told == {Condition.BROKEN}
    assert read["a/b"].tellings == memory["a/b"].tellings
    assert read["a/c"] == Subject(unread_rounds=1)
