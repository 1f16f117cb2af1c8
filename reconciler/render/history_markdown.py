"""Writes the history in Markdown, for the summary of a job; text from outside formats nothing in it."""

from collections.abc import Sequence

from reconciler.model.history import HistoryEntry
from reconciler.render.markdown import code

_MOST = 200
_SHORT = 7


def history_markdown(entries: Sequence[HistoryEntry]) -> str:
    """A heading and an entry each, the oldest first; of very many the newest alone."""
    lines = ["## Changes to calendar connections", ""]
    if len(entries) > _MOST:
        lines += [f"The newest {_MOST} of {len(entries):,} are shown.", ""]
    lines += [_line(entry) for entry in entries[-_MOST:]] or ["Nothing was done."]
    return "\n".join(lines)


def _line(entry: HistoryEntry) -> str:
    words = [_code(entry, "action"), _code(entry, "address"), _code(entry, "status")]
    told = {
        "by": _code(entry, "by"),
        "at commit": _code(entry, "commit", _SHORT),
        "on": _code(entry, "at"),
        "entry": _code(entry, "id"),
    }
    about = ", ".join(f"{name} {value}" for name, value in told.items() if value)
    error = _code(entry, "error")
    return f"- {' '.join(filter(None, words))}: {about}" + (f"\n  - {error}" if error else "")


def _code(entry: HistoryEntry, name: str, digits: int | None = None) -> str:
    text = entry.text(name)[:digits]
    return code(text) if text.strip() else ""
