"""A place in a file of faults, and what stands there: texts, lists and mappings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from enum import StrEnum
    from typing import ParamSpec

    _Choice = TypeVar("_Choice", bound=StrEnum)
    _Made = TypeVar("_Made")
    _Arguments = ParamSpec("_Arguments")

_WHOLE = re.compile(r"[0-9]{1,18}")
_NUMBER = re.compile(r"[0-9]{1,18}(\.[0-9]{1,18})?")
_SHOWN = 60


class WrongError(Exception):
    """Something in the file can't be; the message says where, and what would be right."""


@dataclass(frozen=True, slots=True)
class Node:
    """What stands at `place`, say `faults[0].answer`; the value None means that nothing does."""

    place: str
    value: object

    def wrong(self, what: str) -> WrongError:
        """That something else must stand here."""
        return WrongError(f"{self.place or 'the whole file'} {what}")

    @property
    def given(self) -> bool:
        """Whether anything stands here."""
        return self.value is not None

    def fields(self, *names: str) -> dict[str, Node]:
        """The fields of a mapping that may have these; a key without anything behind it is an empty mapping."""
        value = {} if self.value == "" else self.value
        if not isinstance(value, dict):
            raise self.wrong("must be a mapping")
        at = f"{self.place}." if self.place else ""
        for name in value:
            if name not in names:
                raise WrongError(f"{at}{str(name)[:_SHOWN]} is unknown, there is only {', '.join(names)}")
        return {name: Node(f"{at}{name}", value.get(name)) for name in names}

    def texts(self) -> tuple[tuple[str, str], ...]:
        """The pairs of a mapping of texts."""
        value = {} if self.value in (None, "") else self.value
        if not isinstance(value, dict) or not all(isinstance(each, str) for pair in value.items() for each in pair):
            raise self.wrong("must be a mapping of texts")
        return tuple(value.items())

    def items(self, right: str) -> tuple[Node, ...]:
        """The items of a list that isn't empty."""
        if not isinstance(self.value, list) or not self.value:
            raise self.wrong(right)
        return tuple(Node(f"{self.place}[{index}]", value) for index, value in enumerate(self.value))

    def text(self, default: str) -> str:
        """A text; `default` where nothing stands."""
        if self.value is None:
            return default
        if not isinstance(self.value, str):
            raise self.wrong("must be a text")
        return self.value

    def whole(self, default: int | None = None) -> int:
        """A whole number that isn't negative; required where there is no default."""
        return default if default is not None and not self.given else int(self._number(_WHOLE, "a whole number"))

    def number(self, default: float | None = None) -> float:
        """A number that isn't negative, whole or decimal; required where there is no default."""
        return default if default is not None and not self.given else float(self._number(_NUMBER, "a number"))

    def choice(self, choices: type[_Choice], right: str, default: _Choice | None = None) -> _Choice:
        """One of the words of an enumeration."""
        if default is not None and not self.given:
            return default
        for choice in choices:
            if choice.value == self.value:
                return choice
        raise self.wrong(right)

    def made(self, make: Callable[_Arguments, _Made], *args: _Arguments.args, **kwargs: _Arguments.kwargs) -> _Made:
        """What `make` makes of the arguments, its `ValueError` told as of this place."""
        try:
            return make(*args, **kwargs)
        except ValueError as error:
            raise WrongError(f"{self.place}: {error}") from error

    def _number(self, form: re.Pattern[str], what: str) -> str:
        if not (isinstance(self.value, str) and form.fullmatch(self.value)):
            raise self.wrong(f"must be {what}, and not negative")
        return self.value
