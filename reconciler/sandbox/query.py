"""Reads a query string: repeated arrays, dotted objects, `true` and `false`.

As with `reconciler.sandbox.request_body`, faults are collected and `check` refuses the request with all of them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from reconciler.sandbox.contract import instant, is_guid
from reconciler.sandbox.errors import RefusedError, ViolatedRule, Violation, invalid

if TYPE_CHECKING:
    from collections.abc import Collection

MAX_PARAMETERS = 1000
_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,18}")


class Query:
    """The parameters of one request.

    Unknown ones are ignored, of one that is given twice the last counts.

    Blank text counts as left out. A blank number, GUID or word is at fault: that a filter is ignored would be worse.
    """

    def __init__(self, text: str) -> None:
        try:
            self._values = parse_qs(text, keep_blank_values=True, max_num_fields=MAX_PARAMETERS)
        except ValueError as error:
            raise RefusedError(400, f"The query can't be read, or has more than {MAX_PARAMETERS} parameters") from error
        self._violations: list[Violation] = []

    def check(self) -> None:
        """Refuse the request (400) where anything that was read is at fault."""
        if self._violations:
            raise invalid(*self._violations)

    def reject(self, name: str, description: str, rule: ViolatedRule) -> None:
        """Say that the parameter `name` is at fault."""
        self._violations.append(Violation(name, description, rule))

    def text(self, name: str) -> str | None:
        """A parameter as it stands; None where it is left out or blank."""
        return self._last(name) or None

    def boolean(self, name: str) -> bool | None:
        """`true` or `false`; None where it is left out."""
        value = self._last(name)
        if value is None or value in {"true", "false"}:
            return None if value is None else value == "true"
        self.reject(name, "must be true or false", ViolatedRule.FORMAT)
        return None

    def integer(self, name: str, *, default: int, maximum: int) -> int:
        """A whole number from 1 to `maximum`; `default` where it is left out."""
        value = self._last(name)
        if value is None:
            return default
        if not _WHOLE_NUMBER.fullmatch(value):
            self.reject(name, "must be a whole number", ViolatedRule.FORMAT)
        elif int(value) < 1:
            self.reject(name, "must be at least 1", ViolatedRule.MIN)
        elif int(value) > maximum:
            self.reject(name, f"must be at most {maximum}", ViolatedRule.MAX)
        else:
            return int(value)
        return default

    def instant(self, name: str) -> float:
        """A required RFC 3339 time, as seconds since the epoch."""
        value = self.text(name)
        if value is None:
            self.reject(name, "must be given, unless cursorPaging.cursor is", ViolatedRule.REQUIRED_FIELD)
            return 0.0
        seconds = instant(value)
        if seconds is None:
            self.reject(name, "must be a time as RFC 3339 writes it", ViolatedRule.FORMAT)
            return 0.0
        return seconds

    def guids(self, name: str, *, max_size: int | None = None) -> tuple[str, ...]:
        """The GUIDs of a repeated parameter, in lower case."""
        values = self._values.get(name, [])
        if max_size is not None and len(values) > max_size:
            self.reject(name, f"must have at most {max_size} items", ViolatedRule.MAX_SIZE)
        for index, value in enumerate(values):
            if not is_guid(value):
                self.reject(f"{name}[{index}]", "must be a GUID", ViolatedRule.FORMAT)
        return tuple(value.lower() for value in values)

    def choices(self, name: str, allowed: Collection[str]) -> tuple[str, ...]:
        """The values of a repeated parameter, each one of `allowed`."""
        values = tuple(self._values.get(name, ()))
        for index, value in enumerate(values):
            if value not in allowed:
                self.reject(f"{name}[{index}]", f"must be one of {', '.join(allowed)}", ViolatedRule.INVALID_ENUM_VALUE)
        return values

    def _last(self, name: str) -> str | None:
        values = self._values.get(name)
        return None if values is None else values[-1]
