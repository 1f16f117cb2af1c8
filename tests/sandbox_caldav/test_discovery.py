"""Finding an account's calendars, and signing in on the way."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

from reconciler.sandbox.calendars.caldav import open_caldav
from reconciler.sandbox.calendars.errors import BadCredentialsError, UnreachableError
from reconciler.sandbox.calendars.protocol import CalendarRef
from tests.sandbox_caldav.stub import LOGIN
from tests.support.caldav.paper import (
    CALENDAR,
    EMAIL,
    HOME,
    IS_CALENDAR,
    PASSWORD,
    Paper,
    found,
    multistatus,
    whole_status,
)
from tests.support.caldav.scripted import Reply, scripted

if TYPE_CHECKING:
    from tests.sandbox_caldav.stub import CalDavStub
    from tests.support.caldav.scripted import Asked

_HTML = {"Content-Type": "text/html"}
_PRINCIPAL = "<current-user-principal><href>/me/</href></current-user-principal>"


def homes(*hrefs: str) -> str:
    """A principal's answer with these homes."""
    return multistatus(
        found("/me/", f"<C:calendar-home-set>{''.join(f'<href>{href}</href>' for href in hrefs)}</C:calendar-home-set>")
    )


def test_an_account_is_found(stub: CalDavStub) -> None:
    """From the bare URL, by principal and home set; every request but the first carries the account's own password."""
    assert stub.backend.sign_in(LOGIN) == EMAIL
    assert stub.backend.calendars(LOGIN) == (CalendarRef(CALENDAR, "Work"),)
    expected = "Basic " + base64.b64encode(f"{EMAIL}:{PASSWORD}".encode()).decode()
    first, *others = stub.script.asked
    assert "authorization" not in first.headers
    assert {asked.headers["authorization"] for asked in others} == {expected}
    assert stub.backend.accounts() == ()
    assert stub.backend.look_again_after > 0


def test_where_the_account_is_is_remembered(stub: CalDavStub) -> None:
    """Listing again asks the home alone; when that has moved, the account is looked up anew."""
    stub.backend.calendars(LOGIN)
    assert stub.asked_for(lambda: stub.backend.calendars(LOGIN)) == ["home"]
    stub.paper.replies["home"] = Reply(404, "", {})
    stub.paper.replies["principal"] = Reply(body=homes("/moved/"))
    stub.paper.replies["elsewhere"] = Reply(body=multistatus(found("/moved/new/", IS_CALENDAR)))
    assert stub.backend.calendars(LOGIN) == (CalendarRef("/moved/new/", "new"),)
    stub.paper.replies["elsewhere"] = Reply(404, "", {})
    with pytest.raises(UnreachableError, match="can't be read"):
        stub.backend.calendars(LOGIN)


@pytest.mark.parametrize("said", [(), (found(HOME), whole_status(HOME, 507))])
def test_a_home_that_is_listed_in_part(stub: CalDavStub, said: tuple[str, ...]) -> None:
    """What is missing may be there: nobody is told that the account has lost a calendar."""
    stub.paper.replies["home"] = Reply(body=multistatus(*said))
    with pytest.raises(UnreachableError, match="the listing is incomplete"):
        stub.backend.calendars(LOGIN)


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_the_well_known_address_leads_on(code: int) -> None:
    """A redirection from /.well-known/caldav is followed with the question as it was (RFC 6764, 5)."""
    paper = Paper()

    def answer(asked: Asked) -> Reply:
        if asked.path == "/.well-known/caldav":
            return Reply(code, "", {"Location": "/dav/"})
        if asked.path == "/dav/":
            return Reply(body=multistatus(found("/dav/", _PRINCIPAL)))
        return paper(asked)

    with scripted(answer) as script:
        assert open_caldav(script.url, ()).sign_in(LOGIN) == EMAIL
        assert [asked.path for asked in script.asked[:2]] == ["/.well-known/caldav", "/dav/"]
        assert {asked.method for asked in script.asked} == {"PROPFIND"}


