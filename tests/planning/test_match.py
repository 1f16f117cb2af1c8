"""Which live connection a declared one is."""

from typing import Any

import pytest

from reconciler.model.action import ActionKind, Reason
from reconciler.model.desired import ProviderKey, ProviderRef, ScheduleKey, ScheduleRef, State
from reconciler.model.live import Features, Provider, Schedule
from tests.support.builders.plans import (
    GOOGLE,
    MICROSOFT,
    OTHER_SCHEDULE,
    PROVIDERS,
    SCHEDULE,
    declared,
    live,
    planned,
    site_with,
    the_action,
)


def test_case_of_account_and_schedule_does_not_matter() -> None:
    """Mailboxes and GUIDs that differ in case alone are the same ones."""
    on = site_with(live(account="Lee@Harbor.Example", schedule_id=SCHEDULE.upper()))
    assert the_action(planned(declared(), on=on)).kind is ActionKind.NOOP


@pytest.mark.parametrize("other", [{"schedule_id": OTHER_SCHEDULE}, {"account": "kim@harbor.example"}])
def test_another_schedule_or_account_is_another_connection(other: dict[str, Any]) -> None:
    """A connection matches by schedule, provider and account together."""
    plan = planned(declared(), on=site_with(live(**other)))
    assert [a.kind for a in plan.actions if a.address == "harbor/lee"] == [ActionKind.CONNECT]


def test_another_provider_is_another_connection() -> None:
    """The same address at another provider is another account."""
    plan = planned(declared(), on=site_with(live(provider=GOOGLE)))
    assert {a.kind for a in plan.actions} == {ActionKind.CONNECT, ActionKind.UNMANAGED}


def test_disconnected_counts_as_absent() -> None:
    """A connection that is still listed as DISCONNECTED is not there, and the plan says that it was."""
    action = the_action(planned(declared(), on=site_with(live(status="DISCONNECTED"))))
    assert (action.kind, action.reason, action.connection_id) == (ActionKind.CONNECT, Reason.WAS_DISCONNECTED, None)


@pytest.mark.parametrize("status", ["UNDEFINED", "CONNECTED", "SYNC_IN_PROGRESS", "SYNCED", "SOMETHING_NEW"])
def test_other_statuses_are_healthy(status: str) -> None:
    """Whatever is neither ERROR nor DISCONNECTED needs nothing."""
    assert the_action(planned(declared(), on=site_with(live(status=status)))).kind is ActionKind.NOOP


def test_without_account_matches_when_nothing_else_does() -> None:
    """A live connection that shows no account is the only declared one that it can be."""
    assert the_action(planned(declared(), on=site_with(live(account=None)))).connection_id == "c1"


def test_without_account_yields_to_an_exact_match() -> None:
    """With an exact match there, a connection without an account stays unmanaged."""
    plan = planned(declared(), on=site_with(live("exact"), live("anonymous", account=None)))
    assert {(a.kind, a.connection_id) for a in plan.actions} == {
        (ActionKind.NOOP, "exact"),
        (ActionKind.UNMANAGED, "anonymous"),
    }


def test_two_without_account_are_ambiguous() -> None:
    """Ambiguity names the candidates and plans nothing for that connection."""
    plan = planned(declared(), on=site_with(live("c1", account=None), live("c2", account="")))
    (fault,) = plan.faults
    assert "2 live connections fit this one: c1 (no account shown, SYNCED), c2" in fault.message
    assert plan.actions == ()


def test_one_without_account_and_two_that_want_it() -> None:
    """One anonymous connection that two declared ones could be is nobody's."""
    other = declared("kim", account="kim@harbor.example")
    plan = planned(declared(), other, on=site_with(live(account=None)))
    assert [fault.where for fault in plan.faults] == ["harbor/kim", "harbor/lee"]
    assert plan.actions == ()


def test_two_exact_matches_are_ambiguous() -> None:
    """Two healthy connections of one key: an error that names both, never a guess."""
    plan = planned(declared(), on=site_with(live("c1"), live("c2")))
    (fault,) = plan.faults
    assert "c1 (lee@harbor.example, SYNCED), c2 (lee@harbor.example, SYNCED)" in fault.message


def test_healthy_twin_of_a_broken_one_is_the_match() -> None:
    """Beside one healthy connection a broken one of the same key is a duplicate, and goes: prune has no say in it."""
    plan = planned(declared(), on=site_with(live("broken", status="ERROR"), live("healthy")))
    assert {(a.kind, a.reason, a.connection_id) for a in plan.actions} == {
        (ActionKind.NOOP, Reason.IN_SYNC, "healthy"),
        (ActionKind.DISCONNECT, Reason.DUPLICATE, "broken"),
    }
    assert plan.violations == ()


@pytest.mark.parametrize("spelling", ["OUTLOOK", "OFFICE_365"])
def test_deprecated_spellings_of_microsoft(spelling: str) -> None:
    """A connection made under a deprecated calendar type is Microsoft's."""
    old = Provider("p-old", "Old", spelling, MICROSOFT.features)
    on = site_with(live(provider=old), providers=(*PROVIDERS, old))
    action = the_action(planned(declared(provider="microsoft"), on=on))
    assert (action.kind, action.provider) == (ActionKind.NOOP, "microsoft")


def test_provider_by_name_and_by_id() -> None:
    """ListProviders' name and id name a provider too."""
    for ref in (ProviderRef(ProviderKey.NAME, "Apple"), ProviderRef(ProviderKey.ID, "p-apple")):
        assert the_action(planned(declared(provider=ref), on=site_with(live()))).kind is ActionKind.NOOP


