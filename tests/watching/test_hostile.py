"""A service whose every text is hostile: what a watch tells of it is harmless, and its metrics stay readable."""

from prometheus_client.parser import text_string_to_metric_families

from tests.support.cli.command import Extcal
from tests.support.cli.watcher import watching
from tests.support.cli.worlds import KEY, PASSWORD, PASSWORD_ENV, connection, site
from tests.support.hostile_texts import assert_inert
from tests.support.servers.hostile import serving


def test_what_is_told_of_a_hostile_service_is_harmless(bare: Extcal) -> None:
    """No line moves a cursor, hides or reorders anything or commands a CI; no metric holds a text of the service."""
    bare.write(site(more="scope: site\nprune: true"), connection(0), connection(1, provider="google"))
    with serving() as service:
        service.be_full()
        bare.env |= {"EXTCAL_ENDPOINT": service.url, "EXTCAL_API_KEY": KEY, **PASSWORD_ENV}
        with watching(bare, "--verbose", "--apply", "--auto-approve") as watcher:
            watcher.ready()
            watcher.until("Z round ")
            metrics = watcher.get("/metrics").text
            watcher.hurry()
            watcher.until("Z round ")
            assert watcher.end() == 0
    assert len(watcher.lines) > 4
    for line in watcher.lines:
        assert_inert(line)
        assert KEY not in line
        assert PASSWORD not in line
    assert metrics.isascii()
    labels = {
        value
        for family in text_string_to_metric_families(metrics)
        for sample in family.samples
        for value in sample.labels.values()
    }
    assert "harbor" in labels
    assert max(map(len, labels)) < 20
