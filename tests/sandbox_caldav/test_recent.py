"""What is kept of calendars and accounts is bounded."""

from __future__ import annotations

from reconciler.sandbox.calendars.recent import Recent


def test_what_was_not_used_for_longest_goes() -> None:
    """By weight: values stay while all weigh no more than there is room for."""
    kept: Recent[str] = Recent(10, len)
    kept.put("a", "1234")
    kept.put("b", "1234")
    assert kept.get("a") == "1234"
    kept.put("c", "12")
    assert [kept.get(key) for key in "abc"] == ["1234", "1234", "12"]
    kept.put("d", "1")
    assert [kept.get(key) for key in "abcd"] == [None, "1234", "12", "1"]
    kept.put("b", "12345678")
    assert [kept.get(key) for key in "bcd"] == ["12345678", None, "1"]


def test_what_is_too_heavy_is_not_kept() -> None:
    """And the rest, which had to make room for it, is gone; nothing breaks."""
    kept: Recent[str] = Recent(3, len)
    kept.put("a", "1")
    kept.put("b", "12345")
    assert kept.get("b") is None
    kept.put("a", "123")
    assert kept.get("a") == "123"
