"""Defines what an owner is asked in a message, and makes names fit for one.

A name comes from a manifest or from the service, and anybody may have written it. In a message it is on one line, of
bounded length, shows all of its characters, and is spelt so that no mail reader makes a link of it.
"""

import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from reconciler.errors import ExtcalError
from reconciler.model.account import Account, shown
from reconciler.model.action import Action
from reconciler.model.sync import SyncConfig
from reconciler.text import clipped

_LONGEST_NAME = 80
_LONGEST_URL = 4096
# Characters that a URL can hold (source: RFC 3986, appendix A), and so none that ends it early.
_URL = re.compile(r"https?://[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")
_SHORTEST_SECRET = 12
_PROVIDERS: Final = {"google": "Google", "microsoft": "Microsoft", "apple": "Apple"}
# What mail readers make links of: a scheme, and words that dots join, in every dot that browsers take for one.
_SCHEME = re.compile(r"(?<=[:\uff1a])(?=[/\\\uff0f\uff3c])")
_DOT = "[.\u3002\uff0e\uff61]"
_JOINING_DOT = re.compile(rf"(?<=[^\s\d]{_DOT})(?=[^\W_])|(?<=\d{_DOT})(?=[^\W\d_])")


class LinkError(ExtcalError):
    """What the service gave for an authorization link can't stand in a message; it is not repeated here."""


@dataclass(frozen=True, slots=True)
class RequestedConsent:
    """One connection that an owner is asked to agree to, and the link by which they do."""

    address: str
    """The connection's name in the manifests, `site/name`."""

    site: str
    schedule: str
    provider: str
    """What the provider is called."""

    url: str = field(repr=False)
    """The authorization link, a secret."""

    sync: SyncConfig | None
    """What is to be read and written, as far as a manifest says so."""

    @classmethod
    def of(cls, action: Action, url: str, provider: str | None = None) -> "RequestedConsent":
        """What an action asks; `provider` is what the service calls the provider, where that is known.

        Raises LinkError where `url` is no link.
        """
        if len(url) > _LONGEST_URL or not _URL.fullmatch(url) or not _has_host(url):
            raise LinkError(
                f"{action.address}: the service's authorization link is not an http(s) URL, so that it was not mailed"
            )
        return cls(
            address=action.address,
            site=action.site,
            schedule=action.schedule_name or action.schedule_id,
            provider=provider or _PROVIDERS.get(action.provider, action.provider),
            url=url,
            sync=action.sync,
        )

    @property
    def secrets(self) -> frozenset[str]:
        """The link and what makes it one, none of which may be shown to anybody but the owner."""
        parts = urlsplit(self.url)
        values = [value for _, value in parse_qsl(parts.query)]
        pieces = re.split(r"[/?&=#]", self.url.partition("//")[2].partition("/")[2])
        return frozenset({self.url, *(each for each in (*values, *pieces) if len(each) >= _SHORTEST_SECRET)})


def _has_host(url: str) -> bool:
    try:
        return bool(urlsplit(url).hostname)
    except ValueError:
        return False


def plain_name(name: str) -> str:
    """A name that nobody can take for more than one, nor a mail reader for a link."""
    spaced = _SCHEME.sub(" ", clipped(name, _LONGEST_NAME))
    return _JOINING_DOT.sub(" ", spaced)


def account_name(account: Account) -> str:
    """An account for its owner; it is an address, and so it reads."""
    return clipped(shown(account))
