"""What is told to those who look for a fault, with secrets taken out: logs, and the traceback of an internal error."""

import logging
import sys
import traceback
from collections.abc import Callable
from types import TracebackType

from reconciler.render.inert import inert

Redact = Callable[[str], str]

# Those that see what goes over the wire; a filter is for the records of one logger, and not of those below it.
_LOGGERS = ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.proxy", "asyncio")


class _Redacting(logging.Filter):
    """Takes secrets out of every record, whoever listens: a server's own words stand in them."""

    def __init__(self, redact: Redact) -> None:
        super().__init__()
        self._redact = redact

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = inert(self._redact(record.getMessage())), ()
        if record.exc_info:
            record.exc_text = self._redact(logging.Formatter().formatException(record.exc_info))
            record.exc_info = None
        return True


def redact_logs(redact: Redact) -> None:
    """Keep secrets out of all logs from now on."""
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        logger.filters = [each for each in logger.filters if not isinstance(each, _Redacting)]
        logger.addFilter(_Redacting(redact))


def show_requests(redact: Redact) -> None:
    """Show httpx's line for each request on stderr, redacted; it holds no header and no body."""
    redact_logs(redact)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger = logging.getLogger("httpx")
    logger.setLevel(logging.INFO)
    logger.handlers = [handler]


def redact_tracebacks(redact: Redact) -> None:
    """Take secrets out of the traceback that ends this process, should one do so."""

    def show(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        for line in redact("".join(traceback.format_exception(kind, error, trace))).splitlines():
            sys.stderr.write(f"{inert(line)}\n")

    sys.excepthook = show
