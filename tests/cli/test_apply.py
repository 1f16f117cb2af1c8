"""`extcal apply`: what it does, how it asks, what it tells, and how it ends."""

from dataclasses import replace

import pytest

from reconciler.sandbox.world import Site, World
from tests.support.cli.command import Extcal
from tests.support.cli.schema import valid
from tests.support.cli.worlds import (
    BUSY,
    EXPORTING,
    PASSWORD,
    PASSWORD_ENV,
    QUAY,
    connection,
    harbor,
    quay,
    site,
    world,
)
from tests.support.servers.proxy import exporting, forgetful, stand_in


@pytest.fixture
def armed(extcal: Extcal) -> Extcal:
    """The command with the accounts' password in its environment."""
    extcal.env |= PASSWORD_ENV
    return extcal


def prunable(*live: int, guards: str = "") -> tuple[World, str]:
    """A world with live connections, and a Site that prunes; one connection is declared beside it."""
    more = "\n".join(["scope: site", "prune: true", *([guards] if guards else [])])
    return world(harbor(0, *live)), site(more=more) + connection(0)


def test_apply_does_what_the_plan_says_and_then_has_nothing_to_do(armed: Extcal) -> None:
    """Connects and their sync configs are done and told; a second apply ends with 0 and writes nothing."""
    armed.write(site(), connection(0, more=EXPORTING), connection(1, more=BUSY))
    first = armed("apply", "manifests", "--auto-approve")
    assert (first.code, first.err) == (0, "")
    assert first.out.splitlines()[-4:] == [
        "done            connect harbor/staff-0",
        "done            connect harbor/staff-1",
        "",
        "Applied: 2 done.",
    ]
    assert len(armed.writes) == 4
    again = armed("apply", "manifests")
    assert (again.code, len(armed.writes)) == (0, 4)
    assert again.out.splitlines()[-1] == "Nothing was done."


def test_consent_is_awaited_with_its_link(armed: Extcal) -> None:
    """A connect by OAuth ends as awaiting consent with its link, the rest is done, and the exit code is 3."""
    armed.write(site(), connection(0), connection(1, provider="google"))
    ran = armed("apply", "manifests", "--auto-approve")
    assert ran.code == 3
    assert "done            connect harbor/staff-0" in ran.out
    assert "awaits consent  connect harbor/staff-1" in ran.out
    assert f"  staff1@harbor-dental.example  (google, harbor/staff-1)\n    {armed.sandbox.endpoint}/consent/" in ran.out
    assert ran.out.endswith("\nApplied: 1 done, 1 awaiting consent.\n")


def test_with_consent_skip_nobody_is_asked(armed: Extcal) -> None:
    """--consent skip asks for no link and says so."""
    armed.write(site(), connection(0, provider="google"))
    ran = armed("apply", "manifests", "--auto-approve", "--consent", "skip")
    assert ran.code == 3
    assert "its owner was not asked for consent" in ran.out
    assert armed.writes == []


def test_json_tells_how_every_action_ended(armed: Extcal) -> None:
    """The document is valid and adds status, error and consent_url to each action, and what remains.

    What is as declared was not done: its status is null.
    """
    armed.on(world(harbor(2)))
    armed.write(site(), connection(0), connection(1, provider="google"), connection(2))
    ran = armed("apply", "manifests", "--auto-approve", "--format", "json")
    assert ran.code == 3
    assert set(valid(ran.document)) == {"format_version", "digest", "summary", "actions", "remaining"}
    assert ran.document["remaining"] == []
    ended = {str(a["address"]).partition("/")[2]: (a["status"], a["error"], a["consent_url"]) for a in ran.actions}
    link = ended["staff-1"][2]
    assert str(link).startswith(armed.sandbox.endpoint)
    assert ended == {
        "staff-0": ("done", None, None),
        "staff-1": ("awaiting-consent", None, link),
        "staff-2": (None, None, None),
    }
    assert {a["address"] for a in ran.actions if a["connection_id"] is None} == {"harbor/staff-1"}


