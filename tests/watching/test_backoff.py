"""When rounds begin, how long sites rest, and when a probe is answered with yes."""

from hypothesis import given
from hypothesis import strategies as st

from reconciler.watching.backoff import Interval, SiteBackoff
from reconciler.watching.figures import Readiness

_CHANCES = st.floats(0, 1)
_INTERVALS = st.floats(1, 86_400)


@given(_INTERVALS, _CHANCES, st.floats(0, 100_000))
def test_a_pause_ends_within_a_tenth_of_the_interval(interval: float, chance: float, took: float) -> None:
    """From the beginning of a round to the next it is the interval, a tenth more or less, or the round's own length."""
    pause = Interval(interval, lambda: chance).pause(took)
    assert pause >= 0
    assert interval * 0.899 <= pause + took or pause == 0
    assert pause + took <= max(interval * 1.101, took)


@given(_INTERVALS, _CHANCES, st.integers(1, 100))
def test_rests_grow_to_a_cap(interval: float, chance: float, failures: int) -> None:
    """However often a site has failed, it backoff no longer than an hour, or an interval; and half of that at least."""
    now = 0.0
    backoff = SiteBackoff(interval, lambda: now, lambda: chance)
    for _ in range(failures):
        backoff.failed("harbor", began=0.0)
    assert backoff.failures("harbor") == failures
    longest = min(interval * 2.0 ** min(failures - 1, 40), max(3600.0, interval))
    now = longest * 0.499
    assert backoff.sites == {"harbor"}
    now = longest * 1.001
    assert backoff.sites == frozenset()


def test_a_success_forgives_and_waking_does_not() -> None:
    """A site whose backoff is ended is tried at once, and later if it fails again; one that succeeded begins anew."""
    now = 0.0
    backoff = SiteBackoff(60.0, lambda: now, lambda: 1.0)
    for _ in range(3):
        backoff.failed("harbor", began=0.0)
    backoff.end()
    assert (backoff.sites, backoff.failures("harbor")) == (frozenset(), 3)
    backoff.failed("harbor", began=0.0)
    now = 479.0
    assert backoff.sites == {"harbor"}
    backoff.succeeded("harbor")
    assert (backoff.sites, backoff.failures("harbor")) == (frozenset(), 0)


def test_ready_after_a_good_round_until_three_have_failed() -> None:
    """One bad round is no reason to be replaced; several are, with a reason; a good one mends it."""
    readiness = Readiness(lambda: 0.0)
    assert not readiness.ready().yes
    readiness.failed("the manifests have 2 errors; see the log")
    assert readiness.ready().why == "the last round failed: the manifests have 2 errors; see the log"
    readiness.went_well()
    for count in ("the last round", "the last 2 rounds"):
        readiness.failed("every site failed")
        assert readiness.ready().yes
        assert readiness.ready().why == f"{count} failed: every site failed; not ready after 3 in a row"
    readiness.failed("every site failed")
    assert not readiness.ready().yes
    assert readiness.ready().why == "the last 3 rounds failed: every site failed"
    readiness.went_well()
    assert (readiness.ready().yes, readiness.ready().why) == (True, "the last round reconciled at least one site")


def test_a_loop_that_stands_still_is_not_alive() -> None:
    """Half a minute without a beat is a reason to be replaced."""
    now = 100.0
    readiness = Readiness(lambda: now)
    now = 129.0
    assert readiness.alive().yes
    now = 131.0
    assert (readiness.alive().yes, readiness.alive().why) == (False, "the loop has stopped")
    readiness.beat()
    assert readiness.alive().yes
