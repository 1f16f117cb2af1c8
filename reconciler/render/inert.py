"""Text from outside, made harmless to show (contract: stripped of control and bidi characters)."""

import unicodedata

# Controls, format characters (bidi overrides and isolates among them), surrogates, line and paragraph separators.
_HARMFUL = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def inert(text: str) -> str:
    """The text without characters that move the cursor, hide or reorder what a reader sees."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(char for char in text if unicodedata.category(char) not in _HARMFUL)
