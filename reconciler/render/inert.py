"""Text from outside, made harmless to show (contract: stripped of control and bidi characters)."""

import re
import unicodedata

# Controls, format characters (bidi overrides and isolates, tags, zero-width ones), surrogates, line and paragraph ends.
_HARMFUL = {"Cc", "Cf", "Cs", "Zl", "Zp"}
# What else is never drawn: fillers, and selectors of variants but for those of text and emoji (source: Unicode
# Character Database, DerivedCoreProperties, Default_Ignorable_Code_Point). A text could hide in them.
_UNDRAWN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u3164\ufe00-\ufe0d\uffa0\ufff0-\ufff8\U000e0000-\U000e0fff]"
)
_MARKS = {"Mn", "Me"}
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
        text = "".join(_drawn(_UNDRAWN.sub("", text)))
    if "::" in text or "##" in text:
        lead = len(text) - len(text.lstrip())
        text = text[:lead] + _COMMAND.sub(" ", text[lead:])
    return text


def _drawn(text: str) -> list[str]:
    kept: list[str] = []
    marks = 0
    for char in text:
        category = unicodedata.category(char)
        marks = marks + 1 if category in _MARKS else 0
        if category not in _HARMFUL and marks <= _MOST_MARKS:
            kept.append(char)
    return kept
