"""Promise: whichever way the hosted API turns out to behave, nothing is lost, and what can come about does.

A site's life from its first apply to a disconnect, under each answer to each question that the API leaves open, and
under many of them at once. `tests/properties` does the same with random worlds.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest

from reconciler.sandbox.behaviour import Behaviour, Directions, Permissions
from reconciler.sandbox.contract import ErrorReason, ExportTarget, Status
from reconciler.sandbox.sync_config import Export, Import, SyncConfig
from reconciler.sandbox.world import ExistingConnection
from tests.support.cli.command import Extcal, Ran
from tests.support.cli.worlds import (
    APPLE,
    BUSY,
    EXPORTING,
    HARBOR,
    KEY,
    PASSWORD_ENV,
    connection,
    email,
    harbor,
    schedule_id,
    site,
    world,
)
from tests.support.sandbox.api import BASE
from tests.support.scenarios.behaviours import one_by_one
from tests.support.timeouts import TIMEOUT

EXPORTS = SyncConfig(Import(enabled=True, primary=True), Export(enabled=True, target=ExportTarget.DEDICATED))
IMPORT, EXPORT = "listEventFromCalendars", "syncToCalendar"
OFF = f"syncConfig: {{{IMPORT}: {{enabled: false}}}}"
KEPT = "lifecycle: {preventDisconnect: true}"
READINGS = tuple(one_by_one())
Json = dict[str, Any]


def standing(number: int, status: str = Status.SYNCED, reason: ErrorReason | None = None) -> ExistingConnection:
    """A connection that imports and exports."""
    return ExistingConnection(APPLE, schedule_id(number), email(number), status, reason, EXPORTS, id=f"live-{number}")


@dataclass
class Life:
    """The site's life under one reading."""

    extcal: Extcal
    reading: Behaviour

    def apply(self) -> Ran:
        """Apply what the manifests say."""
        return self.extcal("apply", "manifests", "--auto-approve", "--format", "json")

    def plan(self) -> Ran:
        """Plan; the exit code says whether anything is left to do."""
        return self.extcal("plan", "manifests", "--detailed-exitcode")

    @property
    def truth(self) -> dict[str, Json]:
        """Every connection as it is, whatever the reading would tell."""
        self.extcal.sandbox.behave(Behaviour(unknown_fields=True))
        answer = httpx.get(
            f"{self.extcal.sandbox.endpoint}{BASE}/connections",
            headers={"Authorization": KEY, "wix-site-id": HARBOR},
            trust_env=False,
            timeout=TIMEOUT,
        )
        self.extcal.sandbox.behave(self.reading)
        return {each["id"]: each for each in answer.raise_for_status().json()["connections"]}

    def consent(self, ran: Ran) -> None:
        """Open every link, and agree."""
        for action in ran.actions:
            if url := action["consent_url"]:
                form = {"decision": "allow", "account": str(action["account"]), "outcome": "connected"}
                answer = httpx.post(str(url), data=form, trust_env=False, timeout=TIMEOUT)
                assert "connectionId=" in answer.headers["location"], answer.text

    @property
    def accounts(self) -> Counter[tuple[str, str]]:
        """How many healthy connections each account has, by schedule."""
        healthy = [each for each in self.truth.values() if each["status"] not in {Status.DISCONNECTED, Status.ERROR}]
        return Counter((each["scheduleId"], each["externalAccountEmail"]) for each in healthy)


def named(reading: Behaviour) -> str:
    """In what a reading is not the easy one."""
    return " ".join(f"{name}={value}" for name, value in reading.differences().items()) or "easy"


@pytest.fixture(params=READINGS, ids=named)
def life(extcal: Extcal, request: pytest.FixtureRequest) -> Iterator[Life]:
    """A site with connections that are well, revoked, without their calendar, and declared by nobody."""
    live = Life(extcal, request.param)
    there = (
        standing(0),
        standing(1, Status.ERROR, ErrorReason.TOKEN_REVOKED),
        standing(2, Status.ERROR, ErrorReason.EXTERNAL_CALENDAR_DELETED),
        standing(7),
    )
    extcal.on(world(replace(harbor(), connections=there)))
    extcal.env |= PASSWORD_ENV
    extcal.sandbox.behave(live.reading)
    documents = [site(), *(connection(n, more=f"{BUSY}\n{KEPT}") for n in range(3)), connection(3, more=EXPORTING)]
    extcal.write(*documents, connection(4, provider="google", more=BUSY))
    yield live
    extcal.sandbox.behave(Behaviour())


def exports(each: Json) -> object:
    """What a connection exports, unknown fields included."""
    return each["syncConfig"][EXPORT]


