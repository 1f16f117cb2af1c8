"""Reads the body of a request: within bounds, as JSON, and field by field.

A field reader answers a stand-in where a field is at fault; `Fields.check` then refuses the request with all faults at
once, so call it before using what was read. Null counts as missing, and unknown fields are ignored.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from reconciler.sandbox.contract import is_guid, web_origin
from reconciler.sandbox.errors import RefusedError, ViolatedRule, Violation, invalid

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from starlette.requests import Request


MAX_BODY = 256 * 1024
BODY_SECONDS = 30.0


async def bounded_body(request: Request) -> bytes:
    """The whole body.

    A refusal as soon as it is known to be longer than `MAX_BODY` bytes (413), or to take longer than `BODY_SECONDS`
    (408).
    """
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_BODY:
                    raise RefusedError(413, f"The body is longer than {MAX_BODY} bytes")
    except TimeoutError:
        raise RefusedError(408, f"The body didn't come within {BODY_SECONDS:g} seconds") from None
    return bytes(body)


def json_object(body: bytes) -> dict[str, object]:
    """The object that a JSON body holds, whatever its content type.

    An empty body holds an empty one.

    A refusal (400) where it is not JSON (RFC 8259), not an object, too deep, or holds text that isn't Unicode.
    """
    if not body.strip():
        return {}
    try:
        content = json.loads(body, parse_constant=_no_constant)
        json.dumps(content, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise invalid(Violation("body", "must be JSON", ViolatedRule.FORMAT)) from None
    if not isinstance(content, dict):
        raise invalid(Violation("body", "must be a JSON object", ViolatedRule.FORMAT))
    return content


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


MAX_TEXT = 2048


class Fields:
    """The fields of one JSON object.

    `path` is where it stands in the body, `""` for the body itself.
    """

    def __init__(self, source: Mapping[str, object], path: str = "", violations: list[Violation] | None = None) -> None:
        self._source = source
        self._path = path
        self._violations: list[Violation] = [] if violations is None else violations

    def check(self) -> None:
        """Refuse the request (400) where anything that was read is at fault."""
        if self._violations:
            raise invalid(*self._violations)

    def reject(self, name: str, description: str, rule: ViolatedRule = ViolatedRule.OTHER) -> None:
        """Say that the field `name` is at fault."""
        self._violations.append(Violation(self._at(name), description, rule))

    def has(self, name: str) -> bool:
        """Whether the field is there and not null."""
        return self._source.get(name) is not None

    def names(self) -> tuple[str, ...]:
        """The names of all fields, also of those that are null."""
        return tuple(self._source)

    def others(self, known: Collection[str]) -> dict[str, object]:
        """The fields beside those that are `known`, as they stand."""
        return {name: value for name, value in self._source.items() if name not in known and value is not None}

    def text(self, name: str, *, max_length: int = MAX_TEXT) -> str:
        """A required string that isn't empty."""
        value = self._required(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            self.reject(name, "must be a string", ViolatedRule.FORMAT)
        elif not value:
            self.reject(name, "must not be empty", ViolatedRule.REQUIRED_FIELD)
        elif len(value) > max_length:
            self.reject(name, f"must have at most {max_length} characters", ViolatedRule.MAX_LENGTH)
        else:
            return value
        return ""

    def optional_text(self, name: str, *, max_length: int = MAX_TEXT) -> str | None:
        """A string that may be left out."""
        return self.text(name, max_length=max_length) if self.has(name) else None

    def guid(self, name: str) -> str:
        """A required GUID, in lower case."""
        value = self.text(name)
        if value and not is_guid(value):
            self.reject(name, "must be a GUID", ViolatedRule.FORMAT)
        return value.lower()

    def web_url(self, name: str) -> str:
        """A required http(s) URL."""
        value = self.text(name)
        if value and web_origin(value) is None:
            self.reject(name, "must be an http or https URL", ViolatedRule.FORMAT)
        return value

    def boolean(self, name: str) -> bool | None:
        """A boolean that may be left out."""
        value = self._source.get(name)
        if value is None or isinstance(value, bool):
            return value
        self.reject(name, "must be a boolean", ViolatedRule.FORMAT)
        return None

    def integer(self, name: str, *, default: int, maximum: int) -> int:
        """A whole number from 1 to `maximum`; `default` where it is left out."""
        value = self._source.get(name)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int):
            self.reject(name, "must be a whole number", ViolatedRule.FORMAT)
        elif value < 1:
            self.reject(name, "must be at least 1", ViolatedRule.MIN)
        elif value > maximum:
            self.reject(name, f"must be at most {maximum}", ViolatedRule.MAX)
        else:
            return value
        return default

    def child(self, name: str) -> Fields | None:
        """A nested object that may be left out."""
        value = self._source.get(name)
        if isinstance(value, dict):
            return Fields(value, self._at(name), self._violations)
        if value is not None:
            self.reject(name, "must be an object", ViolatedRule.FORMAT)
        return None

    def required_child(self, name: str) -> Fields:
        """A nested object that must be there."""
        self._required(name)
        return self.child(name) or Fields({}, self._at(name), [])

    def children(self, name: str) -> tuple[Fields, ...]:
        """A list of objects; empty where it is left out."""
        objects = []
        for index, value in enumerate(self._list(name)):
            if isinstance(value, dict):
                objects.append(Fields(value, f"{self._at(name)}[{index}]", self._violations))
            else:
                self.reject(f"{name}[{index}]", "must be an object", ViolatedRule.FORMAT)
        return tuple(objects)

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of strings; empty where it is left out."""
        texts = []
        for index, value in enumerate(self._list(name)):
            if isinstance(value, str):
                texts.append(value)
            else:
                self.reject(f"{name}[{index}]", "must be a string", ViolatedRule.FORMAT)
        return tuple(texts)

    def _list(self, name: str) -> Sequence[object]:
        value = self._source.get(name)
        if isinstance(value, list):
            return value
        if value is not None:
            self.reject(name, "must be a list", ViolatedRule.FORMAT)
        return ()

    def _required(self, name: str) -> object:
        value = self._source.get(name)
        if value is None:
            self.reject(name, "must not be empty", ViolatedRule.REQUIRED_FIELD)
        return value

    def _at(self, name: str) -> str:
        return f"{self._path}.{name}" if self._path else name
