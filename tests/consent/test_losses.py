"""No consent is thrown away unless it is named; a rename costs none; what takes an owner is shown apart."""

from dataclasses import replace

import pytest

from reconciler.model.action import ActionKind
from reconciler.model.desired import State
from reconciler.model.live import Provider
from reconciler.model.plan import Allowance, Plan
from reconciler.planning.guards import CONSENT_LOSS
from reconciler.render.plan_text import plan_text
from reconciler.sandbox.world import ExistingConnection
from tests.support.builders.plans import APPLE as APPLE_PROVIDER
from tests.support.builders.plans import GOOGLE, PRUNING, declared, live, planned, site_with, the_action
from tests.support.cli.command import Extcal
from tests.support.cli.terminal import terminal
from tests.support.cli.worlds import GOOGLE as GOOGLE_ID
from tests.support.cli.worlds import connection, email, harbor, schedule_id, site, world

_PRUNE = "prune: true\nguards: {maxDisconnects: 100%}"


def on_google(number: int, account: str | None = None) -> ExistingConnection:
    """A healthy Google connection on the schedule of this number."""
    return ExistingConnection(GOOGLE_ID, schedule_id(number), account or email(number), id=f"google-{number}")


def with_live(extcal: Extcal, *connections: ExistingConnection) -> Extcal:
    """The command, these connections live."""
    extcal.on(world(replace(harbor(), connections=connections)))
    return extcal


@pytest.mark.parametrize(("provider", "guards"), [(GOOGLE, [CONSENT_LOSS]), (APPLE_PROVIDER, [])])
def test_pruning_a_consent_breaks_the_guard(provider: Provider, guards: list[str]) -> None:
    """Pruning what its owner would have to approve again is a violation; what a password brings back is not."""
    on = site_with(live("mine", GOOGLE), live("stray", provider, account="kim@harbor.example"))
    plan = planned(declared(provider="google"), on=on, site=PRUNING)
    assert [violation.guard for violation in plan.violations] == guards
    assert plan.applyable is (not guards)


def test_replacing_a_consent_breaks_the_guard_until_it_is_named() -> None:
    """A replace names the account that is given up; --allow at that address lets it through, and at no other."""
    on = site_with(live("old", GOOGLE, account="kim@harbor.example"))
    plan = planned(declared(provider="google"), on=on, site=PRUNING)
    (violation,) = plan.violations
    assert (violation.guard, violation.address) == (CONSENT_LOSS, "harbor/lee")
    assert violation.message.startswith("replace of kim@harbor.example: only its owner can connect it again")
    for address, through in (("harbor/lee", True), ("harbor/kim", False), ("harbor", False)):
        allowed = frozenset({Allowance(CONSENT_LOSS, address)})
        assert planned(declared(provider="google"), on=on, site=PRUNING, allowed=allowed).applyable is through


def test_a_tombstone_names_what_it_takes() -> None:
    """`state: absent` is naming it: no guard stands in the way."""
    plan = planned(declared(provider="google", state=State.ABSENT), on=site_with(live("mine", GOOGLE)))
    assert the_action(plan).kind is ActionKind.DISCONNECT
    assert plan.violations == ()


def test_another_account_is_warned_of() -> None:
    """While a declared account awaits its owner, an undeclared one of its provider on its schedule is told of."""
    other = live("other", GOOGLE, account="kim@harbor.example")
    wanted = declared(provider="google")
    (warning,) = planned(wanted, on=site_with(other)).warnings
    assert warning == (
        "harbor/lee: kim@harbor.example is connected, but its manifest says lee@harbor.example: not adopted; declare "
        "account: kim@harbor.example if that is right, else disconnect kim@harbor.example (a manifest for it with "
        "state: absent, or the site's dashboard)"
    )
    for elsewhere in (
        site_with(other, live("mine", GOOGLE)),
        site_with(replace(other, provider_id=APPLE_PROVIDER.id, calendar_type="I_CAL")),
        site_with(replace(other, schedule_id="de999fec-0911-48b6-abd3-951426fc9b88")),
    ):
        assert planned(wanted, on=elsewhere).warnings == ()


