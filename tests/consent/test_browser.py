"""The whole way in a real browser: two owners at their consent pages, one allowing and one denying."""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest

from reconciler.consent import pages
from reconciler.consent.pages import HtmlPage
from reconciler.consent.pending import StaleCallback
from reconciler.model.account import Account
from reconciler.model.consent import CallbackResult, CallbackStatus
from tests.consent.owners import action, links
from tests.consent.screens import assert_legible
from tests.support.browser import Browser
from tests.support.cli.command import Extcal
from tests.support.cli.terminal import terminal
from tests.support.cli.worlds import connection, email, site
from tests.support.timeouts import TIMEOUT
from tests.support.tools import needs_chromium

pytestmark = needs_chromium

_WIDE, _PHONE = 1280, 360
_IMPORTS = "syncConfig: {listEventFromCalendars: {enabled: true, calendars: [Home]}, syncToCalendar: {enabled: false}}"


@dataclass
class Person:
    """Somebody who sees a page and points at it."""

    window: Browser

    def go(self, url: str) -> None:
        """Open an address."""
        self.window.send("Page.navigate", url=url)

    def sees(self, heading: str) -> str:
        """Wait until a page has this heading; all its text."""
        self._waits("document.querySelector('h1')?.innerText", heading)
        return str(self.window.value("document.body.innerText"))

    def leaves(self) -> None:
        """Leave for an empty page, and be there."""
        self.go("about:blank")
        self._waits("document.URL", "about:blank")

    def _waits(self, expression: str, expected: str) -> None:
        deadline = time.monotonic() + TIMEOUT
        seen: object = None
        while time.monotonic() < deadline:
            # While one page gives way to the next there is nothing to look at.
            with contextlib.suppress(RuntimeError):
                seen = self.window.value(f"document.readyState === 'complete' ? {expression} : null")
                if expected in str(seen):
                    return
            time.sleep(0.02)
        raise AssertionError(f"{expected!r} was not seen, but {seen!r}")

    def clicks(self, css: str) -> None:
        """Point at the middle of an element, and click."""
        place = self.window.value(
            f"(() => {{ const e = document.querySelector({css!r}); e.scrollIntoView({{block: 'center'}});"
            " const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; })()"
        )
        x, y = cast("list[float]", place)
        for kind in ("mousePressed", "mouseReleased"):
            self.window.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def presses(self, key: str, code: int) -> None:
        """Press a key."""
        for kind in ("keyDown", "keyUp"):
            text = {"text": "\r"} if key == "Enter" and kind == "keyDown" else {}
            self.window.send("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code, **text)

    def uses(self, *, width: int, scheme: str = "light") -> None:
        """Be at a screen of this width, in this colour scheme."""
        self.window.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=width < 600
        )
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.window.send("Emulation.setEmulatedMedia", media="", features=features)


@pytest.fixture
def person(window: Browser) -> Iterator[Person]:
    """A person at a browser whose pages may run no script."""
    # The pages must work without; what the tests evaluate runs all the same.
    window.send("Emulation.setScriptExecutionDisabled", value=True)
    found = Person(window)
    yield found
    # What is shown next waits for its own page, and must not take the end of this one for it.
    found.leaves()


def test_two_owners_one_allows_and_one_denies(extcal: Extcal, person: Person) -> None:
    """Each sees on their page what came of it, the terminal tells the same, and so does the live state."""
    extcal.write(
        site(), connection(1, provider="google", more=_IMPORTS), connection(2, provider="google", more=_IMPORTS)
    )
    with terminal(extcal, "apply", "manifests", "--auto-approve") as at:
        at.expect("2 of 2 still to answer: ")
        found = links(at.seen)
        person.uses(width=_PHONE)
        person.go(found[email(1)])
        asked = person.sees("Allow access to your calendar?")
        assert "Harbor Dental wants to connect an account at Google to its schedule Staff 1" in asked
        person.clicks(f"input[value='{email(1)}']")
        person.clicks("button[value=allow]")
        shown = person.sees("Connected")
        for text in (f"{email(1)} is now connected", "Google", "staff-1", "harbor", "You may close this window"):
            assert text in shown
        at.expect(f"1 of 2 still to answer: {email(2)}")
        person.window.send("Page.reload")
        assert "Opening it again changes nothing" in person.sees("Already answered")
        person.uses(width=_WIDE, scheme="dark")
        person.go(found[email(2)])
        person.sees("Allow access to your calendar?")
        person.clicks("button[value=deny]")
        assert f"no calendar of {email(2)} was connected" in person.sees("Not connected")
        assert at.ended() == 1
    assert "harbor/staff-1" in at.seen
    assert "its owner refused access; ask them and apply again, or remove its manifest" in at.seen
    assert at.seen.endswith("Applied: 1 done, 1 FAILED.\n")
    rows = extcal("connections", "manifests", "--format", "json").rows
    assert [row["externalAccountEmail"] for row in rows] == [email(1)]
    actions = {str(each["address"]): each["action"] for each in extcal("plan", "manifests", "--format", "json").actions}
    assert actions == {"harbor/staff-1": "noop", "harbor/staff-2": "connect"}


