"""`apply --consent poll`, and `wait` where the service refuses to send browsers here: owners are found by listing."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from reconciler.sandbox.behaviour import Behaviour, LoopbackRedirects, Reconnect
from reconciler.sandbox.contract import ErrorReason, Status
from reconciler.sandbox.faults import Answer, Fault, Faults, Operation
from reconciler.sandbox.server import RunningSandbox
from reconciler.sandbox.world import ExistingConnection
from tests.consent.owners import allow_only, deny_only, links
from tests.support.cli.command import Extcal
from tests.support.cli.schema import valid
from tests.support.cli.terminal import Terminal, terminal
from tests.support.cli.worlds import (
    GOOGLE,
    HARBOR,
    PASSWORD_ENV,
    QUAY,
    connection,
    email,
    harbor,
    quay,
    schedule_id,
    site,
    world,
)

_HOME = "syncConfig: {listEventFromCalendars: {enabled: true, calendars: [Home]}}"
_APPLY = ("apply", "manifests", "--auto-approve", "--consent", "poll")
_LINK = "/consent/"
_PAGE = "https://harbor-dental.example/done?"
_CONNECTIONS = "/bookings/v2/external-calendars/connections"


@pytest.fixture
def two(extcal: Extcal) -> Extcal:
    """The command, with two connects that take their owners and one that does not."""
    extcal.env |= PASSWORD_ENV
    extcal.write(
        site(),
        connection(0),
        connection(1, provider="google", more=_HOME),
        connection(2, provider="google", more=_HOME),
    )
    return extcal


def asked(at: Terminal, *accounts: str) -> dict[str, str]:
    """Wait until the links of these accounts are shown; all links, by account."""
    at.expect(f"{len(accounts)} of {len(accounts)} still to answer: ")
    found = links(at.seen)
    assert set(found) == set(accounts)
    return found


def looks(extcal: Extcal) -> list[str]:
    """The schedules of each list that came after the links."""
    requests = list(extcal.sandbox.requests)
    last_link = max(n for n, request in enumerate(requests) if request.path.endswith("connectByOAuth"))
    return [r.query for r in requests[last_link:] if (r.method, r.path) == ("GET", _CONNECTIONS)]


def test_owners_may_use_any_device(two: Extcal) -> None:
    """Both land at the Site's page, which apply never hears of; both are found, by lists that they share."""
    with terminal(two, *_APPLY) as at:
        found = asked(at, email(1), email(2))
        assert "Each owner must open their authorization link, in a browser on any device." in at.seen
        at.expect("done connect harbor/staff-0")
        for account, link in found.items():
            assert allow_only(link, account).startswith(f"{_PAGE}connectionId=")
        assert at.ended() == 0
    report = at.seen.rpartition("\x1b[K")[2]
    assert report.endswith("Applied: 3 done.\n")
    assert _LINK not in report
    # Both were asked before either agreed.
    assert any(schedule_id(1) in look and schedule_id(2) in look for look in looks(two))
    again = two("plan", "manifests", "--format", "json")
    assert {action["action"] for action in again.actions} == {"noop"}


def test_another_account_is_told(two: Extcal) -> None:
    """Who agreed with another account than the declared one is named at once; it stays as it is."""
    with terminal(two, *_APPLY) as at:
        found = asked(at, email(1), email(2))
        allow_only(found[email(1)], email(5))
        at.expect("FAILED connect harbor/staff-1")
        allow_only(found[email(2)], email(2))
        assert at.ended() == 1
    assert f"{email(5)} was connected, but its manifest says {email(1)}: not adopted" in at.seen
    assert at.seen.endswith("Applied: 2 done, 1 FAILED.\n")
    assert [request for request in two.writes if request.path.endswith("/disconnect")] == []


