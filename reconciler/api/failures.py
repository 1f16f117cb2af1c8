"""Turns answers that are errors into our error tree, by HTTP status, code and fields."""

import json
from collections.abc import Iterator
from http import HTTPStatus

from reconciler.api.call import Call, Response
from reconciler.api.secrets import Secrets
from reconciler.errors import (
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    PreconditionFailedError,
    RateLimitedError,
    ResponseError,
    ServiceError,
    UnauthenticatedError,
)
from reconciler.text import cut, one_line

_BY_STATUS: dict[int, type[ResponseError]] = {
    400: InvalidRequestError,
    401: UnauthenticatedError,
    403: PermissionDeniedError,
    404: NotFoundError,
    428: PreconditionFailedError,
    429: RateLimitedError,
}
BAD_CREDENTIALS = "BAD_CREDENTIALS"
_ADVICE_BY_CODE = {
    "NOT_SUPPORTED_BY_PROVIDER": "`extcal providers` shows what the provider supports",
    "CONNECTION_NOT_CONNECTED": "the account must be connected again first; plan again to see how",
    "CONNECTION_ALREADY_DISCONNECTED": "nothing is left to do; plan again",
}
_PREMIUM = "PREMIUM_FEATURE_NOT_ENABLED"
_PREMIUM_FEATURES = {
    "ConnectByCredentials": ("connecting accounts by password", "leave the connection out"),
    "ListCalendars": ("listing an account's calendars", "write them in the manifest by id, or import the primary one"),
}
_ALL_FEATURES = ("this", "leave the connection out")
_OF_ONE_CONNECTION = {"GetConnection", "ListCalendars", "UpdateSyncConfig", "Disconnect"}
_MOST_FIELDS = 5
_NO_FIELD = "request"
_LONGEST_TEXT = 500
_LONGEST_CODE = 100


class Explainer:
    """Makes errors out of answers; `credentials` names the site's way in, for a refusal of it."""

    def __init__(self, secrets: Secrets, credentials: str) -> None:
        self._secrets = secrets
        self._credentials = credentials
        self._allowed: set[str] = set()

    def note_success(self, method: str) -> None:
        """Note that the service has answered a method: what is refused then is not for want of any permission."""
        self._allowed.add(method)

    def request_id(self, answer: Response) -> str | None:
        """The service's id of the request, fit to be shown."""
        return self.shown(answer.headers.get("x-wix-request-id", ""), _LONGEST_CODE) or None

    def shown(self, text: str, limit: int = _LONGEST_TEXT) -> str:
        """Text from outside, fit to be shown: one line, no secrets, at most `limit` characters."""
        return cut(one_line(self._secrets.redact(text)), limit)

    def failure(self, call: Call, answer: Response, asked: float | None) -> ResponseError:
        """The error that an answer other than 200 is; `asked` is its Retry-After in seconds."""
        code, explanation, fields = self._explanation(answer)
        kind = _BY_STATUS.get(answer.status, ServiceError if answer.status >= 500 else ResponseError)  # noqa: PLR2004
        error = kind(
            explanation or self._unexplained(answer),
            method=call.method,
            status=answer.status,
            code=code,
            request_id=self.request_id(answer),
            advice=self._advice(call, answer.status, code, asked),
        )
        if isinstance(error, RateLimitedError):
            error.retry_after = asked
        if isinstance(error, InvalidRequestError):
            error.fields = fields
        return error

    def _explanation(self, answer: Response) -> tuple[str | None, str, tuple[str, ...]]:
        """Its code, what it says, and the fields of the request that it is about."""
        body = _parsed(answer.body)
        details = _object(body.get("details"))
        application = _object(details.get("applicationError"))
        code = self.shown(_text(application.get("code")), _LONGEST_CODE) or None
        fields = list(_violations(_object(details.get("validationError")).get("fieldViolations")))
        if fields:
            more = f"; and {len(fields) - _MOST_FIELDS} more" if len(fields) > _MOST_FIELDS else ""
            parts = [f"{self.shown(name, 200)}: {self.shown(why, 200)}" for name, why in fields[:_MOST_FIELDS]]
            return code, "; ".join(parts) + more, tuple(name for name, _ in fields if name != _NO_FIELD)
        explanation = self.shown(_text(application.get("description"))) or self.shown(_text(body.get("message")))
        return code, explanation, ()

    def _unexplained(self, answer: Response) -> str:
        if answer.status // 100 == 3:  # noqa: PLR2004 - the class of HTTP statuses itself
            target = self.shown(answer.headers.get("location", "").partition("?")[0], 200)
            return f"redirected to {target or 'nowhere'}, which is not followed: credentials go to the endpoint alone"
        try:
            phrase = f" ({HTTPStatus(answer.status).phrase})"
        except ValueError:
            phrase = ""
        return f"the service gave no explanation{phrase}"

    def _advice(self, call: Call, status: int, code: str | None, asked: float | None) -> str:
        if status == 401 and code == BAD_CREDENTIALS:  # noqa: PLR2004
            return f"check the account's email and its password ({call.secret})"
        if code == _PREMIUM:
            feature, otherwise = _PREMIUM_FEATURES.get(call.method, _ALL_FEATURES)
            return f"the site's plan does not include {feature}: upgrade it, or {otherwise}"
        if code in _ADVICE_BY_CODE:
            return _ADVICE_BY_CODE[code]
        wait = f"in {asked:.0f} s" if asked else "in a minute"
        by_status = {
            401: f"check {self._credentials}",
            403: self._lacking(call),
            404: "it may be gone, or belong to another site; plan again to see what is there",
            429: f"other programs share the site's rate limit; try again {wait}",
        }
        if status in by_status:
            return by_status[status]
        if status // 100 == 3:  # noqa: PLR2004
            return "set the endpoint (--endpoint, EXTCAL_ENDPOINT) to the API's own address"
        return "try again later" if status >= 500 else ""  # noqa: PLR2004

    def _lacking(self, call: Call) -> str:
        if call.method in _OF_ONE_CONNECTION and "ListConnections" in self._allowed:
            return (
                "the key or app lists connections, so it may be allowed to read only, or to manage only its own: use "
                "one that may manage this connection, such as the one that made it, or ask whoever made it"
            )
        return f"the key or app needs {call.permission} on this site"


def _violations(value: object) -> Iterator[tuple[str, str]]:
    for violation in value if isinstance(value, list) else []:
        fields = _object(violation)
        why = _text(fields.get("description")) or _text(fields.get("ruleName")) or _text(fields.get("violatedRule"))
        if fields:
            yield _text(fields.get("field")) or _NO_FIELD, why or "is not valid"


def _parsed(body: bytes) -> dict[str, object]:
    try:
        return _object(json.loads(body))
    except (ValueError, RecursionError):
        return {}


def _object(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
