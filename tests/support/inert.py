"""What a report holds but text: the shapes of its documents, which no name may add to."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser

from markdown_it import MarkdownIt
from markdown_it.token import Token

_VOID = {"meta", "input"}


class Outline(HTMLParser):
    """The elements of a document with the names of their attributes, and what their text is; each must be closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.text = ""
        self.attributes: dict[str, list[str]] = {}
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the element."""
        self.elements.append((tag, tuple(name for name, _ in attrs)))
        for name, value in attrs:
            self.attributes.setdefault(name, []).append(value or "")
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close it."""
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Keep the text."""
        self.text += data


GITHUB = MarkdownIt("gfm-like").enable(["linkify", "table", "strikethrough"])
SHAPES = {"text", "code_inline", "strong_open", "strong_close", "em_open", "em_close"}
OWN_ELEMENTS = {"details", "summary", "code"}


def tokens(markdown: str) -> Iterator[Token]:
    """What a renderer makes of a text, inline tokens in their place."""
    for token in GITHUB.parse(markdown):
        yield from token.children if token.children is not None else [token]


class Elements(HTMLParser):
    """The elements of raw HTML, and the text outside code."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.outside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep it; none of ours has an attribute."""
        assert not attrs
        self.found.append(tag)

    def handle_data(self, data: str) -> None:
        """Keep what stands outside code."""
        if self.found[-1:] != ["code"]:
            self.outside.append(data)

    def handle_endtag(self, tag: str) -> None:
        """Text after code is outside again."""
        self.found.append(f"/{tag}")


def assert_inert_markdown(markdown: str) -> None:
    """Assert that nothing but the report's own shapes comes out, and that names stand in code alone."""
    outside: list[str] = []
    for token in tokens(markdown):
        if token.type == "html_block":
            parser = Elements()
            parser.feed(token.content)
            assert {name.lstrip("/") for name in parser.found} <= OWN_ELEMENTS
            outside += parser.outside
        elif token.level and token.type in {"text", "code_inline"} | SHAPES:
            outside += [token.content] if token.type == "text" else []
        assert token.type not in {"html_inline", "link_open", "image", "fence", "code_block", "table_open", "hr"}
        assert token.type not in {"s_open", "blockquote_open", "ordered_list_open", "lheading_open"}
    shown = "".join(outside)
    assert not re.search(r"@|#\d|GH-\d|https?:|www\.|evil|[0-9a-f]{40}", shown)
