"""What a refusal says to do, where the service's own words leave it open."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result

from tests.support.referee import APPLE, GOOGLE, Row, Step
from tests.support.referee_runs import KIM, LEE, OTHER_SCHEDULE, SCHEDULE, connection, refereed
from tests.support.servers.loopback import Answer, Fields
from tests.support.taught_referee import Instead, TaughtReferee, refusing

_PRIMARY: Fields = {"listEventFromCalendars": {"enabled": True, "primaryCalendar": {}}}
_NAMED: Fields = {"listEventFromCalendars": {"enabled": True, "calendars": [{"id": "w1"}]}}
_OFF: Fields = {"listEventFromCalendars": {"enabled": False}}
_NO_PRIMARY = (
    "apple may have no primary calendar to import from: name calendars in its manifest, listEventFromCalendars: "
    "{calendars: […]}; extcal calendars PATH --connection harbor/lee lists them"
)

_OWN_ALONE = (
    "the key or app lists connections, so it may be allowed to read only, or to manage only its own: use one that may "
    "manage this connection, such as the one that made it, or ask whoever made it"
)


def _outcomes(ran: Result) -> dict[str, tuple[str, str]]:
    return {each["address"]: (each["status"], each["error"] or "") for each in json.loads(ran.stdout)["actions"]}


def _row(id_: str = "c1", owner: str = LEE, config: Fields | None = None) -> Row:
    return Row(id_, SCHEDULE if owner == LEE else OTHER_SCHEDULE, APPLE, owner, "SYNCED", config=dict(config or _OFF))


@pytest.mark.parametrize("refusal", [refusing(428, "NOT_SUPPORTED_BY_PROVIDER"), refusing(400)], ids=["428", "400"])
@pytest.mark.parametrize("standing", [True, False], ids=["update", "connect"])
def test_a_primary_calendar_that_is_not_there(*, refusal: Instead, standing: bool, tmp_path: Path) -> None:
    """Its action fails and says what to write; the others of the site go on."""
    referee = TaughtReferee(rows=[_row()] if standing else [])
    referee.instead[Step.CONFIG] = refusal
    with refereed(referee, tmp_path) as site:
        kim = connection("kim", KIM, schedule={"id": OTHER_SCHEDULE}, syncConfig={})
        site.write(connection(syncConfig=_PRIMARY), kim)
        found = _outcomes(site.apply("--format", "json"))
        status, error = found["harbor/lee"]
        assert status == "failed"
        assert error.endswith(_NO_PRIMARY)
        assert "lets no sync config be changed" not in error
        assert found["harbor/kim"] == ("done", "")
        # Named as it says, it is done.
        referee.instead.clear()
        site.write(connection(syncConfig=_NAMED), kim)
        assert site.apply().exit_code == 0


def test_what_names_its_calendars_has_another_trouble(tmp_path: Path) -> None:
    """The advice is for those alone that asked for a primary calendar."""
    referee = TaughtReferee(rows=[_row()], instead={Step.CONFIG: refusing(428, "NOT_SUPPORTED_BY_PROVIDER")})
    with refereed(referee, tmp_path) as site:
        site.write(connection(syncConfig=_NAMED))
        status, error = _outcomes(site.apply("--format", "json"))["harbor/lee"]
    assert status == "failed"
    assert "primary" not in error


@pytest.mark.parametrize(("provider", "advised"), [("apple", True), ({"id": GOOGLE}, False)])
def test_apples_passwords(*, provider: object, advised: bool, tmp_path: Path) -> None:
    """A password that Apple refuses may be the account's own; no other provider is said to want another kind."""
    referee = TaughtReferee(instead={Step.CONNECT: refusing(401, "BAD_CREDENTIALS", "wrong email or password")})
    referee.instead[Step.PROVIDERS] = lambda effect: _by_password(effect())
    with refereed(referee, tmp_path) as site:
        site.write(connection(provider=provider, syncConfig=_PRIMARY))
        ran = site.apply("--format", "json")
    status, error = _outcomes(ran)["harbor/lee"]
    assert status == "failed"
    assert "check the account's email and its password (env:EXTCAL_PASSWORD)" in error
    made_at = "its owner makes one at account.apple.com, under Sign-In and Security, App-Specific Passwords"
    assert error.endswith(made_at) == advised
    assert ("app-specific" in error) == advised


def _by_password(answer: Answer) -> Answer:
    status, body = answer
    providers = body["providers"]
    assert isinstance(providers, list)
    by_password = {"connectMethods": ["CREDENTIALS"]}
    told: Answer = status, {"providers": [{**each, "features": by_password} for each in providers]}
    return told


def test_a_config_that_own_only_keys_may_not_set(tmp_path: Path) -> None:
    """It lists the connection and may not change it: the message says why that can be, and names no scope."""
    referee = TaughtReferee(rows=[_row()], instead={Step.CONFIG: refusing(403)})
    with refereed(referee, tmp_path) as site:
        site.write(connection(syncConfig=_PRIMARY))
        ran = site.apply("--format", "json")
    status, error = _outcomes(ran)["harbor/lee"]
    assert status == "failed"
    assert error.endswith(_OWN_ALONE)
    assert "«" not in error


def test_calendars_that_own_only_keys_may_not_list(tmp_path: Path) -> None:
    """Likewise where calendars are asked for; what the plan does not need of them is planned."""
    referee = TaughtReferee(rows=[_row()], instead={Step.CALENDARS: refusing(403)})
    with refereed(referee, tmp_path) as site:
        site.write(connection(syncConfig={"listEventFromCalendars": {"enabled": True, "calendars": ["Work"]}}))
        assert _OWN_ALONE in site.run(["calendars", str(site.folder)]).output
        assert _OWN_ALONE in site.run(["plan", str(site.folder)]).output


def test_calendars_of_others_do_not_hide_ones_own(tmp_path: Path) -> None:
    """Those that may be listed are, and the exit code says that some are missing."""
    referee = TaughtReferee(rows=[_row("c1"), _row("c2", KIM)])
    answers: Iterator[Instead] = iter([refusing(403), lambda effect: effect()])

    def once_refused(effect: Callable[[], Answer]) -> Answer:
        return next(answers)(effect)

    referee.instead[Step.CALENDARS] = once_refused
    with refereed(referee, tmp_path) as site:
        site.write(connection())
        ran = site.run(["calendars", str(site.folder)])
    assert ran.exit_code == 1
    (refused,) = re.findall(
        r"harbor: the calendars of apple (\S+) can't be listed: ListCalendars: HTTP 403", ran.stderr
    )
    assert [owner for owner in (LEE, KIM) if owner in ran.stdout] == [owner for owner in (LEE, KIM) if owner != refused]


@pytest.mark.parametrize(
    ("step", "args", "feature"),
    [
        (Step.CONNECT, ["apply", "--auto-approve"], "connecting accounts by password"),
        (Step.CALENDARS, ["calendars"], "listing an account's calendars"),
    ],
)
def test_what_a_plan_lacks_is_named(step: Step, args: list[str], feature: str, tmp_path: Path) -> None:
    """By what was tried; no plan of the vendor's is named."""
    rows = [_row()] if step is Step.CALENDARS else []
    referee = TaughtReferee(rows=rows, instead={step: refusing(403, "PREMIUM_FEATURE_NOT_ENABLED")})
    with refereed(referee, tmp_path) as site:
        site.write(connection(syncConfig=_PRIMARY))
        ran = site.run([*args[:1], str(site.folder), *args[1:]])
    assert ran.exit_code == 1
    assert f"the site's plan does not include {feature}: upgrade it, or " in ran.output
