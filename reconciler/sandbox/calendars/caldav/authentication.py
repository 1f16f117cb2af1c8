"""Signs requests in the way that the server asks for, and in no other (RFC 9110, 11).

A server at an origin that isn't known yet is first asked without credentials, and its challenge decides: Basic (RFC
7617) where that is offered or nothing is, Digest (RFC 7616) where that is all there is. What was learned is kept for
all accounts; where the server has changed its mind, its new challenge counts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.request import parse_http_list

import httpx

from reconciler.sandbox.calendars.errors import PasswordsNotTakenError
from reconciler.sandbox.calendars.recent import Recent

if TYPE_CHECKING:
    from reconciler.sandbox.calendars.protocol import Login

_MAX_ORIGINS = 256
_MAX_SHOWN = 100
_CHALLENGE = "www-authenticate"
_BEGINS = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:\s+(?!=)(.*))?", re.DOTALL)
_STALE = re.compile(r"\bstale\s*=\s*\"?true", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Challenge:
    """A scheme (lower case) that a server offers, with its parameters as the server wrote them."""

    scheme: str
    parameters: str = ""


_BASIC = Challenge("basic")


def known_challenges() -> Recent[Challenge]:
    """What is known of origins: nothing."""
    return Recent(_MAX_ORIGINS, lambda _: 1)


def challenges(headers: httpx.Headers) -> list[Challenge]:
    """What a server offers, in its order; several may stand in one header (RFC 9110, 11.6.1)."""
    found: list[tuple[str, list[str]]] = []
    for header in headers.get_list(_CHALLENGE):
        for item in parse_http_list(header):
            begins = _BEGINS.fullmatch(item)
            if begins:
                found.append((begins[1].lower(), [begins[2]] if begins[2] else []))
            elif found:
                found[-1][1].append(item)
    return [Challenge(scheme, ", ".join(parameters)) for scheme, parameters in found]


@dataclass(slots=True)
class _Digest:
    """Digests of one account at one origin; `fresh` until the challenge was answered once."""

    challenge: Challenge
    auth: httpx.DigestAuth
    fresh: bool
    begun: bool = field(default=False, init=False)

    def sign(self, request: httpx.Request) -> None:
        flow = self.auth.auth_flow(request)
        next(flow)
        if not self.begun:
            flow.send(_challenging(self.challenge, request))
        self.begun = True


class Credentials:
    """One account's, for the requests of one call; `known` is shared by all accounts."""

    def __init__(self, login: Login, password: str, known: Recent[Challenge]) -> None:
        self._login = login
        self._password = password
        self._known = known
        self._digests: dict[object, _Digest] = {}

    def knows(self, url: httpx.URL) -> bool:
        """Whether it is known in which way the server there takes a password."""
        return self._known.get(_origin(url)) is not None

    def assume(self, url: httpx.URL) -> None:
        """Assume that the server there takes passwords in the usual way, as it challenges nobody."""
        self._known.put(_origin(url), _BASIC)

    def sign(self, request: httpx.Request) -> None:
        """Show who the account is, in the way that is known of the request's origin."""
        origin = _origin(request.url)
        known = self._known.get(origin) or _BASIC
        if known.scheme == _BASIC.scheme:
            next(httpx.BasicAuth(self._login.email, self._password).auth_flow(request))
        else:
            # What another call has learned may be answered already.
            self._digests.setdefault(origin, self._digest(known, fresh=False)).sign(request)

    def learn(self, request: httpx.Request, headers: httpx.Headers) -> bool:
        """Learn from the challenge that answered a request (401); whether it is worth another one.

        Raises `PasswordsNotTakenError` where the server offers nothing that a password would do for.
        """
        origin = _origin(request.url)
        chosen = _chosen(request, challenges(headers))
        sent = request.headers.get("authorization", "").partition(" ")[0].lower()
        digest = self._digests.get(origin)
        too_old = digest is not None and (not digest.fresh or _STALE.search(chosen.parameters) is not None)
        refused = sent == chosen.scheme and not too_old
        self._known.put(origin, chosen)
        self._digests.pop(origin, None)
        if chosen.scheme != _BASIC.scheme:
            self._digests[origin] = self._digest(chosen, fresh=True)
        return not refused

    def accept(self, url: httpx.URL) -> None:
        """Note that the server there accepted the credentials.

        Its challenge may be too old when it is answered again.
        """
        digest = self._digests.get(_origin(url))
        if digest is not None:
            digest.fresh = False

    def _digest(self, challenge: Challenge, *, fresh: bool) -> _Digest:
        return _Digest(challenge, httpx.DigestAuth(self._login.email, self._password), fresh)


def _chosen(request: httpx.Request, offered: list[Challenge]) -> Challenge:
    if not offered or any(each.scheme == _BASIC.scheme for each in offered):
        return _BASIC
    digests = [each for each in offered if each.scheme == "digest"]
    for each in digests:
        if _can_digest(request, each):
            return each
    schemes = ", ".join(dict.fromkeys(each.scheme.title() for each in offered))[:_MAX_SHOWN]
    how = "asks for a digest of a kind that isn't supported" if digests else "takes no passwords for CalDAV"
    raise PasswordsNotTakenError(f"{request.method} {request.url}: the server {how}: it offers {schemes} only")


def _can_digest(request: httpx.Request, challenge: Challenge) -> bool:
    trial = httpx.Request(request.method, request.url)
    try:
        _Digest(challenge, httpx.DigestAuth("", ""), fresh=True).sign(trial)
    except (httpx.ProtocolError, NotImplementedError, LookupError, ValueError):
        return False
    return True


def _challenging(challenge: Challenge, request: httpx.Request) -> httpx.Response:
    header = f"Digest {challenge.parameters}".encode()
    return httpx.Response(401, headers=[(_CHALLENGE.encode(), header)], request=request)


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port
