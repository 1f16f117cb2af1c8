"""The sandbox keeps the contract whatever it is asked: schemathesis, in its four phases, against the OpenAPI file.

Examples are the file's own; coverage tries each bound and each fault of each field; fuzzing draws requests at random;
the stateful phase walks along the file's links: providers, connect, calendars, sync config, disconnect, and again.
Every check of schemathesis is on, `negative_data_rejection` among them: the file itself says what is tolerated.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from reconciler.sandbox.server import running
from tests.sandbox.contract_fuzz import PHASES, Verdict, fuzz, world

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_CASES_IN_A_SOAK = 10_000
_OPERATIONS = 11


def _run(
    folder: Path, *, seed: int, examples: int, phases: Sequence[str] = PHASES, operations: Sequence[str] = ()
) -> Verdict:
    folder.mkdir()
    with running(folder / "data", world=world()) as sandbox:
        verdict = fuzz(sandbox, folder, seed=seed, examples=examples, phases=phases, operations=operations)
        assert not [request for request in sandbox.requests if request.status >= 500]
    return verdict


def _assert_clean(verdict: Verdict, *, phases: Sequence[str] = PHASES, operations: int = _OPERATIONS) -> None:
    assert (verdict.failures, verdict.errors, verdict.exit_code) == (0, 0, 0), verdict.output
    assert verdict.phases == {each: "success" if each in phases else "skip" for each in PHASES}, verdict.output
    assert len(verdict.accepted) == operations, verdict.output
    assert all(verdict.accepted.values()), f"{verdict.accepted}\n{verdict.output}"


def test_the_contract_is_kept(tmp_path: Path) -> None:
    """Some requests, the same each time: none fails a check, and every operation accepts some."""
    phases = ("examples", "fuzzing", "stateful")
    verdict = _run(tmp_path / "run", seed=6, examples=4, phases=phases)
    _assert_clean(verdict, phases=phases)
    assert verdict.cases > 100


def test_bounds_and_faults_of_fields_are_kept(tmp_path: Path) -> None:
    """Each bound and each fault of each field of a read and of a write; a soak tries those of all operations."""
    operations = ("listConnections", "connectByCredentials")
    verdict = _run(tmp_path / "run", seed=6, examples=1, phases=("coverage",), operations=operations)
    _assert_clean(verdict, phases=("coverage",), operations=len(operations))
    assert verdict.cases > 100


@pytest.mark.soak
def test_the_whole_contract_is_kept(tmp_path: Path) -> None:
    """Hundreds of requests in all phases, the same each time."""
    verdict = _run(tmp_path / "run", seed=6, examples=8)
    _assert_clean(verdict)
    assert verdict.cases > 500


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_the_contract_is_kept_ten_thousand_times(tmp_path: Path) -> None:
    """At least 10,000 requests in rounds, each on a fresh world and with a seed of its own: 0 failures."""
    cases = 0
    first = random.randrange(2**31)  # noqa: S311 -- no secret
    for seed in range(first, first + 20):
        verdict = _run(tmp_path / str(seed), seed=seed, examples=150)
        print(f"seed {seed}: {verdict.cases} cases, {verdict.failures} failures, {verdict.errors} errors")  # noqa: T201 -- what a soak is read for
        _assert_clean(verdict)
        cases += verdict.cases
        if cases >= _CASES_IN_A_SOAK:
            return
    pytest.fail(f"only {cases} cases in 20 rounds")


def test_a_broken_contract_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sandbox with a status that the contract doesn't know fails the run."""
    monkeypatch.setattr("reconciler.sandbox.methods.answers.status_at", lambda *_: "ASLEEP")
    verdict = _run(tmp_path / "run", seed=6, examples=1, phases=("coverage",), operations=("listConnections",))
    assert verdict.exit_code == 1
    assert verdict.failures > 0
    assert "ASLEEP" in verdict.output
