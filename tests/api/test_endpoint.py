"""The endpoint: where credentials may be sent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.api.endpoint import parse_endpoint
from reconciler.errors import UsageError


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("https://www.wixapis.com", "https://www.wixapis.com"),
        ("HTTPS://API.Example:443/", "https://api.example"),
        ("https://api.example/gate//", "https://api.example/gate"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://127.9.9.9", "http://127.9.9.9"),
        ("http://LOCALHOST:8080/", "http://localhost:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_endpoints_are_normalised(url: str, normal: str) -> None:
    """What is allowed comes out in one spelling, and again as itself."""
    assert parse_endpoint(url) == normal
    assert parse_endpoint(normal) == normal


@pytest.mark.parametrize(
    "url",
    [
        "",
        "www.wixapis.com",
        "ftp://api.example",
        "https://",
        "https:///path",
        "https://[api.example",
        "https://api%2eexample",
        "https://a,b",
        "https://api.example:99999",
        "https://api.example:0",
        "https://api.example/?a=1",
        "https://api.example/?",
        "https://api.example/#",
        "https://user:pa55word@api.example",
        "https://@api.example",
        "https://api.example\\@evil.example",
        "https://api.example/\r\nX: y",
        "https://api .example",
        "https://" + "a" * 3000,
        "https://\u202eapi.example",
        "http://api.example",
        "http://10.0.0.1",
        "http://0.0.0.0",
        "http://127.1",
        "http://2130706433",
        "http://localhost.evil.example",
        "http://127.0.0.1.evil.example",
        "http://[::ffff:10.0.0.1]",
        "http://[::2]",
    ],
)
def test_endpoints_that_are_refused(url: str) -> None:
    """Anything but https, or http on this machine, is wrong usage; a password in it is not shown."""
    with pytest.raises(UsageError, match=r"^endpoint \(--endpoint, EXTCAL_ENDPOINT\): ") as caught:
        parse_endpoint(url)
    assert "pa55word" not in str(caught.value)
    assert str(caught.value).isprintable()


@given(st.text(max_size=40) | st.text("htps:/[]@1270.localhost%#?\\", max_size=30).map(lambda text: f"http://{text}"))
def test_no_text_breaks_it(text: str) -> None:
    """Every text is either normalised for good or wrong usage."""
    try:
        normal = parse_endpoint(text)
    except UsageError:
        return
    assert parse_endpoint(normal) == normal
