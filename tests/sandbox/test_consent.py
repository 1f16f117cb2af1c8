"""The consent page, as a browser without scripts uses it."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from reconciler.sandbox.contract import ErrorReason, Status
from reconciler.sandbox.seed import harbor_dental
from reconciler.sandbox.world import Account, ExistingConnection
from tests.sandbox.consent_page import BACK, PATEL_EMAIL, allow, answer
from tests.support import web
from tests.support.sandbox.api import PATEL, connection_of
from tests.support.sandbox.clock import NOON

if TYPE_CHECKING:
    from reconciler.sandbox.server import RunningSandbox
    from tests.support.sandbox.api import Api


class Page(HTMLParser):
    """What a page holds: its tags with their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Note text."""
        self.text += data

    def values(self, tag: str, name: str) -> list[str | None]:
        """The values of the controls of one name."""
        return [
            attributes.get("value") for each, attributes in self.tags if each == tag and attributes.get("name") == name
        ]


def test_a_link_makes_nothing_until_it_is_answered(api: Api) -> None:
    """Neither asking for it nor looking at it lists a connection, however often."""
    url = api.consent_url(redirect=BACK)
    for _ in range(2):
        assert web.head(url).status_code == 200
        assert web.get(url).status_code == 200
    assert api.connections() == []
    assert api.consent_url(redirect=BACK) != url


def test_the_page_says_who_asks_for_what(api: Api) -> None:
    """Site, schedule, provider, the accounts to choose from, and where one goes on to."""
    shown = web.get(api.consent_url(redirect=BACK))
    page = Page(shown.text)
    for text in ("Harbor Dental", "Dr. Patel", "Google", PATEL_EMAIL, "https://harbor-dental.example"):
        assert text in page.text
    assert page.values("input", "account") == [PATEL_EMAIL, "lee@harbor-dental.example", "office@harbor-dental.example"]
    assert page.values("button", "decision") == ["allow", "deny"]
    assert ("html", {"lang": "en"}) in page.tags
    assert ("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}) in page.tags
    assert not [tag for tag, _ in page.tags if tag in {"script", "img", "link"}]
    policy = shown.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "form-action 'self' https://harbor-dental.example;" in policy
    assert shown.headers["cache-control"] == "no-store"


def test_allowing_connects_and_goes_back(api: Api) -> None:
    """The redirect keeps the URL's own query and fragment and adds the connection's id."""
    gone = allow(api.consent_url(redirect=BACK))
    assert gone.status_code == 303
    target = urlsplit(gone.headers["location"])
    (connection,) = api.connections()
    assert parse_qs(target.query) == {"step": ["2"], "connectionId": [connection["id"]]}
    assert (target.hostname, target.path, target.fragment) == ("harbor-dental.example", "/back", "done")
    assert connection["externalAccountEmail"] == PATEL_EMAIL
    assert (connection["scheduleId"], connection["calendarType"]) == (PATEL, "GOOGLE")
    assert connection["syncConfig"]["listEventFromCalendars"] == {"enabled": True, "primaryCalendar": {}}
    assert connection_of(api.get(f"/connections/{connection['id']}")) == connection


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"decision": "deny"}, "reject"),
        ({"decision": "deny", "account": PATEL_EMAIL, "outcome": "internal"}, "reject"),
        ({"decision": "allow", "account": PATEL_EMAIL, "outcome": "unsupported"}, "unsupported"),
        ({"decision": "allow", "account": PATEL_EMAIL, "outcome": "internal"}, "internal"),
    ],
)
def test_what_can_go_wrong_goes_back_as_an_error(api: Api, fields: dict[str, str], error: str) -> None:
    """Denying, and what the provider may answer; no connection is made, and the link is used."""
    url = api.consent_url(redirect="http://127.0.0.1:9/done")
    gone = answer(url, **fields)
    assert (gone.status_code, gone.headers["location"]) == (303, f"http://127.0.0.1:9/done?error={error}")
    assert api.connections() == []
    assert web.get(url).status_code == 410


def test_a_used_link_says_so(api: Api) -> None:
    """410 and a plain page, to look at and to answer; no second connection."""
    url = api.consent_url(redirect=BACK)
    allow(url)
    for again in (web.get(url), allow(url)):
        assert again.status_code == 410
        assert "already used" in Page(again.text).text
    assert len(api.connections()) == 1


def test_an_unknown_link_says_so(sandbox: RunningSandbox) -> None:
    """404 and a plain page."""
    for unknown in (web.get(f"{sandbox.endpoint}/consent/x"), allow(f"{sandbox.endpoint}/consent/x")):
        assert unknown.status_code == 404
        assert "Unknown link" in Page(unknown.text).text


@pytest.mark.parametrize(
    "fields",
    [
        {"decision": "allow", "account": "stranger@harbor-dental.example"},
        {"decision": "allow"},
        {"decision": "maybe", "account": PATEL_EMAIL},
        {"account": PATEL_EMAIL},
    ],
)
def test_a_form_that_is_filled_wrong_comes_back(api: Api, fields: dict[str, str]) -> None:
    """An account that isn't the provider's, or no decision: 400 with the form again, and the link still works."""
    url = api.consent_url(redirect=BACK)
    again = answer(url, **fields)
    assert again.status_code == 400
    assert any(attributes.get("role") == "alert" for _, attributes in Page(again.text).tags)
    assert api.connections() == []
    assert allow(url).status_code == 303


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "{own}", "sec-fetch-site": "same-origin"}, 303),
        ({"origin": "https://elsewhere.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"content-type": "text/plain"}, 403),
        ({"content-type": "application/json"}, 403),
    ],
)
def test_only_the_pages_own_form_is_heard(
    api: Api, sandbox: RunningSandbox, headers: dict[str, str], status: int
) -> None:
    """What a browser sends from another site is refused, and the link is left alone."""
    url = api.consent_url(redirect=BACK)
    sent = {"content-type": "application/x-www-form-urlencoded"}
    sent |= {name: value.replace("{own}", sandbox.endpoint) for name, value in headers.items()}
    body = f"decision=allow&account={PATEL_EMAIL}"
    assert web.post(url, content=body, headers=sent).status_code == status
    assert len(api.connections()) == (status == 303)


@pytest.mark.parametrize("body", [b"\xff=1", b"&".join(b"a=%d" % n for n in range(50))], ids=["not utf-8", "too many"])
def test_a_form_that_cannot_be_read(api: Api, body: bytes) -> None:
    """400 and a plain page."""
    url = api.consent_url(redirect=BACK)
    sent = web.post(url, content=body, headers={"content-type": "application/x-www-form-urlencoded"})
    assert sent.status_code == 400
    assert "could not be read" in Page(sent.text).text
    assert web.post(url, data={"decision": "x" * 300_000}).status_code == 413


def test_hostile_names_stay_text(sandbox: RunningSandbox, api: Api) -> None:
    """Whatever a site, schedule, provider or account is called, the page has the same tags as ever."""
    world = harbor_dental(NOON)
    evil = "\"'><script>alert(1)</script><b a='"
    site = world.sites[0]
    hostile = replace(
        world,
        sites=(
            replace(
                site,
                name=evil,
                schedules=tuple(replace(each, name=evil) for each in site.schedules),
                providers=tuple(replace(each, name=evil, connect_methods=("OAUTH",)) for each in site.providers[:1]),
            ),
        ),
        accounts=(Account("google", evil), Account("google", "b@x.example"), Account("google", "c@x.example")),
    )
    tame = Page(web.get(api.consent_url(redirect=BACK)).text)
    sandbox.replace_world(hostile)
    url = api.consent_url(provider=evil, redirect=BACK)
    page = Page(web.get(url).text)
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in tame.tags]
    assert page.values("input", "account")[0] == evil
    assert page.text.count(evil) == 5
    assert allow(url, evil).status_code == 303


def test_a_provider_without_accounts_can_only_be_denied(sandbox: RunningSandbox, api: Api) -> None:
    """The page says that there is nothing to connect."""
    sandbox.replace_world(replace(harbor_dental(NOON), accounts=()))
    url = api.consent_url(redirect=BACK)
    page = Page(web.get(url).text)
    assert "no account" in page.text
    assert page.values("button", "decision") == ["deny"]
    assert answer(url, decision="deny").status_code == 303


def test_consent_heals_a_broken_connection_in_place(sandbox: RunningSandbox, api: Api) -> None:
    """A revoked token is mended by the same owner's consent; the id stays."""
    world = harbor_dental(NOON)
    broken = ExistingConnection(
        world.sites[0].providers[0].id,
        PATEL,
        PATEL_EMAIL,
        status=Status.ERROR,
        error_reason=ErrorReason.TOKEN_REVOKED,
        id="broken",
    )
    sandbox.replace_world(replace(world, sites=(replace(world.sites[0], connections=(broken,)),)))
    gone = allow(api.consent_url(redirect=BACK))
    assert re.search(r"connectionId=broken#", gone.headers["location"])
    assert [(each["id"], each["status"]) for each in api.connections()] == [("broken", "CONNECTED")]
