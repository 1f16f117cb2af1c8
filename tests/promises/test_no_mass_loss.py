"""Promise: no input takes more connections away than the guards let through, unless somebody overrules one by name.

Partial reads, also between planning and writing, sets of manifests that lost their files, and a service that suddenly
lists nothing, or only some: disconnects are counted where they arrive. What each guard does alone is shown in
tests/properties/test_guards.py.
"""

import asyncio
import shutil
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler import workflow
from reconciler.api.secrets import Secrets
from reconciler.errors import ManifestError
from reconciler.manifests import load
from reconciler.model.consent import ConsentMode
from reconciler.model.plan import Allowance
from reconciler.model.result import Result
from reconciler.planning.guards import CONSENT_LOSS, GUARDS, MAX_DISCONNECTS, PREVENT_DISCONNECT
from reconciler.sandbox.backend import Settings
from reconciler.sandbox.contract import Status
from reconciler.sandbox.server import running
from reconciler.sandbox.world import ExistingConnection, Site
from reconciler.workflow import Stop
from tests.promises.blind_service import Blind, blinding
from tests.promises.leak_stage import let_time_fly
from tests.support.cli.command import Extcal
from tests.support.cli.worlds import APPLE, PASSWORD_ENV, connection, harbor, site, world
from tests.support.profiles import examples
from tests.support.scenarios.stage import Stage, Stages
from tests.support.scenarios.strategies import Scenario, scenarios

_NEVER = 1e9
_PRUNING = "prune: true\nscope: site"
_ALL = range(8)
_FORCED = ((), (CONSENT_LOSS,), (CONSENT_LOSS, PREVENT_DISCONNECT), (CONSENT_LOSS, MAX_DISCONNECTS), GUARDS)


@dataclass(frozen=True)
class Trouble:
    """What the service does not tell: providers that are `down`, connections that are `hidden`; None is all of them."""

    down: Collection[str] = ()
    hidden: Collection[str] | None = ()

    def conceals(self, connection: ExistingConnection) -> bool:
        """Whether a connection can't be seen."""
        return connection.provider_id in self.down or self.hidden is None or connection.id in self.hidden


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stages]:
    """Stages for random worlds."""
    settings = Settings(sync_starts_after=_NEVER, sync_done_after=_NEVER)
    with running(tmp_path_factory.mktemp("stages"), settings=settings) as sandbox:
        yield Stages(sandbox)


@st.composite
def troubles(draw: st.DrawFn, scenario: Scenario) -> Trouble:
    """Nothing at all, which is what most apply in; some providers or connections; or every connection."""
    providers = sorted({provider.id for site in scenario.world.sites for provider in site.providers})
    ids = sorted({connection.id or "" for site in scenario.world.sites for connection in site.connections})
    nothing, all_of_it = st.just(Trouble()), st.just(Trouble(hidden=None))
    down = st.lists(st.sampled_from(providers), min_size=1, max_size=2, unique=True).map(Trouble)
    kinds = [nothing, nothing, nothing, down, down, all_of_it]
    if ids:
        hidden = st.lists(st.sampled_from(ids), min_size=1, unique=True)
        kinds += [hidden.map(lambda some: Trouble(hidden=some))] * 2
    return draw(draw(st.sampled_from(kinds)))


def befall(stage: Stage, blind: Blind, before: Trouble, trouble: Trouble) -> None:
    """Let one trouble be over and the next one begin."""
    for provider_id in before.down:
        stage.sandbox.set_provider_down(provider_id, down=False)
    for provider_id in trouble.down:
        stage.sandbox.set_provider_down(provider_id, down=True)
    blind.hidden = trouble.hidden


def applied(
    stage: Stage, blind: Blind, planning: Trouble, writing: Trouble, forced: frozenset[Allowance]
) -> Result | None:
    """Apply in trouble while it plans and in another while it writes, with what is `forced` by name."""

    async def story() -> Result:
        desired = load([stage.folder])
        service = workflow.Service(blind.url, Secrets(stage.environ, None), stage.machine)
        async with workflow.sessions(desired.sites, service) as opened:
            befall(stage, blind, Trouble(), planning)
            plan = await workflow.plan(desired, opened, workflow.Selection(), forced)
            befall(stage, blind, planning, writing)
            return await workflow.apply(
                plan, opened, stage.machine, consent=ConsentMode.LINK, stop=Stop(), on_outcome=lambda _outcome: None
            )

    try:
        return asyncio.run(story())
    except ManifestError:
        return None
    finally:
        befall(stage, blind, writing, Trouble())


