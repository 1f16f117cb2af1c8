"""`apply --consent poll`, and `wait` where the service refuses to send browsers here: owners are found by listing."""

import json

import pytest

from reconciler.sandbox.faults import Answer, Fault, Faults, Operation
from tests.consent.owners import allow_only, deny_only, links
from tests.support.cli.command import Extcal
from tests.support.cli.schema import valid
from tests.support.cli.terminal import Terminal, terminal
from tests.support.cli.worlds import (
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
        at.expect("done            connect harbor/staff-0")
        for account, link in found.items():
            assert allow_only(link, account).startswith(f"{_PAGE}connectionId=")
        assert at.ended() == 0
    report = at.seen.rpartition("\x1b[K")[2]
    assert report.endswith("Applied: 3 done.\n")
    assert _LINK not in report
    # The looks, and the one that verifies.
    assert schedule_id(1) in looks(two)[0]
    assert schedule_id(2) in looks(two)[0]
    assert len(looks(two)) <= 4
    again = two("plan", "manifests", "--format", "json")
    assert {action["action"] for action in again.actions} == {"noop"}


def test_another_account_is_told(two: Extcal) -> None:
    """Who agreed with another account than the declared one is named at once; it stays as it is."""
    with terminal(two, *_APPLY) as at:
        found = asked(at, email(1), email(2))
        allow_only(found[email(1)], email(5))
        at.expect("FAILED          connect harbor/staff-1")
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
        at.expect("done            connect harbor/staff-0")
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


def _refusing(times: int | None = None) -> Faults:
    """ConnectByOAuth answers 400, and does not say why."""
    return Faults((Fault(Answer(400), on=frozenset({Operation.CONNECT_BY_OAUTH}), times=times),))


def test_wait_falls_back_to_the_page(two: Extcal) -> None:
    """The first owner's loopback address is refused, the Site's is taken: so it is for all, and a note says why."""
    two.sandbox.inject(_refusing(1))
    with terminal(two, "apply", "manifests", "--auto-approve") as at:
        found = asked(at, email(1), email(2))
        assert "The service refuses to send browsers back to this machine" in at.seen
        assert "in a browser on this machine." not in at.seen
        for account, link in found.items():
            assert allow_only(link, account).startswith(_PAGE)
        assert at.ended() == 0
    assert sum(request.path.endswith("connectByOAuth") for request in two.sandbox.requests) == 3


def test_without_a_page_wait_says_what_it_lacks(extcal: Extcal) -> None:
    """What the service answers, and what to add where loopback is the reason."""
    extcal.write(without_page(site()), connection(1, provider="google"))
    extcal.sandbox.inject(_refusing())
    with terminal(extcal, "apply", "manifests", "--auto-approve") as at:
        assert at.ended() == 1
    assert "if it refuses the address on this machine, give the Site an oauth.redirectUrl" in at.seen
    assert "Traceback" not in at.seen
