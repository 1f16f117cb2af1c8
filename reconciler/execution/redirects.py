"""Asks for authorization links: those that lead back to this machine, or to the Site's page.

Nothing says that the service sends browsers to a loopback address. Where it refuses one, the Site's `oauth.redirectUrl`
takes its place for the rest of the run. Steps:

1. Ask for a link that leads back here; until the first answer is there, one owner of the site at a time.
2. Where that is refused as not valid, tell whether it is the address that is refused: the service names the field, or
   takes the same request with the Site's address.
3. Where it is, ask with the Site's address, from then on at once.
"""

import asyncio
from contextlib import AbstractAsyncContextManager, nullcontext

from reconciler.errors import InvalidRequestError
from reconciler.execution.connect import Reach
from reconciler.execution.consent import AuthorizationLink, CallbackChannel
from reconciler.execution.port import Port
from reconciler.execution.steps import NOWHERE_TO_LAND, link, note_begun
from reconciler.model.action import Action
from reconciler.model.result import Outcome, OutcomeStatus

_NO_WAY_BACK = (
    "the service refuses to send its owner's browser back to this machine: give the Site an oauth.redirectUrl; extcal "
    "consent-page makes the page to put there"
)
_PERHAPS = (
    "if it refuses the address on this machine, give the Site an oauth.redirectUrl; extcal consent-page makes the page "
    "to put there"
)
_REDIRECT = "redirect"


class Redirects:
    """Knows for one site whether the service sends browsers back to this machine."""

    def __init__(self) -> None:
        self._refused = False
        self._accepted = False
        self._first = asyncio.Lock()

    async def ask(self, action: Action, reach: Reach, channel: CallbackChannel | None) -> AuthorizationLink | Outcome:
        """The link that an account's owner must open, or how the action ends without one.

        It leads to `channel`, or to the Site's page where there is none. Raises ExtcalError where the service refuses.
        """
        if channel is None and action.redirect_url is None:
            return Outcome(action, OutcomeStatus.FAILED, error=NOWHERE_TO_LAND)
        note_begun(action, reach)
        if channel is not None:
            async with self._turn():
                if not self._refused:
                    found = await self._leading_here(action, reach.port, channel.redirect_url)
                    if found is not None:
                        return found
        return await _leading_to_page(action, reach.port)

    def _turn(self) -> AbstractAsyncContextManager[object]:
        """Nobody else's turn until it is known whether loopback is taken: one refusal tells for all."""
        return nullcontext() if self._refused or self._accepted else self._first

    async def _leading_here(self, action: Action, port: Port, redirect_url: str) -> AuthorizationLink | Outcome | None:
        """A link that leads back here; None where no address on this machine is taken."""
        try:
            url = await link(action, port, redirect_url)
        except InvalidRequestError as error:
            if _is_about_redirect(error):
                self._refused = True
                return None
            if self._accepted or error.fields:
                raise
            return await self._by_trial(action, port, error)
        if isinstance(url, Outcome):
            return url
        self._accepted = True
        return AuthorizationLink(url, returns_here=True)

    async def _by_trial(
        self, action: Action, port: Port, refusal: InvalidRequestError
    ) -> AuthorizationLink | Outcome | None:
        """What the Site's address leads to where the service does not say what it refuses."""
        if action.redirect_url is None:
            return Outcome(action, OutcomeStatus.FAILED, error=f"{refusal}; {_PERHAPS}")
        try:
            found = await _leading_to_page(action, port)
        except InvalidRequestError:
            raise refusal from None
        self._refused = isinstance(found, AuthorizationLink)
        return found


async def _leading_to_page(action: Action, port: Port) -> AuthorizationLink | Outcome:
    if action.redirect_url is None:
        return Outcome(action, OutcomeStatus.FAILED, error=_NO_WAY_BACK)
    url = await link(action, port, action.redirect_url)
    return url if isinstance(url, Outcome) else AuthorizationLink(url, returns_here=False)


def _is_about_redirect(error: InvalidRequestError) -> bool:
    """Whether it names the address to return to, in whatever words."""
    return any(_REDIRECT in text.lower() for text in (*error.fields, error.code or "", str(error)))
