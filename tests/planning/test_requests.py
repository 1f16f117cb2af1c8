"""The requests that an action takes are counted as they are sent."""

import pytest

from reconciler.model.action import Action, ActionKind, Reason
from reconciler.model.live import ConnectMethod
from reconciler.model.source import Fault
from reconciler.model.sync import SyncConfig
from reconciler.planning.requests import READ_AGAIN, requests_of, requests_of_site
from tests.support.actions import altered
from tests.support.builders.plans import OFF, PRIMARY, SITE, chosen, declared, live, planned, site_with, the_action

CONNECT = the_action(planned(declared(sync=SyncConfig(PRIMARY, OFF))))
BY_NAME = SyncConfig(chosen("Work"), OFF)


@pytest.mark.parametrize(
    ("action", "requests"),
    [
        pytest.param(CONNECT, 2, id="connect"),
        pytest.param(altered(CONNECT, sync=None), 1, id="connect, nothing managed"),
        pytest.param(altered(CONNECT, sync=BY_NAME), 3, id="connect, with a calendar by name"),
        pytest.param(altered(CONNECT, method=ConnectMethod.OAUTH, sync=BY_NAME), 1, id="a link for an owner"),
        pytest.param(altered(CONNECT, kind=ActionKind.UPDATE), 1, id="update"),
        pytest.param(altered(CONNECT, kind=ActionKind.DISCONNECT), 1, id="disconnect"),
        pytest.param(altered(CONNECT, kind=ActionKind.REPLACE), 3, id="replace"),
        pytest.param(altered(CONNECT, kind=ActionKind.RECONNECT), 2, id="reconnect"),
        pytest.param(altered(CONNECT, kind=ActionKind.RECONNECT, method=None), 1, id="heal"),
        pytest.param(altered(CONNECT, kind=ActionKind.NOOP), 0, id="noop"),
    ],
)
def test_each_kind_has_its_number(action: Action, requests: int) -> None:
    """Connecting, listing calendars, sending a sync config and disconnecting are a request each."""
    assert requests_of(action) == requests


def test_what_is_held_back_takes_none() -> None:
    """A site is read again whatever is done; what a fault or a guard holds back is not sent."""
    plan = planned(declared(sync=SyncConfig(PRIMARY, OFF)))
    assert requests_of_site(plan) == READ_AGAIN + 2
    for where in (SITE.name, CONNECT.address):
        faulty = type(plan)(plan.site, plan.actions, faults=(Fault(None, where, "wrong"),))
        assert requests_of_site(faulty) == READ_AGAIN


def test_what_agrees_takes_none() -> None:
    """Where nothing is to be done nothing is asked, and the site is not read again."""
    plan = planned(declared(sync=SyncConfig(PRIMARY, OFF)), on=site_with(live()))
    assert the_action(plan).reason is Reason.IN_SYNC
    assert requests_of_site(plan) == 0
