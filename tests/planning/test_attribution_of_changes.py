"""A plan of the manifests as they are, held against that of the manifests as they were."""

from dataclasses import replace

from reconciler.model.action import ActionKind, Attribution
from reconciler.model.desired import ScheduleKey, ScheduleRef
from reconciler.model.plan import SitePlan
from reconciler.model.sync import SyncConfig
from reconciler.planning.attribution import attributed, new_faults, out_of_scope
from tests.support.builders.plans import OFF, OTHER_SCHEDULE, declared, live, planned, site_with

LEE, KIM = "lee@harbor.example", "kim@harbor.example"
ELSEWHERE = ScheduleRef(ScheduleKey.ID, OTHER_SCHEDULE)


def origin(head: SitePlan, base: SitePlan) -> Attribution | None:
    """The origin of the head's only action."""
    (action,) = attributed(head, base).actions
    return action.attribution


def test_the_same_manifest_on_another_account_is_the_same_one() -> None:
    """Found by its name where neither connection nor account is common to both: it was drifting, and differently."""
    head, base = planned(declared(account=KIM)), planned(declared())
    assert origin(head, base) is Attribution.DRIFT
    head = planned(declared(account=KIM, sync=SyncConfig(OFF)))
    assert origin(head, base) is Attribution.BOTH
    assert origin(planned(declared("other", account=KIM)), base) is Attribution.THIS_CHANGE


def test_a_rename_without_a_connection_is_found_by_its_account() -> None:
    """On its schedule, however it is spelt; an account elsewhere is another one, and so is one at another provider."""
    base = planned(declared("former"))
    head = planned(declared("renamed", account=LEE.upper()))
    assert origin(head, base) is Attribution.DRIFT
    assert origin(planned(declared("renamed", schedule=ELSEWHERE)), base) is Attribution.THIS_CHANGE
    assert origin(planned(declared("renamed", "google")), base) is Attribution.THIS_CHANGE
    assert origin(planned(declared("renamed", account=KIM)), base) is Attribution.THIS_CHANGE


def test_a_connection_counts_for_more_than_an_account() -> None:
    """What acts on the connection in the base is its counterpart, whatever else bears its account there."""
    on = site_with(live())
    drifting = planned(declared("a", sync=SyncConfig(OFF)), on=on)
    (former,) = drifting.actions
    decoy = replace(former, address="harbor/z", connection_id=None, kind=ActionKind.NOOP)
    base = replace(drifting, actions=(former, decoy))
    assert origin(planned(declared("renamed", sync=SyncConfig(OFF)), on=on), base) is Attribution.DRIFT


def test_what_falls_out_of_scope_says_what_to_do() -> None:
    """Declared before, connected, and nobody's any more; what the base only showed or never had is not told."""
    on = site_with(live(), live("stray", account=KIM))
    missing = declared("missing", account="m@harbor.example")
    base = planned(declared(), missing, on=on)
    assert out_of_scope(planned(on=on), base) == (
        (
            f"harbor/lee is no longer declared and its schedule is out of scope: {LEE} stays connected; "
            "to disconnect it, keep its manifest or row, with state: absent"
        ),
    )


def test_a_fault_that_says_something_else_is_new() -> None:
    """Of one connection, another trouble; where it stands in the files makes no difference."""
    before = planned(declared(password=None)).faults
    after = planned(declared(provider="google", password=declared().password)).faults
    assert new_faults(after, before) == after
    moved = tuple(replace(fault, source=None) for fault in before)
    assert new_faults(moved, before) == ()