def test_a_url_with_a_path_is_asked_first() -> None:
    """The operator knows best; the well-known address is the second try."""
    paper = Paper()

    def answer(asked: Asked) -> Reply:
        if asked.path == "/dav/":
            return Reply(405, "", {})
        if asked.path == "/.well-known/caldav":
            return Reply(body=multistatus(found("/", _PRINCIPAL)))
        return paper(asked)

    with scripted(answer) as script:
        assert open_caldav(script.url + "dav", ()).sign_in(LOGIN) == EMAIL
        assert [asked.path for asked in script.asked[:2]] == ["/dav/", "/.well-known/caldav"]


@pytest.mark.parametrize("by", ["redirection", "home set", "principal", "listing"])
def test_a_password_goes_to_allowed_hosts_alone(by: str) -> None:
    """Whatever way another host is named, it hears nothing, unless the operator has allowed it."""
    elsewhere = Paper(replies={"home": Reply(body=multistatus(found(CALENDAR, IS_CALENDAR)))})
    with scripted(elsewhere) as other:
        paper = Paper()
        if by == "home set":
            paper.replies["principal"] = Reply(body=homes(other.url.rstrip("/") + HOME))
        elif by == "principal":
            paper.replies["root"] = Reply(body=multistatus(found("/", _PRINCIPAL.replace("/me/", f"{other.url}me/"))))
        elif by == "listing":
            there = found(other.url.rstrip("/") + CALENDAR, IS_CALENDAR)
            paper.replies["home"] = Reply(body=multistatus(there))
        else:
            paper.replies["principal"] = Reply(307, "", {"Location": f"{other.url}me/"})
        with scripted(paper) as script:
            with pytest.raises(UnreachableError, match="not an allowed host; the account's password was not sent"):
                open_caldav(script.url, ()).calendars(LOGIN)
            assert other.asked == []
            (calendar,) = open_caldav(script.url, (other.origin,)).calendars(LOGIN)
            assert calendar.id == other.url.rstrip("/") + CALENDAR
            assert bool(other.asked) == (by != "listing")


def test_a_redirection_without_end(stub: CalDavStub) -> None:
    """It is given up after a few rounds."""
    stub.paper.replies["home"] = Reply(302, "", {"Location": HOME})
    with pytest.raises(UnreachableError, match="redirected more than 5 times"):
        stub.backend.calendars(LOGIN)
    assert len(stub.script.asked) < 15


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(401, "", {"WWW-Authenticate": "Basic"}), BadCredentialsError),
        (Reply(403, "", {}), BadCredentialsError),
        (
            Reply(body=multistatus(found("/", "<current-user-principal><unauthenticated/></current-user-principal>"))),
            BadCredentialsError,
        ),
        (Reply(404, "", {}), UnreachableError),
        (Reply(405, "", {}), UnreachableError),
        (Reply(200, "<html>hello</html>", _HTML), UnreachableError),
        (Reply(207, "<html>hello</html>", _HTML), UnreachableError),
        (Reply(207, "", {}), UnreachableError),
        (Reply(429, "", {}), UnreachableError),
        (Reply(500, "<html>oops</html>", _HTML), UnreachableError),
        (Reply(503, "", {}), UnreachableError),
        (Reply(body=multistatus()), UnreachableError),
        (Reply(body=multistatus(found("/"))), UnreachableError),
        (Reply(body=multistatus(whole_status("/", 404))), UnreachableError),
        (Reply(302, "", {}), UnreachableError),
    ],
)
def test_what_signing_in_may_meet(stub: CalDavStub, reply: Reply, error: type[Exception]) -> None:
    """A refused password is told from a server that is down, and from one that speaks no CalDAV."""
    stub.paper.replies["root"] = stub.paper.replies["elsewhere"] = reply
    with pytest.raises(error) as caught:
        stub.backend.sign_in(LOGIN)
    assert PASSWORD not in str(caught.value)
    assert stub.script.origin in str(caught.value)


