"""Converts entries that are a line each by what one of their outline was converted to.

The figures of sets in `make bench` need it, with `entry_lines`. `tests/manifests/test_entry_lines.py` holds that
members, places and faults are those of the slow way, `connection_sets`.

Steps: the first line of an outline goes the slow way. If that gave a member, and each word of the line is one of its
fields, the next lines with the same words but for names, accounts and schedules are the same member with those put in
their places; a word that the schema does not take, as all that has a fault, goes the slow way.
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import NamedTuple, TypeAlias

from reconciler.manifests.convert import ConnectionDocument, SetMember, schedule_ref
from reconciler.manifests.declarations import Declaration, Name
from reconciler.manifests.entry_lines import EntryLine, EntryLines
from reconciler.manifests.schema import ENTRY, definition
from reconciler.manifests.values import YamlMapping
from reconciler.manifests.yaml_reader import is_text
from reconciler.model.account import Account
from reconciler.model.desired import ScheduleKey, ScheduleRef
from reconciler.model.source import Source, SourceMap

Converted: TypeAlias = tuple[Declaration, ConnectionDocument | None]
"""What an entry declares, and the member that it is, if it is valid."""

Slowly: TypeAlias = Callable[[YamlMapping, int], Converted]

_SCHEDULE = tuple((key, f"schedule.{key}") for key in ScheduleKey)
_VARYING = frozenset({"name", "account", *(path for _, path in _SCHEDULE)})
_LONGEST = 4_096


class _Place(NamedTuple):
    """A field of the entry: its column in a line whose words are empty, and how many words come before it."""

    path: str
    column: int
    words: int


@dataclass(frozen=True, slots=True)
class _Pattern:
    """The member that an entry is, and where the words of other lines go: fields that vary, by the index of a word."""

    member: ConnectionDocument
    declared: Declaration
    entry: int
    """Which entry it is."""

    name: int | None
    account: int | None
    schedule: tuple[tuple[ScheduleKey, int], ...]
    rules: tuple[tuple[int, "_Rule"], ...]
    """What each of them must keep."""

    places: tuple[_Place, ...]
    names: tuple[_Place, ...]
    """Where the name is, the site and the policy, as far as the entry has them."""


class LineConverter:
    """Converts the entries of one set."""

    def __init__(self, given: EntryLines, slowly: Slowly) -> None:
        """`slowly` converts an entry by its index."""
        self._given = given
        self._slowly = slowly
        self._fixed: dict[str, tuple[int, ...]] = {}
        self._patterns: dict[tuple[str, ...], _Pattern | None] = {}

    def convert(self, index: int) -> Converted:
        """What the entry with this index declares."""
        line = self._given.lines[index]
        fixed = self._fixed.get(line.outline)
        if fixed is None:
            return self._learnt(line, index)
        key = (line.outline, *[line.words[each] for each in fixed])
        if key not in self._patterns:
            return self._learnt(line, index)
        pattern = self._patterns[key]
        if pattern is None or not _are_valid(pattern, line.words):
            return self._slowly(self._given.entry(index), index)
        return self._filled(pattern, line.words, index)

    def _learnt(self, line: EntryLine, index: int) -> Converted:
        """What an entry declares that is the first of its pattern, which is kept."""
        entry = self._given.entry(index)
        declared, member = converted = self._slowly(entry, index)
        columns = line.columns(self._given.first.column)
        paths = _paths(entry, columns)
        if member is None or len(paths) < len(line.words):
            self._fixed[line.outline] = ()
            self._patterns[line.outline,] = None
            return converted
        fixed = tuple(each for each, path in paths.items() if path not in _VARYING)
        self._fixed[line.outline] = fixed
        varying = {path: each for each, path in paths.items() if path in _VARYING}
        named = (("name", declared.name), ("site", declared.site), ("policy", declared.policy))
        starts, lengths = sorted(columns), [0, *accumulate(map(len, line.words))]

        def placed(path: str, column: int) -> _Place:
            before = bisect_left(starts, column - 1)
            return _Place(path, column - lengths[before], before)

        self._patterns[line.outline, *[line.words[each] for each in fixed]] = _Pattern(
            member,
            declared,
            index,
            varying.get("name"),
            varying.get("account"),
            tuple((key, varying[path]) for key, path in _SCHEDULE if path in varying),
            tuple((each, _rule(path)) for path, each in varying.items()),
            tuple(placed(path, column) for path, _, column in member.sources.own),
            tuple(placed(path, name.column) for path, name in named if name is not None),
        )
        return converted

    def _filled(self, pattern: _Pattern, words: list[str], index: int) -> Converted:
        known, first = pattern.member, pattern.declared
        lengths = [0, *accumulate(map(len, words))]
        root = Source(known.root.file, known.root.line + index - pattern.entry, known.root.column)
        within = f"spec.connections[{index}]"
        name = known.name if pattern.name is None else words[pattern.name]
        # The site and the policy, where they are named, are the same words, which have moved.
        at = [column + lengths[before] for _, column, before in pattern.names]
        site = first.site and first.site._replace(column=at[1])
        policy = first.policy and first.policy._replace(column=at[-1])
        declared = Declaration(
            "Connection",
            root,
            Name(name, 0, at[0]),
            site,
            policy,
            needs_site=False,
            shared_site=first.shared_site,
            named=f"{within}.name",
            within=within,
        )
        places = tuple([(path, 0, column + lengths[before]) for path, column, before in pattern.places])
        member = ConnectionDocument(
            name,
            known.site,
            _schedule(pattern, words),
            known.provider,
            known.account if pattern.account is None else Account(words[pattern.account]),
            known.password,
            known.state,
            known.policy,
            known.sync,
            known.lifecycle,
            SourceMap(root, places, known.sources.inherited, within),
            known.member and SetMember(known.member.set_name, known.member.set_root, index),
        )
        return declared, member


def _schedule(pattern: _Pattern, words: list[str]) -> ScheduleRef:
    if not pattern.schedule:
        return pattern.member.schedule
    if len(pattern.schedule) == 1 and pattern.member.schedule.label is None:
        ((key, index),) = pattern.schedule
        return ScheduleRef(key, words[index].lower() if key is ScheduleKey.ID else words[index])
    return schedule_ref({key.value: words[index] for key, index in pattern.schedule})


def _paths(entry: YamlMapping, columns: Mapping[int, int], around: str = "") -> dict[int, str]:
    """Which field each word is, by the word's index; a word that is no field's value has none."""
    found: dict[int, str] = {}
    for (name, value), (_, mark) in zip(entry.items(), entry.marks, strict=True):
        path = f"{around}.{name}" if around else name
        if isinstance(value, YamlMapping):
            found |= _paths(value, columns, path)
        elif isinstance(value, str) and mark.column in columns:
            found[columns[mark.column]] = path
    return found


def _are_valid(pattern: _Pattern, words: list[str]) -> bool:
    """Whether the words are text that the schema takes."""
    for index, (fits, longest, may_be_number) in pattern.rules:
        word = words[index]
        if len(word) > longest or not fits(word) or (may_be_number and not is_text(word)):
            return False
    return True


class _Rule(NamedTuple):
    """What the schema of an entry asks of a field that varies."""

    fits: Callable[[str], object]
    longest: int
    may_be_number: bool
    """Whether what fits may be no text, unless it is quoted: an id has dashes, and an account an @."""


@cache
def _rule(path: str) -> _Rule:
    said = definition(ENTRY, path)
    longest = int(str(said.get("maxLength", _LONGEST)))
    return _Rule(re.compile(str(said["pattern"])).search, longest, path not in {"account", "schedule.id"})
