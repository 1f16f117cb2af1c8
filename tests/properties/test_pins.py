"""Pinning changes how things are named, and nothing of what is planned, in any world and whatever the service shows."""

import asyncio
from dataclasses import replace

from hypothesis import given

from reconciler.api.secrets import Secrets
from reconciler.manifests import load
from reconciler.model.action import Action
from reconciler.model.plan import Plan
from reconciler.workflow import Service
from reconciler.workflow.pin import PinResult, open_files, pin, save
from tests.support.machines import fresh_machine
from tests.support.profiles import examples
from tests.support.scenarios.stage import Stage, Stages, is_read
from tests.support.scenarios.strategies import Scenario, scenarios


def pinned(stage: Stage) -> PinResult:
    """Pin all manifests, and write what comes of it."""
    folder = open_files([stage.folder])
    service = Service(stage.sandbox.endpoint, Secrets(stage.environ, None), fresh_machine())
    found = asyncio.run(pin([stage.folder], folder, folder.desired.sites, service))
    assert save(folder, found.files.files).failures == []
    return found


def done(plan: Plan) -> list[Action]:
    """What would be done, wherever it is written and whatever its schedule is called."""
    return [replace(action, source=None, schedule_name=None) for action in plan.actions]


@examples(25)
@given(scenario=scenarios())
def test_a_plan_is_the_same_with_ids(stages: Stages, scenario: Scenario) -> None:
    """What is planned stays the same, only reads are sent, and pinned again no byte changes."""
    with stages.holding(scenario) as stage:
        before = stage.plan()
        declared = load([stage.folder]).connections
        stage.sandbox.requests.clear()
        first = pinned(stage)
        assert all(is_read(request) for request in stage.sandbox.requests)
        assert first.files.unwritten == []
        after = replace(stage, machine=fresh_machine()).plan()
        assert done(after) == done(before)
        faults = [
            {fault.where for site in plan.sites for fault in (*site.faults, *site.unread)} for plan in (before, after)
        ]
        assert faults[0] == faults[1]
        again = pinned(stage)
        assert again.files.files == {}
        assert [one.renamed for one in again.sites] == [[] for _ in again.sites]
        kept = [
            replace(one, sources=new.sources, schedule=new.schedule, sync=new.sync)
            for one, new in zip(declared, load([stage.folder]).connections, strict=True)
        ]
        assert kept == list(load([stage.folder]).connections)
