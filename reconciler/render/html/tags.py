"""Builds HTML from elements: text can't be mistaken for markup, only `Html` goes in as is."""

import html
from collections.abc import Iterable

from reconciler.text import inert

_VOID = {"input", "meta"}
_Value = str | bool | None


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def tag(name: str, /, *children: str | None, **attributes: _Value) -> Html:
    """An element; children that are not Html are made inert and escaped, as are the values of attributes.

    In attribute names `_` stands for `-`, and a last `_` is dropped (`class_`); True is an attribute without a value,
    False and None one that is not there, as is a child that is None.
    """
    opened = f"<{name}{''.join(_attribute(key, value) for key, value in attributes.items())}>"
    if name in _VOID:
        return Html(opened)
    inside = "".join(escaped(child) for child in children if child is not None)
    return Html(f"{opened}{inside}</{name}>")


def escaped(text: str) -> Html:
    """The text as HTML."""
    return text if isinstance(text, Html) else Html(html.escape(inert(text)))


def joined(parts: Iterable[str], by: str = "") -> Html:
    """Parts as one piece of HTML."""
    return Html(by.join(escaped(part) for part in parts))


def _attribute(key: str, value: _Value) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{html.escape(inert(value))}"'