def test_who_refuses_or_does_not_come_awaits_consent(two: Extcal) -> None:
    """What a refusal led to is seen by nobody; the report has the links, which the next apply needs not ask for."""
    with terminal(two, *_APPLY, "--consent-timeout", "2") as at:
        found = asked(at, email(1), email(2))
        assert deny_only(found[email(1)]) == f"{_PAGE}error=reject"
        assert at.ended() == 3
    report = at.seen.rpartition("\x1b[K")[2]
    assert "its owner did not answer within 2 s; their link stays good" in report
    assert links(report) == found
    assert report.endswith("Applied: 1 done, 2 awaiting consent.\n")
    allow_only(found[email(2)], email(2))
    later = two("apply", "manifests", "--auto-approve", "--connection", "staff-2")
    assert (later.code, "done            update harbor/staff-2" in later.out) == (0, True)


def test_ctrl_c_while_waiting_leaves_a_true_report(two: Extcal) -> None:
    """One Ctrl-C ends the wait at once, and the link goes on being good."""
    with terminal(two, *_APPLY) as at:
        found = asked(at, email(1), email(2))
        at.expect("done connect harbor/staff-0")
        at.type("\x03")
        assert at.ended() == 130
    assert "interrupted before its owner answered; their link stays good" in at.seen
    assert at.seen.endswith("Interrupted: 1 done, 2 awaiting consent.\n")
    assert "Traceback" not in at.seen
    assert allow_only(found[email(1)], email(1)).startswith(_PAGE)


def test_a_pipeline_polls_with_a_file(two: Extcal) -> None:
    """Without a terminal JSON needs a file for the links, which are nowhere else; the outcomes say where they are."""
    args = (*_APPLY, "--consent-timeout", "1", "--format", "json")
    refused = two(*args)
    assert refused.code == 64
    assert "--consent poll --format json has no terminal to show links on; add --consent-file FILE" in refused.err
    assert len(two.sandbox.requests) == 0
    ran = two.process(*args, "--consent-file", "links.jsonl")
    assert ran.code == 3
    assert _LINK not in ran.out + ran.err
    actions = {str(a["address"]): a for a in valid(ran.document)["actions"]}  # type: ignore[attr-defined] # a list of objects, as the schema says
    awaited = actions["harbor/staff-1"]
    assert (awaited["status"], awaited["consent_url"]) == ("awaiting-consent", None)
    assert "did not answer within 1 s" in awaited["error"]
    assert awaited["error"].endswith("; its link is in links.jsonl")
    kept = [json.loads(line) for line in (two.folder / "links.jsonl").read_text().splitlines()]
    assert {entry["account"] for entry in kept} == {email(1), email(2)}


def test_json_has_the_links_that_stay_good(two: Extcal) -> None:
    """On a terminal the document names the link of each owner who is still awaited."""
    with terminal(two, *_APPLY, "--consent-timeout", "1", "--format", "json") as at:
        found = asked(at, email(1), email(2))
        assert at.ended() == 3
    document = json.loads(at.seen[at.seen.index('{\n  "format_version"') :])
    assert {a["account"]: a["consent_url"] for a in document["actions"] if a["consent_url"]} == found


def without_page(manifest: str) -> str:
    """A Site's manifest without a place where browsers could land."""
    return "".join(line for line in manifest.splitlines(keepends=True) if "redirectUrl" not in line)


def test_a_site_without_a_page_is_told_what_to_add(extcal: Extcal) -> None:
    """No link is made for it, the other site's owner is asked, and the exit code is that of a failure."""
    extcal.on(world(harbor(), quay(key="key-of-quay-93d7")))
    extcal.env["EXTCAL_QUAY_KEY"] = "key-of-quay-93d7"
    extcal.write(
        without_page(site("harbor", id_=HARBOR)),
        site("quay", id_=QUAY, key="EXTCAL_QUAY_KEY"),
        connection(1, provider="google"),
        connection(2, provider="google", of="quay"),
    )
    ran = extcal.process(*_APPLY, "--consent-timeout", "1")
    assert ran.code == 1
    assert "harbor: owners must consent, and the Site has no oauth.redirectUrl" in ran.err
    assert "FAILED          connect harbor/staff-1" in ran.out
    assert "give the Site an oauth.redirectUrl; extcal consent-page makes the page to put there" in ran.out
    assert set(links(ran.out)) == {email(2)}
    assert sum(request.path.endswith("connectByOAuth") for request in extcal.sandbox.requests) == 1


