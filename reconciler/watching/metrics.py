"""Exposes the figures of a watch as Prometheus metrics.

Names and labels are as its conventions say; there are few series, and no account is named.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric, SummaryMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from reconciler import __version__
from reconciler.model.status import Health
from reconciler.watching.figures import Figures, SiteFigures

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4


def exposition(figures: Callable[[], Figures]) -> Callable[[], bytes]:
    """What gives the metrics in the text format, of the figures as they are when it is called."""
    registry = CollectorRegistry()
    registry.register(_Figures(figures))
    ProcessCollector(registry=registry)
    return lambda: generate_latest(registry)


class _Figures(Collector):
    def __init__(self, figures: Callable[[], Figures]) -> None:
        self._figures = figures

    def collect(self) -> Iterable[Metric]:
        """Every family, of one moment."""
        figures = self._figures()
        yield from _loop(figures)
        yield from _sites(figures)

    def describe(self) -> Iterable[Metric]:
        """Nothing: a registry that asks for names may ask again when there are figures."""
        return []


def _loop(figures: Figures) -> Iterator[Metric]:
    build = GaugeMetricFamily("extcal_build_info", "The extcal that runs; always 1.", labels=["version"])
    build.add_metric([__version__], 1)
    yield build
    rounds = CounterMetricFamily(
        "extcal_rounds",
        "Rounds by the result of the sites that were due: none failed (good), some did (partial), all did (failed).",
        labels=["result"],
    )
    for result, count in figures.rounds.items():
        rounds.add_metric([result.value], count)
    yield rounds
    yield SummaryMetricFamily(
        "extcal_round_duration_seconds", "How long rounds took.", sum(figures.rounds.values()), figures.seconds
    )
    yield from _moment("extcal_last_round_timestamp_seconds", "When the last round ended.", figures.last_round)
    yield from _moment(
        "extcal_last_success_timestamp_seconds",
        "When the last round ended in which at least one site succeeded.",
        figures.last_success,
    )
    yield GaugeMetricFamily(
        "extcal_manifests_valid", "Whether the manifests could be used in the last round.", int(figures.manifests_valid)
    )
    pulls = CounterMetricFamily("extcal_git_pulls", "Pulls of the manifests' repositories.", labels=["result"])
    pulls.add_metric(["good"], figures.pulls)
    pulls.add_metric(["failed"], figures.failed_pulls)
    yield pulls
    yield from _moment("extcal_git_pull_last_success_timestamp_seconds", "When a pull succeeded.", figures.last_pull)
    yield CounterMetricFamily(
        "extcal_throttled_requests",
        "Waits of requests: for the rate limit, because the service asked for one, or before trying again.",
        figures.waits,
    )
    yield CounterMetricFamily("extcal_throttled_seconds", "How long those waits were, together.", figures.waited)

    yield CounterMetricFamily("extcal_alerts_sent", "Digests of alerts that a receiver took.", figures.alerts)
    yield CounterMetricFamily(
        "extcal_alert_failures", "Digests of alerts that a receiver did not take.", figures.failed_alerts
    )


def _moment(name: str, what: str, moment: float | None) -> Iterator[Metric]:
    if moment is not None:
        yield GaugeMetricFamily(name, what, moment)


def _sites(figures: Figures) -> Iterator[Metric]:
    sites = figures.sites
    connections = GaugeMetricFamily(
        "extcal_connections",
        "Connections by status: declared ones, and live ones in scope that no manifest declares (unmanaged).",
        labels=["site", "status"],
    )
    for name, site in sites.items():
        for health, count in site.connections.items():
            connections.add_metric([name, health.value], count)
    yield connections
    yield _gauge("drift_actions", "Actions still to do on the site; 0 is no drift.", sites, _pending)
    yield _gauge("consents_awaited", "Connections that only their owners can approve.", sites, _consents)
    yield _gauge(
        "consent_longest_awaited_timestamp_seconds",
        "Since when the owner is awaited who is awaited longest, to connect an account or to bring it out of an error.",
        {name: site for name, site in sites.items() if site.awaited_since is not None},
        lambda site: site.awaited_since or 0.0,
    )
    yield _gauge(
        "stuck_connections",
        "Declared connections whose sync has not ended in over 30 minutes; a first one takes 5 to 10.",
        sites,
        lambda site: site.stuck,
    )
    yield _gauge("guard_violations", "Guards that hold the site's plan back.", sites, lambda site: site.held_back)
    yield _gauge("site_up", "Whether the site could be read in its last round.", sites, lambda site: int(site.up))
    yield _gauge(
        "site_failures", "How many rounds of the site have failed in a row.", sites, lambda site: site.failures
    )
    success = {name: site for name, site in sites.items() if site.last_success is not None}
    yield _gauge(
        "site_last_success_timestamp_seconds",
        "When the site's last round without an error ended.",
        success,
        lambda site: site.last_success or 0.0,
    )
    requests = CounterMetricFamily("extcal_requests", "Requests sent, tries and tokens included.", labels=["site"])
    actions = CounterMetricFamily("extcal_actions", "Actions by their outcome.", labels=["site", "status"])
    for name, site in sites.items():
        requests.add_metric([name], site.requests)
        for status, count in site.outcomes.items():
            actions.add_metric([name, status.value], count)
    yield requests
    yield actions


def _gauge(
    name: str, what: str, sites: Mapping[str, SiteFigures], value: Callable[[SiteFigures], float]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"extcal_{name}", what, labels=["site"])
    for site, figures in sites.items():
        family.add_metric([site], value(figures))
    return family


def _pending(site: SiteFigures) -> int:
    return site.pending


def _consents(site: SiteFigures) -> int:
    return site.connections.get(Health.AWAITING_CONSENT, 0)
