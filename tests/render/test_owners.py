"""Owners: how long ago is worded, who comes first, who is one owner, and how many are named."""

from datetime import UTC, datetime, timedelta

import pytest

from reconciler.model.account import Account
from reconciler.model.consent_request import ConsentRequest, KnownRequests
from reconciler.model.plan import Plan, SitePlan
from reconciler.render.html.plan_page import plan_html
from reconciler.render.owners import age, owners_in_plan
from reconciler.render.plan_markdown import plan_markdown
from reconciler.render.view import ReportView
from tests.render.hostile import HOSTILE
from tests.render.values import ASK, QUAY, SITE
from tests.support.actions import altered
from tests.support.builders.reports import MADE
from tests.support.inert import Outline, assert_inert_markdown

ELSEWHERE = altered(ASK, address="quay-optics/lee", site=QUAY.name, site_id=QUAY.site_id)


def plan_of(*accounts: str) -> Plan:
    """A plan that needs the owner of each account for a connection."""
    actions = (altered(ASK, address=f"{SITE.name}/c{n:04d}", account=name) for n, name in enumerate(accounts))
    return Plan((SitePlan(SITE, tuple(actions)),))


def known(*requests: tuple[str, ConsentRequest]) -> ReportView:
    """What is known when the report is made, of the sites with these ids."""
    return ReportView(requests=KnownRequests({(id_, r.address, r.account): r for id_, r in requests}, MADE))


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (timedelta(seconds=-1), "less than a minute"),
        (timedelta(seconds=59), "less than a minute"),
        (timedelta(seconds=60), "1 minute"),
        (timedelta(minutes=59, seconds=59), "59 minutes"),
        (timedelta(hours=1), "1 hour"),
        (timedelta(hours=23, minutes=59), "23 hours"),
        (timedelta(days=1), "1 day"),
        (timedelta(days=12, hours=23), "12 days"),
        (timedelta(days=1200), "1,200 days"),
    ],
)
def test_a_time_is_told_in_its_largest_unit(ago: timedelta, words: str) -> None:
    """Never more than has passed, and never less than nothing."""
    assert age(MADE - ago, MADE) == words


def test_the_first_year_and_the_last_can_be_told() -> None:
    """A clock may say anything."""
    assert age(datetime.min.replace(tzinfo=UTC), MADE).endswith(" days")
    assert age(datetime.max.replace(tzinfo=UTC), MADE) == "less than a minute"


def test_one_account_is_one_owner_on_every_site() -> None:
    """In any spelling; awaited since the first of their connections, and one mail about both counts once."""
    plan = Plan((SitePlan(SITE, (ASK,)), SitePlan(QUAY, (altered(ELSEWHERE, account="LEE@harbor-dental.example"),))))
    first, both = MADE - timedelta(days=9), MADE - timedelta(days=3)
    view = known(
        (SITE.site_id, ConsentRequest(ASK.address, ASK.account, both, (both,))),
        (QUAY.site_id, ConsentRequest(ELSEWHERE.address, ASK.account, first, (first, both))),
    )
    (owner,) = owners_in_plan(plan, view)
    assert [each.address for each in owner.connections] == ["harbor-dental/lee-google", "quay-optics/lee"]
    assert owner.told(MADE) == ("awaited for 9 days", "asked 3 days ago (2 mails)")


def test_a_site_knows_nothing_of_another_site_of_that_name() -> None:
    """Two repositories may call two sites the same: what was asked is found by the site's id."""
    view = known((QUAY.site_id, ConsentRequest(ASK.address, ASK.account, MADE, (MADE,))))
    (owner,) = owners_in_plan(Plan((SitePlan(SITE, (ASK,)),)), view)
    assert owner.told(MADE) == ()


def test_who_is_awaited_longest_comes_first() -> None:
    """Those of whom nothing is known come last, by their addresses."""
    plan = plan_of("d@x.example", "a@x.example", "c@x.example", "b@x.example")
    long, short = MADE - timedelta(days=12), MADE - timedelta(days=1)
    view = known(
        (SITE.site_id, ConsentRequest("harbor-dental/c0003", Account("b@x.example"), short)),
        (SITE.site_id, ConsentRequest("harbor-dental/c0002", Account("c@x.example"), long)),
    )
    order = [str(owner.account) for owner in owners_in_plan(plan, view)]
    assert order == ["c@x.example", "b@x.example", "a@x.example", "d@x.example"]


def test_a_comment_names_so_many_owners_and_counts_the_rest() -> None:
    """Twenty, with five connections each; a page names more."""
    plan = plan_of(*(f"o{number:04d}@x.example" for number in range(523)), *["o0000@x.example"] * 7)
    comment = plan_markdown(plan)
    owners = comment[comment.index("#### Owners: 523 must consent") :]
    assert owners.count("\n- `o") == 20
    assert "*… and 503 more owners; the whole plan is in the JSON artifact.*" in owners
    assert "\n  - and 3 more\n" in owners
    page = Outline(plan_html(plan, MADE)).text
    shown = page[page.index("523 owners must agree") : page.index("and 323 more")]
    assert "o0199@x.example" in shown
    assert "o0200@x.example" not in shown


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_owner_stays_text(name: str) -> None:
    """Beside what is known of them, in comments and in pages."""
    action = altered(ASK, address=f"{SITE.name}/{name}", account=f"{name}@x.example", provider=name, schedule_name=name)
    request = ConsentRequest(action.address, action.account, MADE - timedelta(days=1), (MADE,), name)
    plan, view = Plan((SitePlan(SITE, (action,)),)), known((SITE.site_id, request))
    comment = plan_markdown(plan, view)
    assert_inert_markdown(comment)
    assert ": awaited for 1 day; asked less than a minute ago (1 mail)" in comment
    usual = Outline(plan_html(plan_of("plain@x.example"), MADE, known()))
    page = Outline(plan_html(plan, MADE, view))
    assert {element for element, _ in page.elements} <= {element for element, _ in usual.elements} | {"td", "ul", "li"}
    assert "asked less than a minute ago (1 mail)" in page.text