def test_without_a_terminal_it_refuses_to_ask(armed: Extcal) -> None:
    """With changes pending, no terminal and no --auto-approve it is wrong usage, and nothing is written."""
    armed.write(site(), connection(0))
    ran = armed.process("apply", "manifests")
    assert ran.code == 64
    assert "there is no terminal. Add --auto-approve" in ran.err
    assert armed.writes == []


def test_an_action_that_fails_does_not_stop_the_rest(armed: Extcal) -> None:
    """A refused password fails its action with advice, the others are done, and the exit code is 1."""
    shown = world()
    wrong = tuple(replace(a, password="another") if a.email.startswith("staff0") else a for a in shown.accounts)
    armed.on(replace(shown, accounts=wrong))
    armed.write(site(), connection(0), connection(1))
    text = armed("apply", "manifests", "--auto-approve")
    assert text.code == 1
    assert "FAILED          connect harbor/staff-0\n                  ConnectByCredentials: HTTP 401" in text.out
    assert "check the account's email and its password (env:EXTCAL_APP_PASSWORD)" in text.out
    assert text.out.endswith("\nApplied: 1 done, 1 FAILED.\n")
    ran = armed("apply", "manifests", "--auto-approve", "--format", "json")
    assert ran.code == 1
    valid(ran.document)
    assert {a["address"]: a["status"] for a in ran.actions} == {"harbor/staff-0": "failed", "harbor/staff-1": None}
    assert PASSWORD not in text.out + text.err + ran.out + ran.err


def test_a_password_that_is_not_set_is_named(extcal: Extcal) -> None:
    """The secret and its environment variable are named where it is missing, and nothing is connected."""
    extcal.write(site(), connection(0))
    ran = extcal("apply", "manifests", "--auto-approve")
    assert ran.code == 1
    assert "the environment variable EXTCAL_APP_PASSWORD, which holds this secret, is not set" in ran.out
    assert extcal.writes == []


def test_a_site_that_cannot_be_planned_does_not_stop_the_other(armed: Extcal) -> None:
    """One site is applied, of the other nothing, and each is told."""
    armed.on(world(harbor(), quay(key="key-of-the-quay")))
    armed.write(site(), site("quay", id_=QUAY), connection(0), connection(1, of="quay"))
    ran = armed("apply", "manifests", "--auto-approve")
    assert ran.code == 1
    assert "done            connect harbor/staff-0" in ran.out
    assert "HTTP 403" in ran.err
    assert {request.path.rpartition(":")[2] for request in armed.writes} == {"connectByCredentials"}


def test_a_guard_names_what_would_overrule_it_and_obeys_it(armed: Extcal) -> None:
    """Too many disconnects forbid the site; the very words that the error advises let it through."""
    shown, manifests = prunable(1, 2, 3)
    armed.on(shown)
    armed.write(manifests)
    forbidden = armed("apply", "manifests", "--auto-approve")
    assert forbidden.code == 1
    assert "harbor: guard max-disconnects: 3 of 4 connections would be disconnected" in forbidden.err
    assert armed.writes == []
    advice = forbidden.err.strip().rpartition("If this is intended, add ")[2].split()
    assert advice == ["--allow", "max-disconnects:harbor"]
    allowed = armed("apply", "manifests", "--auto-approve", *advice)
    assert (allowed.code, allowed.err) == (0, "")
    assert allowed.out.startswith("DISCONNECTS: 3 connections would be disconnected\n")
    assert len(armed.writes) == 3


