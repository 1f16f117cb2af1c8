"""Text from outside inside Markdown: always a code span, in which GitHub links, mentions and formats nothing.

Entities would not do: GitHub looks for mentions and references in the text that it has rendered, and spares only code.
Source: GitHub Flavored Markdown Spec, 6.3 Code spans.
"""

import html
import re

from reconciler.text import clipped

_LONGEST = 300


def code(text: str, longest: int = _LONGEST) -> str:
    """The text as a code span of one line, cut in the middle where it has more than `longest` characters."""
    shown = clipped(text, longest)
    runs = {len(run) for run in re.findall("`+", shown)}
    fence = "`" * next(length for length in range(1, len(shown) + 2) if length not in runs)
    # One blank at each end is taken off again, where both ends have one.
    pad = " " if shown[0] == "`" or shown[-1] == "`" else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def code_tag(text: str, longest: int = _LONGEST) -> str:
    """The text as a `<code>` element, for places where Markdown is not read (`<summary>`)."""
    return f"<code>{html.escape(clipped(text, longest))}</code>"
