"""Names for what is pulled: slugs of what people call things, unique, and the same on every run."""

import re
import unicodedata
from collections.abc import Iterable

_LONGEST = 48
_LONGEST_VARIABLE = 100
_LONGEST_NAME = 128


def slug(text: str) -> str:
    """`Dr. Łukasz` as `dr-lukasz`: ASCII letters and digits joined by dashes; empty where nothing can be read."""
    return re.sub("[^a-z0-9]+", "-", _in_ascii(text).lower())[:_LONGEST].strip("-")


def _in_ascii(text: str) -> str:
    """The text as ASCII letters spell it; the marks that would stand for letters ASCII lacks are left out."""
    if text.isascii():
        return text
    from anyascii import anyascii  # noqa: PLC0415 - most names need none of its tables

    # What is composed and what is not reads the same.
    composed = unicodedata.normalize("NFC", text)
    return "".join(one if one.isascii() else re.sub("['`]", "", anyascii(one)) for one in composed)


class Taken:
    """Names in use, whatever their case: file systems and readers may not tell it apart."""

    def __init__(self, names: Iterable[str], joint: str = "-") -> None:
        """`joint` stands before the numbers of names that are numbered."""
        self._names = {name.casefold() for name in names}
        self._joint = joint

    def __contains__(self, name: str) -> bool:
        return name.casefold() in self._names

    def take(self, *candidates: str) -> str:
        """The first candidate that is free, else the last one with a number; it is in use from now on.

        None is longer than a manifest's name may be.
        """
        fitting = [_cut(candidate) for candidate in candidates]
        name = next((candidate for candidate in fitting if candidate not in self), None)
        number = 2
        while name is None:
            numbered = _cut(fitting[-1], f"{self._joint}{number}")
            name = None if numbered in self else numbered
            number += 1
        self._names.add(name.casefold())
        return name


def _cut(name: str, end: str = "") -> str:
    room = _LONGEST_NAME - len(end)
    return f"{name if len(name) <= room else name[:room].rstrip('-._')}{end}"


def local_part(account: str) -> str:
    """The slug of what stands before the @ of an account."""
    return slug(account.partition("@")[0])


def password_variable(name: str) -> str:
    """The environment variable that shall hold a connection's password, by the connection's name."""
    return f"EXTCAL_{re.sub('[^A-Z0-9]+', '_', name.upper())[:_LONGEST_VARIABLE].strip('_')}_PASSWORD"
