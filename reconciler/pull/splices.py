"""Stretches of a text that give way to others, so that all around them stays as it is written."""

from collections.abc import Iterable
from dataclasses import dataclass


class UneditableError(Exception):
    """The text is written in a way that can't be edited safely; the message says which."""


@dataclass(frozen=True, slots=True, order=True)
class Splice:
    """Text that takes the place of what stands from `start` to `end`."""

    start: int
    end: int
    text: str


def spliced(text: str, splices: Iterable[Splice]) -> str:
    """The text with every splice made; they must not touch the same characters."""
    parts: list[str] = []
    done = 0
    for splice in sorted(splices):
        parts += [text[done : splice.start], splice.text]
        done = splice.end
    return "".join([*parts, text[done:]])


def check_apart(splices: Iterable[Splice]) -> None:
    """Raise UneditableError where two splices touch the same characters."""
    done = 0
    for splice in sorted(splices):
        if splice.start < done:
            raise UneditableError("the changes would overlap")
        done = splice.end


def newline(text: str) -> str:
    """The line break that a text uses."""
    first = text.find("\n")
    return "\r\n" if first > 0 and text[first - 1] == "\r" else "\n"
