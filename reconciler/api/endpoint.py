"""The endpoint: the operator's word on where the API is."""

import ipaddress
import re

import httpx

from reconciler.errors import UsageError

_WHERE = "endpoint (--endpoint, EXTCAL_ENDPOINT)"
_LOOPBACK = ipaddress.IPv4Network("127.0.0.0/8")
_LONGEST = 2048
_LAST_PORT = 65535
_HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]+")


def parse_endpoint(url: str) -> str:
    """`url` normalised, without a slash at its end; raises UsageError unless credentials may be sent there.

    That is: https to any host, or http to this machine itself (127.0.0.0/8, ::1, localhost).
    """
    if not 0 < len(url) <= _LONGEST or not url.isprintable() or any(c in url for c in ' \\"<>'):
        raise UsageError(f"{_WHERE}: expected a URL such as https://www.wixapis.com")
    if "@" in url:
        raise UsageError(f"{_WHERE}: it must not hold a user name or password; credentials are named in the Site")
    if "?" in url or "#" in url:
        raise UsageError(f"{_WHERE}: it must not have a query or fragment")
    try:
        # The very parser that requests go through: what is checked is what is used.
        # Twice, since it drops the default port only of a scheme that is in lower case already.
        parsed = httpx.URL(str(httpx.URL(url)))
    except httpx.InvalidURL:
        raise UsageError(f"{_WHERE}: {url!r} is not a URL such as https://www.wixapis.com") from None
    if parsed.scheme not in {"http", "https"} or not _HOST.fullmatch(parsed.raw_host.decode("ascii")):
        raise UsageError(f"{_WHERE}: {url!r} must begin with https:// and name a host")
    if parsed.port is not None and not 0 < parsed.port <= _LAST_PORT:
        raise UsageError(f"{_WHERE}: there is no port {parsed.port}")
    if parsed.scheme == "http" and not _is_loopback(parsed.host):
        raise UsageError(f"{_WHERE}: http is for this machine only (127.0.0.1, ::1, localhost); use https")
    return str(parsed).rstrip("/")


def _is_loopback(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    return address in _LOOPBACK if address.version == 4 else address == ipaddress.IPv6Address("::1")  # noqa: PLR2004