@pytest.fixture
def behave(sandbox: RunningSandbox) -> Iterator[Callable[[Behaviour], None]]:
    """Lets the sandbox behave so for one test."""
    yield sandbox.behave
    sandbox.behave(Behaviour())


NOT_HERE = Behaviour(loopback_redirects=LoopbackRedirects.REFUSED)


def _links_asked_for(extcal: Extcal) -> list[int]:
    return [r.status for r in extcal.sandbox.requests if r.path.endswith("connectByOAuth")]


def test_wait_falls_back_to_the_page(two: Extcal, behave: Callable[[Behaviour], None]) -> None:
    """The first owner's loopback address is refused, so every link leads to the Site's page, and a note says why."""
    behave(NOT_HERE)
    with terminal(two, "apply", "manifests", "--auto-approve") as at:
        found = asked(at, email(1), email(2))
        assert at.seen.count("The service refuses to send browsers back to this machine") == 1
        assert "in a browser on this machine." not in at.seen
        for account, link in found.items():
            assert allow_only(link, account).startswith(_PAGE)
        assert at.ended() == 0
    assert _links_asked_for(two) == [400, 200, 200]


def test_a_refusal_without_a_reason_is_tried_with_the_page(two: Extcal) -> None:
    """What is refused with loopback and taken with the Site's address was refused for its loopback address."""
    refusing = Fault(Answer(400), on=frozenset({Operation.CONNECT_BY_OAUTH}), times=1)
    two.sandbox.inject(Faults((refusing,)))
    with terminal(two, "apply", "manifests", "--auto-approve") as at:
        for account, link in asked(at, email(1), email(2)).items():
            assert allow_only(link, account).startswith(_PAGE)
        assert at.ended() == 0
    assert _links_asked_for(two) == [400, 200, 200]


def test_without_a_page_wait_says_what_it_lacks(extcal: Extcal, behave: Callable[[Behaviour], None]) -> None:
    """Owners are not asked, nobody is waited for, and the report says what to add; one refusal is enough to know it."""
    behave(NOT_HERE)
    extcal.write(without_page(site()), *(connection(number, provider="google") for number in (1, 2, 3)))
    with terminal(extcal, "apply", "manifests", "--auto-approve") as at:
        assert at.ended() == 1
    assert at.seen.count("the service refuses to send its owner's browser back to this machine: give the Site an") == 3
    assert "extcal consent-page makes the page to put there" in at.seen
    assert _links_asked_for(extcal) == [400]


@pytest.mark.parametrize("ids", list(Reconnect))
def test_a_broken_connection_is_done_under_whatever_id(
    extcal: Extcal, behave: Callable[[Behaviour], None], ids: Reconnect
) -> None:
    """Whether reconnecting keeps the id or gives another one, one healthy connection is left, and nothing to do."""
    behave(Behaviour(reconnect=ids))
    broken = ExistingConnection(GOOGLE, schedule_id(1), email(1), Status.ERROR, ErrorReason.TOKEN_REVOKED, id="broken")
    extcal.on(world(replace(harbor(), connections=(broken,))))
    extcal.write(site(), connection(1, provider="google", more=_HOME))
    with terminal(extcal, *_APPLY) as at:
        (link,) = asked(at, email(1)).values()
        allow_only(link, email(1))
        assert at.ended() == 0
    assert "done reconnect harbor/staff-1" in at.seen
    rows = extcal("connections", "manifests", "--format", "json").rows
    healthy = [row for row in rows if row["status"] not in {"DISCONNECTED", "ERROR"}]
    assert len(healthy) == 1
    assert (healthy[0]["id"] == "broken") == (ids is Reconnect.SAME_ID)
    assert [action["action"] for action in extcal("plan", "manifests", "--format", "json").actions] == ["noop"]
