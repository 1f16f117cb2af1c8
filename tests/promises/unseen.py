"""Texts broken where no reader sees it."""

# Never drawn, drawn upon what stands before them, or blanks that nobody tells from none.
UNSEEN = {
    "grapheme joiner": "\u034f",
    "filler": "\u3164",
    "selector of a variant": "\ufe00",
    "selector of a picture": "\ufe0f",
    "zero-width space": "\u200b",
    "tag": "\U000e0041",
    "never assigned": "\u2065",
    "line feed": "\n",
    "tab": "\t",
    "bell": "\x07",
    "half of a character": "\ud800",
    "line separator": "\u2028",
    "hair space": "\u200a",
    "pile of marks": "\u0301" * 12,
    "one mark": "\u0301",
    "several": "\u200b\n\u0301\u3164",
}


def broken(text: str, by: str) -> str:
    """The text with something in its middle."""
    middle = len(text) // 2
    return text[:middle] + by + text[middle:]
