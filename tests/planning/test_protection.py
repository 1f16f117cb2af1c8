"""What the manifests as they were protect: by key, whatever could be planned for them."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from reconciler.model.account import Account
from reconciler.model.action import ActionKind
from reconciler.model.desired import (
    DeclaredConnection,
    Lifecycle,
    ProviderKey,
    ProviderRef,
    ScheduleKey,
    ScheduleRef,
    State,
)
from reconciler.model.live import LiveSite, Schedule
from reconciler.model.plan import Allowance, SitePlan, Violation
from reconciler.model.source import Fault
from reconciler.model.sync import SyncConfig
from reconciler.planning.protection import still_protected
from tests.support.builders.plans import (
    GOOGLE,
    OFF,
    OTHER_SCHEDULE,
    PRUNING,
    SCHEDULE,
    chosen,
    declared,
    live,
    planned,
    site_with,
)

LEE, KIM, PAT = "lee@harbor.example", "kim@harbor.example", "pat@harbor.example"
PROTECTING = Lifecycle(prevent_disconnect=True)
BASE_KIM = declared("kim", account=KIM, lifecycle=PROTECTING)
ON = site_with(live(), live("k", account=KIM), live("p", account=PAT))
SAID = "harbor/kim set lifecycle.preventDisconnect before this change"


def pruning(*connections: DeclaredConnection, on: LiveSite = ON) -> SitePlan:
    """A plan that prunes all that is not declared."""
    return planned(*connections, on=on, site=replace(PRUNING, max_disconnects=100))


def protected(
    head: SitePlan, base: Sequence[DeclaredConnection], *allowed: Allowance, on: LiveSite = ON, whole: bool = True
) -> tuple[Violation, ...]:
    """The disconnects of the head that the base protects, whose own plan leaves alone what it does not declare."""
    before = planned(*base, on=on)
    return still_protected(head, before, base, on, frozenset(allowed), base_is_whole=whole)


def test_protection_outlives_the_manifest_that_said_it() -> None:
    """Only what the base protects: another pruned connection of the base is not meant, and it can be overruled."""
    head, base = pruning(declared()), [declared(), BASE_KIM, declared("pat", account=PAT)]
    found = (Violation("prevent-disconnect", "harbor/id:k", f"disconnect of {KIM}: {SAID}"),)
    assert protected(head, base) == found
    assert protected(head, base, Allowance("prevent-disconnect", "harbor/id:p")) == found
    assert protected(head, base, Allowance("prevent-disconnect", "harbor/id:k")) == ()
    assert protected(head, [replace(c, lifecycle=Lifecycle()) for c in base]) == ()


def test_protection_is_not_stated_twice() -> None:
    """A tombstone that still says preventDisconnect is one violation, not two."""
    head = pruning(declared(), replace(BASE_KIM, state=State.ABSENT), declared("pat", account=PAT))
    assert [violation.guard for violation in head.violations] == ["prevent-disconnect"]
    assert protected(head, [BASE_KIM]) == ()


def test_protection_forbids_nothing_but_taking_away() -> None:
    """An update of a formerly protected connection is let through."""
    on = site_with(live("k", account=KIM))
    head = planned(declared("kim", account=KIM, sync=SyncConfig(OFF)), on=on)
    assert [action.kind for action in head.actions] == [ActionKind.UPDATE]
    assert protected(head, [BASE_KIM], on=on) == ()


def test_another_guard_does_not_speak_for_protection() -> None:
    """A violation of something else at its address leaves it standing."""
    on = site_with(live("k", GOOGLE, account=KIM), live())
    head = planned(declared(), on=on, site=PRUNING)
    assert [violation.guard for violation in head.violations] == ["consent-loss"]
    base = [replace(BASE_KIM, provider=declared(provider="google").provider)]
    assert [violation.address for violation in protected(head, base, on=on)] == ["harbor/id:k"]


@pytest.mark.parametrize(
    "same",
    [
        {"name": "renamed", "site": "renamed"},
        {"account": Account(KIM.upper())},
        {"schedule": ScheduleRef(ScheduleKey.NAME, "Kim")},
        {"schedule": ScheduleRef(ScheduleKey.EXTERNAL_ID, "kim")},
        {"provider": ProviderRef(ProviderKey.NAME, "Apple")},
        {"provider": ProviderRef(ProviderKey.ID, "p-apple")},
        {"password": None},
        {"state": State.ABSENT},
        {"sync": SyncConfig(exports=OFF)},
    ],
    ids="-".join,
)
def test_protection_is_a_matter_of_the_key(same: dict[str, object]) -> None:
    """Names, spellings, and what keeps the base's manifest from being planned make no difference."""
    on = replace(ON, schedules=(Schedule(SCHEDULE, "Kim", "kim", "ACTIVE"),))
    head = pruning(declared(), replace(BASE_KIM, lifecycle=Lifecycle(), state=State.ABSENT), on=on)
    (violation,) = protected(head, [replace(BASE_KIM, **same)], on=on)  # type: ignore[arg-type] # any field of the value
    assert violation.address == "harbor/kim"
    assert violation.message.endswith("set lifecycle.preventDisconnect before this change")


