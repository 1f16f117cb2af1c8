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
from reconciler.model.action import ActionKind
from reconciler.model.desired import ApiKeyAuth, Scope, SecretKind, SecretRef, Site
from reconciler.model.plan import Plan
from reconciler.sandbox.contract import Status
from reconciler.sandbox.server import RunningSandbox
from reconciler.sandbox.world import World
from reconciler.workflow import pull as pulling
from tests.support.machines import fresh_machine
from tests.support.profiles import examples
from tests.support.scenarios.worlds import worlds


def _service(sandbox: RunningSandbox) -> workflow.Service:
    return workflow.Service(sandbox.endpoint, Secrets({"EXTCAL_API_KEY": sandbox.api_key}, None), fresh_machine())


_LAYOUTS = st.sampled_from((None, *pulling.Layout)).map(pulling.PullOptions)


def _pulled(
    sandbox: RunningSandbox,
    world: World,
    folder: Path,
    *,
    prune: bool = False,
    options: pulling.PullOptions = pulling.PullOptions(),  # noqa: B008 - a frozen value
) -> pulling.Pull:
    """Pull every site of a world, and write what comes of it."""
    key = ApiKeyAuth(SecretRef(SecretKind.ENV, "EXTCAL_API_KEY"))
    sites = [
        Site(site.name, site.id, key, Scope.SITE, prune=prune, max_disconnects=0, redirect_url=None)
        for site in world.sites
    ]
    opened = pulling.open_folder(folder)
    named = pulling.with_names(sites, opened)
    warned: list[str] = []
    made = asyncio.run(pulling.pull(named, opened, _service(sandbox), warned.append, options=options))
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
@given(world=worlds().map(_tidied), names=st.booleans(), options=_LAYOUTS)
def test_what_is_pulled_plans_as_no_change(
    naming: RunningSandbox,
    nameless: RunningSandbox,
    world: World,
    names: bool,  # noqa: FBT001 - hypothesis hands it over
    options: pulling.PullOptions,
) -> None:
    """Every healthy connection plans as declared, for two requests a site, or was said to be left out."""
    sandbox = naming if names else nameless
    sandbox.replace_world(world)
    with tempfile.TemporaryDirectory(prefix="extcal-worlds-") as name:
        folder = Path(name) / "manifests"
        pull = _pulled(sandbox, world, folder, options=options)
        assert all(" is left out: " in failure for failure in pull.failures)
        sandbox.requests.clear()
        plan = _plan(sandbox, folder)
        requests = Counter(request.path.rpartition("/")[2] for request in sandbox.requests)
        assert requests == {"providers": len(world.sites), "connections": len(world.sites)}
        assert _pulled(sandbox, world, folder, options=options).files == {}
    assert plan.whole
    kinds = Counter(action.kind for action in plan.actions)
    assert kinds.keys() <= {ActionKind.NOOP, ActionKind.UNMANAGED}
    assert kinds[ActionKind.NOOP] + len(pull.failures) == len(_statuses(world))
    for action in plan.actions:
        if action.kind is ActionKind.UNMANAGED:
            assert any(f"[{action.connection_id}]" in failure for failure in pull.failures)


@examples(20)
@given(world=worlds(), known=st.booleans(), data=st.data())
def test_in_any_world_what_is_written_plans_as_no_change(
    naming: RunningSandbox,
    world: World,
    known: bool,  # noqa: FBT001 - hypothesis hands it over
    data: st.DataObject,
) -> None:
    """Whatever is live, and in whatever order: only health is left to plan, the rest is as declared, or named."""
    naming.replace_world(_shuffled(world, data))
    with tempfile.TemporaryDirectory(prefix="extcal-worlds-") as name:
        folder, other = Path(name) / "manifests", Path(name) / "other"
        pull = _pulled(naming, world, folder, prune=known)
        plan = _plan(naming, folder)
        assert _pulled(naming, world, folder, prune=known).files == {}
        naming.replace_world(_shuffled(world, data))
        again = _pulled(naming, world, other, prune=known)
    assert (again.files.keys(), sorted(again.failures)) == (pull.files.keys(), sorted(pull.failures))
    assert plan.whole
    left_out = [failure for failure in pull.failures if " is left out: " in failure]
    unwritten = [failure for failure in pull.failures if ": prune: true is not written" in failure]
    assert len(left_out) + len(unwritten) == len(pull.failures)
    written = [action for action in plan.actions if action.kind is not ActionKind.UNMANAGED]
    assert len(written) + len(left_out) == len(_statuses(world))
    broken = _statuses(world).count(Status.ERROR)
    kinds = Counter(action.kind for action in written)
    assert kinds.keys() <= {ActionKind.NOOP, ActionKind.RECONNECT}
    assert kinds[ActionKind.RECONNECT] <= broken


def _shuffled(world: World, data: st.DataObject) -> World:
    """The world with its providers, schedules and connections listed in another order."""
    sites = (
        replace(
            site,
            providers=tuple(data.draw(st.permutations(site.providers))),
            schedules=tuple(data.draw(st.permutations(site.schedules))),
            connections=tuple(data.draw(st.permutations(site.connections))),
        )
        for site in world.sites
    )
    return replace(world, sites=tuple(sites))