def test_what_can_come_about_does_and_nothing_is_lost(life: Life) -> None:
    """After applying nothing is left to do; what no manifest manages is as it was; no account is connected twice."""
    before = life.truth
    life.consent(life.apply())
    second, after = life.apply(), life.truth
    assert after["live-7"] == before["live-7"]
    assert exports(after["live-0"]) == exports(before["live-0"])
    # What nobody shows the key it can't know; of all else, and of what it makes itself, there is one.
    unseen = 1 if life.reading.permissions is Permissions.OWN_LISTED else 0
    assert [count for account, count in life.accounts.items() if count > 1] == [2] * unseen
    assert life.accounts[schedule_id(3), email(3)] == 1
    if not is_hopeless(life.reading):
        assert second.code == 0, second.out
        assert (life.plan().code, set(life.accounts)) == (0, {(schedule_id(n), email(n)) for n in (0, 1, 2, 3, 4, 7)})
        stands = {each["externalAccountEmail"]: each for each in after.values() if each["status"] != Status.ERROR}
        assert stands[email(3)]["syncConfig"][EXPORT]["enabled"] is True
    else:
        assert second.code in {1, 3}, second.out
        assert "Traceback" not in second.out + second.err


def test_what_is_not_managed_outlives_a_change_and_a_disconnect(life: Life) -> None:
    """Switching one import off and burying another connection leaves exports and all others as they are."""
    before = life.truth
    life.extcal.write(site(), connection(0, more=OFF), connection(1, more="state: absent"))
    changed, after = life.apply(), life.truth
    assert {name: after[name] for name in ("live-2", "live-7")} == {name: before[name] for name in ("live-2", "live-7")}
    assert exports(after["live-0"]) == exports(before["live-0"])
    if life.reading.permissions is Permissions.ALL and not life.reading.without_primary:
        assert changed.code == 0, changed.out
        assert after["live-0"]["syncConfig"][IMPORT]["enabled"] is False
        assert after["live-1"]["status"] == Status.DISCONNECTED
        assert life.plan().code == 0
    else:
        assert after["live-0"] == before["live-0"]


def is_hopeless(reading: Behaviour) -> bool:
    """Whether something that is declared can't come about under a reading."""
    return reading.permissions is not Permissions.ALL or not reading.healing or bool(reading.without_primary)


HEALABLE = [each for each in READINGS if each.permissions is Permissions.ALL and not each.without_primary]


@pytest.mark.parametrize("life", HEALABLE, indirect=True, ids=named)
def test_what_no_config_heals_is_connected_anew_where_that_is_allowed(life: Life) -> None:
    """The report offers it, and with the guard overruled the plan does it."""
    life.extcal.write(site(), connection(2, more=BUSY))
    ran = life.apply()
    if not life.reading.healing:
        assert "--allow consent-loss:harbor/staff-2" in str(ran.actions[0]["error"])
        ran = life.extcal("apply", "manifests", "--auto-approve", "--allow", "consent-loss:harbor/staff-2")
    assert ran.code == 0, ran.out
    assert (life.plan().code, life.accounts[schedule_id(2), email(2)]) == (0, 1)


@pytest.mark.parametrize("life", [each for each in HEALABLE if each.healing], indirect=True, ids=named)
def test_a_saved_plan_is_found_done_and_what_is_pulled_plans_as_no_change(life: Life) -> None:
    """Whatever lists leave out, what was done is seen, also the second time; nothing is pulled as switched off."""
    chosen = [word for number in (1, 2, 3) for word in ("--connection", f"staff-{number}")]
    assert life.extcal("plan", "manifests", *chosen, "--out", "saved.plan").code == 0
    for status in ("done", "done before"):
        ran = life.extcal("apply", "--plan", "saved.plan", "--auto-approve")
        assert ran.code == 0, ran.out + ran.err
        assert sum(line.startswith(f"{status}  ") for line in ran.out.splitlines()) == len(chosen) / 2, ran.out
    assert life.extcal("pull", "--site-id", HARBOR, "--name", "harbor", "--output", "pulled").code == 0
    pulled = life.extcal("plan", "pulled", "--detailed-exitcode")
    assert pulled.code == 0, pulled.out + pulled.err


@pytest.mark.parametrize("life", [Behaviour(directions=shown) for shown in Directions], indirect=True, ids=named)
def test_what_was_disconnected_comes_back_as_it_was(life: Life) -> None:
    """Undoing a disconnect switches nothing off that the list had not shown."""
    before = life.truth
    life.extcal.write(site(), connection(0, more="state: absent"))
    assert life.extcal("apply", "manifests", "--auto-approve", "--undo-out", "undo.plan").code == 0
    assert life.accounts[schedule_id(0), email(0)] == 0
    ran = life.extcal("apply", "--plan", "undo.plan", "--auto-approve")
    assert ran.code == 0, ran.out + ran.err
    (again,) = (one for one in life.truth.values() if one["status"] == Status.CONNECTED)
    had, has = before["live-0"]["syncConfig"], again["syncConfig"]
    assert [has[each]["enabled"] for each in (IMPORT, EXPORT)] == [had[each]["enabled"] for each in (IMPORT, EXPORT)]
