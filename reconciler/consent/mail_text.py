"""Shows a message as plain text, in lines that a mail reader in a terminal needs not break."""

from collections.abc import Iterator

from reconciler.consent.mail_content import MailContent
from reconciler.text import cut_columns, width

COLUMNS = 72
"""Columns of a line; quoting it takes some more."""


def text_of(content: MailContent) -> str:
    """The message; each link is alone on a line, whole, however long it is."""
    return "\n".join(_lines(content)) + "\n"


def _lines(content: MailContent) -> Iterator[str]:
    for phrase in content.opening:
        yield from _wrapped(phrase.text)
        yield ""
    for section in content.sections:
        heading = list(_wrapped(section.heading.text))
        yield from heading
        yield "-" * max(map(width, heading))
        yield ""
        yield from _wrapped(section.open_text.text)
        yield ""
        yield section.url
        yield ""
        yield from _wrapped(section.choose.text)
        yield ""
        for name, fact in section.facts:
            yield from _wrapped(f"{name.text}: {fact.text}", first="* ", later="  ")
        yield ""
    for phrase in content.closing:
        yield from _wrapped(phrase.text)
        yield ""
    # What follows such a line is a signature, which readers show apart and leave out of answers.
    yield "-- "
    yield from _wrapped(content.automatic.text)


def _wrapped(text: str, first: str = "", later: str = "") -> Iterator[str]:
    """A paragraph in lines by columns; only a word that is longer than a line is broken."""
    line, begin = first, first
    for word in text.split():
        rest = word
        if line != begin and width(line) + 1 + width(rest) > COLUMNS:
            yield line
            line = begin = later
        while line == begin and width(begin) + width(rest) > COLUMNS:
            head = cut_columns(rest, COLUMNS - width(begin))
            yield begin + head
            rest = rest[len(head) :]
            line = begin = later
        line = f"{line} {rest}" if line != begin else begin + rest
    if line != begin:
        yield line
