"""`extcal consent-page`: the page at a Site's redirectUrl, what it says for each answer, and where it is written."""

import contextlib
import re
import stat
import time
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

import pytest

from reconciler.consent.redirect_page import redirect_page
from tests.consent.owners import links
from tests.consent.screens import assert_legible
from tests.support.browser import Browser
from tests.support.cli.command import COMMAND, Extcal
from tests.support.cli.terminal import terminal
from tests.support.cli.worlds import connection, email, site
from tests.support.servers.http import Handler, served
from tests.support.timeouts import TIMEOUT
from tests.support.tools import needs_chromium

_SCREENS = [(360, "light"), (360, "dark"), (1280, "light"), (1280, "dark")]
_HOSTILE = "<img src=x onerror=alert(1)>\u202egnp.exe & https://evil.example"
_UNREADABLE = "Your answer could not be read"
_ANSWERS = {
    "connectionId=c1": ("Thank you", "Whoever sent you the link sees that, and does the rest"),
    f"connectionId={quote(_HOSTILE)}": ("Thank you", "nothing more to do"),
    "connectionId=c1&state=x&lang=en": ("Thank you", "nothing more to do"),
    "error=reject": ("Not connected", "If you meant to allow it, ask whoever sent you the link for another one."),
    "error=unsupported": ("This account can't be connected", "ask its administrator for permission"),
    "error=internal": ("Something went wrong", "Wait 5 to 10 minutes"),
    "": (_UNREADABLE, "open the link that was sent to you again"),
    "connectionId=c1&error=reject": (_UNREADABLE, "the connection is found all the same"),
    "connectionId=c1&connectionId=c2": (_UNREADABLE, ""),
    "connectionId=": (_UNREADABLE, ""),
    "error=": (_UNREADABLE, ""),
    "error=reject&error=internal": (_UNREADABLE, ""),
    "error=neutral": (_UNREADABLE, ""),
    "error=constructor": (_UNREADABLE, ""),
    f"error={quote(_HOSTILE)}": (_UNREADABLE, ""),
    "connectionId=%ff%fe": ("Thank you", ""),
    f"x={'y' * 5000}&error=reject": ("Not connected", ""),
}


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """The page as a file, as an owner of nothing but a disk would have it."""
    file = tmp_path / "connected.html"
    file.write_text(redirect_page(), encoding="utf-8")
    return file


def opened(window: Browser, page: Path, query: str, *, scripts: bool = True) -> str:
    """Open the page with a query; all its text that can be seen."""
    window.send("Emulation.setScriptExecutionDisabled", value=not scripts)
    window.send("Page.navigate", url="about:blank")
    window.events.clear()
    url = f"{page.as_uri()}?{query}" if query else page.as_uri()
    window.send("Page.navigate", url=url)
    deadline = time.monotonic() + TIMEOUT
    while time.monotonic() < deadline:
        with contextlib.suppress(RuntimeError):
            if window.value("document.readyState === 'complete' && location.protocol === 'file:'"):
                return str(window.value("document.body.innerText"))
        time.sleep(0.02)
    raise AssertionError(f"{url} was not shown")


@needs_chromium
@pytest.mark.parametrize("query", _ANSWERS)
def test_each_answer_has_its_words(window: Browser, page: Path, query: str) -> None:
    """One text is shown, and nothing of the address; nothing but the page is asked of anybody."""
    heading, words = _ANSWERS[query]
    shown = opened(window, page, query)
    assert window.value("[...document.querySelectorAll('main')].filter(m => m.checkVisibility()).length") == 1
    assert shown.lstrip("✓!\n ").startswith(heading)
    assert window.value("document.title") == heading
    assert words in shown
    assert not re.search(r"c1|img|evil|gnp|y{9}|%ff", shown)
    assert window.value("document.querySelectorAll('img').length") == 0
    asked = [str(event["request"]["url"]) for event in window.told("Network.requestWillBeSent")]  # type: ignore[index] # as the protocol says
    assert [url for url in asked if not url.startswith(("about:", page.as_uri()))] == []
    assert window.told("Log.entryAdded") == window.told("Runtime.exceptionThrown") == []


@needs_chromium
def test_without_scripts_it_says_what_is_always_true(window: Browser, page: Path) -> None:
    """Whatever the answer was, an owner knows what to do."""
    shown = {opened(window, page, query, scripts=False) for query in ("connectionId=c1", "error=internal", "")}
    (text,) = shown
    assert text.startswith("You have answered")
    assert "If you allowed access to your calendar, the connection is found by itself" in text
    assert "wait 5 to 10 minutes" in text


@needs_chromium
@pytest.mark.parametrize(("width", "scheme"), _SCREENS)
def test_it_can_be_read_on_every_screen(window: Browser, page: Path, width: int, scheme: str) -> None:
    """On a phone and on a desk, light and dark, nothing overflows or is too faint."""
    window.send("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=width < 600)
    window.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    for query in ("connectionId=c1", "error=reject", "error=unsupported", "error=internal", ""):
        opened(window, page, query)
        assert_legible(window)


class Host(Handler):
    """A static host that has the page, whatever the query; it waits for no browser that says nothing."""

    timeout: ClassVar[float | None] = 5.0

    def respond(self) -> None:
        """Answer with the page."""
        body = redirect_page().encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        # A browser would keep the connection for minutes, and the server waits for it.
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)


