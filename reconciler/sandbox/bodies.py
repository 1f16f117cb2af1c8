"""Reads request bodies within bounds."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from reconciler.sandbox.refusal import RefusedError, Rule, Violation, invalid

if TYPE_CHECKING:
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
    """The object that a JSON body holds, whatever its content type; an empty body holds an empty one.

    A refusal (400) where it is not JSON (RFC 8259), not an object, too deep, or holds text that isn't Unicode.
    """
    if not body.strip():
        return {}
    try:
        content = json.loads(body, parse_constant=_no_constant)
        json.dumps(content, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise invalid(Violation("body", "must be JSON", Rule.FORMAT)) from None
    if not isinstance(content, dict):
        raise invalid(Violation("body", "must be a JSON object", Rule.FORMAT))
    return content


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
