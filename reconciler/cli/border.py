"""The border of the process: whatever is shown, written, served or logged passes it, and no known secret does.

A service may repeat what it was told in confidence, in a calendar's name as well as in an error. Values are redacted
before they are cut, escaped or encoded, so that no half of a secret is left and a digest is of what can be read.
"""

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from reconciler.api.secrets import Secrets

_Value = TypeVar("_Value")

_known: "list[Secrets]" = []


def open_border() -> None:
    """Know no secret, as a command does when it begins."""
    _known.clear()


def guard_border(secrets: "Secrets") -> None:
    """Let none of these pass from now on, nor what is learned with them; those from before are forgotten."""
    _known[:] = [secrets]


def redact(text: str) -> str:
    """The text with every secret that the command knows by now replaced by `[secret]`."""
    return _known[0].redact(text) if _known else text


def redacted(value: _Value) -> _Value:
    """The value with every such secret replaced in each of its texts."""
    return _known[0].redacted(value) if _known else value
