"""Tones: what a stretch of text means to its reader; whoever prints decides on colours."""

from collections.abc import Callable
from enum import Enum, auto


class Emphasis(Enum):
    """The meaning that a colour may underline; the words say it all without one."""

    ADD = auto()
    CHANGE = auto()
    REMOVE = auto()
    HEADING = auto()
    QUIET = auto()


Paint = Callable[[Emphasis, str], str]


def plain(_tone: Emphasis, text: str) -> str:
    """Paint nothing."""
    return text
