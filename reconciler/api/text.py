"""Text from the service, made fit to stand in a message."""

import unicodedata

_DROPPED = {"Cf"}
_BLANKED = {"Cc", "Zl", "Zp"}


def fit(text: str) -> str:
    """`text` on one line, without control, bidirectional and invisible characters, blanks made single."""
    return " ".join("".join(map(_fit, text)).split())


def cut(text: str, limit: int) -> str:
    """`text`, of at most `limit` characters; what was cut ends in an ellipsis."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _fit(character: str) -> str:
    if character.isascii():
        return character if character.isprintable() else " "
    category = unicodedata.category(character)
    if category in _DROPPED:
        return ""
    if category in _BLANKED:
        return " "
    return "\N{REPLACEMENT CHARACTER}" if category == "Cs" else character
