"""Decides where an account's password may go.

That is the operator's server and the hosts named beside it, and nowhere else.

A CalDAV server names other places all the time: in redirects, in the home set, in every `href` (RFC 4918, 8.3). Each
such reference becomes a URL here or is refused, so that no request can be made to a place nobody has allowed.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import unquote

import httpx

from reconciler.sandbox.calendars.errors import MisconfiguredError

_MAX_REFERENCE = 4096
_MAX_PORT = 65535
_MAX_SHOWN = 200
_PORTS = {"https": 443, "http": 80}
_UNSAFE = re.compile(r"[\x00-\x1f\x7f\\]")
_PLAIN_PATH = re.compile(r"/(?!/)(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*")
_LABEL = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_WILDCARD = re.compile(rf"\*((?:\.{_LABEL}){{2,}})")


class ForeignReferenceError(MisconfiguredError):
    """The server points to where the account's password must not go."""


@dataclass(frozen=True, slots=True)
class AllowedOrigins:
    """`root` is the server's URL.

    `exact` holds hosts with ports, `suffixes` domains (`.icloud.com`) on port 443.
    """

    root: httpx.URL
    exact: frozenset[tuple[str, int]]
    suffixes: tuple[str, ...]

    @classmethod
    def of(cls, url: str, hosts: tuple[str, ...]) -> AllowedOrigins:
        """The origins of a server. Raises `ValueError` for a `url` or a host that can't be used."""
        root = _server(url)
        exact = {_origin(root)}
        suffixes: list[str] = []
        for host in hosts:
            if wildcard := _WILDCARD.fullmatch(host.lower()):
                suffixes.append(wildcard[1])
            else:
                exact.add(_host(host))
        return cls(root, frozenset(exact), tuple(suffixes))

    def resolve(self, base: httpx.URL, reference: str) -> httpx.URL:
        """The URL that `reference` means where `base` answered; raises `ForeignReferenceError`."""
        if len(reference) > _MAX_REFERENCE or _UNSAFE.search(reference):
            raise ForeignReferenceError(f"{_site(base)}: names {reference[:80]!r}, which is not a URL; not followed")
        try:
            url = base.join(reference)
        except (httpx.InvalidURL, ValueError) as error:
            raise ForeignReferenceError(
                f"{_site(base)}: names {reference[:80]!r}, which is not a URL: {error}"
            ) from error
        # As it was sent, since joining takes the dots away.
        if not _is_straight(unquote(reference)) or url.userinfo or url.query:
            raise ForeignReferenceError(
                f"{_site(base)}: names {reference[:80]!r}: an address with dots, a query or a login; not followed"
            )
        if not self.allows(url):
            advice = (
                f"If that host belongs to the server, add {url.netloc.decode('ascii')[:_MAX_SHOWN]} to its `hosts` in "
                "the sandbox's configuration"
                if _keeps_secrets(url)
                else "It isn't encrypted: the server should say https"
            )
            raise ForeignReferenceError(
                f"{_site(base)}: points to {_site(url)[:_MAX_SHOWN]}, which is not an allowed host; the account's "
                f"password was not sent there. {advice}"
            )
        return url.copy_with(fragment=None)

    def path(self, base: httpx.URL, reference: str) -> tuple[str, str]:
        """A reference to the same host: its path decoded, and as it is sent.

        Raises `ForeignReferenceError`.
        """
        # Most are plain; making a URL of each takes longer than all else that is done with an answer.
        if len(reference) <= _MAX_REFERENCE and _PLAIN_PATH.fullmatch(reference):
            decoded = unquote(reference)
            if _is_straight(decoded):
                return decoded, reference
        url = self.resolve(base, reference)
        if _origin(url) != _origin(base):
            raise ForeignReferenceError(f"{_site(base)}: lists {reference[:80]!r}, which is on another host")
        return url.path, url.raw_path.decode("ascii")

    def allows(self, url: httpx.URL) -> bool:
        """Whether a password may be sent there."""
        host, port = _origin(url)
        if not _keeps_secrets(url):
            return False
        if (host, port) in self.exact:
            return True
        return port == _PORTS["https"] and any(host.endswith(suffix) for suffix in self.suffixes)

    def relative(self, url: httpx.URL) -> str:
        """The shortest form of `url` that `resolve` understands against the root.

        A path, where it is on the server itself.
        """
        return url.raw_path.decode("ascii") if _origin(url) == _origin(self.root) else str(url)


def _server(url: str) -> httpx.URL:
    # A login in it is not shown.
    shown = repr(url) if "@" not in url else "the URL"
    try:
        root = httpx.URL(url)
    except (httpx.InvalidURL, ValueError) as error:
        raise ValueError(f"{shown} is not a URL ({error}); expected one such as https://dav.example/") from error
    if root.userinfo:
        raise ValueError("the URL holds a login; leave it out: accounts sign in with their own")
    port = _origin(root)[1]
    if root.scheme not in _PORTS or not root.host or not 0 < port <= _MAX_PORT or root.query or root.fragment:
        raise ValueError(f"{shown} is not a server's URL; expected one such as https://dav.example/")
    if root.scheme == "http" and not _is_loopback(root.host):
        raise ValueError(f"{shown} would send passwords unencrypted; use https (http is for loopback alone)")
    return root if root.path.endswith("/") else root.copy_with(path=root.path + "/")


def _host(entry: str) -> tuple[str, int]:
    try:
        url = httpx.URL(f"https://{entry}")
    except (httpx.InvalidURL, ValueError):
        url = httpx.URL("")
    netloc = url.netloc.decode("ascii")
    origin = _origin(url)
    if not url.host or "*" in entry or entry.lower() not in {netloc, f"{netloc}:443"} or not 0 < origin[1] <= _MAX_PORT:
        raise ValueError(f"{entry!r} is not a host; expected `dav.example`, `dav.example:8443` or `*.dav.example`")
    return origin


def _origin(url: httpx.URL) -> tuple[str, int]:
    return url.host.lower(), _PORTS.get(url.scheme, 0) if url.port is None else url.port


def _keeps_secrets(url: httpx.URL) -> bool:
    return url.scheme == "https" or (url.scheme == "http" and _is_loopback(url.host.lower()))


def _site(url: httpx.URL) -> str:
    return f"{url.scheme}://{url.netloc.decode('ascii')}"


def _is_straight(path: str) -> bool:
    return not _UNSAFE.search(path) and not {".", ".."} & set(path.split("/"))


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
