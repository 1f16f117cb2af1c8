"""Defines the errors of the sandbox: for whoever starts it, and for whoever calls its API."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class SandboxError(Exception):
    """The sandbox can't start, or can't touch its data folder.

    The message says what is wrong, where, and what to do next; it is meant to be shown as it is.
    """


class UnclearScheduleError(SandboxError):
    """What was to be a schedule means none, or several; the message says which there are."""


class ViolatedRule(StrEnum):
    """The rule that a field breaks (`violatedRule`)."""

    REQUIRED_FIELD = "REQUIRED_FIELD"
    FORMAT = "FORMAT"
    INVALID_ENUM_VALUE = "INVALID_ENUM_VALUE"
    MIN = "MIN"
    MAX = "MAX"
    MAX_LENGTH = "MAX_LENGTH"
    MAX_SIZE = "MAX_SIZE"
    OTHER = "OTHER"


@dataclass(frozen=True, slots=True)
class Violation:
    """One field that is missing or wrong."""

    field: str
    description: str
    rule: ViolatedRule


class RefusedError(Exception):
    """Ends a request with an error.

    `status` is the HTTP status, `message` and `details` make the body.
    """

    def __init__(self, status: int, message: str, details: dict[str, object] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.details = details or {}

    def body(self) -> dict[str, object]:
        """The JSON body."""
        return {"message": self.message, "details": self.details}


def application_error(status: int, code: str, description: str) -> RefusedError:
    """A refusal with a code of the method's own."""
    return RefusedError(
        status, description, {"applicationError": {"code": code, "description": description, "data": {}}}
    )


def not_supported(description: str) -> RefusedError:
    """428: the provider can't do that."""
    return application_error(428, "NOT_SUPPORTED_BY_PROVIDER", description)


def unreachable(*names: str) -> RefusedError:
    """503: providers that can't be reached at the moment."""
    return RefusedError(503, f"{', '.join(names)} can't be reached; try again later")


def unreachable_because(name: str, reason: str) -> RefusedError:
    """503: a provider that can't be reached at the moment, and why."""
    return RefusedError(503, f"{name} can't be reached: {reason}")


def invalid(*violations: Violation) -> RefusedError:
    """400: a validationError that names every field at fault."""
    return RefusedError(
        400,
        "INVALID_ARGUMENT: " + ", ".join(f'"{violation.field}" {violation.description}' for violation in violations),
        {
            "validationError": {
                "fieldViolations": [
                    {
                        "field": violation.field,
                        "description": violation.description,
                        "violatedRule": violation.rule.value,
                        "ruleName": "",
                        "data": {},
                    }
                    for violation in violations
                ]
            }
        },
    )
