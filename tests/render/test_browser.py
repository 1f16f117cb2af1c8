"""The HTML reports in a real browser: nothing runs, nothing is asked of a network, and people can use them."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.render.html.plan_page import plan_html
from reconciler.render.html.status_page import status_html
from tests.render.hostile import HOSTILE
from tests.support.browser import Browser, browser
from tests.support.builders.reports import MADE, fleet, fleet_renamed, large, renamed, telling
from tests.support.tools import needs_chromium

pytestmark = needs_chromium

PAGES = {
    "plan": lambda: plan_html(telling(), MADE),
    "status": lambda: status_html(fleet(), MADE),
    "hostile plan": lambda: plan_html(renamed(telling(), HOSTILE), MADE),
    "hostile status": lambda: status_html(fleet_renamed(fleet(), HOSTILE), MADE),
}
ELEMENTS = "Array.from(document.querySelectorAll('*'), (e) => e.localName).filter((n, i, a) => a.indexOf(n) === i)"
OWN = {
    *("html", "head", "meta", "title", "style", "body", "a", "header", "main", "footer", "section", "script"),
    *("h1", "h2", "h3", "p", "small", "b", "span", "div", "ul", "li", "svg", "rect"),
    *("table", "thead", "tbody", "tr", "th", "td", "form", "label", "input", "select", "option", "output"),
}
HANDLERS = (
    "Array.from(document.querySelectorAll('*')).flatMap((e) => [...e.attributes])"
    ".filter((a) => /^on|^style$/.test(a.name)).length"
)
NARROW = "document.forms[0].requestSubmit(); document.body.offsetHeight"
SHOWN = "document.querySelectorAll('section.site tbody tr:not([hidden])').length"


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A running browser."""
    with browser(tmp_path_factory.mktemp("profile")) as found:
        yield found


def load(chromium: Browser, folder: Path, html: str, **how: object) -> None:
    """Show a report."""
    page = folder / "report.html"
    page.write_text(html, encoding="utf-8")
    chromium.show(page, **how)  # type: ignore[arg-type] # the keywords of show, passed on


@pytest.mark.parametrize("name", PAGES)
def test_nothing_runs_but_the_filter(chromium: Browser, tmp_path: Path, name: str) -> None:
    """Hostile names are text: no element or handler comes of them, no title changes, no frame or image loads."""
    load(chromium, tmp_path, PAGES[name]())
    found = chromium.value(ELEMENTS)
    assert isinstance(found, list)
    assert set(found) <= OWN
    assert chromium.value("document.scripts.length + document.forms.length + document.links.length") == 3
    assert chromium.value("document.title.startsWith('Calendar connections')") is True
    assert chromium.value(HANDLERS) == 0
    assert [event["request"]["url"] for event in chromium.told("Network.requestWillBeSent")] == [  # type: ignore[index] # JSON
        (tmp_path / "report.html").as_uri()
    ]
    assert not chromium.told("Runtime.exceptionThrown")
    assert not chromium.told("Log.entryAdded")


def test_even_an_injected_element_could_reach_nothing(chromium: Browser, tmp_path: Path) -> None:
    """Were a name to become markup all the same, the policy keeps it from running and from loading anything.

    It is the second line of defence: of a redirect by `meta` it says nothing.
    """
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0)
        lure = f"http://127.0.0.1:{listening.getsockname()[1]}"
        attack = (
            f"<img src='{lure}/pixel.png' onerror=\"document.title='owned'\">"
            f"<script>document.title='owned'</script><link rel=stylesheet href='{lure}/a.css'>"
            f"<object data='{lure}/'></object><p style=\"background:url('{lure}/b.png')\">"
        )
        load(chromium, tmp_path, PAGES["status"]().replace("<main>", f"<main>{attack}"))
        assert chromium.value("document.title") == "Calendar connections: status"
        fetched = f"fetch('{lure}').then(() => 'reached', (error) => error.name)"
        assert chromium.value(fetched) == "TypeError"
        assert sum("Content Security Policy" in str(event) for event in chromium.told("Log.entryAdded")) >= 6
        with pytest.raises(BlockingIOError):
            listening.accept()


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("width", [360, 768, 1280])
def test_nothing_is_wider_than_the_screen(chromium: Browser, tmp_path: Path, name: str, width: int) -> None:
    """On a phone, a tablet and a desktop nobody scrolls sideways, however long the names."""
    load(chromium, tmp_path, PAGES[name](), width=width)
    root = "document.documentElement"
    assert chromium.value(f"{root}.scrollWidth - {root}.clientWidth") == 0


def test_the_scheme_of_the_reader_is_used(chromium: Browser, tmp_path: Path) -> None:
    """Light and dark follow the reader's choice."""
    colours = []
    for scheme in ("light", "dark"):
        load(chromium, tmp_path, PAGES["status"](), scheme=scheme)
        colours.append(chromium.value("getComputedStyle(document.body).backgroundColor"))
    assert colours == ["rgb(255, 255, 255)", "rgb(18, 22, 28)"]


def choose(chromium: Browser, **fields: str) -> None:
    """Fill in the filter and wait until it has been applied."""
    for name, value in fields.items():
        chromium.value(f"document.forms[0].elements['{name}'].value = '{value}'")
    chromium.value("document.forms[0].requestSubmit()")


def test_search_and_filter_leave_what_fits(chromium: Browser, tmp_path: Path) -> None:
    """Words, health, site and provider narrow the rows together; the count is told; sites without a row go."""
    load(chromium, tmp_path, PAGES["status"]())
    assert chromium.value("document.forms[0].hidden") is False
    assert chromium.value(SHOWN) == 15
    for fields, count in (
        ({"text": "DR. patel"}, 1),
        ({"text": "", "badge": "drifted"}, 2),
        ({"badge": "drifted", "text": "kim"}, 1),
        ({"badge": "", "text": "", "provider": "microsoft"}, 3),
        ({"provider": "", "site": "quay"}, 1),
        ({"text": "nobody at all"}, 0),
    ):
        choose(chromium, **fields)
        assert chromium.value(SHOWN) == count
        assert chromium.value("document.querySelector('output').textContent") == f"{count} of 15 connections shown"
    assert chromium.value("document.querySelectorAll('section.site:not([hidden])').length") == 0
    choose(chromium, text="", site="")
    assert chromium.value(SHOWN) == 15


@pytest.mark.parametrize("sites", [40, pytest.param(400, marks=pytest.mark.soak)])
def test_thousands_of_connections_stay_usable(chromium: Browser, tmp_path: Path, sites: int) -> None:
    """A fleet is a file of some hundred bytes a connection, and to narrow it the page is laid out once, not per row."""
    _, found = large(sites, 50)
    html = status_html(found, MADE)
    assert len(html.encode()) < 400 * 50 * sites
    load(chromium, tmp_path, html)
    total = chromium.value(SHOWN)
    chromium.value("document.forms[0].elements['text'].value = 'site-0007 staff4'")
    before = chromium.count("LayoutCount")
    chromium.value(NARROW)
    assert chromium.count("LayoutCount") - before <= 3
    shown = chromium.value(SHOWN)
    assert isinstance(shown, int)
    assert isinstance(total, int)
    assert 0 < shown < 50 < total