def test_a_guard_is_a_part_of_the_json(armed: Extcal) -> None:
    """A plan that a guard forbids says so in its document, and every action in the result was skipped."""
    shown, manifests = prunable(1, 2, 3)
    armed.on(shown)
    armed.write(manifests)
    planned, applied = (armed(*c, "manifests", "--format", "json") for c in (("plan",), ("apply", "--auto-approve")))
    for ran in (planned, applied):
        assert ran.code == 1
        errors = valid(ran.document)["errors"]
        assert isinstance(errors, list)
        assert [(e["address"], e["guard"]) for e in errors] == [("harbor", "max-disconnects")]
    assert {a["status"] for a in applied.actions if a["action"] == "disconnect"} == {"skipped"}


def test_prevent_disconnect_holds_until_it_is_overruled_at_its_place(armed: Extcal) -> None:
    """A tombstone with preventDisconnect is forbidden; overruling it elsewhere changes nothing, there it does."""
    armed.on(world(harbor(0, 1)))
    armed.write(site(), connection(0, more="state: absent\nlifecycle: {preventDisconnect: true}"), connection(1))
    for args in ((), ("--allow", "prevent-disconnect:harbor/staff-1")):
        ran = armed("apply", "manifests", "--auto-approve", *args)
        assert ran.code == 1
        assert "--allow prevent-disconnect:harbor/staff-0" in ran.err
    assert armed.writes == []
    assert armed("apply", "manifests", "--auto-approve", "--allow", "prevent-disconnect:harbor/staff-0").code == 0
    assert len(armed.writes) == 1


def test_a_gap_in_what_could_be_read_is_told(armed: Extcal) -> None:
    """A provider that the service can't read leaves its connections unplanned and the exit code 1; the rest is done."""
    google_alone = world(_with_google_down(harbor()))
    armed.on(google_alone)
    armed.write(site(), connection(0), connection(1, provider="google"))
    ran = armed("apply", "manifests", "--auto-approve")
    assert ran.code == 1
    assert "done            connect harbor/staff-0" in ran.out
    assert ran.err.startswith("manifests/all.yaml:")
    assert "harbor/staff-1" in ran.err


def _with_google_down(shown: Site) -> Site:
    return replace(shown, providers=tuple(replace(p, down=p.slug == "google") for p in shown.providers))


def test_what_did_not_take_is_named(armed: Extcal) -> None:
    """Where the service answers otherwise than it was asked, the action fails, and says what was answered."""
    armed.on(world(harbor(0, 1)))
    armed.write(site(), connection(0, more=EXPORTING), connection(1))
    with stand_in(armed.sandbox.endpoint, forgetful) as endpoint:
        ran = armed("apply", "manifests", "--auto-approve", "--endpoint", endpoint)
    assert ran.code == 1
    why = (
        "its sync config did not take: the service answered syncConfig.syncToCalendar.dedicatedCalendar: none, "
        "sent {}; syncConfig.syncToCalendar.enabled: false, sent true; plan again"
    )
    assert ran.out.endswith(f"FAILED          update harbor/staff-0\n{' ' * 18}{why}\n\nApplied: 1 FAILED.\n")


def test_what_still_differs_after_applying_is_named(armed: Extcal) -> None:
    """Where the service says done and it is not so, the report names it, in text and JSON, and the exit code is 1."""
    armed.on(world(harbor(0, 1)))
    armed.write(site(), connection(0, more=EXPORTING), connection(1))
    with stand_in(armed.sandbox.endpoint, forgetful, shown=exporting) as endpoint:
        text = armed("apply", "manifests", "--auto-approve", "--endpoint", endpoint)
        ran = armed("apply", "manifests", "--auto-approve", "--endpoint", endpoint, "--format", "json")
    assert text.code == ran.code == 1
    assert text.out.endswith(
        "\ndone            update harbor/staff-0\n"
        "\n"
        "Still different after applying:\n"
        "  harbor/staff-0: sync config differs\n"
        "\n"
        "Applied: 1 done.\n"
    )
    remaining = valid(ran.document)["remaining"]
    assert isinstance(remaining, list)
    assert [(action["action"], action["address"]) for action in remaining] == [("update", "harbor/staff-0")]
