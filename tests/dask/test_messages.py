"""What travels between a command and its workers: text, from which the very values come back."""

from pathlib import Path

from reconciler.cli.dask.worker import WorkerReply, WorkerRequest, packed, unpacked
from reconciler.manifests import load
from reconciler.model.plan import Allowance, Plan
from reconciler.model.result import Outcome, OutcomeStatus, Result
from reconciler.workflow import Selection
from tests.support.builders.plans import declared, planned
from tests.support.cli.worlds import BUSY, connection, site


def test_what_travels_arrives_as_it_was(tmp_path: Path) -> None:
    """Manifests, plans and results with all that they say, also where in the manifests it was said."""
    (tmp_path / "all.yaml").write_text(site() + connection(0, more=BUSY) + connection(1, provider="google"))
    desired = load([tmp_path])
    agreed = Plan((planned(declared()),))
    errand = WorkerRequest("run", "https://api.example", desired, ("a/lee",), (Allowance("consent-loss", "a"),), agreed)
    assert unpacked(WorkerRequest, packed(errand)) == errand
    assert errand.selection == Selection(None, frozenset({"a/lee"}))
    outcomes = tuple(Outcome(action, OutcomeStatus.UNKNOWN, error="why") for action in agreed.actions)
    answer = WorkerReply(agreed, Result(agreed, outcomes, Plan(())), "none")
    assert unpacked(WorkerReply, packed(answer)) == answer
