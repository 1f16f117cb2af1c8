"""Reads a small file of YAML that sets the sandbox up, with errors that say where and what would be right.

Every text stands for itself, as YAML 1.2 has it: `on` is a key, `no` and `-5` are values of headers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import yaml

from reconciler.sandbox.errors import SandboxError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from enum import StrEnum
    from pathlib import Path
    from typing import ParamSpec

    _Choice = TypeVar("_Choice", bound=StrEnum)
    _Arguments = ParamSpec("_Arguments")

_Made = TypeVar("_Made")

MAX_FILE = 64 * 1024
_WHOLE = re.compile(r"[0-9]{1,18}")
_NUMBER = re.compile(r"[0-9]{1,18}(\.[0-9]{1,18})?")
_BOOLEANS = ("true", "false")
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
        return WrongError(f"{self.place or 'the file'} {what}")

    @property
    def given(self) -> bool:
        """Whether anything stands here."""
        return self.value is not None

    def fields(self, *names: str) -> dict[str, Node]:
        """The fields of a mapping that may have these.

        A key without anything behind it is an empty mapping.
        """
        value = {} if self.value == "" else self.value
        if not isinstance(value, dict):
            raise self.wrong("must be a mapping")
        at = f"{self.place}." if self.place else ""
        for name in value:
            if name not in names:
                raise WrongError(f"{at}{str(name)[:_SHOWN]} is an unknown key. Known keys: {', '.join(names)}")
        return {name: Node(f"{at}{name}", value.get(name)) for name in names}

    def texts(self) -> tuple[tuple[str, str], ...]:
        """The pairs of a mapping of texts."""
        value = {} if self.value in (None, "") else self.value
        if not isinstance(value, dict) or not all(isinstance(each, str) for pair in value.items() for each in pair):
            raise self.wrong("must be a mapping of strings")
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
            raise self.wrong("must be a string")
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

    def boolean(self, *, default: bool) -> bool:
        """Either true or false; `default` where nothing stands."""
        if self.given and self.value not in _BOOLEANS:
            raise self.wrong("must be true or false")
        return self.value == "true" if self.given else default

    def made(self, make: Callable[_Arguments, _Made], *args: _Arguments.args, **kwargs: _Arguments.kwargs) -> _Made:
        """What `make` makes of the arguments, with this place before the message of its `ValueError`."""
        try:
            return make(*args, **kwargs)
        except ValueError as error:
            raise WrongError(f"{self.place}: {error}") from error

    def _number(self, form: re.Pattern[str], what: str) -> str:
        if not (isinstance(self.value, str) and form.fullmatch(self.value)):
            raise self.wrong(f"must be {what}, and not negative")
        return self.value


def read_file(path: Path, what: str, shape: str, make: Callable[[Node], _Made]) -> _Made:
    """What `make` makes of the file at `path`, which holds `what` and looks like `shape`.

    Raises `SandboxError` that says what is wrong, where, and what would be right.
    """
    try:
        with path.open("rb") as file:
            text = file.read(MAX_FILE + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise SandboxError(f"{path}: can't be read ({reason}). Name a file of {what}.") from error
    if len(text) > MAX_FILE:
        raise SandboxError(f"{path}: larger than {MAX_FILE} bytes. {shape}")
    try:
        said = yaml.load(text, _Texts)  # noqa: S506 -- makes nothing but texts, lists and mappings
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        problem = " ".join(str(error).split()) or type(error).__name__
        raise SandboxError(f"{path}: is not YAML ({problem[:300]}). {shape}") from error
    try:
        if not isinstance(said, dict):
            raise Node("", said).wrong(f"must be a mapping. {shape}")
        return make(Node("", said))
    except WrongError as error:
        raise SandboxError(f"{path}: {error}") from error


class _Texts(yaml.BaseLoader):
    """YAML without types, in which a key stands once."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, object]:  # noqa: FBT001, FBT002 -- as yaml calls it
        made = super().construct_mapping(node, deep=deep)
        if len(made) < len(node.value):
            raise yaml.constructor.ConstructorError(None, None, "a key is there twice in one mapping", node.start_mark)
        return made
