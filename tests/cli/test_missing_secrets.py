"""`extcal apply` where a secret is missing: said before the first write and the first link, and the rest is done."""

from dataclasses import replace

import pytest

from tests.support.cli.command import Extcal
from tests.support.cli.terminal import terminal
from tests.support.cli.worlds import EXPORTING, PASSWORD_ENV, connected, connection, email, harbor, site, world

_MISSING = "the environment variable EXTCAL_MISSING, which holds this secret, is not set"
_ERROR = f"error: harbor/staff-0: {_MISSING}"


def lacking(number: int) -> str:
    """The manifest of a connection whose password is nowhere."""
    return connection(number).replace("EXTCAL_APP_PASSWORD", "EXTCAL_MISSING")


@pytest.fixture
def mixed(extcal: Extcal) -> Extcal:
    """The command, with a connect that lacks its password, one that does not, and one that takes its owner."""
    extcal.env |= PASSWORD_ENV
    extcal.write(site(), lacking(0), connection(1), connection(2, provider="google"))
    return extcal


def methods(extcal: Extcal) -> list[str]:
    """What was asked that may change something."""
    return sorted(request.path.rpartition(":")[2] for request in extcal.writes)


def test_it_fails_alone(mixed: Extcal) -> None:
    """Its action fails with the reason and nothing is sent for it; the rest is done, and the exit code is 1."""
    ran = mixed("apply", "manifests", "--auto-approve", "--format", "json")
    assert ran.code == 1
    assert ran.err.splitlines() == [_ERROR]
    ended = {action["address"]: (action["status"], action["error"]) for action in ran.actions}
    assert ended == {
        "harbor/staff-0": ("failed", _MISSING),
        "harbor/staff-1": ("done", None),
        "harbor/staff-2": ("awaiting-consent", None),
    }
    assert methods(mixed) == ["connectByCredentials", "connectByOAuth"]


def test_what_needs_no_password_is_done(extcal: Extcal) -> None:
    """A disconnect and an update are carried out, though what their manifests refer to is not there."""
    extcal.on(world(harbor(0, 1)))
    extcal.write(site(), connection(0, more="state: absent"), connection(1, more=EXPORTING))
    ran = extcal("apply", "manifests", "--auto-approve")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.endswith("\nApplied: 2 done.\n")


def test_it_is_said_before_an_owner_is_asked(mixed: Extcal) -> None:
    """Where owners are waited for the error stands before the first link."""
    with terminal(mixed, "apply", "manifests", "--auto-approve") as at:
        at.expect("/consent/")
        assert 0 < at.seen.find(_MISSING) < at.seen.find("/consent/")
        at.type("\x03")
        at.ended()


def test_the_question_is_about_what_can_be_done(mixed: Extcal) -> None:
    """The error stands before the question, which counts no action that is known to fail."""
    with terminal(mixed, "apply", "manifests", "--consent", "skip") as at:
        at.expect("Carry out 2 actions? [y/N]: ")
        assert _MISSING in at.seen
        at.type("n\n")
        at.ended()
    assert mixed.writes == []


def test_what_depends_on_it_is_skipped(extcal: Extcal) -> None:
    """A replace without its password gives up nothing, and who waits for its account is not connected."""
    extcal.env |= PASSWORD_ENV
    extcal.on(world(replace(harbor(), connections=(replace(connected(0), account=email(1)),))))
    extcal.write(site(more="scope: site\nprune: true"), lacking(0), connection(1))
    ran = extcal("apply", "manifests", "--auto-approve", "--format", "json")
    assert [(action["action"], action["status"]) for action in ran.actions] == [
        ("replace", "failed"),
        ("connect", "skipped"),
    ]
    assert (ran.code, extcal.writes) == (1, [])


def test_a_saved_plan_whose_results_stand_takes_no_password(extcal: Extcal) -> None:
    """Applied again without the password, nothing is done and nothing is wrong."""
    extcal.write(site(), connection(0))
    assert extcal("plan", "manifests", "--out", "plan.json").code == 0
    assert extcal("apply", "--plan", "plan.json", "--auto-approve", env=PASSWORD_ENV).code == 0
    again = extcal("apply", "--plan", "plan.json", "--auto-approve")
    assert (again.code, again.err) == (0, "")
    assert again.out.endswith("Nothing was done: this plan was applied before.\n")


def test_whether_results_stand_is_asked_once_a_site(extcal: Extcal) -> None:
    """However many actions of a saved plan lack a password, the site is listed once each time that they are checked."""
    extcal.write(site(), *(connection(n) for n in range(4)))
    assert extcal("plan", "manifests", "--out", "plan.json").code == 0
    assert extcal("apply", "--plan", "plan.json", "--auto-approve", env=PASSWORD_ENV).code == 0
    extcal.sandbox.requests.clear()
    assert extcal("apply", "--plan", "plan.json", "--auto-approve").code == 0
    # Before anybody is asked, before anything is written, for what is about to be done, and to verify.
    assert len(extcal.sandbox.requests) <= 4


def test_the_key_of_a_saved_plan_is_missed_before_anything_is_asked(mixed: Extcal) -> None:
    """Without its site's key no action of a saved plan is begun, and each says why."""
    assert mixed("plan", "manifests", "--out", "plan.json").code == 0
    mixed.sandbox.requests.clear()
    ran = mixed("apply", "--plan", "plan.json", "--auto-approve", "--format", "json", env={"EXTCAL_API_KEY": None})
    assert (ran.code, len(mixed.sandbox.requests)) == (1, 0)
    assert {action["status"] for action in ran.actions} == {"failed"}
    assert ran.err.count("variable EXTCAL_API_KEY, which holds this secret, is not set") == len(ran.actions)