@pytest.mark.parametrize(
    "reply", [Reply(404, "", {}), Reply(403, "", {}), Reply(body=multistatus()), Reply(body=multistatus(found("/me/")))]
)
def test_a_principal_without_calendars(stub: CalDavStub, reply: Reply) -> None:
    """The account opens and has no home: said, and not taken for a wrong password."""
    stub.paper.replies["principal"] = reply
    with pytest.raises(UnreachableError, match="/me/"):
        stub.backend.sign_in(LOGIN)


def test_the_email_is_the_servers_spelling(stub: CalDavStub) -> None:
    """Where the server lists the account's addresses, the one that was given is taken from there."""
    addresses = f"<href>/me/</href><href>mailto:{EMAIL.title()}</href>"
    stub.paper.replies["principal"] = Reply(
        body=multistatus(
            found(
                "/me/",
                f"<C:calendar-user-address-set>{addresses}</C:calendar-user-address-set>",
                f"<C:calendar-home-set><href>{HOME}</href></C:calendar-home-set>",
            )
        )
    )
    assert stub.backend.sign_in(LOGIN) == EMAIL.title()


def test_which_calendars_count_and_in_what_order(stub: CalDavStub) -> None:
    """Those for events; the one for invitations first, then by address, the sandbox's own last."""

    def components(name: str) -> str:
        return f'<C:supported-calendar-component-set><C:comp name="{name}"/></C:supported-calendar-component-set>'

    stub.paper.replies["principal"] = Reply(
        body=multistatus(
            found(
                "/me/",
                f"<C:calendar-home-set><href>{HOME}</href></C:calendar-home-set>",
                "<C:schedule-inbox-URL><href>/inbox/</href></C:schedule-inbox-URL>",
            )
        )
    )
    stub.paper.replies["home"] = Reply(
        body=multistatus(
            found(HOME, "<resourcetype><collection/></resourcetype>"),
            found(f"{HOME}extcal-1/", IS_CALENDAR, components("VEVENT")),
            found(f"{HOME}family", IS_CALENDAR, "<displayname>  </displayname>"),
            found(f"{HOME}tasks/", IS_CALENDAR, components("VTODO")),
            found(f"{HOME}private/", IS_CALENDAR, components("vevent"), f"<displayname>{'P' * 999}</displayname>"),
            found(f"{HOME}anna/", IS_CALENDAR),
        )
    )
    inbox = "<C:schedule-default-calendar-URL><href>{}</href></C:schedule-default-calendar-URL>"
    stub.paper.replies["elsewhere"] = Reply(body=multistatus(found("/inbox/", inbox.format(f"{HOME}private"))))
    calendars = stub.backend.calendars(LOGIN)
    assert [each.id.removeprefix(HOME) for each in calendars] == ["private/", "anna/", "family/", "extcal-1/"]
    assert [len(each.name) for each in calendars] == [250, 4, 6, 8]
    for silent in (Reply(403, "", {}), Reply(body=multistatus(found("/inbox/")))):
        stub.paper.replies["elsewhere"] = silent
        assert stub.backend.calendars(LOGIN)[0].id == f"{HOME}anna/"


def test_too_many_calendars(stub: CalDavStub) -> None:
    """A list without end is refused."""
    many = (found(f"{HOME}{number}/", IS_CALENDAR) for number in range(1001))
    stub.paper.replies["home"] = Reply(body=multistatus(*many))
    with pytest.raises(UnreachableError, match="more than 1000"):
        stub.backend.calendars(LOGIN)


def test_cookies_are_not_kept(stub: CalDavStub) -> None:
    """One account's session never becomes another's."""
    headers = {"Set-Cookie": "session=lee", "Content-Type": "application/xml"}
    stub.paper.replies["root"] = Reply(207, multistatus(found("/", _PRINCIPAL)), headers)
    stub.backend.sign_in(LOGIN)
    stub.backend.sign_in(LOGIN)
    assert not [asked for asked in stub.script.asked if "cookie" in asked.headers]
