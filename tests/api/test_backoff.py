"""How long to wait before another try."""

from datetime import UTC, datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.api.retry import Backoff, retry_after

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(("tried", "longest"), [(1, 0.5), (2, 1.0), (3, 2.0)])
def test_waits_double_with_full_jitter(tried: int, longest: float) -> None:
    """The nth wait is anything from nothing to base times two to the n-1."""
    backoff = Backoff()
    assert backoff.pause(tried=tried, spent=0, asked=None, chance=0) == 0
    assert backoff.pause(tried=tried, spent=0, asked=None, chance=1) == longest


def test_waits_are_capped() -> None:
    """However often it was tried, no wait exceeds the cap."""
    assert Backoff(tries=99).pause(tried=60, spent=0, asked=None, chance=1) == 20


def test_it_ends() -> None:
    """After so many tries, or so much time, the error stands."""
    backoff = Backoff()
    assert backoff.pause(tried=4, spent=0, asked=None, chance=0) is None
    assert backoff.pause(tried=1, spent=61, asked=None, chance=0) is None
    assert backoff.pause(tried=2, spent=59.5, asked=None, chance=1) is None
    assert backoff.pause(tried=4, spent=0, asked=1, chance=0) is None


def test_what_the_service_asks_for_is_obeyed_within_reason() -> None:
    """A wait that is asked for is kept and never cut short; one beyond a minute ends the tries."""
    backoff = Backoff()
    assert backoff.pause(tried=1, spent=30, asked=60, chance=0) == 60
    assert backoff.pause(tried=1, spent=0, asked=5, chance=1) == 5.5
    assert backoff.pause(tried=1, spent=0, asked=60.5, chance=0) is None


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": " 0 "}, 0),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "1.5"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "\u00b2"}, None),
        ({"Retry-After": "9" * 500}, 1e9),
        ({"Retry-After": "Mon, 02 Mar 2026 12:00:30 GMT"}, 30),
        ({"Retry-After": "Mon, 02 Mar 2026 12:00:30 -0000"}, 30),
        ({"Retry-After": "Mon, 02 Mar 2026 11:00:00 GMT"}, 0),
        ({"Retry-After": "Mon, 02 Mar 9999 11:00:00 GMT"}, 1e9),
        ({"Retry-After": "Mon, 99 Mar 2026 11:00:00 GMT"}, None),
        ({"Retry-After": "Mon, 02 Mar 2026 08:00:09 GMT", "Date": "Mon, 02 Mar 2026 08:00:00 GMT"}, 9),
        ({"Retry-After": "Mon, 02 Mar 2026 12:00:30 GMT" + " " * 3 + "x" * 99}, None),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    """Seconds and dates are understood, absurd ones bounded, and anything else ignored."""
    assert retry_after(httpx.Headers(headers, encoding="utf-8"), NOW) == seconds


@given(st.text(max_size=80))
def test_no_retry_after_breaks_it(text: str) -> None:
    """Whatever the header holds, the wait is a sane number or none."""
    seconds = retry_after(httpx.Headers([(b"retry-after", text.encode("utf-8", "replace"))]), NOW)
    assert seconds is None or 0 <= seconds <= 1e9
