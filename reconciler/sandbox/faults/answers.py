"""The answers that faults give in the place of the sandbox's own."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.responses import Response

from reconciler.sandbox.faults.model import Answer, Body
from reconciler.sandbox.refusal import RefusedError

if TYPE_CHECKING:
    from reconciler.sandbox.faults.model import Rate

_JSON = "application/json"


def played(answer: Answer) -> Response:
    """The answer as it goes out."""
    content, media_type = _content(answer)
    return Response(content, answer.status, dict(answer.headers), media_type)


def limited(rate: Rate) -> Response:
    """429, as the API answers it (contract page, "Transport")."""
    headers = () if rate.retry_after is None else (("retry-after", rate.retry_after),)
    return played(Answer(429, headers=headers))


def _content(answer: Answer) -> tuple[bytes, str | None]:
    error = json.dumps(RefusedError(answer.status, f"The sandbox was told to answer {answer.status}").body()).encode()
    match answer.body:
        case Body.JSON:
            return error, _JSON
        case Body.BROKEN:
            return error[: len(error) // 2], _JSON
        case Body.HTML:
            title = f"{answer.status} {_phrase(answer.status)}".strip()
            page = f"<html>\n<head><title>{title}</title></head>\n<body><h1>{title}</h1></body>\n</html>\n"
            return page.encode(), "text/html"
        case Body.EMPTY:
            return b"", None


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