def test_what_takes_an_owner_is_shown_apart() -> None:
    """The plan lists connects and reconnects by consent before the rest, each with its owner's address."""
    revoked = live("broken", GOOGLE, account="kim@harbor.example", status="ERROR", error_reason="TOKEN_REVOKED")
    text = plan_text(
        Plan(
            (
                planned(
                    declared(provider="google"),
                    declared("kim", provider="google", account="kim@harbor.example"),
                    declared("apple"),
                    on=site_with(revoked),
                ),
            )
        )
    )
    apart, _, rest = text.partition("\n\n")
    assert apart.startswith("CONSENT: 2 connections need their owners, who must agree in a browser\n")
    assert "~ reconnect harbor/kim  google kim@harbor.example" in apart
    assert "kim@harbor.example must consent in a browser" in apart
    assert "+ connect harbor/lee  google lee@harbor.example" in apart
    assert "lee@harbor.example must consent in a browser" in apart
    assert "must consent" not in rest
    assert "+ connect apple" in rest


def test_a_loss_must_be_named_where_nobody_is_asked(extcal: Extcal) -> None:
    """Without a question: exit 1, nothing written, and the very --allow that would let it through, which does."""
    with_live(extcal, on_google(0), on_google(1))
    extcal.write(site(more=f"{_PRUNE}\nscope: site"), connection(0, provider="google"))
    ran = extcal("apply", "manifests", "--auto-approve")
    assert ran.code == 1
    assert extcal.writes == []
    allow = "consent-loss:harbor/id:google-1"
    assert f"If this is intended, add --allow {allow}" in ran.err
    assert extcal("apply", "manifests", "--auto-approve", "--allow", allow).code == 0
    assert len(extcal.writes) == 1


def test_at_a_terminal_the_question_names_each_loss(extcal: Extcal) -> None:
    """The prompt names what only an owner can give again; yes is an answer, and no changes nothing."""
    with_live(extcal, on_google(0), on_google(1))
    extcal.write(site(more=f"{_PRUNE}\nscope: site"), connection(0, provider="google"))
    for answer, code, writes in (("n", 1, 0), ("y", 0, 1)):
        with terminal(extcal, "apply", "manifests") as at:
            at.expect("Carry out 1 action? 1 of them disconnect a calendar account. [y/N]: ")
            named = at.seen.rpartition("Consents that only their owners can give again:\n")[2]
            assert f"- disconnect harbor/id:google-1  google {email(1)}  (no manifest declares it)" in named
            assert "the changes of this site can't be applied" not in at.seen
            at.type(f"{answer}\n")
            assert at.ended() == code
        assert len(extcal.writes) == writes


def test_a_replace_that_awaits_consent_ends_with_3(extcal: Extcal) -> None:
    """Allowed and asked for, the old connection stands until the new one does: awaited, not failed."""
    with_live(extcal, on_google(0, account=email(5)))
    extcal.write(site(more=_PRUNE), connection(0, provider="google"))
    args = ("apply", "manifests", "--auto-approve", "--allow", "consent-loss:harbor/staff-0")
    ran = extcal(*args)
    assert ran.code == 3
    assert ran.out.endswith("Applied: 1 awaiting consent.\n")


@pytest.mark.parametrize("base", [False, True])
def test_a_pure_rename_costs_no_consent(extcal: Extcal, base: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """A connection whose manifest gets another name, file and policy is the same one, with and without --base."""
    with_live(extcal, on_google(0))
    extcal.write(site(more=_PRUNE), connection(0, provider="google"))
    before = extcal("plan", "manifests", "--format", "json")
    (extcal.folder / "manifests").rename(extcal.folder / "before")
    extcal.write(site(more=_PRUNE), to="manifests/site.yaml")
    renamed = connection(0, provider="google").replace("staff-0}", "renamed}")
    extcal.write(renamed, to="manifests/other.yaml")
    extra = ("--base-dir", "before") if base else ()
    after = extcal("plan", "manifests", "--format", "json", *extra)
    assert [action["action"] for action in before.actions] == ["noop"]
    assert [(action["action"], action["address"]) for action in after.actions] == [("noop", "harbor/renamed")]
