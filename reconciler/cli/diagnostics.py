"""What is told to those who look for a fault, with secrets taken out: logs, and the traceback of an internal error."""

import logging
import sys
import traceback
from types import TracebackType

from reconciler.cli.border import redact
from reconciler.text import inert

# Those that see what goes over the wire; a filter is for the records of one logger, and not of those below it.
_LOGGERS = ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.proxy", "asyncio")


class _Redacting(logging.Filter):
    """Takes secrets out of every record, whoever listens: a server's own words stand in them."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = inert(redact(record.getMessage())), ()
        if record.exc_info:
            record.exc_text = redact(logging.Formatter().formatException(record.exc_info))
            record.exc_info = None
        return True


def redact_diagnostics() -> None:
    """Keep secrets out of all logs from now on, and out of the traceback that ends this process, should one do so."""
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        if not any(isinstance(each, _Redacting) for each in logger.filters):
            logger.addFilter(_Redacting())
    sys.excepthook = _show


def show_requests() -> None:
    """Show httpx's line for each request on stderr, redacted; it holds no header and no body."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger = logging.getLogger("httpx")
    logger.setLevel(logging.INFO)
    logger.handlers = [handler]


def _show(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    for line in redact("".join(traceback.format_exception(kind, error, trace))).splitlines():
        sys.stderr.write(f"{inert(line)}\n")
