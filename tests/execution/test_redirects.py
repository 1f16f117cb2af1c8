"""Services that refuse to send browsers back to this machine: how that is told, and what it costs."""

import asyncio
from dataclasses import replace

import pytest

from reconciler.errors import ApiError, InvalidRequestError
from reconciler.model.consent import ConsentMode
from reconciler.model.plan import Plan
from reconciler.model.result import Outcome, OutcomeStatus
from tests.execution.runs import Run, plan_of
from tests.execution.scripted import DENIED, LOST, ScriptedPort
from tests.execution.scripted_owners import ScriptedConsent, ScriptedPrompt
from tests.support.builders.plans import GOOGLE, SITE, declared, live
from tests.support.passing_time import passing

LINK = "https://consent.example/p-google"
PAGE = SITE.redirect_url
BARE = replace(SITE, redirect_url=None)


def refused(*fields: str, code: str | None = None, message: str = "refused") -> InvalidRequestError:
    """A 400 that names these fields."""
    error = InvalidRequestError(message, method="ConnectByOAuth", status=400, code=code)
    error.fields = fields
    return error


UNSPECIFIC = refused(message="Bad Request")


class PickyPort(ScriptedPort):
    """A port whose service says `loopback` to addresses on this machine, and `elsewhere` to others."""

    loopback: ApiError | None = None
    elsewhere: ApiError | None = None

    async def connect_by_oauth(self, provider_id: str, schedule_id: str, redirect_url: str) -> str:
        """Ask for a link."""
        here = redirect_url.startswith("http://127.0.0.1/")
        self.script["connect_by_oauth"] = [self.loopback if here else self.elsewhere]
        return await super().connect_by_oauth(provider_id, schedule_id, redirect_url)


class Waiting:
    """A plan carried out with WAIT against a service that says so."""

    def __init__(self, plan: Plan, loopback: ApiError | None, elsewhere: ApiError | None = None) -> None:
        self.port = PickyPort(pace=1.0)
        self.port.loopback, self.port.elsewhere = loopback, elsewhere
        self.prompt = ScriptedPrompt({})
        self.outcomes: tuple[Outcome, ...] = passing(
            Run(plan, {"harbor": self.port}, ConsentMode.WAIT, self.prompt).outcomes()
        )

    @property
    def landed(self) -> list[str]:
        """Where the links lead that were asked for: here, or elsewhere."""
        asked = self.port.called("connect_by_oauth")
        return ["here" if url.startswith("http://127.0.0.1/") else url for _, _, url in asked]


def six(site: object = SITE) -> Plan:
    """Six owners of one site."""
    people = [declared(f"o{n}", "google", account=f"o{n}@harbor.example") for n in range(6)]
    return plan_of(people, site=site if site is BARE else SITE)


@pytest.mark.parametrize(
    "error",
    [
        refused("redirectUrl"),
        refused("redirect_url"),
        refused("request.redirectUrl"),
        refused("scheduleId", "redirectUrl"),
        refused("request", message="redirectUrl: must be https"),
        refused(code="INVALID_REDIRECT_URL"),
        refused(message="The redirect URL must be https"),
        UNSPECIFIC,
    ],
    ids=str,
)
def test_the_page_takes_the_place_of_this_machine(error: ApiError) -> None:
    """One refusal tells for all owners of the site: each gets a link that leads to the Site's page, and is awaited."""
    waiting = Waiting(six(), error)
    assert waiting.landed == ["here", *[PAGE] * 6]
    assert sorted(waiting.prompt.landing) == [f"harbor/o{n}" for n in range(6)]
    assert {outcome.status for outcome in waiting.outcomes} == {OutcomeStatus.AWAITING_CONSENT}
    assert {outcome.consent_url for outcome in waiting.outcomes} == {LINK}


def test_what_is_taken_is_not_asked_for_twice() -> None:
    """Where the service sends browsers here, every link leads here."""
    waiting = Waiting(six(), None)
    assert waiting.landed == ["here"] * 6
    assert waiting.prompt.landing == []


def test_who_is_found_by_the_page_is_finished() -> None:
    """The owner's connection is found by listing, though `wait` was asked for."""
    port, prompt = PickyPort(), ScriptedPrompt({"harbor/lee": ScriptedConsent("harbor/lee", ["forged"])})
    port.loopback = refused("redirectUrl")
    run = Run(plan_of([declared(provider="google")]), {"harbor": port}, ConsentMode.WAIT, prompt)

    async def story() -> tuple[Outcome, ...]:
        asyncio.get_running_loop().call_later(3.0, lambda: port.connections.append(live("made", GOOGLE)))
        return await run.outcomes()

    (outcome,) = passing(story())
    assert (outcome.status, outcome.connection_id) == (OutcomeStatus.DONE, "made")
    assert port.called("get_connection") == []


@pytest.mark.parametrize(
    ("error", "asked"), [(refused("redirectUrl"), ["here"]), (UNSPECIFIC, ["here"] * 6)], ids=["told", "perhaps"]
)
def test_without_a_page_it_is_said_what_is_missing(error: InvalidRequestError, asked: list[str]) -> None:
    """The Site needs an address, and a page to put there; what is known is not tried again."""
    waiting = Waiting(six(BARE), error)
    assert waiting.landed == asked
    told = (
        "the service refuses to send its owner's browser back to this machine: give the Site an oauth.redirectUrl; "
        "extcal consent-page makes the page to put there"
    )
    perhaps = (
        f"{error}; if it refuses the address on this machine, give the Site an oauth.redirectUrl; extcal consent-page "
        "makes the page to put there"
    )
    assert {outcome.error for outcome in waiting.outcomes} == {told if len(asked) == 1 else perhaps}
    assert {outcome.status for outcome in waiting.outcomes} == {OutcomeStatus.FAILED}


@pytest.mark.parametrize("error", [refused("scheduleId"), DENIED, LOST], ids=str)
def test_what_is_not_about_the_address_is_not_tried_again(error: ApiError) -> None:
    """Another field, a permission, a lost answer: the action fails by it, as ever."""
    waiting = Waiting(plan_of([declared(provider="google")]), error)
    assert waiting.landed == ["here"]
    (outcome,) = waiting.outcomes
    assert outcome.status is OutcomeStatus.FAILED
    assert str(error) in (outcome.error or "")


def test_what_is_refused_with_any_address_is_told_as_it_was() -> None:
    """Where the Site's address is refused, too, it is not the address: the next owner is asked as ever."""
    waiting = Waiting(six(), UNSPECIFIC, UNSPECIFIC)
    assert waiting.landed == ["here", PAGE] * 6
    assert {outcome.error for outcome in waiting.outcomes} == {str(UNSPECIFIC)}


def test_a_page_that_is_refused_is_told() -> None:
    """The service's words about the Site's own address."""
    about_page = refused("redirectUrl", message="redirectUrl: not registered")
    waiting = Waiting(plan_of([declared(provider="google")]), refused("redirectUrl"), about_page)
    (outcome,) = waiting.outcomes
    assert (outcome.status, outcome.error) == (OutcomeStatus.FAILED, str(about_page))
