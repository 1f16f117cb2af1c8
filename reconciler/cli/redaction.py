"""Keeps the secrets that a command knows out of whatever it shows, writes, serves or logs.

A service may repeat what it was told in confidence, in a calendar's name as well as in an error. Values are redacted
before they are cut, escaped or encoded, so that no half of a secret is left and a digest is of what can be read.
"""

import sys
from typing import TYPE_CHECKING, TypeVar

from reconciler.text import inert

if TYPE_CHECKING:
    import logging
    from types import TracebackType

    from reconciler.api.secrets import Secrets

_Value = TypeVar("_Value")

_known: "list[Secrets]" = []


def forget_secrets() -> None:
    """Know no secret, as a command does when it begins."""
    _known.clear()


def keep_secret(secrets: "Secrets") -> None:
    """Let none of these pass from now on, nor what is learned with them; those from before are forgotten."""
    _known[:] = [secrets]


def redact(text: str) -> str:
    """The text with every secret that the command knows by now replaced by `[secret]`."""
    return _known[0].redact(text) if _known else text


def redacted(value: _Value) -> _Value:
    """The value with every such secret replaced in each of its texts."""
    return _known[0].redacted(value) if _known else value


# Those that see what goes over the wire; a filter is for the records of one logger, and not of those below it.
_LOGGERS = ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.proxy", "asyncio")


def redact_diagnostics() -> None:
    """Keep secrets out of all logs from now on, and out of the traceback that ends this process, should one do so."""
    import logging  # noqa: PLC0415 - slow, and of no use to commands that ask no service

    for name in _LOGGERS:
        # One that is there already is not added again.
        logging.getLogger(name).addFilter(_redacted_record)
    sys.excepthook = _show_traceback


def _redacted_record(record: "logging.LogRecord") -> bool:
    """Take secrets out of a record, whoever listens: a server's own words stand in it."""
    import logging  # noqa: PLC0415 - as above

    record.msg, record.args = inert(redact(record.getMessage())), ()
    if record.exc_info:
        record.exc_text = redact(logging.Formatter().formatException(record.exc_info))
        record.exc_info = None
    return True


def show_requests() -> None:
    """Show httpx's line for each request on stderr, redacted; it holds no header and no body."""
    import logging  # noqa: PLC0415 - as above

    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger = logging.getLogger("httpx")
    logger.setLevel(logging.INFO)
    logger.handlers = [handler]


def _show_traceback(kind: type[BaseException], error: BaseException, trace: "TracebackType | None") -> None:
    import traceback  # noqa: PLC0415 - as above

    for line in redact("".join(traceback.format_exception(kind, error, trace))).splitlines():
        sys.stderr.write(f"{inert(line)}\n")
