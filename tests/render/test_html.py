"""The HTML reports as documents: closed against injection, complete without a script, readable by all."""

import base64
import hashlib
import re
from itertools import pairwise, product

import pytest
from hypothesis import given

from reconciler.model.status import FleetStatus
from reconciler.render.html.assets import PAGE, Colour, Shade
from reconciler.render.html.plan_page import plan_failure_html, plan_html
from reconciler.render.html.status_page import status_failure_html, status_html
from reconciler.render.html.tags import Html, tag
from reconciler.text import inert
from tests.render.hostile import HOSTILE, texts
from tests.support.builders.reports import MADE, fleet, fleet_renamed, large, nothing_to_do, renamed, telling
from tests.support.inert import Outline
from tests.support.profiles import examples


def test_a_warning_is_no_error() -> None:
    """Warnings have a heading of their own below the errors."""
    shown = Outline(plan_html(telling(), MADE)).text
    errors, _, warnings = shown.partition("Warnings")
    assert "the site has no provider tidewater" in errors.partition("Errors")[2]
    assert warnings.startswith("quay: no connection is declared")


def test_a_connect_that_needs_its_owner_is_told_from_one_that_does_not() -> None:
    """It has a badge of its own, by which rows are counted and filtered, and what is as declared is called so."""
    html = plan_html(telling(), MADE)
    badges = re.findall(r'<span class="badge [^"]*">([^<]*)</span>', html)
    assert {"connect", "connect, consent", "as declared"} <= set(badges)
    assert '<option value="connect, consent">' in html
    assert {"By action", "Disconnected", "Total"} <= set(re.findall(r'<th scope="col"[^>]*>([^<]*)</th>', html))


@examples(20, profile="tests")
@given(texts.filter(inert))
def test_no_name_changes_the_elements_of_a_plan(name: str) -> None:
    """Whatever a name holds, the document has the elements and attributes that it has with a plain one."""
    plain = Outline(plan_html(renamed(telling(), ["plain"]), MADE))
    assert Outline(plan_html(renamed(telling(), [name]), MADE)).elements == plain.elements


@examples(20, profile="tests")
@given(texts.filter(inert))
def test_no_name_changes_the_elements_of_a_status(name: str) -> None:
    """The same of a status, and of the reports that say why there is none."""
    plain = Outline(status_html(fleet_renamed(fleet(), ["plain"]), MADE))
    assert Outline(status_html(fleet_renamed(fleet(), [name]), MADE)).elements == plain.elements
    for failure in (plan_failure_html, status_failure_html):
        assert Outline(failure([name], MADE)).elements == Outline(failure(["plain"], MADE)).elements


