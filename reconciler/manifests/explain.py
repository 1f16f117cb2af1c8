"""Explains what jsonschema found: one fault for each thing that is wrong, at its field.

The schemas avoid `anyOf` and `oneOf`, so that each error stands for itself; their `patternErrorMessage` and
`errorMessage` say in words, here and in editors, what would be right. Values are repeated only where a word was
expected: any other may be a secret.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias, cast

from reconciler.manifests.faults import shown
from reconciler.manifests.values import GUID, PathStep, Place, Value, YamlMapping, YamlSequence, locate
from reconciler.text import did_you_mean

Explanation: TypeAlias = tuple[str, Place, str, str]
"""Where (the dotted path), its place, the message, and a hint or nothing."""

_Path: TypeAlias = tuple[PathStep, ...]
_Sentence: TypeAlias = tuple[str, str]

SECRET = "a secret must not be written in a manifest"  # noqa: S105 - a message
SECRET_HINT = "name an environment variable, {env: EXTCAL_…}, or a file, {file: …}"  # noqa: S105 - a message
_SECRET_NAME = re.compile(r"pass(word|wd|phrase)?$|secret|token|api[-_]?key|credential|private[-_]?key", re.IGNORECASE)
_HOLDERS = {("auth",), ("credentials",)}
_PLAIN = re.compile(r"[^\W\d_][\w .@-]{0,60}[\w.]")
_NO_EXPORT_CALENDAR = (
    "the API has no field to name a calendar to export to: write primaryCalendar: {} or dedicatedCalendar: {}, or "
    "choose it in the site's dashboard and leave syncToCalendar out"
)
_TYPES = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "boolean": "true or false",
}
_TRUE_WORDS = frozenset({"yes", "on", "y", "true"})
_FALSE_WORDS = frozenset({"no", "off", "n", "false"})


@dataclass(frozen=True, slots=True)
class Problem:
    """One error of jsonschema: the keyword of `schema` that the value at `path` does not meet, and what it asks."""

    path: tuple[PathStep, ...]
    keyword: str
    asked: object
    value: Value
    schema: Mapping[str, object]

    @property
    def words(self) -> str:
        """The schema's pattern in words."""
        return str(self.schema.get("patternErrorMessage", ""))

    @property
    def known(self) -> Mapping[str, Mapping[str, object]]:
        """The schemas of the fields that may stand here."""
        return cast("Mapping[str, Mapping[str, object]]", self.schema.get("properties", {}))

    @property
    def secret(self) -> bool:
        """Whether a reference to a secret belongs here."""
        return self.schema.get("title") == "Secret reference"


def explain(document: YamlMapping, problems: Iterable[Problem]) -> Iterator[Explanation]:
    """The explanations of all errors of one document."""
    by_path: defaultdict[_Path, dict[str, Problem]] = defaultdict(dict)
    for problem in problems:
        by_path[problem.path].setdefault(problem.keyword, problem)
    for found in by_path.values():
        yield from _explain_at(document, found)


def is_secret_name(name: str) -> bool:
    """Whether what is called so is probably a secret."""
    return _SECRET_NAME.search(name) is not None


