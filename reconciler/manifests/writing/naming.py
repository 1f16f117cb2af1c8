"""Names for what is pulled: slugs of what people call things, unique, and the same on every run."""

import re
import unicodedata
from collections.abc import Iterable

_LONGEST = 48
_LONGEST_VARIABLE = 100


def slug(text: str) -> str:
    """`Dr. Lee` as `dr-lee`: ASCII letters and digits joined by dashes; empty where the text has none of them."""
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii").lower()
    return re.sub("[^a-z0-9]+", "-", ascii_text)[:_LONGEST].strip("-")


class Taken:
    """Names in use, whatever their case: file systems and readers may not tell it apart."""

    def __init__(self, names: Iterable[str], joint: str = "-") -> None:
        """`joint` stands before the numbers of names that are numbered."""
        self._names = {name.casefold() for name in names}
        self._joint = joint

    def __contains__(self, name: str) -> bool:
        return name.casefold() in self._names

    def take(self, *candidates: str) -> str:
        """The first candidate that is free, else the last one with a number; it is in use from now on."""
        name = next((candidate for candidate in candidates if candidate not in self), None)
        number = 2
        while name is None:
            numbered = f"{candidates[-1]}{self._joint}{number}"
            name = None if numbered in self else numbered
            number += 1
        self._names.add(name.casefold())
        return name


def local_part(account: str) -> str:
    """The slug of what stands before the @ of an account."""
    return slug(account.partition("@")[0])


def password_variable(name: str) -> str:
    """The environment variable that shall hold a connection's password, by the connection's name."""
    return f"EXTCAL_{re.sub('[^A-Z0-9]+', '_', name.upper())[:_LONGEST_VARIABLE].strip('_')}_PASSWORD"
