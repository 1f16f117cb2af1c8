"""`--allow` at a place: one that is nowhere is told, one where no guard stands in the way is no fault."""

import pytest

from tests.support.cli.command import Extcal
from tests.support.cli.worlds import PASSWORD_ENV, connection, harbor, site, world


@pytest.fixture
def pruning(extcal: Extcal) -> Extcal:
    """The command on a site that prunes: staff 0 is as declared, staff 1 is not declared."""
    extcal.env |= PASSWORD_ENV
    extcal.on(world(harbor(0, 1)))
    extcal.write(site(more="scope: site\nprune: true"), connection(0))
    return extcal


@pytest.mark.parametrize("command", [("plan",), ("apply", "--auto-approve")], ids=["plan", "apply"])
def test_a_live_connection_that_is_not_there_is_told(pruning: Extcal, command: tuple[str, ...]) -> None:
    """It may have gone since, so it is a warning; the rest is done."""
    ran = pruning(*command, "manifests", "--allow", "consent-loss:harbor/id:live-9")
    assert ran.code == 0
    assert ran.err == (
        "warning: --allow consent-loss:harbor/id:live-9: the plan has no such connection, so this overrules nothing\n"
    )


@pytest.mark.parametrize("address", ["harbor/id:live-1", "harbor/staff-0"])
def test_a_real_place_without_a_violation_is_no_fault(pruning: Extcal, address: str) -> None:
    """A guard that nothing breaks may be overruled: a pipeline says the same each time."""
    ran = pruning("plan", "manifests", "--allow", f"prevent-disconnect:{address}")
    assert (ran.code, ran.err) == (0, "")


def test_of_a_site_that_can_not_be_read_nothing_is_said(pruning: Extcal) -> None:
    """Where nothing could be planned it can't be told what is there."""
    ran = pruning("plan", "manifests", "--allow", "consent-loss:harbor/id:live-9", env={"EXTCAL_API_KEY": "another"})
    assert (ran.code, "overrules nothing" in ran.err) == (1, False)


@pytest.mark.parametrize("address", ["harbor/staff-7", "harbor/id:live-9"])
def test_a_place_that_a_saved_plan_lacks_is_wrong_usage(pruning: Extcal, address: str) -> None:
    """A saved plan is known whole: what it does not have is refused, and nothing is done."""
    assert pruning("plan", "manifests", "--out", "plan.json").code == 0
    pruning.sandbox.requests.clear()
    ran = pruning("apply", "--plan", "plan.json", "--auto-approve", "--allow", f"consent-loss:{address}")
    assert (ran.code, ran.out, len(pruning.sandbox.requests)) == (64, "", 0)
    assert f"--allow consent-loss:{address}: the plan does not have it; " in ran.err


def test_a_shard_of_a_saved_plan_takes_what_is_for_another(pruning: Extcal) -> None:
    """Every shard can be given the same allowances: those of the whole plan."""
    assert pruning("plan", "manifests", "--out", "plan.json").code == 0
    allow = ("--allow", "max-disconnects:harbor", "--allow", "consent-loss:harbor/id:live-1")
    codes = [
        pruning("apply", "--plan", "plan.json", "--auto-approve", "--shard", f"{number}/2", *allow).code
        for number in (1, 2)
    ]
    assert codes == [0, 0]
