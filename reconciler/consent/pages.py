"""The pages that owners land on: what was connected, or what went wrong and what to do."""

from dataclasses import dataclass
from http import HTTPStatus

from reconciler.consent.layout import HtmlPage, PageTone, page
from reconciler.consent.pending import StaleCallback
from reconciler.model.account import shown
from reconciler.model.consent import CallbackResult, CallbackStatus
from reconciler.model.plan import Action

_CLOSE = "You may close this window."
_NEW_LINK = "ask whoever sent you here for a new link"


@dataclass(frozen=True, slots=True)
class _Words:
    """What a page says; words in braces are filled in."""

    title: str
    tone: PageTone
    paragraphs: tuple[str, ...]
    status: HTTPStatus = HTTPStatus.OK
    facts: tuple[tuple[str, str], ...] = ()


_ABOUT = (("Provider", "{provider}"), ("For", "{place}"), ("Site", "{site}"))
_WORDS = {
    CallbackStatus.CONNECTED: _Words(
        "Connected",
        PageTone.GOOD,
        ("{connected} is now connected.", f"Nothing more is to be done. {_CLOSE}"),
        facts=(("Account", "{connected}"), *_ABOUT),
    ),
    CallbackStatus.REJECTED: _Words(
        "Not connected",
        PageTone.CALM,
        (
            "Access was not allowed, so no calendar of {account} was connected. Nothing has changed.",
            f"If you meant to allow it, {_NEW_LINK}. Otherwise nothing is to be done. {_CLOSE}",
        ),
    ),
    CallbackStatus.UNSUPPORTED: _Words(
        "This account can't be connected",
        PageTone.BAD,
        (
            "{provider} does not let this kind of account be connected. Nothing has changed.",
            (
                "A work or school account may need its administrator's permission: ask them, or agree on another "
                f"account with whoever sent you here. {_CLOSE}"
            ),
        ),
    ),
    CallbackStatus.INTERNAL: _Words(
        "Something went wrong",
        PageTone.BAD,
        (
            "The connection could not be made at {provider}. It is not your fault, and nothing has changed.",
            f"To try once more, {_NEW_LINK}. {_CLOSE}",
        ),
    ),
    CallbackStatus.WRONG_ACCOUNT: _Words(
        "Another account was expected",
        PageTone.BAD,
        (
            "You have connected {connected}, but {account} was asked for.",
            (
                "Tell whoever sent you here. They can keep the account that you chose, or disconnect it and send you a "
                f"new link, where you choose {{account}}. {_CLOSE}"
            ),
        ),
        facts=(("Connected", "{connected}"), ("Expected", "{account}"), *_ABOUT),
    ),
    CallbackStatus.NO_ACCOUNT_YET: _Words(
        "Almost there",
        PageTone.CALM,
        ("You have agreed, and {provider} is still working on it. It is looked at again later.", _CLOSE),
    ),
    CallbackStatus.BROKEN: _Words(
        "Connected, but not working",
        PageTone.BAD,
        (
            "You have agreed, but {provider} reports a fault with this connection.",
            f"To try once more, {_NEW_LINK}. {_CLOSE}",
        ),
    ),
    CallbackStatus.FOREIGN: _Words(
        "Not what was asked for",
        PageTone.BAD,
        (
            "This is not the connection that was asked for. Nothing was changed by this visit.",
            f"Open the link that was sent to you again, or {_NEW_LINK}.",
        ),
        status=HTTPStatus.BAD_REQUEST,
    ),
    CallbackStatus.UNREAD: _Words(
        "Not checked yet",
        PageTone.CALM,
        ("You have agreed, but what you connected could not be checked just now. It is looked at again later.", _CLOSE),
    ),
}
_PROVIDERS = {"google": "Google", "microsoft": "Microsoft", "apple": "Apple"}


def result_page(result: CallbackResult, action: Action) -> HtmlPage:
    """The page for an owner whose callback was checked."""
    words = _WORDS[result.status]
    values = {
        "account": shown(action.account, "the account"),
        "connected": shown(result.account, "the account"),
        "provider": _PROVIDERS.get(action.provider, action.provider),
        "place": action.schedule_name or action.address.partition("/")[2],
        "site": action.site,
    }
    return page(words.status, words.title, words.tone, words.paragraphs, facts=words.facts, values=values)


def stale_page(stale: StaleCallback, *, agreed: bool) -> HtmlPage:
    """For a browser that comes a second time, or too late; `agreed`: it says it connected."""
    if stale is StaleCallback.USED:
        text = "This page was opened before, and its answer was taken then. Opening it again changes nothing."
        return page(HTTPStatus.GONE, "Already answered", PageTone.CALM, (text, _CLOSE))
    late = "This answer came after the wait for it had ended."
    found = " If you have just connected your account, it will be found: you need not do it again." if agreed else ""
    again = f"If you are asked again, use the new link. {_CLOSE}"
    return page(HTTPStatus.GONE, "Nobody is waiting any more", PageTone.CALM, (late + found, again))


def checking_page() -> HtmlPage:
    """Where the service takes long to say what was connected."""
    text = "You have answered. Checking what was connected takes longer than usual; nothing more is asked of you."
    return page(HTTPStatus.OK, "Being checked", PageTone.CALM, (text, _CLOSE))


def unreadable_page() -> HtmlPage:
    """For a true address without an answer that could be read."""
    text = "Your browser came here without an answer that could be read. Nothing was changed."
    again = f"Open the link that was sent to you again, or {_NEW_LINK}."
    return page(HTTPStatus.BAD_REQUEST, "The answer could not be read", PageTone.BAD, (text, again))


def not_found_page() -> HtmlPage:
    """For every address that is nobody's: it says nothing."""
    return status_page(HTTPStatus.NOT_FOUND)


def status_page(status: HTTPStatus) -> HtmlPage:
    """A page that is only its status."""
    return page(status, status.phrase, PageTone.CALM)
