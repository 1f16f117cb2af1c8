"""What a stretch of text means to its reader; whoever prints decides on colours."""

from collections.abc import Callable
from enum import Enum, auto


class Emphasis(Enum):
    """What a stretch of text means to its reader; whoever prints chooses colours, and the words say it without."""

    ADD = auto()
    CHANGE = auto()
    REMOVE = auto()
    HEADING = auto()
    QUIET = auto()


Paint = Callable[[Emphasis, str], str]


def plain(_emphasis: Emphasis, text: str) -> str:
    """Paint nothing."""
    return text
