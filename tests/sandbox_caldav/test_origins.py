"""What an operator may name as a server and its hosts, and where passwords may go."""

from __future__ import annotations

import httpx
import pytest

from reconciler.sandbox.calendars.caldav import open_caldav
from reconciler.sandbox.calendars.caldav.origins import AllowedOrigins, ForeignReferenceError


@pytest.mark.parametrize(
    "url",
    [
        "https://dav.example",
        "https://cloud.example:8443/remote.php/dav",
        "http://127.0.0.1:5232/",
        "http://localhost",
        "http://[::1]:80/",
    ],
)
def test_a_server_that_can_be_used(url: str) -> None:
    """Any https URL, and http on loopback."""
    open_caldav(url, ("dav.example", "p1.dav.example:8443", "*.icloud.com", "[::1]:443")).close()


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("", "not a server's URL"),
        ("dav.example", "not a server's URL"),
        ("ftp://dav.example/", "not a server's URL"),
        ("https://", "not a server's URL"),
        ("https://dav.example/?x=1", "not a server's URL"),
        ("https://dav.example:99999/", "not a server's URL"),
        ("https://lee:secret@x:port/", "the URL is not a URL"),
        ("https://lee:secret@dav.example/", "leave it out"),
        ("http://dav.example/", "use https"),
        ("http://localhost.dav.example/", "use https"),
    ],
)
def test_a_server_that_can_not(url: str, why: str) -> None:
    """The message says what is wrong, and shows no password."""
    with pytest.raises(ValueError, match=why) as caught:
        open_caldav(url, ())
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "*",
        "*.example",
        "https://dav.example",
        "dav.example/path",
        "a b",
        "u@dav.example",
        "dav.example:0",
        "dav.example:x",
    ],
)
def test_a_host_that_can_not_be_allowed(host: str) -> None:
    """Neither a URL nor a whole top-level domain is a host."""
    with pytest.raises(ValueError, match="is not a host"):
        open_caldav("https://dav.example/", (host,))


@pytest.mark.parametrize(
    ("reference", "url"),
    [
        ("/a/b%20c/", "https://dav.example/a/b%20c/"),
        ("b/", "https://dav.example/root/b/"),
        ("https://DAV.example/x", "https://dav.example/x"),
        ("https://p7.dav.example:8443/x#y", "https://p7.dav.example:8443/x"),
        ("//p42-caldav.icloud.com/1/", "https://p42-caldav.icloud.com/1/"),
    ],
)
def test_references_that_are_followed(reference: str, url: str) -> None:
    """Paths, the server's own host, and hosts that the operator has named."""
    origins = AllowedOrigins.of("https://dav.example/root/", ("p7.dav.example:8443", "*.icloud.com"))
    assert origins.resolve(origins.root, reference) == httpx.URL(url)
    assert origins.resolve(origins.root, origins.relative(httpx.URL(url))) == httpx.URL(url)


@pytest.mark.parametrize(
    "reference",
    [
        "https://evil.example/",
        "//evil.example/x",
        "https://dav.example.evil.example/",
        "https://dav.example:8443/",
        "https://p7.dav.example/",
        "http://dav.example/",
        "https://icloud.com/",
        "https://evilicloud.com/",
        "https://p1.icloud.com:8443/",
        "https://user@dav.example/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "ftp://dav.example/x",
        "/a/../b",
        "/a/%2e%2E/b",
        "../b",
        "/a/./b",
        "/a\\b",
        "/a\nb",
        "/a%0ab",
        "/a?b=c",
        "https://[",
        "https://dav.example:port/",
        "/" + "a" * 5000,
    ],
)
def test_references_that_are_not_followed(reference: str) -> None:
    """Other hosts, ports and schemes, logins, dots and what is no URL at all."""
    origins = AllowedOrigins.of("https://dav.example/root/", ("p7.dav.example:8443", "*.icloud.com"))
    with pytest.raises(ForeignReferenceError):
        origins.resolve(origins.root, reference)
    with pytest.raises(ForeignReferenceError):
        origins.path(origins.root, reference)


def test_an_object_on_another_allowed_host_is_refused() -> None:
    """A listing speaks of its own host, even where others are allowed."""
    origins = AllowedOrigins.of("https://dav.example/", ("other.example",))
    with pytest.raises(ForeignReferenceError):
        origins.path(origins.root, "https://other.example/a.ics")
    assert origins.path(origins.root, "https://dav.example/a%20b.ics") == ("/a b.ics", "/a%20b.ics")
    assert origins.path(origins.root, "/a b.ics") == ("/a b.ics", "/a%20b.ics")
