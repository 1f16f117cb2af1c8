"""Checks the endpoint, by which the operator says where the API is."""

import ipaddress
import re
import socket
from typing import TypeAlias

import httpx

from reconciler.errors import UsageError

_WHERE = "endpoint (--endpoint, EXTCAL_ENDPOINT)"
_LOOPBACK = ipaddress.IPv4Network("127.0.0.0/8")
_EMBEDDING = (ipaddress.IPv6Network("::/96"), ipaddress.IPv6Network("64:ff9b::/96"))
_LONGEST = 2048
_LAST_PORT = 65535
_HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]+")
_Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address


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
    if parsed.scheme == "http" and not is_loopback(parsed.host):
        raise UsageError(f"{_WHERE}: http is for this machine only (127.0.0.1, ::1, localhost); use https")
    return str(parsed).rstrip("/")


def is_loopback(host: str) -> bool:
    """Whether a host is this machine itself: 127.0.0.0/8, ::1 or localhost."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    return address in _LOOPBACK if address.version == 4 else address == ipaddress.IPv6Address("::1")  # noqa: PLR2004


def check_public(endpoint: str, *, resolve: bool) -> None:
    """Raise UsageError where `endpoint`, as `parse_endpoint` gives it, leads into a private network.

    Refused is every address that is not for all the world to reach (the special-purpose registries of RFC 6890),
    multicast too, but this machine's own. `resolve` says to ask for the addresses of a name, each of which counts; a
    name that has none is left to the request, which tells of it better.
    """
    host = httpx.URL(endpoint).host
    for address in _addresses(host.rstrip("."), resolve=resolve):
        if not _is_public(address):
            named = host if host == str(address) else f"{host} ({address})"
            raise UsageError(
                f"{_WHERE}: {named} is no public address, so that credentials would go to whatever listens there on "
                "this network; if that is the API, set EXTCAL_PRIVATE_ENDPOINT=1"
            )


def _addresses(host: str, *, resolve: bool) -> list[_Address]:
    """What a connection to `host` would go to; without `resolve`, what it spells itself, in decimal or octal, too."""
    flags = 0 if resolve else socket.AI_NUMERICHOST
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=flags)
    except (OSError, UnicodeError):
        return []
    return [ipaddress.ip_address(address[0]) for *_, address in found]


def _is_public(address: _Address) -> bool:
    if not address.is_loopback:
        address = _embedded(address)
    return address.is_loopback or (address.is_global and not address.is_multicast)


def _embedded(address: _Address) -> _Address:
    """The IPv4 address that an IPv6 one leads to: mapped, compatible (RFC 4291), by 6to4 or NAT64 (RFC 3056, 6052)."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if any(address in network for network in _EMBEDDING):
        return ipaddress.IPv4Address(address.packed[-4:])
    return address.ipv4_mapped or address.sixtofour or address
