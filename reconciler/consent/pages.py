"""Makes the pages that owners land on: what was connected, or what went wrong.

One column, no script, nothing loaded, light or dark as the reader's system is.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from html import escape
from http import HTTPStatus
from types import MappingProxyType

from reconciler.consent.pending import StaleCallback
from reconciler.model.account import shown
from reconciler.model.action import Action
from reconciler.model.consent import CallbackResult, CallbackStatus
from reconciler.text import inert

STYLE = """
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


def csp_hash(text: str) -> str:
    """The source of a Content-Security-Policy that allows this inline text and no other."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


_HEADERS = {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": (
        f"default-src 'none'; style-src {csp_hash(STYLE)}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
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
    """Make a page of paragraphs and, below the first one, facts.

    `{words}` in them are values, which are escaped here.
    """
    inserted = {name: _text(value) for name, value in values.items()}
    shown = [f"<p>{escape(text).format_map(inserted)}</p>" for text in paragraphs]
    if facts:
        rows = "\n".join(f"<dt>{escape(name)}</dt><dd>{text.format_map(inserted)}</dd>" for name, text in facts)
        shown.insert(1, f"<dl>\n{rows}\n</dl>")
    body = "\n".join(shown)
    # A page that says nothing does not say whose it is, either.
    footer = "<footer>This page comes from extcal, on this computer.</footer>\n" if paragraphs else ""
    html = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>{STYLE}</style>
</head>
<body>
<main class="{tone.value}">
{heading(title, tone)}
{body}
</main>
{footer}</body>
</html>
"""
    return HtmlPage(status, html)


def heading(title: str, tone: PageTone) -> str:
    """A page's heading, with the sign of its tone."""
    sign = f'<span aria-hidden="true">{_SIGN[tone]}</span>' if _SIGN[tone] else ""
    return f"<h1>{sign}{escape(title)}</h1>"


def _text(text: str) -> str:
    """A text that can neither be markup nor change the direction of what stands around it."""
    return f"<bdi>{escape(inert(text))}</bdi>"


_CLOSE = "You may close this window."
_NOTHING_TO_DO = f"You have nothing more to do. {_CLOSE}"
_NEW_LINK = "ask whoever sent you here for a new link"


@dataclass(frozen=True, slots=True)
class _Words:
    """What a page says; words in braces are filled in."""

    title: str
    tone: PageTone
    paragraphs: tuple[str, ...]
    status: HTTPStatus = HTTPStatus.OK
    facts: tuple[tuple[str, str], ...] = ()


_ABOUT = (("Provider", "{provider}"), ("For", "{place}"), ("Site", "{site}"))
_WORDS = {
    CallbackStatus.CONNECTED: _Words(
        "Connected",
        PageTone.GOOD,
        ("{connected} is now connected.", _NOTHING_TO_DO),
        facts=(("Account", "{connected}"), *_ABOUT),
    ),
    CallbackStatus.REJECTED: _Words(
        "Not connected",
        PageTone.CALM,
        (
            "Access was not allowed, so no calendar of {account} was connected. Nothing has changed.",
            f"If you meant to allow it, {_NEW_LINK}. Otherwise you have nothing to do. {_CLOSE}",
        ),
    ),
    CallbackStatus.UNSUPPORTED: _Words(
        "This account can't be connected",
        PageTone.BAD,
        (
            "{provider} does not allow this kind of account to be connected. Nothing has changed.",
            (
                "If it is a work or school account, ask its administrator for permission, or agree on another account "
                f"with whoever sent you here. {_CLOSE}"
            ),
        ),
    ),
    CallbackStatus.INTERNAL: _Words(
        "Something went wrong",
        PageTone.BAD,
        (
            "{provider} could not make the connection. This is not your fault, and nothing has changed.",
            (
                f"To try again, wait 5 to 10 minutes, {_NEW_LINK}, and open it in a private window of your browser. "
                f"{_CLOSE}"
            ),
        ),
    ),
    CallbackStatus.WRONG_ACCOUNT: _Words(
        "Another account was expected",
        PageTone.BAD,
        (
            "You have connected {connected}, but {account} was asked for.",
            (
                "Tell whoever sent you here. They can keep the account that you chose, or disconnect it and send you a "
                f"new link, where you choose {{account}}. {_CLOSE}"
            ),
        ),
        facts=(("Connected", "{connected}"), ("Expected", "{account}"), *_ABOUT),
    ),
    CallbackStatus.NO_ACCOUNT_YET: _Words(
        "Almost there",
        PageTone.CALM,
        ("You have agreed, and {provider} is still working on it. The connection is checked later.", _NOTHING_TO_DO),
    ),
    CallbackStatus.BROKEN: _Words(
        "Connected, but not working",
        PageTone.BAD,
        (
            "You have agreed, but {provider} reports an error with this connection.",
            f"To try again, {_NEW_LINK}. {_CLOSE}",
        ),
    ),
    CallbackStatus.FOREIGN: _Words(
        "Another connection was expected",
        PageTone.BAD,
        (
            "Your browser came back with another connection than the one that was asked for. Nothing has changed.",
            f"Open the link that was sent to you again, or {_NEW_LINK}.",
        ),
        status=HTTPStatus.BAD_REQUEST,
    ),
    CallbackStatus.UNREAD: _Words(
        "Not checked yet",
        PageTone.CALM,
        (
            "You have agreed, but the connection could not be checked just now. It is checked again later.",
            _NOTHING_TO_DO,
        ),
    ),
}
_PROVIDERS = {"google": "Google", "microsoft": "Microsoft", "apple": "Apple"}


def result_page(result: CallbackResult, action: Action) -> HtmlPage:
    """The page for an owner whose callback was checked."""
    words = _WORDS[result.status]
    values = {
        "account": shown(action.account, "the account"),
        "connected": shown(result.account, "the account"),
        "provider": _PROVIDERS.get(action.provider, action.provider),
        "place": action.schedule_name or action.address.partition("/")[2],
        "site": action.site,
    }
    return page(words.status, words.title, words.tone, words.paragraphs, facts=words.facts, values=values)


def stale_page(stale: StaleCallback, *, agreed: bool) -> HtmlPage:
    """For a browser that comes a second time, or too late; `agreed`: it says it connected."""
    if stale is StaleCallback.USED:
        text = "This page was opened before, and your answer was received then. Opening it again changes nothing."
        return page(HTTPStatus.GONE, "Already answered", PageTone.CALM, (text, _CLOSE))
    late = "Your answer came after the time for it had ended."
    found = " If you have just connected your account, that will be found: you need not do it again." if agreed else ""
    again = f"If you are sent a new link, open that one. {_CLOSE}"
    return page(HTTPStatus.GONE, "Too late", PageTone.CALM, (late + found, again))


def checking_page() -> HtmlPage:
    """Where the service takes long to say what was connected."""
    text = "You have answered. Checking the connection takes longer than usual."
    return page(HTTPStatus.OK, "Still being checked", PageTone.CALM, (text, _NOTHING_TO_DO))


def unreadable_page() -> HtmlPage:
    """For a true address without an answer that could be read."""
    text = "Your browser came here without an answer that could be read. Nothing has changed."
    again = f"Open the link that was sent to you again, or {_NEW_LINK}."
    return page(HTTPStatus.BAD_REQUEST, "Your answer could not be read", PageTone.BAD, (text, again))


def not_found_page() -> HtmlPage:
    """For every address that is nobody's: it says nothing."""
    return status_page(HTTPStatus.NOT_FOUND)


def status_page(status: HTTPStatus) -> HtmlPage:
    """A page that is only its status."""
    return page(status, status.phrase, PageTone.CALM)
