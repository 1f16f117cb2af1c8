"""Owners of accounts: they find their links where they were shown, and answer the sandbox's consent page."""

import re

import httpx

from reconciler.model.action import Action
from tests.support import web
from tests.support.builders.plans import declared, planned, site_with, the_action

_LINK = re.compile(r"(?:^|\x1b\[K)  (\S+)  \((?:[^)]*)\)\n\s+(http\S+/consent/\S+)$", re.MULTILINE)


def links(shown: str) -> dict[str, str]:
    """The links that were shown, by the account that each is for."""
    return dict(_LINK.findall(shown))


def allow(link: str, account: str, *, outcome: str = "connected") -> httpx.Response:
    """Allow access with an account, and go where that leads to."""
    return _answer(link, decision="allow", account=account, outcome=outcome)


def deny(link: str) -> httpx.Response:
    """Deny access, and go where that leads to."""
    return _answer(link, decision="deny")


def allow_only(link: str, account: str) -> str:
    """Allow access with an account; where that leads to, without going there."""
    return _leading_to(link, decision="allow", account=account, outcome="connected")


def deny_only(link: str) -> str:
    """Deny access; where that leads to, without going there."""
    return _leading_to(link, decision="deny")


def _leading_to(link: str, **fields: str) -> str:
    answer = web.post(link, data=fields)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def _answer(link: str, **fields: str) -> httpx.Response:
    return web.post(link, data=fields, follow_redirects=True)


def action() -> Action:
    """A connect that takes its owner."""
    return the_action(planned(declared(provider="google"), on=site_with()))