def dotted(path: _Path) -> str:
    """A path as messages show it: `spec.calendars[0].id`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            name = step if re.fullmatch(r"[\w-]{1,80}", step) else shown(step)
            text += f".{name}" if text else name
    return text


def _explain_at(document: YamlMapping, found: dict[str, Problem]) -> Iterator[Explanation]:
    if "additionalProperties" in found:
        # A misspelt field also makes a count wrong; one fault is enough.
        found.pop("minProperties", None)
        found.pop("maxProperties", None)
    for problem in found.values():
        if problem.keyword == "additionalProperties":
            yield from _unknown(document, problem)
        elif problem.keyword == "required":
            yield from _missing(document, problem)
        else:
            message, hint = _SENTENCES[problem.keyword](problem)
            yield dotted(problem.path), locate(document, problem.path), message, hint


def _unknown(document: YamlMapping, problem: Problem) -> Iterator[Explanation]:
    known, path = problem.known, problem.path
    for name in cast("YamlMapping", problem.value).keys() - known.keys():
        place = locate(document, (*path, name), key=True)
        if problem.secret:
            # What stands here may be the secret itself.
            yield dotted(path), place, "unknown field in a secret reference", SECRET_HINT
            continue
        message = f"unknown field {shown(name)}"
        hint = _NO_EXPORT_CALENDAR if _names_export_calendar(path, name) else did_you_mean(name, known)
        if not hint and is_secret_name(name):
            message, hint = f"{SECRET}: {message}", f"{SECRET_HINT}, in auth or credentials"
        elif not hint:
            hint = _belongs(name, known) or (
                f"allowed: {', '.join(known)}" if known else "it takes no fields: write {}"
            )
        yield dotted((*path, name)), place, message, hint


def _belongs(name: str, known: Mapping[str, Mapping[str, object]]) -> str:
    """Where a field that is indented too little belongs, if there is one such place."""
    around = [
        field for field, schema in known.items() if name in cast("Mapping[str, object]", schema.get("properties", {}))
    ]
    return f"it belongs in {around[0]}: indent it" if len(around) == 1 else ""


def _names_export_calendar(path: _Path, name: str) -> bool:
    return path[-1:] == ("syncToCalendar",) and name.casefold().startswith(("calendar", "specific"))


def _missing(document: YamlMapping, problem: Problem) -> Iterator[Explanation]:
    for name in cast("list[str]", problem.asked):
        if name not in cast("YamlMapping", problem.value):
            hint = str(problem.known[name].get("description", "")).rstrip(".")
            yield dotted(problem.path), locate(document, problem.path, key=True), f"missing field '{name}'", hint


def _type(problem: Problem) -> _Sentence:
    value = problem.value
    if problem.secret:
        return ("a reference to a secret is missing" if value is None else SECRET), SECRET_HINT
    if isinstance(value, str) and problem.path[-1:] in _HOLDERS:
        return SECRET, f"{SECRET_HINT}, in its fields"
    wanted = [problem.asked] if isinstance(problem.asked, str) else cast("list[str]", problem.asked)
    message = f"must be {' or '.join(_TYPES[name] for name in wanted)}{_but(value)}"
    return message, _type_hint(problem, wanted)


def _type_hint(problem: Problem, wanted: list[str]) -> str:
    value = problem.value
    if "string" in wanted and isinstance(value, bool | int | float):
        fits = re.search(str(problem.schema.get("pattern", "")), str(value))
        return "quote it" if fits else problem.words
    if "boolean" in wanted and isinstance(value, str):
        word = value.casefold()
        return "write true" if word in _TRUE_WORDS else "write false" if word in _FALSE_WORDS else ""
    if "object" in wanted and value is None and not problem.known:
        return "write {}"
    if "object" in wanted and isinstance(value, str):
        # A name, or an id, where a mapping is due that may hold one: `schedule: Dr. Lee`.
        by_id = GUID.fullmatch(value)
        plain = by_id or (_PLAIN.fullmatch(value) and value.casefold() not in _TRUE_WORDS | _FALSE_WORDS)
        field, text = "id" if by_id else "name", value if plain else shown(value)
        return f"write {{{field}: {text}}}" if field in problem.known else ""
    return ""


def _but(value: Value) -> str:
    """What stands there instead, as the end of a sentence."""
    return ", but is empty" if value is None else f", not {_named(value)}"


def _named(value: Value) -> str:
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, YamlMapping):
        return "a mapping"
    return "a list" if isinstance(value, YamlSequence) else "text"


def _enum(problem: Problem) -> _Sentence:
    words = cast("list[str]", problem.asked)
    listed = str(problem.schema.get("errorMessage", f"allowed: {', '.join(words)}"))
    if not isinstance(problem.value, str):
        return f"must be text{_but(problem.value)}", listed
    return f"unknown value {shown(problem.value)}", did_you_mean(problem.value, words) or listed


def _const(problem: Problem) -> _Sentence:
    name, value = dotted(problem.path), problem.value
    hint = f"write {name}: {problem.asked}"
    return (f"unknown {name} {shown(value)}" if isinstance(value, str) else f"must be text{_but(value)}"), hint


def _matches(problem: Problem) -> _Sentence:
    return problem.words, ""


def _longest(problem: Problem) -> _Sentence:
    return f"must have at most {problem.asked:,} characters", ""


def _too_many(problem: Problem) -> _Sentence:
    return f"must have at most {problem.asked:,} items", ""


def _too_few(_problem: Problem) -> _Sentence:
    return "must have at least one item", "remove the field to leave it unmanaged"


def _choose(problem: Problem) -> _Sentence:
    exactly = "exactly" if problem.schema.get("maxProperties") == 1 else "at least"
    return f"must have {exactly} one of {', '.join(problem.known)}", ""


def _exclusive(problem: Problem) -> _Sentence:
    first, second = cast("dict[str, list[str]]", problem.asked)["required"]
    return f"'{first}' and '{second}' exclude each other", "keep one of them"


def _twice(_problem: Problem) -> _Sentence:
    return "listed twice", "remove one"


_SENTENCES: dict[str, Callable[[Problem], _Sentence]] = {
    "type": _type,
    "enum": _enum,
    "const": _const,
    "pattern": _matches,
    "maxLength": _longest,
    "maxItems": _too_many,
    "minItems": _too_few,
    "minProperties": _choose,
    "maxProperties": _choose,
    "not": _exclusive,
    "uniqueItems": _twice,
}