@pytest.mark.parametrize(("word", "name"), [("apple", "Apple"), ("microsoft", "Outlook or Office 365")])
def test_a_provider_whose_type_is_not_said_is_known_by_the_vendors_name(word: str, name: str) -> None:
    """One of another name is not meant, and neither is one of another type that bears the name."""
    features = Features(("CREDENTIALS", "OAUTH"), update_sync_config=True, imports=None, exports=None)
    meant = Provider("p-meant", name, None, features)
    others = (Provider("p-other", "Tide", None, features), Provider("p-bearer", name, "OTHER", features))
    on = site_with(live(provider=meant), providers=(*others, meant))
    assert the_action(planned(declared(provider=word), on=on)).kind is ActionKind.NOOP
    (fault,) = planned(declared(provider=word), on=site_with(providers=others)).faults
    assert f"the site has no provider {word}" in str(fault)


def test_unknown_provider_says_what_there_is() -> None:
    """A provider that the site lacks is a fault with the nearest name."""
    (fault,) = planned(declared(provider=ProviderRef(ProviderKey.NAME, "aple"))).faults
    assert str(fault) == "lee.yaml:1:1: the site has no provider aple, at harbor/lee (did you mean Apple?)"


def test_ambiguous_provider_names_candidates() -> None:
    """Two providers of one type are told apart by id."""
    twin = Provider("p-twin", "Google two", "GOOGLE", Features(("OAUTH",), True, "X", "Y"))  # noqa: FBT003 - a feature
    (fault,) = planned(declared(provider="google"), on=site_with(providers=(GOOGLE, twin))).faults
    assert fault.hint == "name one of them by id: Google [p-google], Google two [p-twin]"


def test_schedule_by_name_and_external_id() -> None:
    """A schedule is found by its name or external id, and its name is kept for the plan."""
    schedules = (Schedule(SCHEDULE, "Dr. Lee", "ext-1", "ACTIVE"), Schedule(OTHER_SCHEDULE, "Dr. Kim", None, "ACTIVE"))
    for ref in (ScheduleRef(ScheduleKey.NAME, "Dr. Lee"), ScheduleRef(ScheduleKey.EXTERNAL_ID, "ext-1")):
        action = the_action(planned(declared(schedule=ref), on=site_with(live(), schedules=schedules)))
        assert (action.schedule_id, action.schedule_name) == (SCHEDULE, "Dr. Lee")


def test_schedule_name_that_is_not_there_or_not_unique() -> None:
    """A schedule's name that means none or several is a fault that helps."""
    twice = (Schedule("b", "Dr. Lee", None, "ACTIVE"), Schedule("a", "Dr. Lee", None, "ACTIVE"))
    ref = ScheduleRef(ScheduleKey.NAME, "Dr. Lee")
    (fault,) = planned(declared(schedule=ref), on=site_with(schedules=twice)).faults
    candidates = "a (app not shown, no externalId), b (app not shown, no externalId)"
    assert (fault.message, fault.hint) == ("2 schedules have the name Dr. Lee", f"name one by id: {candidates}")
    (fault,) = planned(
        declared(schedule=ScheduleRef(ScheduleKey.NAME, "Dr Lee")), on=site_with(schedules=twice[:1])
    ).faults
    assert fault.hint == "did you mean Dr. Lee?"
    (fault,) = planned(declared(schedule=ScheduleRef(ScheduleKey.EXTERNAL_ID, "x")), on=site_with()).faults
    assert fault.hint == "extcal schedules lists them"


def test_manifests_that_turn_out_to_be_one() -> None:
    """Two manifests that name one connection in different words are caught once the words are resolved."""
    by_name = declared("again", schedule=ScheduleRef(ScheduleKey.NAME, "Dr. Lee"))
    on = site_with(live(), schedules=(Schedule(SCHEDULE, "Dr. Lee", None, "ACTIVE"),))
    (fault,) = planned(declared(), by_name, on=on).faults
    assert (fault.where, "declares the same connection as harbor/again" in fault.message) == ("harbor/lee", True)


def test_manifests_that_match_one_live_connection_by_different_providers() -> None:
    """A type and an id that both lead to one live connection can't both have it."""
    old = Provider("p-old", "Old", "OUTLOOK", MICROSOFT.features)
    by_id = declared("by-id", provider=ProviderRef(ProviderKey.ID, "p-old"))
    by_type = declared("by-type", provider="microsoft")
    plan = planned(by_id, by_type, on=site_with(live(provider=old), providers=(*PROVIDERS, old)))
    (fault,) = plan.faults
    assert fault.message == "harbor/by-id declares the same live connection"


def test_a_tombstone_takes_nothing_on_a_guess() -> None:
    """A connection that shows no account is never a tombstone's, and its owner's manifest still finds it."""
    gone = declared("gone", account="gone@harbor.example", state=State.ABSENT)
    plan = planned(gone, on=site_with(live(account=None)))
    assert {(a.kind, a.reason) for a in plan.actions} == {
        (ActionKind.NOOP, Reason.ABSENT),
        (ActionKind.UNMANAGED, Reason.NOT_DECLARED),
    }
    both = planned(gone, declared(), on=site_with(live(account=None)))
    assert {a.address: a.kind for a in both.actions} == {"harbor/gone": "noop", "harbor/lee": "noop"}


def test_a_tombstone_takes_a_broken_twin_along() -> None:
    """Every connection of a tombstone's key goes in one plan, whatever prune says."""
    plan = planned(declared(state=State.ABSENT), on=site_with(live("healthy"), live("broken", status="ERROR")))
    assert {(a.kind, a.reason, a.connection_id) for a in plan.actions} == {
        (ActionKind.DISCONNECT, Reason.TOMBSTONE, "healthy"),
        (ActionKind.DISCONNECT, Reason.TOMBSTONE, "broken"),
    }
