"""Random worlds in a real sandbox: pulled, loaded and planned."""

import asyncio
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from reconciler import workflow
from reconciler.api.secrets import Secrets
from reconciler.manifests import load
from reconciler.model.desired import ApiKeyAuth, Scope, SecretKind, SecretRef, Site
from reconciler.model.plan import ActionKind, Plan
from reconciler.sandbox.contract import Status
from reconciler.sandbox.server import RunningSandbox
from reconciler.sandbox.world import World
from reconciler.workflow import pulling
from tests.properties.worlds import worlds
from tests.support.machines import fresh_machine
from tests.support.profiles import examples


def _service(sandbox: RunningSandbox) -> workflow.Service:
    return workflow.Service(sandbox.endpoint, Secrets({"EXTCAL_API_KEY": sandbox.api_key}, None), fresh_machine())


def _pulled(sandbox: RunningSandbox, world: World, folder: Path) -> pulling.Pull:
    """Pull every site of a world, and write what comes of it."""
    key = ApiKeyAuth(SecretRef(SecretKind.ENV, "EXTCAL_API_KEY"))
    sites = [
        Site(site.name, site.id, key, Scope.SITE, prune=False, max_disconnects=0, redirect_url=None)
        for site in world.sites
    ]
    opened = pulling.open_folder(folder)
    named = pulling.with_names(sites, opened)
    warned: list[str] = []
    made = asyncio.run(pulling.pull(named, opened, _service(sandbox), warned.append))
    assert made.unread == ()
    assert warned == []
    assert made.pull is not None
    assert pulling.save(opened, made.pull.files).failures == []
    return made.pull


def _plan(sandbox: RunningSandbox, folder: Path) -> Plan:
    async def story() -> Plan:
        desired = load([folder])
        async with workflow.sessions(desired.sites, _service(sandbox)) as opened:
            return await workflow.plan(desired, opened, workflow.Selection())

    return asyncio.run(story())


def _tidied(world: World) -> World:
    """The world with healthy or disconnected connections only, none of them twice."""
    sites = []
    for site in world.sites:
        kept = {(one.schedule_id, one.provider_id, one.account): one for one in site.connections}
        healthy = (replace(one, status=Status.SYNCED) if one.status == Status.ERROR else one for one in kept.values())
        sites.append(replace(site, connections=tuple(replace(one, error_reason=None) for one in healthy)))
    return replace(world, sites=tuple(sites))


def _statuses(world: World) -> list[str]:
    """The statuses of what is connected."""
    every = (one.status for site in world.sites for one in site.connections)
    return [status for status in every if status != Status.DISCONNECTED]


@examples(20)
@given(world=worlds().map(_tidied), names=st.booleans())
def test_what_is_pulled_plans_as_no_change(
    naming: RunningSandbox,
    nameless: RunningSandbox,
    world: World,
    names: bool,  # noqa: FBT001 - hypothesis hands it over
) -> None:
    """Every healthy connection plans as declared, for two requests a site, or was said to be left out."""
    sandbox = naming if names else nameless
    sandbox.replace_world(world)
    with tempfile.TemporaryDirectory(prefix="extcal-worlds-") as name:
        folder = Path(name) / "manifests"
        pull = _pulled(sandbox, world, folder)
        assert pull.failures == ()
        sandbox.requests.clear()
        plan = _plan(sandbox, folder)
        requests = Counter(request.path.rpartition("/")[2] for request in sandbox.requests)
        assert requests == {"providers": len(world.sites), "connections": len(world.sites)}
        assert _pulled(sandbox, world, folder).files == {}
    assert plan.whole
    kinds = Counter(action.kind for action in plan.actions)
    assert kinds.keys() <= {ActionKind.NOOP, ActionKind.UNMANAGED}
    left_out = [warning for warning in pull.warnings if "is left out: " in warning]
    assert kinds[ActionKind.NOOP] + len(left_out) == len(_statuses(world))
    for action in plan.actions:
        if action.kind is ActionKind.UNMANAGED:
            assert any(f"[{action.connection_id}]" in warning for warning in left_out)


@examples(20)
@given(world=worlds())
def test_broken_and_doubled_connections_are_all_that_planning_may_find(naming: RunningSandbox, world: World) -> None:
    """In any world a pull loads, and pulling again changes nothing; only what is broken or doubled is left to do."""
    naming.replace_world(world)
    with tempfile.TemporaryDirectory(prefix="extcal-worlds-") as name:
        folder = Path(name) / "manifests"
        pull = _pulled(naming, world, folder)
        plan = _plan(naming, folder)
        assert _pulled(naming, world, folder).files == {}
    doubled = any("has the same schedule, provider and account" in warning for warning in pull.warnings)
    broken = Status.ERROR in _statuses(world)
    found = {action.kind for action in plan.actions} - {ActionKind.NOOP, ActionKind.UNMANAGED}
    assert found <= ({ActionKind.RECONNECT} if broken else set())
    assert broken or doubled or not any(site.faults for site in plan.sites)
