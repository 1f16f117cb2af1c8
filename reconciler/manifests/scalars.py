"""Plain scalars into values by YAML 1.2's core schema (YAML 1.2.2, section 10.3.2): `no` and `12:30` stay text."""

import re

from reconciler.manifests.values import Scalar

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})
_DECIMAL = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEX = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INFINITE = re.compile(r"[-+]?\.(inf|Inf|INF)")
_NOT_A_NUMBER = frozenset({".nan", ".NaN", ".NAN"})
# Almost all scalars are text by their first character alone.
_FIRST = frozenset("-+.0123456789~nNtTfF")

MAX_DIGITS = 400
"""Characters of the longest number; Python refuses to read very long ones."""


def resolve(text: str) -> Scalar:
    """The value of a plain scalar. Raises ValueError for a number that is too long."""
    if text[:1] not in _FIRST and text:
        return text
    if text in _NULL:
        return None
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    return _number(text)


def _number(text: str) -> int | float | str:
    if _INFINITE.fullmatch(text):
        return float(text.replace(".", ""))
    if text in _NOT_A_NUMBER:
        return float("nan")
    base = 10 if _DECIMAL.fullmatch(text) else 8 if _OCTAL.fullmatch(text) else 16 if _HEX.fullmatch(text) else None
    if base is None and not _FLOAT.fullmatch(text):
        return text
    if len(text) > MAX_DIGITS:
        raise ValueError(text[:8])
    return float(text) if base is None else int(text, base)