@pytest.mark.parametrize(
    ("played", "heading"),
    [
        ("unsupported", "This account can't be connected"),
        pytest.param("internal", "Something went wrong", marks=pytest.mark.soak),
    ],
)
def test_failures_can_be_played_by_keyboard(extcal: Extcal, person: Person, played: str, heading: str) -> None:
    """The consent page's switches lead to the page that says what went wrong, and what to do."""
    extcal.write(site(), connection(1, provider="google"))
    with terminal(extcal, "apply", "manifests", "--auto-approve") as at:
        at.expect("1 of 1 still to answer: ")
        person.go(links(at.seen)[email(1)])
        person.sees("Allow access to your calendar?")
        person.clicks(f"input[value='{email(1)}']")
        person.presses("Tab", 9)
        assert person.window.value("document.activeElement.tagName") == "SUMMARY"
        person.presses("Enter", 13)
        person.clicks(f"input[value={played}]")
        person.clicks("button[value=allow]")
        assert "Nothing has changed" in person.sees(heading) or "nothing has changed" in person.sees(heading)
        assert at.ended() == 1


def test_the_wrong_account_is_told_with_both_addresses(extcal: Extcal, person: Person) -> None:
    """An owner who chooses another account sees which one was asked for; the terminal says the way out."""
    extcal.write(site(), connection(1, provider="google"))
    with terminal(extcal, "apply", "manifests", "--auto-approve") as at:
        at.expect("1 of 1 still to answer: ")
        person.go(links(at.seen)[email(1)])
        person.sees("Allow access to your calendar?")
        person.clicks(f"input[value='{email(3)}']")
        person.clicks("button[value=allow]")
        shown = person.sees("Another account was expected")
        assert f"You have connected {email(3)}, but {email(1)} was asked for." in shown
        assert at.ended() == 1
    assert f"{email(3)} was connected, but its manifest says {email(1)}: not adopted" in at.seen


@pytest.mark.parametrize(
    ("schemes", "widths"),
    [(("light",), (_PHONE,)), pytest.param(("light", "dark"), (_WIDE, _PHONE), marks=pytest.mark.soak)],
)
def test_every_page_fits_a_phone_and_can_be_read(
    window: Browser, tmp_path: Path, schemes: tuple[str, ...], widths: tuple[int, ...]
) -> None:
    """At 360 and at 1280 pixels, light and dark, nothing overflows, even with names of hundreds of characters."""
    long = "an-account-with-a-name-" + "x" * 300 + "@harbor.example"
    shown = [pages.result_page(CallbackResult(finding, Account(long)), action()) for finding in CallbackStatus]
    shown += [pages.stale_page(turned, agreed=True) for turned in StaleCallback]
    shown += [pages.checking_page(), pages.unreadable_page(), pages.not_found_page()]
    for page in shown:
        for width in widths:
            for scheme in schemes:
                assert_fits(window, tmp_path, page, width, scheme)


@pytest.mark.parametrize(("width", "scheme"), [(_PHONE, "dark"), (_WIDE, "light"), (_WIDE, "dark")])
def test_the_page_that_says_most_fits_every_screen(window: Browser, tmp_path: Path, width: int, scheme: str) -> None:
    """All pages share one style: the one with the longest text stands for them."""
    said = [
        pages.result_page(CallbackResult(finding, Account("lee@harbor.example")), action())
        for finding in CallbackStatus
    ]
    most = max(said, key=lambda page: len(page.html))
    assert_fits(window, tmp_path, most, width, scheme)


def assert_fits(window: Browser, folder: Path, page: HtmlPage, width: int, scheme: str) -> None:
    """Nothing of a page overflows or is too faint to be read."""
    file = folder / "page.html"
    file.write_text(page.html, encoding="utf-8")
    window.show(file, width=width, scheme=scheme)
    assert window.value("document.querySelectorAll('h1').length") == 1
    assert_legible(window)
