"""Gates before a server of paper that take a password in one way only."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from tests.support.caldav.paper import EMAIL, PASSWORD
from tests.support.caldav.scripted import Reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.caldav.scripted import Asked

BASIC = "Basic " + base64.b64encode(f"{EMAIL}:{PASSWORD}".encode()).decode()
_PARAMETER = re.compile(r'(\w+)=(?:"([^"]*)"|([^\s,]+))')


@dataclass(slots=True)
class BasicGate:
    """Opens to Basic (RFC 7617)."""

    inside: Callable[[Asked], Reply]

    def __call__(self, asked: Asked) -> Reply:
        """Let in who shows the password, and challenge others."""
        if asked.headers.get("authorization") == BASIC:
            return self.inside(asked)
        return Reply(401, "", {"WWW-Authenticate": 'Basic realm="paper"'})


@dataclass(slots=True)
class DigestGate:
    """Opens to Digest with `qop=auth` (RFC 7616), each nonce good for `uses` requests whose counts go up one by one.

    `says_stale` is whether it says that a nonce has grown old, as it should.
    """

    inside: Callable[[Asked], Reply]
    uses: int = 1000
    says_stale: bool = True
    password: str = PASSWORD
    _numbers: count[int] = field(default_factory=count)
    _counts: dict[str, int] = field(default_factory=dict)

    def __call__(self, asked: Asked) -> Reply:
        """Let in who shows that they know the password, and challenge others."""
        scheme, _, rest = asked.headers.get("authorization", "").partition(" ")
        shown = {name: quoted or plain for name, quoted, plain in _PARAMETER.findall(rest)}
        if scheme != "Digest" or not self._knows(asked, shown):
            return self._challenge(stale=False)
        nonce = shown["nonce"]
        self._counts[nonce] = self._counts.get(nonce, self.uses) + 1
        if self._counts[nonce] > self.uses or int(shown["nc"], 16) != self._counts[nonce]:
            return self._challenge(stale=self.says_stale)
        return self.inside(asked)

    def _challenge(self, *, stale: bool) -> Reply:
        nonce = f"n{next(self._numbers)}"
        self._counts[nonce] = 0
        said = f'Digest realm="paper, and ink", nonce="{nonce}", qop="auth", algorithm=MD5'
        return Reply(401, "", {"WWW-Authenticate": said + (", stale=true" if stale else "")})

    def _knows(self, asked: Asked, shown: dict[str, str]) -> bool:
        if shown.get("qop") != "auth" or shown.get("uri") != asked.path or shown.get("username") != EMAIL:
            return False
        first = _md5(f"{EMAIL}:paper, and ink:{self.password}")
        second = _md5(f"{asked.method}:{asked.path}")
        return shown["response"] == _md5(f"{first}:{shown['nonce']}:{shown['nc']}:{shown['cnonce']}:auth:{second}")


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
