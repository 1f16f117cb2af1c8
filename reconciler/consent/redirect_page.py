"""Makes the page to put at a Site's `oauth.redirectUrl`, where owners land whom nobody awaits on their machine.

It is one file that loads and sends nothing. Its script reads what the service appends to the address, chooses which of
its texts is shown, and shows nothing of the address itself. Where no script runs, a text stands that is always true.
"""

from dataclasses import dataclass
from html import escape

from reconciler.consent.pages import STYLE, PageTone, csp_hash, heading

_CLOSE = "You may close this page."
_NEW_LINK = "ask whoever sent you the link for another one"


@dataclass(frozen=True, slots=True)
class _Text:
    title: str
    tone: PageTone
    paragraphs: tuple[str, ...]


_NEUTRAL = "neutral"
_TEXTS = {
    _NEUTRAL: _Text(
        "You have answered",
        PageTone.CALM,
        (
            "If you allowed access to your calendar, the connection is found by itself. You have nothing more to do.",
            f"If something went wrong, wait 5 to 10 minutes, then {_NEW_LINK}. {_CLOSE}",
        ),
    ),
    "agreed": _Text(
        "Thank you",
        PageTone.GOOD,
        (
            "You have allowed access to your calendar. Whoever sent you the link sees that, and does the rest.",
            f"You have nothing more to do. {_CLOSE}",
        ),
    ),
    "reject": _Text(
        "Not connected",
        PageTone.CALM,
        (
            "Access was not allowed, so no calendar was connected. Nothing has changed.",
            f"If you meant to allow it, {_NEW_LINK}. Otherwise you have nothing to do. {_CLOSE}",
        ),
    ),
    "unsupported": _Text(
        "This account can't be connected",
        PageTone.BAD,
        (
            "The provider does not allow this kind of account to be connected. Nothing has changed.",
            (
                "If it is a work or school account, ask its administrator for permission, or agree on another account "
                f"with whoever sent you the link. {_CLOSE}"
            ),
        ),
    ),
    "internal": _Text(
        "Something went wrong",
        PageTone.BAD,
        (
            "The connection could not be made just now. This is not your fault.",
            f"Wait 5 to 10 minutes, then {_NEW_LINK}, and open it in a private window. {_CLOSE}",
        ),
    ),
    "unreadable": _Text(
        "Your answer could not be read",
        PageTone.BAD,
        (
            "Your browser came here without an answer that could be read.",
            (
                "If you have just allowed access, the connection is found all the same. If not, open the link that was "
                f"sent to you again, or {_NEW_LINK}."
            ),
        ),
    ),
}
_SCRIPT = """
const query = new URLSearchParams(location.search);
const ids = query.getAll("connectionId"), errors = query.getAll("error");
let answer = "unreadable";
if (ids.length === 1 && ids[0] !== "" && errors.length === 0) answer = "agreed";
if (ids.length === 0 && errors.length === 1 && ["reject", "unsupported", "internal"].includes(errors[0])) {
  answer = errors[0];
}
const shown = document.getElementById(answer);
document.getElementById("neutral").hidden = true;
shown.hidden = false;
document.title = shown.dataset.title;
"""
# What a header alone can say, such as who may frame it, is the host's: it has nothing that framing could misuse.
_POLICY = (
    f"default-src 'none'; style-src {csp_hash(STYLE)}; script-src {csp_hash(_SCRIPT)}; base-uri 'none'; "
    "form-action 'none'"
)


def redirect_page() -> str:
    """The page, an HTML document that needs nothing else."""
    texts = "\n".join(_shown(name, text) for name, text in _TEXTS.items())
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<title>{escape(_TEXTS[_NEUTRAL].title)}</title>
<style>{STYLE}</style>
</head>
<body>
{texts}
<footer>This page was made by extcal. It loads nothing, and sends nothing to anybody.</footer>
<script>{_SCRIPT}</script>
</body>
</html>
"""


def _shown(name: str, text: _Text) -> str:
    hidden = "" if name == _NEUTRAL else " hidden"
    title = escape(text.title, quote=True)
    paragraphs = "\n".join(f"<p>{escape(each)}</p>" for each in text.paragraphs)
    return (
        f'<main id="{name}" class="{text.tone}" data-title="{title}"{hidden}>\n{heading(text.title, text.tone)}\n'
        f"{paragraphs}\n</main>"
    )
