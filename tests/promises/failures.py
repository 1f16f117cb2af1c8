"""Every way in which the service may fail while it repeats what it was told in confidence."""

import json
from collections.abc import Callable, Sequence
from urllib.parse import quote

from tests.promises.echo_service import Answer, forms

Failure = Callable[[Sequence[str]], Answer]
"""The answer of a service that has heard these secrets."""

STATUSES = (400, 401, 403, 404, 409, 428, 429, 500, 502, 503)


def every_form(heard: Sequence[str]) -> str:
    """All that was heard in all forms, in one text."""
    return " ".join(form for secret in heard for form in forms(secret))


def _json(status: int, document: object, *headers: tuple[str, bytes]) -> Answer:
    return Answer(status, json.dumps(document).encode(), headers)


def _in_json(status: int) -> Failure:
    def failure(heard: Sequence[str]) -> Answer:
        plain, quoted = (" ".join(texts).encode() for texts in (heard, map(quote, heard)))
        headers = (
            ("X-Wix-Request-Id", plain),
            ("X-Wix-Consistent", quoted),
            ("Set-Cookie", b"session=" + quoted),
            ("Server", plain),
            ("Retry-After", b"1"),
        )
        return _json(status, {"message": every_form(heard)}, *headers)

    return failure


def _explained(status: int, code: str | None = None) -> Failure:
    def failure(heard: Sequence[str]) -> Answer:
        application = {"code": code or " ".join(heard), "description": f"{' '.join(heard)} is wrong"}
        return _json(status, {"details": {"applicationError": application}})

    return failure


def _violated(name: str) -> Failure:
    def failure(heard: Sequence[str]) -> Answer:
        violations = [{"field": secret, name: secret} for secret in heard]
        return _json(400, {"details": {"validationError": {"fieldViolations": violations}}})

    return failure


def _behind(length: int) -> Failure:
    return lambda heard: _json(500, {"message": "x" * length + " ".join(heard)})


def _redirected(status: int, target: str) -> Failure:
    """A redirect to `target`, in which a secret stands encoded for `{}` and plain for `[]`."""

    def failure(heard: Sequence[str]) -> Answer:
        plain, encoded = "".join(heard), "".join(quote(secret, safe="") for secret in heard)
        return Answer(status, headers=(("Location", target.replace("{}", encoded).replace("[]", plain).encode()),))

    return failure


def _bytes(text: Callable[[str], str], status: int = 200, missing: int = 0) -> Failure:
    return lambda heard: Answer(status, text(every_form(heard)).encode(), missing=missing)


def _raw(heard: Sequence[str]) -> bytes:
    return " ".join(heard).encode()


FAILURES: dict[str, Failure] = {
    **{f"{status}, echo in JSON": _in_json(status) for status in STATUSES},
    "428, echo as code": _explained(428),
    "401, bad credentials": _explained(401, "BAD_CREDENTIALS"),
    "400, echo as field": _violated("description"),
    "400, echo as rule": _violated("ruleName"),
    "502, echo in HTML": _bytes(lambda text: f"<html><body>{text}</body></html>", 502),
    "500, echo behind 190 characters": _behind(190),
    "500, echo behind 490 characters": _behind(490),
    "500, echo as reason": lambda heard: Answer(500, reason=_raw(heard)),
    "599, echo as reason": lambda heard: Answer(599, reason=quote(_raw(heard)).encode()),
    "200, no JSON": _bytes(lambda text: text),
    "200, broken JSON": _bytes(lambda text: json.dumps({"providers": text, "connections": text})[:-9]),
    "200, other JSON": _bytes(
        lambda text: json.dumps(
            dict.fromkeys(("providers", "connections", "schedules", "connection", "oauthUrl"), text)
        )
    ),
    "200, names are echoes": _bytes(
        lambda text: json.dumps({"providers": [{text: text}], "connections": [{text: text}]})
    ),
    "200, cut off": _bytes(lambda text: json.dumps({"providers": text}), missing=20),
    "500, cut off": _bytes(lambda text: json.dumps({"message": text}), 500, missing=20),
    "no HTTP": lambda heard: Answer(200, headers=((f"{' '.join(heard)}\r\n{' '.join(heard)}", b"x"),)),
    "no compression": lambda heard: Answer(200, _raw(heard), (("Content-Encoding", b"gzip"),)),
    "reset": lambda _heard: Answer(reset=True),
    "302 to a path": _redirected(302, "https://harbor.example/{}"),
    "307 to a user": _redirected(307, "https://extcal:{}@harbor.example/"),
    "302 to a query": _redirected(302, "https://harbor.example/?key={}"),
    "307 to a plain path": _redirected(307, "https://harbor.example/[]"),
    "302 to no URL": _redirected(302, "https://[[]"),
}