@needs_chromium
def test_an_owner_agrees_lands_there_and_is_found(extcal: Extcal, window: Browser) -> None:
    """The whole way: the link, the consent page, the Site's page, and the connection, which apply finds by listing."""
    window.send("Emulation.setScriptExecutionDisabled", value=False)
    with served(Host) as host:
        manifest = re.sub(r"redirectUrl: [^}]*", f"redirectUrl: {host}/connected.html", site())
        extcal.write(manifest, connection(1, provider="google"))
        with terminal(extcal, "apply", "manifests", "--auto-approve", "--consent", "poll") as at:
            at.expect("1 of 1 still to answer: ")
            window.send("Page.navigate", url=links(at.seen)[email(1)])
            seen(window, "Allow access to your calendar?")
            choose = f"document.querySelector(`input[value='{email(1)}']`).click()"
            window.value(f"({choose}, document.querySelector('button[value=allow]').click())")
            seen(window, "Thank you")
            assert str(window.value("location.href")).startswith(f"{host}/connected.html?connectionId=")
            assert at.ended() == 0
    assert at.seen.endswith("Applied: 1 done.\n")


def seen(window: Browser, heading: str) -> None:
    """Wait until a page shows this heading."""
    shown = "[...document.querySelectorAll('h1')].filter(h => h.checkVisibility()).map(h => h.innerText).join()"
    deadline = time.monotonic() + TIMEOUT
    while time.monotonic() < deadline:
        # While one page gives way to the next there is nothing to look at.
        with contextlib.suppress(RuntimeError):
            if heading in str(window.value(shown)):
                return
        time.sleep(0.02)
    raise AssertionError(f"{heading!r} was not shown")


def test_it_needs_nothing_and_may_nothing() -> None:
    """No address stands in it, and its policy allows its own style and script alone, by their hashes."""
    html = redirect_page()
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', html)
    assert policy
    assert re.fullmatch(
        r"default-src 'none'; style-src 'sha256-[\w+/=]+'; script-src 'sha256-[\w+/=]+'; base-uri 'none'; "
        r"form-action 'none'",
        policy[1],
    )
    assert re.findall(r"https?:|//|src=|href=|innerHTML", html) == []


def test_the_command_writes_a_new_file(extcal: Extcal) -> None:
    """Whoever serves it may read it; it is the page, and what to do with it is said; the service is asked nothing."""
    ran = extcal("consent-page", "--output", "connected.html")
    assert (ran.code, ran.out) == (0, "")
    assert "Put it on a web host, and its https address into the Site: oauth.redirectUrl." in ran.err
    file = extcal.folder / "connected.html"
    assert file.read_text(encoding="utf-8") == redirect_page()
    assert stat.S_IMODE(file.stat().st_mode) & 0o444 == 0o444
    assert len(extcal.sandbox.requests) == 0
    assert extcal("consent-page", "--output", "-").out == redirect_page()
    assert extcal("consent-page", "--output", "quiet.html", "--quiet").err == ""


@pytest.mark.parametrize("what", ["file", "link", "folder"])
def test_what_is_there_stays(extcal: Extcal, what: str) -> None:
    """A file, a link that leads nowhere and a folder are refused, and are what they were."""
    place = extcal.folder / "connected.html"
    if what == "file":
        place.write_text("mine")
    elif what == "link":
        place.symlink_to("elsewhere")
    else:
        place.mkdir()
    ran = extcal("consent-page", "--output", str(place))
    assert ran.code == 64
    assert ran.err.startswith(f"error: --output {place}: ")
    assert what != "file" or place.read_text() == "mine"
    assert not (extcal.folder / "elsewhere").exists()


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((), "missing option '--output'"),
        (("--output", ""), "--output is empty"),
        (("--output", "no/such/page.html"), "--output no/such/page.html: No such file or directory"),
        (("--output", "/dev/page.html"), "name another folder"),
        (("--output", "page.html", "more"), "unexpected extra argument"),
    ],
)
def test_wrong_usage_is_told(extcal: Extcal, args: tuple[str, ...], said: str) -> None:
    """What is missing or can't be, and nothing is written."""
    ran = extcal("consent-page", *args)
    assert ran.code == 64
    assert said in ran.err
    assert list(extcal.folder.iterdir()) == []


def test_a_full_disk_leaves_no_half_a_page(extcal: Extcal) -> None:
    """What could not be written whole is not there."""
    limited = ("sh", "-c", 'ulimit -f 1; exec "$@"', "sh")
    unmeasured = {"COVERAGE_PROCESS_START": None, "COVERAGE_PROCESS_CONFIG": None}
    command = (*limited, *COMMAND)
    with extcal.started("consent-page", "--output", "page.html", command=command, env=unmeasured) as process:
        _, err = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "--output page.html: File too large; the page was not written" in err
    assert not (extcal.folder / "page.html").exists()
