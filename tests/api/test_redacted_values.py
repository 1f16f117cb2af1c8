"""Secrets are taken out of values of any shape, which are otherwise what they were."""

import functools
import json
from dataclasses import replace

import pytest

from reconciler.api.secrets import Secrets
from reconciler.model.action import Change
from reconciler.model.desired import SecretKind, SecretRef
from reconciler.model.live import Calendar
from reconciler.model.plan import Plan, SitePlan
from reconciler.model.source import Fault, Source
from reconciler.model.sync import Arm, CalendarRef, Direction, SyncConfig
from tests.support.builders.api import key_site
from tests.support.builders.plans import live, site_with
from tests.support.work import steps

KEY = 'swordfish"of\\the"site'


@pytest.fixture
def secrets() -> Secrets:
    """Secrets that know one."""
    found = Secrets({"EXTCAL_KEY": KEY}, None)
    found.resolve(SecretRef(SecretKind.ENV, "EXTCAL_KEY"))
    return found


def test_every_place_of_a_value_is_looked_at(secrets: Secrets) -> None:
    """Dataclasses, tuples, lists and mappings with their names; enumerations and flags stay."""
    named = (CalendarRef("a", KEY), CalendarRef(KEY, None))
    sync = SyncConfig(Direction(enabled=True, arm=Arm.CALENDARS, calendars=named))
    fault = Fault(Source(KEY, 1, 2), "here", f"<{KEY}>")
    values: dict[str, object] = {KEY: [sync, (fault, None, True)], "fine": 3, "none": None}
    shown = Fault(Source("[secret]", 1, 2), "here", "<[secret]>")
    calendars = (CalendarRef("a", "[secret]"), CalendarRef("[secret]", None))
    expected = SyncConfig(Direction(enabled=True, arm=Arm.CALENDARS, calendars=calendars))
    assert secrets.redacted(values) == {"[secret]": [expected, (shown, None, True)], "fine": 3, "none": None}
    assert secrets.redacted(KEY) == "[secret]"
    change = Change("x", (CalendarRef(KEY),), after=False)
    assert secrets.redacted(change) == replace(change, before=(CalendarRef("[secret]"),))


def test_numbers_of_json_are_looked_at() -> None:
    """A secret of digits may come back as a number; what is left is JSON all the same."""
    secrets = Secrets({"EXTCAL_KEY": "41424344"}, None)
    secrets.resolve(SecretRef(SecretKind.ENV, "EXTCAL_KEY"))
    shown = secrets.redacted({"pin": 41424344, "more": [1.5, 941424344, True], "id": 7})
    assert shown == {"pin": "[secret]", "more": [1.5, "9[secret]", True], "id": 7}
    json.dumps(shown)


def test_what_holds_no_secret_is_the_same_value(secrets: Secrets) -> None:
    """Nothing of it is made anew, and what is made anew is only what must be."""
    site = SitePlan(key_site(), warnings=("fine",))
    made = Plan((site, SitePlan(replace(key_site(), name=KEY))))
    assert secrets.redacted(Plan((site,))) == Plan((site,))
    plan = Plan((site,))
    assert secrets.redacted(plan) is plan
    assert secrets.redacted(made).sites[0] is site
    assert secrets.redacted(made).sites[1].site.name == "[secret]"


def test_a_value_without_a_secret_costs_a_look(secrets: Secrets) -> None:
    """Twice the fleet is twice the work, and little of it: a fleet's plan passes here in full."""
    sizes = (500, 1_000)
    values = [tuple(CalendarRef(f"{n}", f"Work {n}") for n in range(count)) for count in sizes]
    once, twice = (steps(functools.partial(secrets.redacted, value)) for value in values)
    assert twice < 2.1 * once
    assert twice < 100 * 1_000


def test_live_sites_are_values_too(secrets: Secrets) -> None:
    """With what is known of their accounts' calendars, by ids."""
    found = site_with(live(account=KEY), calendars={KEY: (Calendar(id="a", name=KEY),)})
    shown = secrets.redacted(found)
    assert str(shown.connections[0].account) == "[secret]"
    assert shown.calendars["[secret]"][0].name == "[secret]"
