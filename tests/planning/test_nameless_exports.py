"""A provider that exports to one calendar, which no field of the API can name: what a manifest may ask of it."""

from dataclasses import replace

import pytest

from reconciler.model.desired import Lifecycle
from reconciler.model.live import LiveConnection, LiveSite
from reconciler.model.sync import Arm, Direction, SyncConfig
from tests.support.builders.plans import DEDICATED, GOOGLE, OFF, PRIMARY, declared, live, planned, site_with, the_action

_NAMELESS = replace(GOOGLE, features=replace(GOOGLE.features, exports="SPECIFIC_CALENDAR"))
_ON = Direction(enabled=True)


def _site(*connections: LiveConnection) -> LiveSite:
    return site_with(*connections, providers=(_NAMELESS,))


@pytest.mark.parametrize("export", [_ON, PRIMARY, DEDICATED])
@pytest.mark.parametrize("status", [None, "SYNCED", "ERROR"])
def test_an_export_that_shall_begin_is_refused(export: Direction, status: str | None) -> None:
    """Whatever target it names or does not; the fault says what to do, and nothing is planned of it."""
    standing = [] if status is None else [live(provider=_NAMELESS, status=status, sync=SyncConfig(PRIMARY, OFF))]
    wanted = declared(provider="google", sync=SyncConfig(PRIMARY, export))
    plan = planned(wanted, on=_site(*standing))
    (fault,) = plan.faults
    assert str(fault) == (
        "lee.yaml:9:3: provider Google exports to one calendar, and the API has no field to name it, at harbor/lee "
        "(choose the calendar in the site's dashboard and leave syncToCalendar out of the manifest, or set enabled: "
        "false)"
    )
    assert all(plan.holds_back(action) for action in plan.actions if action.kind.writes)


@pytest.mark.parametrize("target", [_ON, PRIMARY, DEDICATED])
@pytest.mark.parametrize("status", ["SYNCED", "ERROR"])
def test_an_export_that_stands_may_be_declared(target: Direction, status: str) -> None:
    """Somebody chose it in the dashboard: the manifest asks for what is there, to the target or without."""
    standing = live(provider=_NAMELESS, status=status, sync=SyncConfig(PRIMARY, target))
    for wanted in (target, _ON):
        plan = planned(declared(provider="google", sync=SyncConfig(PRIMARY, wanted)), on=_site(standing))
        assert not plan.faults
    other = DEDICATED if target is not DEDICATED else PRIMARY
    assert planned(declared(provider="google", sync=SyncConfig(PRIMARY, other)), on=_site(standing)).faults


def test_a_target_of_an_export_that_is_off_asks_for_nothing() -> None:
    """Where a manifest does not say whether it is on, what is live decides; a new connection has nothing live."""
    wanted = declared(provider="google", sync=SyncConfig(PRIMARY, Direction(arm=Arm.DEDICATED)))
    assert not planned(wanted, on=_site(live(provider=_NAMELESS, sync=SyncConfig(PRIMARY, OFF)))).faults
    assert planned(wanted, on=_site()).faults


@pytest.mark.parametrize("export", [None, OFF, Direction()])
def test_what_asks_for_no_export_is_planned(export: Direction | None) -> None:
    """Left out, or switched off: the connection is made, and its import set."""
    found = the_action(planned(declared(provider="google", sync=SyncConfig(PRIMARY, export)), on=_site()))
    assert found.kind.value == "connect"


def test_an_export_that_is_not_managed_is_not_asked_for() -> None:
    """What `ignoreChanges` names is left as it stands."""
    standing = live(provider=_NAMELESS, sync=SyncConfig(PRIMARY, OFF))
    ignoring = Lifecycle(ignore_changes=("syncConfig.syncToCalendar",))
    wanted = declared(provider="google", sync=SyncConfig(PRIMARY, DEDICATED), lifecycle=ignoring)
    assert not planned(wanted, on=_site(standing)).faults
