"""A plan sends no write, whatever it is asked to plan; and no read more than it needs."""

from hypothesis import given
from hypothesis import strategies as st

from tests.properties.agreement import agreeing
from tests.support.profiles import examples
from tests.support.scenarios.stage import Stages, is_read
from tests.support.scenarios.statements import Document
from tests.support.scenarios.strategies import Scenario, scenarios
from tests.support.scenarios.worlds import guid

_SNIPPETS = (
    "{",
    "spec:",
    "- ",
    "&a *a",
    "!!python/object:os.system",
    "\t",
    "---\n",
    "apiVersion: extcal/v2",
    "\x00",
    "é",
)


@examples(6)
@given(scenario=scenarios(sound=False))
def test_a_plan_sends_no_write(stages: Stages, scenario: Scenario) -> None:
    """Whatever valid or faulty manifests say of whatever world, planning them leaves it as it was."""
    with stages.holding(scenario) as stage:
        before = stage.live()
        stage.sandbox.requests.clear()
        stage.plan_if_valid()
        assert all(is_read(request) for request in stage.sandbox.requests)
        assert stage.live() == before


@examples(6)
@given(scenario=scenarios(), place=st.integers(0), text=st.text(max_size=20) | st.sampled_from(_SNIPPETS))
def test_a_plan_of_garbage_sends_nothing_but_reads(stages: Stages, scenario: Scenario, place: int, text: str) -> None:
    """Manifests with something stuck into them are refused, or planned without a write."""
    with stages.holding(scenario) as stage:
        file = next(stage.folder.rglob("*.yaml"))
        whole = file.read_text(encoding="utf-8")
        cut = place % (len(whole) + 1)
        file.write_bytes((whole[:cut] + text + whole[cut:]).encode("utf-8", "surrogatepass"))
        stage.plan_if_valid()
        assert all(is_read(request) for request in stage.sandbox.requests)


@examples(6)
@given(scenario=scenarios(), data=st.data())
def test_a_plan_that_may_not_read_sends_no_write(stages: Stages, scenario: Scenario, data: st.DataObject) -> None:
    """With a wrong key, a wrong secret or for a site that isn't there the plan says so, and sends no write."""
    wrong = data.draw(st.sampled_from(("EXTCAL_API_KEY", "EXTCAL_APP_SECRET", "site")))
    environ = {wrong: "not-the-right-one"} if wrong != "site" else {}
    documents = [_elsewhere(d) if wrong == "site" else d for d in scenario.documents]
    with stages.holding(scenario, [documents], environ) as stage:
        plan = stage.plan()
        assert all(is_read(request) for request in stage.sandbox.requests)
    blind = [g for g in scenario.governed if wrong == "site" or g.by_app == (wrong == "EXTCAL_APP_SECRET")]
    faulty = {site.site.name for site in plan.sites if site.faults and not site.actions}
    assert {governed.name for governed in blind} <= faulty


def _elsewhere(manifest: Document) -> Document:
    """A Site manifest as one of a site, or an installed app, that isn't there."""
    spec = manifest["spec"]
    if manifest["kind"] != "Site" or not isinstance(spec, dict):
        return manifest
    number = int(str(spec["siteId"])[-4:], 16) + 4096
    auth = spec["auth"]
    if "app" in auth:
        auth = {"app": auth["app"] | {"instanceId": guid(9, number)}}
    return manifest | {"spec": spec | {"siteId": guid(9, number), "auth": auth}}


@examples(6)
@given(scenario=agreeing())
def test_a_site_whose_connections_all_agree_takes_two_requests(stages: Stages, scenario: Scenario) -> None:
    """Where the live state is what the manifests state, and says all that they speak of, two requests tell so."""
    with stages.holding(scenario) as stage:
        plan = stage.plan(frozenset())
        paths = sorted(request.path.rpartition("/")[2] for request in stage.sandbox.requests)
    assert plan.whole
    assert not plan.pending
    assert paths == ["connections", "providers"]
