"""What a run asks of the service: nothing twice, and not what was listed in the last day."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from reconciler.sandbox.behaviour import Behaviour, Directions
from reconciler.sandbox.server import RunningSandbox, running
from tests.cli.counting import APPLY, PLAN, WORK, asked, by_name, working
from tests.support.cli.command import Extcal, Json
from tests.support.cli.worlds import EXPORTING, KEY, QUAY, harbor, quay, site, world
from tests.support.cli.worlds import connection as by_id
from tests.support.folders import in_memory
from tests.support.servers.proxy import stand_in


def test_calendars_are_listed_for_the_first_plan_of_a_day(asking: Extcal) -> None:
    """The second plan of connections by name takes two requests, as if their calendars' ids were in the manifests."""
    asking.on(working(0, 1, 2))
    asking.write(site(), *(by_id(n, more=WORK) for n in range(3)))
    assert asking(*PLAN).code == 0
    assert asked(asking) == {"ListProviders": 1, "ListConnections": 1, "ListCalendars": 3}
    ran = asking(*PLAN)
    assert {each["action"] for each in ran.actions} == {"noop"}
    assert asked(asking) == {"ListProviders": 1, "ListConnections": 1}
    assert asking("status", "manifests").code == 0
    assert asked(asking) == {"ListProviders": 1, "ListConnections": 1}


def test_apply_verification_and_undo_ask_nothing_twice(asking: Extcal) -> None:
    """New connections by name take one list of providers, one of schedules, and one of each account's calendars."""
    asking.write(site(), *map(by_name, range(3)))
    asking.on(world(harbor()))
    ran = asking(*APPLY, "--undo-out", "undo.json")
    assert ran.code == 0, ran.out + ran.err
    found = asked(asking)
    once = {key: found[key] for key in ("ListProviders", "QuerySchedules", "ListCalendars", "UpdateSyncConfig")}
    assert once == {"ListProviders": 1, "QuerySchedules": 1, "ListCalendars": 3, "UpdateSyncConfig": 3}
    assert asking(*PLAN).code == 0
    assert asked(asking) == {"ListProviders": 1, "ListConnections": 1, "QuerySchedules": 1}


def test_the_undo_is_of_what_was_verified(asking: Extcal) -> None:
    """Saving the way back takes no request of its own, from manifests as from a saved plan."""
    for number, saved in enumerate(("", "--plan")):
        asking.on(world(harbor(0)))
        asking.write(site(), by_id(0, more=WORK))
        assert asking("plan", "manifests", "--out", f"plan-{number}.json").code == 0
        asked(asking)
        what = ("--plan", f"plan-{number}.json") if saved else ("manifests",)
        assert asking("apply", *what, "--auto-approve").code == 0
        without = asked(asking)
        asking.on(world(harbor(0)))
        assert asking("plan", "manifests", "--out", f"again-{number}.json").code == 0
        asked(asking)
        what = ("--plan", f"again-{number}.json") if saved else ("manifests",)
        assert asking("apply", *what, "--auto-approve", "--undo-out", f"undo-{number}.json").code == 0
        assert asked(asking) == without
        assert (asking.folder / f"undo-{number}.json").exists()


class _Growing:
    """Passes everything on; until something was written, it shows names of a schedule and of a provider otherwise."""

    def __init__(self) -> None:
        self.wrote = False

    def __call__(self, method: str, path: str) -> tuple[str, str]:
        self.wrote = self.wrote or method == "PATCH"
        return method, path

    def shown(self, content: bytes) -> bytes:
        """The content of an answer."""
        return content if self.wrote else content.replace(b"Staff 1", b"Staff X").replace(b"Tidewater", b"Seawater")


@pytest.fixture
def terse() -> Iterator[RunningSandbox]:
    """A sandbox whose lists leave out the directions of every sync config."""
    behaviour = Behaviour(directions=Directions.BY_ID)
    with in_memory() as folder, running(Path(folder), world=world(), api_key=KEY, behaviour=behaviour) as served:
        yield served


@pytest.mark.parametrize("saved", [False, True])
def test_a_connection_that_was_verified_is_not_looked_up_for_the_undo(
    asking: Extcal, terse: RunningSandbox, *, saved: bool
) -> None:
    """Where lists do not show sync configs, what verification has looked up serves the way back, too."""
    terse_one = replace(asking, served=terse, env={**asking.env, "EXTCAL_ENDPOINT": terse.endpoint})
    costs = []
    for undo in (False, True):
        terse_one.on(world(harbor(0)))
        terse_one.write(site(), by_id(0, more=EXPORTING))
        assert terse_one("plan", "manifests", "--out", f"{undo}.plan").code == 0
        asked(terse_one)
        what = ("--plan", f"{undo}.plan") if saved else ("manifests",)
        ran = terse_one("apply", *what, "--auto-approve", *(("--undo-out", "undo.json") if undo else ()))
        assert ran.code == 0, ran.err
        costs.append(asked(terse_one))
    assert costs[0] == costs[1]


def test_what_a_remembered_answer_lacks_is_asked_for_once_more(asking: Extcal) -> None:
    """A schedule and a provider that came while a plan was applied are found by the verification."""
    asking.on(world(harbor(0)))
    rota = by_id(2, provider="rota").replace("provider: rota", "provider: {name: Tidewater Rota}")
    asking.write(site(), by_id(0, more=WORK), by_name(1), rota)
    service = _Growing()
    with stand_in(asking.sandbox.endpoint, service, shown=service.shown) as endpoint:
        ran = asking(*APPLY, "--endpoint", endpoint)
    assert [each["message"] for each in cast("list[Json]", ran.document["errors"])] != []
    remaining = cast("list[Json]", ran.document["remaining"])
    assert {each["address"] for each in remaining} == {"harbor/staff-1", "harbor/staff-2"}
    found = asked(asking)
    # Of every app's schedules only the plan had to ask.
    assert (found["ListProviders"], found["QuerySchedules"]) == (2, 3)


def test_a_name_that_nothing_has_costs_one_request_more_in_a_run(asking: Extcal) -> None:
    """Verification asks once more for what is named and missing, and no more than that."""
    asking.on(world(harbor(0)))
    asking.write(site(), by_id(0, more=WORK), by_name(9))
    ran = asking(*APPLY)
    assert ran.code == 1
    found = asked(asking)
    assert (found["ListProviders"], found["QuerySchedules"]) == (1, 4)


def test_a_site_where_nothing_is_done_is_not_read_again(asking: Extcal) -> None:
    """Verification reads the sites that have something to do; the others are as they were planned."""
    other = replace(quay(key="key-of-quay-optics-77"), connections=())
    asking.on(world(harbor(), other))
    env = {"EXTCAL_QUAY_KEY": "key-of-quay-optics-77"}
    asking.write(site(), by_id(0), site("quay", id_=QUAY, key="EXTCAL_QUAY_KEY"))
    ran = asking(*APPLY, env=env)
    assert ran.code == 0, ran.err
    assert asked(asking)["ListProviders"] == 2