@pytest.mark.parametrize("html", [plan_html(telling(), MADE), status_html(fleet(), MADE)], ids=["plan", "status"])
def test_the_policy_allows_its_own_style_and_script_alone(html: str) -> None:
    """Everything else is forbidden, and nothing in the document names another place."""
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', html)
    policy = policy.replace("&#x27;", "'")
    hashes = []
    for element in ("style", "script"):
        (content,) = re.findall(f"<{element}>(.*?)</{element}>", html, re.DOTALL)
        hashes.append(f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'")
    assert policy == (
        f"default-src 'none'; style-src {hashes[0]}; script-src {hashes[1]}; base-uri 'none'; form-action 'none'"
    )
    assert not re.search(r"https?:|//[a-z]|url\(|@import|src=", html.replace(policy, ""))


def test_everything_stands_in_the_page_without_a_script() -> None:
    """The form that only the script can serve is hidden; every connection, reason and remedy is there to read."""
    html = status_html(fleet(), MADE)
    outline = Outline(html)
    assert re.search(r'<form class="filter"[^>]* hidden>', html)
    for text in ("harbor/ruiz", "access was revoked", "put a new password in env:EXTCAL_PASSWORD", "id:c-spare"):
        assert text in outline.text
    assert "Made on 2 March 2026, 14:05 UTC" in outline.text


def test_what_is_broken_is_on_top() -> None:
    """What needs attention comes before the tables, the worst first; what will be lost does in a plan."""
    text = Outline(status_html(fleet(), MADE)).text
    top = text[text.index("Needs attention") : text.index("All connections")]
    order = [top.index(name) for name in ("harbor/ruiz", "harbor/lee", "quay/lab", "harbor/patel", "harbor/kim")]
    assert order == sorted(order)
    assert "harbor/sato" not in top
    text = Outline(plan_html(telling(), MADE)).text
    lost = text[text.index("Will be disconnected") : text.index("Owners")]
    assert [name for name in ("okafor", "reception", "c-spare", "patel") if name in lost] == [
        "okafor",
        "reception",
        "c-spare",
    ]
    assert "--allow max-disconnects:harbor" in text


def test_a_page_is_built_for_all_readers() -> None:
    """A language, landmarks, headings in order, headers for every table, labels for every field, a way past the top."""
    outline = Outline(status_html(fleet(), MADE))
    names = [name for name, _ in outline.elements]
    assert outline.attributes["lang"] == ["en"]
    assert {"header", "main", "footer"} <= set(names)
    levels = [int(name[1]) for name in names if re.fullmatch("h[1-6]", name)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert all("scope" in attributes for name, attributes in outline.elements if name == "th")
    assert names.count("label") == names.count("input") + names.count("select")
    assert all(
        "aria-label" in attributes or "aria-hidden" in attributes
        for name, attributes in outline.elements
        if name == "svg"
    )
    assert "#connections" in outline.attributes["href"]
    assert "connections" in outline.attributes["id"]
    assert len(set(outline.attributes["id"])) == len(outline.attributes["id"])


def _luminance(colour: str) -> float:
    channels = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out(scheme: str) -> None:
    """Text of any colour has a contrast of 4.5 to 1 or more on both backgrounds, in both schemes."""

    def luminance(colour: Colour) -> float:
        return _luminance(colour.light if scheme == "light" else colour.dark)

    texts_ = [*(shade.value for shade in Shade), PAGE["text"], PAGE["faint"], PAGE["accent"]]
    for text, ground in product(texts_, (PAGE["page"], PAGE["raised"])):
        darker, lighter = sorted((luminance(text), luminance(ground)))
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5, (text, ground)


def test_an_empty_fleet_and_a_failure_have_a_page() -> None:
    """Where there is nothing to show, the page says so, and why."""
    assert "no connection to show" in Outline(status_html(FleetStatus(), MADE)).text
    for failure in (plan_failure_html, status_failure_html):
        assert "a.yaml:1:1: wrong" in Outline(failure(["a.yaml:1:1: wrong"], MADE)).text
    assert "Nothing to do" in Outline(plan_html(nothing_to_do(), MADE)).text


def test_the_top_of_a_large_report_is_bounded() -> None:
    """What is urgent is counted where it is too much for the top; the tables hold all of it."""
    plan, found = large(30, 50)
    for html, urgent in (
        (plan_html(plan, MADE), sum(action.kind.disconnects for action in plan.actions)),
        (status_html(found, MADE), sum(c.health.needs_attention for c in found.connections)),
    ):
        text = Outline(html).text
        assert f"and {urgent - 200:,} more in the tables below" in text
        assert "and 18 more below" in text


def test_only_what_is_markup_already_goes_in_as_it_is() -> None:
    """Text is escaped in content and attributes, and neither controls nor bidi marks get through."""
    assert tag("p", "<b>\u202e&\x00", Html("<i></i>"), class_="\"'><") == (
        '<p class="&quot;&#x27;&gt;&lt;">&lt;b&gt;&amp;<i></i></p>'
    )


def test_long_names_are_cut() -> None:
    """A name of thousands of characters leaves room for the rest."""
    assert "x" * 1_001 not in plan_html(renamed(telling(), HOSTILE), MADE)