@pytest.mark.parametrize(
    "other",
    [
        {"account": Account(LEE)},
        {"provider": ProviderRef(ProviderKey.TYPE, "google")},
        {"schedule": ScheduleRef(ScheduleKey.ID, OTHER_SCHEDULE)},
        {"schedule": ScheduleRef(ScheduleKey.NAME, "Lee")},
    ],
    ids="-".join,
)
def test_another_key_is_not_protected(other: dict[str, object]) -> None:
    """Each part of the key tells connections apart."""
    on = replace(ON, schedules=(Schedule(OTHER_SCHEDULE, "Lee", "lee", "ACTIVE"),))
    head = pruning(declared(), declared("pat", account=PAT), on=on)
    assert protected(head, [replace(BASE_KIM, **other)], on=on) == ()  # type: ignore[arg-type] # any field of the value


@pytest.mark.parametrize(
    "unclear",
    [
        {"schedule": ScheduleRef(ScheduleKey.NAME, "gone")},
        {"schedule": ScheduleRef(ScheduleKey.NAME, "twice")},
        {"provider": ProviderRef(ProviderKey.NAME, "Nobody")},
    ],
    ids=["no schedule", "two schedules", "no provider"],
)
def test_what_cannot_be_compared_counts_as_protected(unclear: dict[str, object]) -> None:
    """A reference that means nothing any more, or several things, may have meant this one; the violation says so."""
    twins = (Schedule(SCHEDULE, "twice", None, "ACTIVE"), Schedule(OTHER_SCHEDULE, "twice", None, "ACTIVE"))
    on = replace(ON, schedules=twins)
    head = pruning(declared(), declared("pat", account=PAT), on=on)
    (violation,) = protected(head, [replace(BASE_KIM, **unclear)], on=on)  # type: ignore[arg-type] # any field of the value
    assert violation.address == "harbor/id:k"
    assert violation.message == f"disconnect of {KIM}: {SAID}, and it may mean this connection"


def test_a_connection_without_an_account_counts_as_protected() -> None:
    """The service may not show whose it is."""
    on = site_with(live(), live("k", account=None))
    (violation,) = protected(pruning(declared(), on=on), [declared(), BASE_KIM], on=on)
    assert violation.message.startswith(f"disconnect of an account not shown: {SAID}, and it may mean this connection")


def test_what_a_broken_base_does_not_answer_counts_as_protected() -> None:
    """Of a base that could be read in part, what it surely leaves unprotected is let through, and nothing else."""
    head, base = pruning(declared()), [declared(), declared("pat", account=PAT)]
    (violation,) = protected(head, base, whole=False)
    assert violation.address == "harbor/id:k"
    assert violation.message == (
        f"disconnect of {KIM}: not all manifests of the base could be read, and one of them may protect it"
    )
    assert protected(head, base, Allowance("prevent-disconnect", "harbor/id:k"), whole=False) == ()
    assert protected(head, base) == ()


def test_a_replace_is_held_back_as_a_disconnect_is() -> None:
    """Another account takes over a schedule whose connection the base protects."""
    on = site_with(live("k", account=KIM))
    head = planned(declared("kim", account=PAT), on=on, site=PRUNING)
    assert [action.kind for action in head.actions] == [ActionKind.REPLACE]
    assert [v.message for v in protected(head, [BASE_KIM], on=on)] == [f"replace of {KIM}: {SAID}"]


def test_a_list_of_calendars_that_fails_takes_no_protection_away() -> None:
    """A tombstone needs no calendars, so it is planned where the base's could not be listed; and is held back."""
    on = site_with(live("k", account=KIM), unlisted={"k": "ListCalendars: HTTP 503"})
    base = replace(BASE_KIM, sync=SyncConfig(chosen("Work")))
    head = planned(replace(base, lifecycle=Lifecycle(), state=State.ABSENT), on=on)
    assert [action.kind for action in head.actions] == [ActionKind.DISCONNECT]
    assert head.unread == ()
    assert planned(base, on=on).actions == ()
    assert [violation.address for violation in protected(head, [base], on=on)] == ["harbor/kim"]


def test_what_is_protected_stays_where_its_broken_twin_goes() -> None:
    """The account is connected after it as before, whatever the base says."""
    on = site_with(live("k", account=KIM), live("d", account=KIM, status="ERROR"))
    plan = planned(BASE_KIM, on=on)
    assert [action.address for action in plan.actions if action.kind.disconnects] == ["harbor/id:d"]
    assert still_protected(plan, None, [BASE_KIM], on, frozenset(), base_is_whole=False) == ()


def test_what_the_base_would_take_away_itself_is_not_lost_by_the_change() -> None:
    """A protected connection stays beside what is pruned now as before, unless the base can't tell."""
    on = site_with(live("k", account=KIM), live("d", account=None))
    plan = pruning(BASE_KIM, on=on)
    assert [action.address for action in plan.actions if action.kind.disconnects] == ["harbor/id:d"]
    assert still_protected(plan, plan, [BASE_KIM], on, frozenset(), base_is_whole=True) == ()
    (violation,) = still_protected(plan, plan, [BASE_KIM], on, frozenset(), base_is_whole=False)
    assert violation.address == "harbor/id:d"
    faulty = replace(plan, faults=(Fault(None, "harbor/pat", "unknown"),))
    assert still_protected(plan, faulty, [BASE_KIM], on, frozenset(), base_is_whole=True) == (violation,)
    guarded = replace(plan, actions=tuple(replace(action, prevent_disconnect=True) for action in plan.actions))
    assert still_protected(plan, guarded, [BASE_KIM], on, frozenset(), base_is_whole=True) == (violation,)