def limit(scenario: Scenario, of: Site) -> int:
    """How many connections of a site one apply may take away."""
    active = [c for c in of.connections if c.status != Status.DISCONNECTED and scenario.in_scope(of, c)]
    return max(1, len(active) * scenario.at(of).percentage // 100)


@examples(6)
@given(data=st.data(), sound=st.sampled_from((True, True, True, False)), forced=st.sampled_from(_FORCED))
def test_nothing_takes_more_away_than_is_allowed(
    stages: Stages,
    data: st.DataObject,
    sound: bool,  # noqa: FBT001 - hypothesis hands it over
    forced: tuple[str, ...],
) -> None:
    """Whatever stands, is declared, can't be reached or is hidden, and whenever: no site loses more than its limit.

    Nothing goes that could not be seen while it was planned or when it was to be done, nor what a manifest protects.
    Who overrules one guard has not overruled another.
    """
    scenario = data.draw(scenarios(sound=sound, sparing=False))
    scenario = replace(scenario, down=())
    planning, writing = data.draw(troubles(scenario)), data.draw(troubles(scenario))
    with stages.holding(scenario) as stage, blinding(stage.sandbox.endpoint) as blind:
        result = applied(stage, blind, planning, writing, stage.overruling(*forced))
    existing = {c.id: (of, c) for of in scenario.world.sites for c in of.connections}
    assert set(blind.disconnected) <= existing.keys()
    assert len(set(blind.disconnected)) == len(blind.disconnected)
    assert result is not None or not blind.disconnected
    gone = [existing[connection_id] for connection_id in blind.disconnected]
    lost = Counter(of.id for of, c in gone if c.status != Status.ERROR)
    if MAX_DISCONNECTS not in forced:
        assert all(lost[of.id] <= limit(scenario, of) for of in scenario.world.sites)
    for of, c in gone:
        assert not planning.conceals(c)
        assert not writing.conceals(c)
        assert scenario.in_scope(of, c)
        shown = c.email_shown and c.status != Status.ERROR
        protected = shown and any(stated.prevent_disconnect for stated in scenario.about(of, c))
        assert not protected or PREVENT_DISCONNECT in forced


@pytest.fixture
def full(extcal: Extcal) -> Extcal:
    """The command, with eight connections that stand and are declared, a file each, on a site that prunes."""
    extcal.on(world(harbor(*_ALL)))
    extcal.env |= PASSWORD_ENV
    extcal.write(site(more=_PRUNING), to="manifests/site.yaml")
    for number in _ALL:
        extcal.write(connection(number), to=f"manifests/staff-{number}.yaml")
    assert extcal("plan", "manifests", "--detailed-exitcode").code == 0
    extcal.sandbox.requests.clear()
    return extcal


def disconnects(extcal: Extcal) -> int:
    """How many disconnects arrived."""
    return sum(request.path.endswith("/disconnect") for request in extcal.writes)


def lose(extcal: Extcal, *numbers: int) -> None:
    """Lose the files of these connections."""
    for number in numbers:
        (extcal.folder / "manifests" / f"staff-{number}.yaml").unlink()


@pytest.mark.parametrize("kept", [1, pytest.param(3, marks=pytest.mark.soak), pytest.param(5, marks=pytest.mark.soak)])
def test_a_folder_that_lost_most_of_its_files(full: Extcal, kept: int) -> None:
    """The plan is refused as a whole, with how much would have gone; only with the guard overruled it goes."""
    lose(full, *_ALL[kept:])
    ran = full("apply", "manifests", "--auto-approve")
    assert (ran.code, full.writes) == (1, [])
    gone = 8 - kept
    assert f"{gone} of 8 connections would be disconnected, more than the 2 that guards.maxDisconnects: 25%" in ran.err
    assert "If this is intended, add --allow max-disconnects:harbor" in ran.err
    assert full("apply", "manifests", "--auto-approve", "--allow", "prevent-disconnect:harbor").code == 64
    assert full("apply", "manifests", "--auto-approve", "--allow", "max-disconnects:quay").code == 64
    assert disconnects(full) == 0
    assert full("apply", "manifests", "--auto-approve", "--allow", "max-disconnects:harbor").code == 0
    assert disconnects(full) == gone


def test_a_folder_that_lost_all_its_connections(full: Extcal) -> None:
    """Where nothing is declared nothing is pruned, not even with the guard overruled, and that is said."""
    lose(full, *_ALL)
    ran = full("apply", "manifests", "--auto-approve", "--allow", "max-disconnects:harbor")
    assert (ran.code, full.writes) == (0, [])
    assert "harbor: no connection is declared, so nothing is pruned: 8 live connections stay" in ran.err


@pytest.mark.parametrize("left", ["nothing", "an empty folder", "an empty file", "no Site"])
def test_a_folder_that_lost_its_site(full: Extcal, left: str) -> None:
    """Without a Site there is nothing to talk to: an error, or nothing to do, and not one request."""
    manifests: Path = full.folder / "manifests"
    if left == "no Site":
        (manifests / "site.yaml").unlink()
    else:
        shutil.rmtree(manifests)
    if left in {"an empty folder", "an empty file"}:
        manifests.mkdir()
    if left == "an empty file":
        (manifests / "all.yaml").write_bytes(b"")
    ran = full("apply", "manifests", "--auto-approve")
    assert len(full.sandbox.requests) == 0
    assert ran.code in {0, 1}
    assert ran.code == 1 or "Nothing to do" in ran.out


def test_a_service_that_suddenly_lists_nothing(full: Extcal, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is gone from sight all at once is not taken away, and after one connect that is not listed none follows."""
    let_time_fly(monkeypatch)
    lose(full, 6, 7)
    full.write(connection(5, more="state: absent"), to="manifests/staff-5.yaml")
    with blinding(full.sandbox.endpoint) as blind:
        blind.hidden = None
        planned = full("plan", "manifests", env={"EXTCAL_ENDPOINT": blind.url})
        assert (planned.code, full.writes) == (0, [])
        assert "Plan: 5 to connect; " in planned.out
        ran = full("apply", "manifests", "--auto-approve", env={"EXTCAL_ENDPOINT": blind.url})
    assert (ran.code, blind.disconnected, disconnects(full)) == (1, [], 0)
    assert "and the service does not list it: the key or app may see only its own" in ran.out
    assert ran.out.endswith("Applied: 1 FAILED, 4 skipped.\n")
    assert len([request for request in full.writes if request.path.endswith(":connectByCredentials")]) == 1


def test_a_service_that_lists_only_some(full: Extcal) -> None:
    """What is not listed is not taken away, and what is listed only as far as the guard lets through."""
    lose(full, 4, 5, 6, 7)
    with blinding(full.sandbox.endpoint) as blind:
        blind.hidden = {"live-0", "live-1", "live-2", "live-3"}
        ran = full("apply", "manifests", "--auto-approve", env={"EXTCAL_ENDPOINT": blind.url})
    assert (ran.code, full.writes, blind.disconnected) == (1, [], [])
    assert "4 of 4 connections would be disconnected, more than the 1 that" in ran.err


def test_a_read_that_is_partial_is_told_and_prunes_nothing(full: Extcal) -> None:
    """While a provider can't be reached what is declared of it is named as not planned, and nothing of it goes."""
    lose(full, 7)
    full.sandbox.set_provider_down(APPLE, down=True)
    ran = full("apply", "manifests", "--auto-approve")
    assert (ran.code, full.writes) == (1, [])
    assert ran.err.count("the service could not read the connections of provider Apple: not planned") == 7


def test_a_provider_that_goes_down_between_plan_and_apply(full: Extcal) -> None:
    """A disconnect that was planned and reviewed is not sent while what it rests on can't be seen; later it is."""
    lose(full, 6, 7)
    assert full("plan", "manifests", "--out", "plan.json").code == 0
    full.sandbox.set_provider_down(APPLE, down=True)
    ran = full("apply", "--plan", "plan.json", "--auto-approve")
    assert (ran.code, full.writes) == (1, [])
    assert ran.out.count("its precondition could not be checked: the service can't reach the provider") == 2
    full.sandbox.set_provider_down(APPLE, down=False)
    assert full("apply", "--plan", "plan.json", "--auto-approve").code == 0
    assert disconnects(full) == 2
