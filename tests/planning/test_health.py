"""The health of every connection as a whole value: what is known of it, and what would be done or why that can't be."""

from dataclasses import replace

import pytest

from reconciler.model.account import Account
from reconciler.model.action import ActionKind
from reconciler.model.desired import DeclaredConnection, ScheduleKey, ScheduleRef, State
from reconciler.model.live import LiveSite, Schedule
from reconciler.model.plan import SitePlan
from reconciler.model.source import Fault, Source
from reconciler.model.status import ConnectionStatus, Health, SiteStatus
from reconciler.model.sync import SyncConfig
from reconciler.planning.status import status_of, unread_status
from tests.support.builders.plans import (
    GOOGLE,
    OFF,
    PRUNING,
    SCHEDULE,
    SITE,
    chosen,
    declared,
    live,
    planned,
    site_with,
)

LEE, KIM = "lee@harbor.example", "kim@harbor.example"
NAMED = Schedule(SCHEDULE, "Dr. Lee", "ext-lee", "ACTIVE")


def judged(*wanted: DeclaredConnection, on: LiveSite) -> tuple[SitePlan, dict[str, ConnectionStatus]]:
    """The plan, and the status of each connection by address, in order."""
    plan = planned(*wanted, on=on)
    status = status_of(plan, wanted, on)
    assert (status.site, status.unread) == (SITE, None)
    return plan, {connection.address: connection for connection in status.connections}


@pytest.mark.parametrize(
    ("wanted", "status", "health"),
    [
        (declared(), "SYNCED", Health.OK),
        (declared(), "UNDEFINED", Health.OK),
        (declared(), "CONNECTED", Health.SYNCING),
        (declared(), "SYNC_IN_PROGRESS", Health.SYNCING),
        (declared(), "ERROR", Health.ERROR),
        (declared(sync=SyncConfig(OFF)), "CONNECTED", Health.DRIFTED),
        (declared(state=State.ABSENT), "SYNCED", Health.DRIFTED),
    ],
)
def test_what_is_live_is_judged_and_named(wanted: DeclaredConnection, status: str, health: Health) -> None:
    """Its connection, the service's word for it, and the action that would be taken."""
    plan, found = judged(wanted, on=site_with(live(status=status), schedules=(NAMED,)))
    (action,) = plan.actions
    assert found == {
        "harbor/lee": ConnectionStatus(
            address="harbor/lee",
            site="harbor",
            site_id=SITE.site_id,
            schedule_id=SCHEDULE,
            schedule="Dr. Lee",
            provider="apple",
            account=Account(LEE),
            connection_id="c1",
            health=health,
            live_status=status,
            action=action,
        )
    }


@pytest.mark.parametrize(
    ("wanted", "health"),
    [
        (declared(), Health.MISSING),
        (declared(provider="google"), Health.AWAITING_CONSENT),
        (declared(state=State.ABSENT), Health.ABSENT),
    ],
)
def test_what_is_not_there_has_no_connection(wanted: DeclaredConnection, health: Health) -> None:
    """Neither an id nor a word of the service, though another connection has an empty one."""
    plan, found = judged(wanted, on=site_with(live("", account=KIM)))
    status = found["harbor/lee"]
    assert (status.health, status.connection_id) == (health, None)
    assert status.action in plan.actions


def test_what_takes_anothers_place_is_not_there_yet() -> None:
    """A replace names the connection that goes; the declared one is missing, or awaits its owner."""
    for provider, health in (("apple", Health.MISSING), ("google", Health.AWAITING_CONSENT)):
        wanted, on = declared(provider=provider), site_with(live("old", GOOGLE, account=KIM))
        plan = planned(wanted, on=on, site=PRUNING)
        assert [action.kind for action in plan.actions] == [ActionKind.REPLACE]
        (status,) = status_of(plan, [wanted], on).connections
        assert (status.health, status.connection_id) == (health, None)


def test_what_nobody_declares_is_unmanaged_whatever_would_be_done() -> None:
    """Pruned or not, beside the declared ones and in order of their addresses."""
    for site in (SITE, PRUNING):
        on = site_with(live("stray", account=KIM), live())
        plan = planned(declared(), on=on, site=site)
        first, second = status_of(plan, [declared()], on).connections
        assert (first.address, first.health, first.live_status) == ("harbor/id:stray", Health.UNMANAGED, "SYNCED")
        assert first.action in plan.actions
        assert (second.address, second.health) == ("harbor/lee", Health.OK)


def faulty(name: str, health: Health, fault: Fault, **fields: str | Account | None) -> ConnectionStatus:
    """The status of a declared connection that could not be planned."""
    plain = ConnectionStatus(
        address=f"harbor/{name}",
        site="harbor",
        site_id=SITE.site_id,
        schedule_id=SCHEDULE,
        schedule=None,
        provider="apple",
        account=Account(LEE),
        connection_id=None,
        health=health,
        fault=fault,
    )
    return replace(plain, **fields)  # type: ignore[arg-type] # the fields given here are texts


def test_what_could_not_be_planned_says_why() -> None:
    """A fault is an error, what could not be read is unknown; each has the first of its faults, and no action."""
    broken = declared("broken", "microsoft", sync=SyncConfig(chosen("Work")), password=declared().password)
    unread = declared("unread", "google")
    both = declared("zoe", "google", schedule=ScheduleRef(ScheduleKey.NAME, "Zoe"), account="zoe@harbor.example")
    on = site_with(live(), failed_provider_ids=("p-google",))
    plan, found = judged(both, unread, declared(), broken, on=on)
    assert list(found) == ["harbor/broken", "harbor/lee", "harbor/unread", "harbor/zoe"]
    first, second, third = plan.faults
    assert [first.where, second.where, third.where] == ["harbor/broken", "harbor/broken", "harbor/zoe"]
    assert found["harbor/broken"] == faulty("broken", Health.ERROR, first, provider="microsoft")
    assert found["harbor/unread"] == faulty("unread", Health.UNKNOWN, plan.unread[0], provider="google")
    assert found["harbor/zoe"] == faulty(
        "zoe",
        Health.ERROR,
        third,
        provider="google",
        account=Account("zoe@harbor.example"),
        schedule_id=None,
        schedule="Zoe",
    )
    assert found["harbor/lee"].health is Health.OK


def test_a_site_that_could_not_be_read() -> None:
    """Everything declared is unknown, in order, and the site says why."""
    why = Fault(Source("site.yaml", 1, 1), "harbor", "ListConnections: HTTP 503", "plan again later")
    another = Fault(Source("site.yaml", 1, 1), "harbor", "another trouble")
    external = ScheduleRef(ScheduleKey.EXTERNAL_ID, "ext-kim")
    wanted = [declared(), declared("kim", account=KIM, schedule=external)]
    made = SitePlan(SITE, faults=(why, another))
    assert unread_status(made, wanted) == SiteStatus(
        SITE,
        (
            faulty("kim", Health.UNKNOWN, why, account=Account(KIM), schedule_id=None),
            faulty("lee", Health.UNKNOWN, why),
        ),
        unread=why,
    )
