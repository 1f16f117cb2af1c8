"""Writes the HTML of the consent page. Every text that comes from outside is escaped here."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from html import escape

_STYLE = """
:root { color-scheme: light dark; --page: #f4f5f7; --card: #fff; --text: #1b1f24; --soft: #57606a; --line: #8c959f;
  --accent: #0a4f9e; --on-accent: #fff; --bad: #a40e26; font: 100%/1.5 system-ui, sans-serif; }
@media (prefers-color-scheme: dark) { :root { --page: #0d1117; --card: #161b22; --text: #e6edf3; --soft: #9aa5b1;
  --line: #6e7681; --accent: #79b8ff; --on-accent: #0d1117; --bad: #ff8182; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); overflow-wrap: anywhere; }
main { max-width: 34rem; margin: 4rem auto 1rem; padding: 1.75rem 2rem; background: var(--card);
  border: 1px solid var(--line); border-radius: .5rem; }
h1 { margin: 0; font-size: 1.5rem; line-height: 1.25; }
p { margin: 1rem 0 0; }
ul { margin: .25rem 0 0; padding-left: 1.25rem; }
strong { font-weight: 600; }
fieldset { border: 0; margin: 1.5rem 0 0; padding: 0; min-width: 0; }
legend { padding: 0; font-weight: 600; }
label { display: flex; gap: .75rem; align-items: center; margin-top: .5rem; padding: .625rem .75rem;
  border: 1px solid var(--line); border-radius: .375rem; cursor: pointer; }
label:has(:checked) { border-color: var(--accent); box-shadow: inset 0 0 0 1px var(--accent); }
input { flex: none; width: 1.125rem; height: 1.125rem; margin: 0; accent-color: var(--accent); }
details { margin: 1.5rem 0 0; padding: .75rem; border: 1px dashed var(--line); border-radius: .375rem; }
summary { cursor: pointer; font-weight: 600; }
.choice { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1.5rem 0 0; }
button { flex: 1 1 8rem; min-height: 2.75rem; padding: .5rem 1.25rem; font: inherit; font-weight: 600;
  border: 2px solid var(--accent); border-radius: .375rem; background: none; color: var(--accent); cursor: pointer; }
button.allow { background: var(--accent); color: var(--on-accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.problem { border-left: .375rem solid var(--bad); padding: .25rem 0 .25rem .75rem; font-weight: 600; }
.note, footer { color: var(--soft); font-size: .875rem; }
footer { max-width: 34rem; margin: 0 auto 2rem; padding: 0 2rem; }
@media (max-width: 38rem) { main { margin: 1rem; padding: 1.25rem; } footer { padding: 0 1.5rem; } }
"""

STYLE_SOURCE = f"'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'"
"""What a Content-Security-Policy must name for the page's style to apply."""

_NOTE = "<footer>This is a development sandbox. No real account is used.</footer>"
_OUTCOMES = (
    ("connected", "The account is connected"),
    ("unsupported", "This type of account is not supported"),
    ("internal", "The provider has an internal error"),
)


@dataclass(frozen=True, slots=True)
class Consent:
    """What the page shows.

    `returns_to` is the origin to which the browser returns, `problem` what was wrong with the answer before.
    """

    site: str
    schedule: str
    provider: str
    accounts: tuple[str, ...]
    returns_to: str
    problem: str | None = None


def consent_html(consent: Consent) -> str:
    """The page with its form."""
    site, schedule, provider = _named(consent.site), _named(consent.schedule), _named(consent.provider)
    problem = f'<p class="problem" role="alert">{escape(consent.problem)}</p>' if consent.problem else ""
    return _page(
        f"Connect a calendar of {consent.provider}",
        f"""<h1>Allow access to your calendar?</h1>
{problem}
<p><strong>{site}</strong> wants to connect an account at <strong>{provider}</strong> to its schedule
<strong>{schedule}</strong>. If you allow it, the site can:</p>
<ul>
<li>see when you are busy, so that nobody books you at those times</li>
<li>add its own bookings to your calendar</li>
</ul>
<form method="post">
{_accounts(consent.accounts)}
{_outcomes() if consent.accounts else ""}
<p class="choice">{_allow(consent.accounts)}<button name="decision" value="deny" formnovalidate>Deny</button></p>
</form>
<p class="note">Whether you allow or deny, you return to {_named(consent.returns_to)}.</p>""",
    )


def notice_html(title: str, text: str) -> str:
    """A page with a title and one text."""
    return _page(title, f"<h1>{escape(title)}</h1>\n<p>{escape(text)}</p>")


def _accounts(accounts: tuple[str, ...]) -> str:
    if not accounts:
        return "<p>This provider has no account that can be connected.</p>"
    choices = "\n".join(
        f'<label><input type="radio" name="account" value="{escape(email)}" required> {_named(email)}</label>'
        for email in accounts
    )
    return f"<fieldset><legend>Which account?</legend>\n{choices}\n</fieldset>"


def _outcomes() -> str:
    """The outcomes that a tester can simulate: success, and what a provider may report instead."""
    choices = "\n".join(
        f'<label><input type="radio" name="outcome" value="{value}"{" checked" if value == "connected" else ""}>'
        f" {escape(text)}</label>"
        for value, text in _OUTCOMES
    )
    return f"""<details>
<summary>For testers: simulate a failure</summary>
<fieldset><legend>If you allow access, the provider reports</legend>
{choices}
</fieldset>
</details>"""


def _allow(accounts: tuple[str, ...]) -> str:
    return '<button class="allow" name="decision" value="allow">Allow</button>' if accounts else ""


def _named(text: str) -> str:
    """A text from outside, kept from changing the direction of what stands around it."""
    return f"<bdi>{escape(text)}</bdi>"


def _page(title: str, body: str) -> str:
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
{body}
</main>
{_NOTE}
</body>
</html>
"""
