"""How a page looks: one column, no script, nothing loaded, light or dark as the reader's system is."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from html import escape
from http import HTTPStatus
from types import MappingProxyType

from reconciler.text import inert

_STYLE = """
:root { color-scheme: light dark; --page: #f4f5f7; --card: #fff; --text: #1b1f24; --soft: #57606a; --line: #d0d7de;
  --good: #116329; --bad: #a40e26; --calm: #0a4f9e; font: 100%/1.5 system-ui, sans-serif; }
@media (prefers-color-scheme: dark) { :root { --page: #0d1117; --card: #161b22; --text: #e6edf3; --soft: #9aa5b1;
  --line: #3d444d; --good: #4ac26b; --bad: #ff8182; --calm: #79b8ff; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); overflow-wrap: anywhere; }
main { max-width: 34rem; margin: 12vh auto 2rem; padding: 1.75rem 2rem; background: var(--card);
  border: 1px solid var(--line); border-top: .375rem solid var(--tone); border-radius: .5rem; }
.good { --tone: var(--good); } .bad { --tone: var(--bad); } .calm { --tone: var(--calm); }
h1 { margin: 0; font-size: 1.5rem; line-height: 1.25; color: var(--tone); }
h1 span { margin-right: .5rem; }
p { margin: 1rem 0 0; }
dl { display: grid; grid-template-columns: auto 1fr; gap: .375rem 1.25rem; margin: 1.25rem 0 0; padding: 1rem 0;
  border: solid var(--line); border-width: 1px 0; }
dt { color: var(--soft); } dd { margin: 0; font-weight: 600; }
footer { max-width: 34rem; margin: 0 auto 2rem; padding: 0 2rem; color: var(--soft); font-size: .875rem; }
@media (max-width: 38rem) { main { margin: 1rem; padding: 1.25rem; } footer { padding: 0 1.5rem; } }
"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS = {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none';"
        " frame-ancestors 'none'"
    ),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}


class PageTone(StrEnum):
    """Whether a page brings good news; the sign says it to those who see no colour."""

    GOOD = "good"
    BAD = "bad"
    CALM = "calm"


_SIGN = {PageTone.GOOD: "✓", PageTone.BAD: "!", PageTone.CALM: ""}


@dataclass(frozen=True, slots=True)
class HtmlPage:
    """An answer to a browser."""

    status: HTTPStatus
    html: str

    @property
    def headers(self) -> dict[str, str]:
        """What keeps the page from loading, sending or being framed by anything."""
        return _HEADERS


def page(
    status: HTTPStatus,
    title: str,
    tone: PageTone,
    paragraphs: Sequence[str] = (),
    *,
    facts: Sequence[tuple[str, str]] = (),
    values: Mapping[str, str] = MappingProxyType({}),
) -> HtmlPage:
    """A page of paragraphs and, below the first one, facts; `{words}` in them are values, which are escaped here."""
    inserted = {name: _text(value) for name, value in values.items()}
    shown = [f"<p>{escape(text).format_map(inserted)}</p>" for text in paragraphs]
    if facts:
        rows = "\n".join(f"<dt>{escape(name)}</dt><dd>{text.format_map(inserted)}</dd>" for name, text in facts)
        shown.insert(1, f"<dl>\n{rows}\n</dl>")
    sign = f'<span aria-hidden="true">{_SIGN[tone]}</span>' if _SIGN[tone] else ""
    body = "\n".join(shown)
    # A page that says nothing does not say whose it is, either.
    footer = "<footer>This page comes from extcal, on this computer.</footer>\n" if paragraphs else ""
    html = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>{_STYLE}</style>
</head>
<body>
<main class="{tone.value}">
<h1>{sign}{escape(title)}</h1>
{body}
</main>
{footer}</body>
</html>
"""
    return HtmlPage(status, html)


def _text(text: str) -> str:
    """A text that can neither be markup nor change the direction of what stands around it."""
    return f"<bdi>{escape(inert(text))}</bdi>"
