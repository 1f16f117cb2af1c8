"""The errors of extcal are one tree; each class has the exit code that the command ends with.

ExtcalError                     1
├── UsageError                  64   the command line is wrong
├── ManifestError               1    manifests can't be used; holds every fault
│   └── LimitError                   they are too large or too many; they were not read to the end
├── SecretError                 1    a reference to a secret can't be resolved
├── MutationRefusedError        1    a reader was asked to write; nothing was sent
├── StaleError                  1    what a write rests on was read too long ago; nothing was sent
└── ApiError                    1    talking to the service
    ├── OutageError                  not sent, since the service has failed again and again in this run
    ├── TransportError               no answer, or half of one; after a write its effect is in doubt
    ├── MalformedAnswerError         an answer that does not follow the API; likewise
    └── ResponseError                an answer that is an error
        ├── InvalidRequestError      400
        ├── UnauthenticatedError     401
        ├── PermissionDeniedError    403
        ├── NotFoundError            404
        ├── PreconditionFailedError  428
        ├── RateLimitedError         429
        └── ServiceError             5xx; after a write its effect is in doubt
"""

import re
from collections.abc import Iterable

from reconciler.model.source import Fault

_REQUEST_ID = re.compile(r" \(request id ([^()\s]{1,200})\)")


class ExtcalError(Exception):
    """The root of all errors that a person may see; its text is a whole message."""

    exit_code = 1


class UsageError(ExtcalError):
    """The command line is wrong."""

    exit_code = 64


class ManifestError(ExtcalError):
    """Manifests that can't be used; `faults` holds every fault of every file, sorted.

    `warnings` tell of files that look like manifests and were not read, which may be the reason.
    """

    def __init__(self, faults: Iterable[Fault], warnings: Iterable[Fault] = ()) -> None:
        # Fault.source may be None, which does not compare; the text begins with the place either way.
        self.faults = tuple(sorted(dict.fromkeys(faults), key=_order))
        self.warnings = tuple(warnings)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class LimitError(ManifestError):
    """Manifests that are too large or too many together; they were not read to the end, valid or not."""


def _order(fault: Fault) -> tuple[str, int, int, str]:
    # Faults at one place stay as they were found: a cause is found before what follows from it.
    source = fault.source
    return (source.file, source.line, source.column, "") if source else ("", 0, 0, str(fault))


class SecretError(ExtcalError):
    """A reference to a secret can't be resolved; the text names the reference, never a value."""


class MutationRefusedError(ExtcalError):
    """A reader was asked to send a request that is not on its list; nothing was sent."""


class StaleError(ExtcalError):
    """When a write had its turn, what it rests on had been read too long ago; nothing was sent."""


class ApiError(ExtcalError):
    """Something went wrong between extcal and the service.

    `doubtful` tells whether a write that ended so may have taken effect all the same.
    """

    doubtful = False

    def __init__(self, message: str, *, method: str, request_id: str | None = None) -> None:
        self.method = method
        self.request_id = request_id
        suffix = f" (request id {request_id})" if request_id else ""
        super().__init__(f"{method}: {message}{suffix}")


def request_id_of(message: str) -> str | None:
    """The id of the last request that the message of an ApiError names; None where it names none."""
    found = _REQUEST_ID.findall(message)
    return found[-1] if found else None


class OutageError(ApiError):
    """Not sent: the service has failed again and again in this run."""


class TransportError(ApiError):
    """No answer, or half of one; `sent` tells whether the request may have reached the service.

    `cause` says in a few words what happened to the connection.
    """

    def __init__(
        self,
        message: str,
        *,
        method: str,
        sent: bool,
        cause: str = "the connection was lost",
        request_id: str | None = None,
    ) -> None:
        super().__init__(message, method=method, request_id=request_id)
        self.sent = sent
        self.cause = cause
        self.doubtful = sent


class MalformedAnswerError(ApiError):
    """An answer that does not follow the API."""

    doubtful = True


class ResponseError(ApiError):
    """An answer that is an error: `status` is the HTTP status, `code` the application's code if it gave one.

    `advice` says what to do next. Only a 4xx says for certain that a write was not carried out.
    """

    def __init__(
        self,
        message: str,
        *,
        method: str,
        status: int,
        code: str | None = None,
        request_id: str | None = None,
        advice: str = "",
    ) -> None:
        self.status = status
        self.code = code
        self.advice = advice
        self.doubtful = not 400 <= status < 500  # noqa: PLR2004 - the class of HTTP statuses itself
        label = f"HTTP {status} {code}" if code else f"HTTP {status}"
        suffix = f"; {advice}" if advice else ""
        super().__init__(f"{label}: {message}{suffix}", method=method, request_id=request_id)


class InvalidRequestError(ResponseError):
    """400; `fields` are those of the request that the service names as not valid."""

    fields: tuple[str, ...] = ()


class UnauthenticatedError(ResponseError):
    """401."""


class PermissionDeniedError(ResponseError):
    """403."""


class NotFoundError(ResponseError):
    """404."""


class PreconditionFailedError(ResponseError):
    """428: the provider or the connection's state does not allow it."""


class RateLimitedError(ResponseError):
    """429; `retry_after` is in seconds, None where the service did not say."""

    retry_after: float | None = None


class ServiceError(ResponseError):
    """5xx."""
