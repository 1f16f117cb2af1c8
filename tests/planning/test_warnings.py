"""What a plan warns of: owners who agreed with another account, links that lead nowhere, sets that are empty."""

from dataclasses import replace

import pytest

from reconciler.model.account import Account
from reconciler.model.desired import DeclaredConnection, ScheduleKey, ScheduleRef, Scope
from reconciler.model.live import LiveConnection
from reconciler.model.sync import Direction, SyncConfig
from tests.support.builders.plans import (
    DEDICATED,
    GOOGLE,
    MICROSOFT,
    OFF,
    OTHER_SCHEDULE,
    PRIMARY,
    PRUNING,
    SCHEDULE,
    SITE,
    declared,
    live,
    planned,
    site_with,
)

LEE, KIM = "lee@harbor.example", "kim@harbor.example"
ELSEWHERE = ScheduleRef(ScheduleKey.ID, OTHER_SCHEDULE)


def other(connection: LiveConnection, *wanted: DeclaredConnection) -> tuple[str, ...]:
    """The warnings of a plan with this connection undeclared."""
    return planned(*wanted, on=site_with(connection)).warnings


MINE = declared(provider="google")


def test_an_owner_who_agreed_with_another_account_is_told_of() -> None:
    """Both addresses and the way out; of every connect that awaits its owner there."""
    warning = (
        f"{KIM} is connected, but its manifest says {LEE}: not adopted; declare account: {KIM} if that is right, else "
        f"disconnect {KIM} (a manifest for it with state: absent, or the site's dashboard)"
    )
    assert other(live("k", GOOGLE, account=KIM), MINE) == (f"harbor/lee: {warning}",)
    assert other(live("k", GOOGLE, account=KIM, schedule_id=SCHEDULE.upper()), MINE) == (f"harbor/lee: {warning}",)
    apple = declared("apple", account="a@harbor.example")
    found = other(
        live("k", GOOGLE, account=KIM), apple, MINE, replace(MINE, name="zoe", account=Account("z@harbor.example"))
    )
    assert [text.split(":")[0] for text in found] == ["harbor/lee", "harbor/zoe"]


@pytest.mark.parametrize(("before", "now", "said"), [(DEDICATED, OFF, "worked"), (OFF, DEDICATED, "was off")])
def test_what_goes_or_comes_with_a_new_id_is_told(before: Direction, now: Direction, said: str) -> None:
    """The owner of a broken connection has consented again, and the new one starts as its provider likes."""
    broken = live("broken", GOOGLE, status="ERROR", error_reason="TOKEN_REVOKED", sync=SyncConfig(PRIMARY, before))
    new = live("new", GOOGLE, sync=SyncConfig(PRIMARY, now))
    (warning,) = planned(replace(MINE, sync=SyncConfig(PRIMARY)), on=site_with(broken, new)).warnings
    assert warning.startswith(f"harbor/lee: syncConfig.syncToCalendar {said} in its broken connection broken, and ")
    assert "declare it" in warning
    managed = replace(MINE, sync=SyncConfig(PRIMARY, DEDICATED))
    assert not planned(managed, on=site_with(broken, new)).warnings
    same = replace(new, sync=broken.sync)
    assert not planned(replace(MINE, sync=SyncConfig(PRIMARY)), on=site_with(broken, same)).warnings


@pytest.mark.parametrize(
    "connection",
    [
        live("k", account=KIM),
        live("k", GOOGLE, account=KIM, schedule_id=OTHER_SCHEDULE),
        live("k", GOOGLE, account=KIM, status="DISCONNECTED"),
        live("k", MICROSOFT, account=None),
    ],
    ids=["of another provider", "on another schedule", "disconnected", "without an account"],
)
def test_who_has_nothing_to_do_with_it_is_not_told_of(connection: LiveConnection) -> None:
    """Only an undeclared account of the same provider on the same schedule may be the owner's."""
    elsewhere = declared("elsewhere", account="e@harbor.example", schedule=ELSEWHERE)
    assert other(connection, MINE, elsewhere) == ()


def test_nobody_is_told_of_whose_connect_needs_no_owner() -> None:
    """A connect by password, what is there already, and what takes another's place say it themselves."""
    assert other(live("k", account=KIM), declared()) == ()
    assert planned(MINE, on=site_with(live(provider=GOOGLE), live("k", GOOGLE, account=KIM))).warnings == ()
    assert planned(MINE, on=site_with(live("k", GOOGLE, account=KIM)), site=PRUNING).warnings == ()


def test_a_site_without_a_place_to_land_is_warned_where_an_owner_is_needed() -> None:
    """And only there."""
    bare = replace(SITE, redirect_url=None)
    warning = "harbor: owners must consent, and the Site has no oauth.redirectUrl, which --consent poll and link need"
    assert planned(MINE, site=bare).warnings == (warning,)
    assert planned(declared(), site=bare).warnings == planned(MINE, site=SITE).warnings == ()


@pytest.mark.parametrize(("count", "stay"), [(1, "1 live connection stays"), (2, "2 live connections stay")])
def test_an_empty_set_says_how_much_it_leaves_alone(count: int, stay: str) -> None:
    """With prune on and nothing declared."""
    on = site_with(*(live(f"c{n}", account=f"c{n}@harbor.example") for n in range(count)))
    plan = planned(on=on, site=replace(PRUNING, scope=Scope.SITE))
    assert plan.warnings == (f"harbor: no connection is declared, so nothing is pruned: {stay}",)
    assert planned(on=on, site=replace(SITE, scope=Scope.SITE)).warnings == ()
