"""What `--verbose` adds for those who look for a fault: requests, and the traceback of an internal error."""

import logging
import sys
import traceback
from collections.abc import Callable
from types import TracebackType

from reconciler.render.inert import inert

Redact = Callable[[str], str]


class _Fit(logging.Formatter):
    """A record's message on one line, without secrets: what a server says of itself stands in it."""

    def __init__(self, redact: Redact) -> None:
        super().__init__("%(message)s")
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        return inert(self._redact(super().format(record)))


def show_requests(redact: Redact) -> None:
    """Show httpx's line for each request on stderr; it holds no header and no body."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Fit(redact))
    logger = logging.getLogger("httpx")
    logger.setLevel(logging.INFO)
    logger.handlers = [handler]


def redact_tracebacks(redact: Redact) -> None:
    """Take secrets out of the traceback that ends this process, should one do so."""

    def show(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        for line in redact("".join(traceback.format_exception(kind, error, trace))).splitlines():
            sys.stderr.write(f"{inert(line)}\n")

    sys.excepthook = show
