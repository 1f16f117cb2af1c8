"""The metrics: Prometheus can read them, they are named as its conventions ask, and they are few."""

import re
from dataclasses import replace

from prometheus_client.parser import text_string_to_metric_families

from reconciler.model.result import OutcomeStatus
from reconciler.model.status import Health
from reconciler.watching.figures import Figures, RoundResult, SiteFigures
from reconciler.watching.metrics import CONTENT_TYPE, exposition

_SITE = SiteFigures(
    connections=dict.fromkeys(Health, 2),
    pending=3,
    stuck=8,
    held_back=1,
    up=True,
    failures=4,
    last_success=1_700_000_000.0,
    requests=5,
    outcomes=dict.fromkeys(OutcomeStatus, 6),
    awaited={("harbor/lee", None): 1_600_000_000.0, ("harbor/kim", None): 1_500_000_000.0},
)
_FIGURES = Figures(
    sites={"harbor": _SITE, 'quay"\\\n': _SITE},
    rounds=dict.fromkeys(RoundResult, 7),
    seconds=8.5,
    last_round=1_700_000_001.0,
    last_success=1_700_000_000.0,
    manifests_valid=True,
    pulls=9,
    failed_pulls=10,
    last_pull=1_700_000_002.0,
    waits=11,
    waited=12.5,
)


def samples(figures: Figures) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Every sample of ours by its name and labels, read as Prometheus reads the text format."""
    text = exposition(lambda: figures)().decode()
    families = list(text_string_to_metric_families(text))
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
        if sample.name.startswith("extcal_")
    }


def test_the_metrics_say_what_the_figures_say() -> None:
    """Each figure is a sample, under its site."""
    found = samples(_FIGURES)
    harbor = (("site", "harbor"),)
    assert found["extcal_connections", (*harbor, ("status", "awaiting-consent"))] == 2
    assert found["extcal_consents_awaited", harbor] == 2
    assert found["extcal_consent_longest_awaited_timestamp_seconds", harbor] == 1_500_000_000
    assert found["extcal_drift_actions", harbor] == 3
    assert found["extcal_stuck_connections", harbor] == 8
    assert found["extcal_guard_violations", harbor] == 1
    assert found["extcal_site_up", harbor] == 1
    assert found["extcal_site_failures", harbor] == 4
    assert found["extcal_site_last_success_timestamp_seconds", harbor] == 1_700_000_000
    assert found["extcal_requests_total", harbor] == 5
    assert found["extcal_actions_total", (*harbor, ("status", "failed"))] == 6
    assert found["extcal_rounds_total", (("result", "partial"),)] == 7
    assert found["extcal_round_duration_seconds_sum", ()] == 8.5
    assert found["extcal_round_duration_seconds_count", ()] == 21
    assert found["extcal_last_round_timestamp_seconds", ()] == 1_700_000_001
    assert found["extcal_last_success_timestamp_seconds", ()] == 1_700_000_000
    assert found["extcal_manifests_valid", ()] == 1
    assert found["extcal_git_pulls_total", (("result", "failed"),)] == 10
    assert found["extcal_git_pull_last_success_timestamp_seconds", ()] == 1_700_000_002
    assert found["extcal_throttled_requests_total", ()] == 11
    assert found["extcal_throttled_seconds_total", ()] == 12.5
    assert found["extcal_connections", (("site", 'quay"\\\n'), ("status", "ok"))] == 2


def test_what_was_never_is_no_sample() -> None:
    """A moment that has not come is left out: 0 would be 1970, and an alarm."""
    names = {name for name, _ in samples(Figures(sites={"harbor": replace(_SITE, last_success=None, awaited={})}))}
    assert not [name for name in names if name.endswith("timestamp_seconds")]


def test_the_metrics_are_named_as_prometheus_asks() -> None:
    """As promtool checks: each has a help text and a type once, counters end in _total, names hold base units."""
    text = exposition(lambda: _FIGURES)().decode()
    assert CONTENT_TYPE == "text/plain; version=0.0.4; charset=utf-8"
    families = [family for family in text_string_to_metric_families(text) if family.name.startswith("extcal_")]
    names = [family.name for family in families]
    assert len(names) == len(set(names))
    for family in families:
        assert family.documentation.endswith("."), family.name
        assert family.type in {"counter", "gauge", "summary"}, family.name
        assert re.fullmatch(r"[a-z_]+", family.name)
        assert not re.search(r"(milli|minute|hour|_ms$|_count$|_bucket$)", family.name)
        assert (f"# TYPE {family.name}_total counter" in text) == (family.type == "counter")
        assert {label for sample in family.samples for label in sample.labels} <= {
            "site",
            "status",
            "result",
            "version",
        }


def test_a_site_costs_few_series() -> None:
    """The number of series of a site does not depend on its connections."""
    per_site = [key for key in samples(_FIGURES) if ("site", "harbor") in key[1]]
    assert len(per_site) == 23
