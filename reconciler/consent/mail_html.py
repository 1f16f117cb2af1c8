"""Shows a message as HTML that loads nothing, runs nothing, and reads well without its styles.

Colours stand in a style sheet, light and dark; what a reader that drops it still needs stands at the elements.
"""

from collections.abc import Iterator
from html import escape

from reconciler.consent.mail_content import LinkSection, MailContent, Phrase

_STYLE = """
:root { color-scheme: light dark; supported-color-schemes: light dark; }
body { margin: 0; padding: 24px 16px; background: #f4f5f7; color: #1b1f24;
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
.mail { max-width: 36rem; margin: 0 auto; padding: 8px 28px 24px; background: #fff; border: 1px solid #d0d7de;
  border-radius: 8px; overflow-wrap: anywhere; word-break: break-word; }
.part { margin: 24px 0; padding: 4px 20px 12px; border: 1px solid #d0d7de; border-radius: 8px; }
h2 { margin: 16px 0 0; font-size: 18px; line-height: 1.3; }
.open { display: inline-block; padding: 10px 18px; border-radius: 6px; background: #0a4f9e; color: #fff;
  font-weight: 600; text-decoration: none; }
.link, .automatic { color: #57606a; font-size: 13px; }
.link a { color: #57606a; }
dl { margin: 0; } dt { margin-top: 12px; font-weight: 600; } dd { margin: 0; }
.automatic { max-width: 36rem; margin: 12px auto 0; padding: 0 28px; }
@media (max-width: 480px) { body { padding: 8px; } .mail { padding: 4px 16px 16px; } .part { padding: 0 14px 10px; } }
@media (prefers-color-scheme: dark) {
  body { background: #0d1117; color: #e6edf3; }
  .mail { background: #161b22; border-color: #3d444d; } .part { border-color: #3d444d; }
  .open { background: #1f6feb; color: #fff; }
  .link, .link a, .automatic { color: #9aa5b1; }
}
"""


def html_of(content: MailContent) -> str:
    """The message, an HTML document that needs nothing else."""
    body = "\n".join(_body(content))
    return f"""<!doctype html>
<html lang="{escape(content.lang)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<meta name="format-detection" content="telephone=no, date=no, address=no, email=no, url=no">
<title>{escape(content.subject.text)}</title>
<style>{_STYLE}</style>
</head>
<body dir="auto">
<div class="mail">
{body}
</div>
{_paragraph(content.automatic, "automatic")}
</body>
</html>
"""


def _body(content: MailContent) -> Iterator[str]:
    yield from map(_paragraph, content.opening)
    for section in content.sections:
        yield from _section(section, content.copy)
    yield from map(_paragraph, content.closing)


def _section(section: LinkSection, copy: Phrase) -> Iterator[str]:
    url = escape(section.url)
    yield '<div class="part">'
    yield f"<h2>{section.heading.html}</h2>"
    yield f'<p><a class="open" href="{url}" rel="noreferrer">{section.open.html}</a></p>'
    yield _paragraph(section.choose)
    yield "<dl>"
    for name, fact in section.facts:
        yield f"<dt>{name.html}</dt><dd>{fact.html}</dd>"
    yield "</dl>"
    yield f'<p class="link">{copy.html}<br><a href="{url}" rel="noreferrer">{url}</a></p>'
    yield "</div>"


def _paragraph(phrase: Phrase, style: str = "") -> str:
    attribute = f' class="{style}"' if style else ""
    return f"<p{attribute}>{phrase.html}</p>"
