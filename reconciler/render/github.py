"""Shows faults as GitHub Actions workflow commands, which annotate a pull request's lines.

Source: GitHub Docs, "Workflow commands for GitHub Actions", Setting an error message.
"""

from collections.abc import Iterable
from typing import Literal

from reconciler.model.source import Fault
from reconciler.text import inert

Level = Literal["error", "warning", "notice"]
_TITLE = "extcal validate"


def annotations(faults: Iterable[Fault], level: Level = "error") -> str:
    """One `::error …::message` a line for each fault; the message repeats the place, which the job's log needs."""
    return "\n".join(annotation(fault, level) for fault in faults)


def annotation(fault: Fault, level: Level = "error") -> str:
    """The workflow command for one fault; nothing that it quotes can end it or begin another."""
    fields: dict[str, str] = {}
    if fault.source is not None:
        fields = {
            "file": inert(fault.source.file).removeprefix("./"),
            "line": str(fault.source.line),
            "col": str(fault.source.column),
        }
    fields["title"] = _TITLE
    properties = ",".join(f"{name}={_property(value)}" for name, value in fields.items())
    return f"::{level} {properties}::{_data(inert(str(fault)))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
