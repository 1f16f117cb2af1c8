"""The consent page's HTML. Every text that comes from outside is escaped here."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from html import escape

_STYLE = """
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { margin: 0 auto; max-width: 34rem; padding: 1.5rem 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.4rem; line-height: 1.25; }
fieldset { border: 1px solid; border-radius: .5rem; margin: 1rem 0; padding: .5rem 1rem; }
label { display: block; padding: .5rem 0; }
select, button { font: inherit; min-height: 2.75rem; padding: .25rem 1rem; }
button { border-radius: .5rem; border: 2px solid; cursor: pointer; margin: 0 .5rem .5rem 0; }
.problem { border-left: .4rem solid #c00; padding-left: .75rem; font-weight: bold; }
.note { font-size: .9rem; opacity: .85; }
"""

STYLE_SOURCE = f"'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'"
"""What a Content-Security-Policy must name for the page's style to apply."""

_NOTE = '<p class="note">This is a sandbox for development: no real account is touched.</p>'


@dataclass(frozen=True, slots=True)
class Consent:
    """What the page shows. `returns_to` is the origin to which the browser goes on, `problem` what was wrong before."""

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
        f"""<h1>{site} asks for access to a calendar account at {provider}</h1>
{problem}
<p>The account will be connected to the schedule {schedule}. The site may then import events from its calendars and
export events to them.</p>
<form method="post">
{_accounts(consent.accounts)}
<p><label for="outcome">What the provider should answer, if you allow</label>
<select id="outcome" name="outcome">
<option value="connected">The account is connected</option>
<option value="unsupported">This kind of account can't be connected</option>
<option value="internal">Something went wrong at the provider</option>
</select></p>
<p>{_allow(consent.accounts)}<button name="decision" value="deny" formnovalidate>Deny</button></p>
</form>
<p class="note">Either way you go on to {_named(consent.returns_to)}.</p>""",
    )


def notice_html(title: str, text: str) -> str:
    """A page that says one thing."""
    return _page(title, f"<h1>{escape(title)}</h1>\n<p>{escape(text)}</p>")


def _accounts(accounts: tuple[str, ...]) -> str:
    if not accounts:
        return "<p>There is no account at this provider that could be connected.</p>"
    choices = "\n".join(
        f'<label><input type="radio" name="account" value="{escape(email)}" required> {_named(email)}</label>'
        for email in accounts
    )
    return f"<fieldset><legend>Account</legend>\n{choices}\n</fieldset>"


def _allow(accounts: tuple[str, ...]) -> str:
    return '<button name="decision" value="allow">Allow</button>' if accounts else ""


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
{_NOTE}
</main>
</body>
</html>
"""
