"""Text from outside, made harmless to show (contract: stripped of control and bidi characters)."""

import re
import unicodedata

from reconciler.model.unseen import HARMFUL, MARKS, UNDRAWN

# No script puts more marks on one letter; a pile of them would cover the lines above.
_MOST_MARKS = 8
# What a CI's log takes for a command: `::name::` first on a line, and anywhere `##[name]`, `##vso[…]` and their kin
# (source: GitHub's runner, ActionCommand; Azure Pipelines, Logging commands).
_COMMAND = re.compile(r"(?<=^:)(?=:)|(?<=#)(?=#\w*\[)")


def inert(text: str) -> str:
    """The text without characters that move the cursor, hide or reorder what a reader sees.

    A blank breaks what a CI that logs the text would take for a command.
    """
    if not (text.isascii() and text.isprintable()):
        text = "".join(_drawn(UNDRAWN.sub("", text)))
    if "::" in text or "##" in text:
        lead = len(text) - len(text.lstrip())
        text = text[:lead] + _COMMAND.sub(" ", text[lead:])
    return text


def _drawn(text: str) -> list[str]:
    kept: list[str] = []
    marks = 0
    for char in text:
        category = unicodedata.category(char)
        marks = marks + 1 if category in MARKS else 0
        if category not in HARMFUL and marks <= _MOST_MARKS:
            kept.append(char)
    return kept
