"""Promise: a saved plan is for one use; what was taken away or changed back since is not done again.

The service may list what was taken away as DISCONNECTED, or forget it: then this machine remembers.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from reconciler import planfile
from reconciler.machine.used_plan import UsedPlan
from reconciler.sandbox.contract import ErrorReason, Status
from tests.support.cli.command import Extcal, Json, Ran
from tests.support.cli.journals import folder_of, intent, journal
from tests.support.cli.worlds import (
    BUSY,
    EXPORTING,
    HARBOR,
    KEY,
    PASSWORD_ENV,
    connected,
    connection,
    email,
    harbor,
    schedule_id,
    site,
    world,
)
from tests.support.servers.proxy import stand_in, without_disconnected

TOMBSTONE = "state: absent"
APPLY = ("apply", "--plan", "plan.json", "--auto-approve")
ONE_USE = "and its result does not stand now: a saved plan is for one use; plan again"


@pytest.fixture
def listing(extcal: Extcal) -> Extcal:
    """The command, on a service that lists what was taken away; staff 1 is connected."""
    extcal.env |= PASSWORD_ENV
    extcal.on(world(harbor(1)))
    return extcal


@pytest.fixture
def forgetting(listing: Extcal) -> Iterator[Extcal]:
    """The command, on a service that no longer lists what was taken away."""
    with stand_in(
        listing.sandbox.endpoint, lambda method, path: (method, path), shown=without_disconnected
    ) as endpoint:
        listing.env["EXTCAL_ENDPOINT"] = endpoint
        yield listing


@pytest.fixture(params=["listing", "forgetting"])
def armed(request: pytest.FixtureRequest) -> Extcal:
    """The command, on either service."""
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Extcal)
    return found


def without_names(content: bytes) -> bytes:
    """The content of an answer, its sync configs without the names of calendars."""
    answer = json.loads(content)
    for found in answer.get("connections", []):
        for calendar in found["syncConfig"]["listEventFromCalendars"].get("calendars", {}).get("calendars", []):
            del calendar["name"]
    return json.dumps(answer).encode()


def planned(extcal: Extcal, *documents: str, out: str = "plan.json") -> None:
    """Plan these manifests into a file."""
    extcal.write(site(), *documents)
    ran = extcal("plan", "manifests", "--out", out)
    assert ran.code == 0, ran.err


def once(extcal: Extcal, *options: str) -> Ran:
    """Apply the plan for the first time, which goes well."""
    ran = extcal(*APPLY, *options)
    assert ran.code == 0, ran.out + ran.err
    extcal.sandbox.requests.clear()
    return ran


def behind(extcal: Extcal, method: str, path: str, body: Json) -> Json:
    """Somebody changes the live state by other means; what is answered."""
    url = f"{extcal.sandbox.endpoint}/bookings/v2/external-calendars/connections{path}"
    answer = httpx.request(method, url, json=body, headers={"Authorization": KEY, "wix-site-id": HARBOR})
    assert answer.status_code == 200, answer.text
    extcal.sandbox.requests.clear()
    found = answer.json()
    assert isinstance(found, dict)
    return found


def live(extcal: Extcal, number: int) -> dict[str, str]:
    """The statuses of the connections of an account that the service still has, by id."""
    rows = behind(extcal, "GET", "", {})["connections"]
    assert isinstance(rows, list)
    return {row["id"]: row["status"] for row in rows if row["externalAccountEmail"] == email(number)}


def standing(extcal: Extcal, number: int) -> list[str]:
    """The ids of the connections of an account that are connected."""
    return [id_ for id_, status in live(extcal, number).items() if status != Status.DISCONNECTED]


def take_away(extcal: Extcal, number: int) -> None:
    """Somebody disconnects an account on purpose."""
    (connection_id,) = standing(extcal, number)
    behind(extcal, "POST", f"/{connection_id}/disconnect", {})


def the_error(ran: Ran) -> str:
    """What a run that skipped its only action says of it."""
    (action,) = ran.actions
    assert (ran.code, action["status"]) == (1, "skipped"), ran.out
    return str(action["error"])


def refused(extcal: Extcal, *options: str, plan: str = "plan.json") -> str:
    """Why the plan's only action is not carried out; nothing is sent for it."""
    extcal.sandbox.requests.clear()
    ran = extcal("apply", "--plan", plan, "--auto-approve", "--format", "json", *options)
    assert extcal.writes == []
    return the_error(ran)


def test_what_was_taken_away_on_purpose_is_not_connected_again(armed: Extcal) -> None:
    """While its result stands nothing is done; taken away since, the plan is refused, and a new one connects."""
    planned(armed, connection(0, more=BUSY))
    once(armed)
    again = armed(*APPLY)
    assert (again.code, armed.writes) == (0, [])
    assert again.out.endswith("Nothing was done: this plan was applied before.\n")
    take_away(armed, 0)
    assert refused(armed).endswith(ONE_USE)
    assert standing(armed, 0) == []
    planned(armed, connection(0, more=BUSY))
    once(armed)
    assert len(standing(armed, 0)) == 1


def test_equal_plans_that_were_made_anew_are_plans_for_another_use(forgetting: Extcal) -> None:
    """What is the same to the last byte but for its id may be applied; its digest is the same."""
    planned(forgetting, connection(0))
    once(forgetting)
    take_away(forgetting, 0)
    planned(forgetting, connection(0), out="anew.json")
    first, anew = (planfile.load(forgetting.folder / name) for name in ("plan.json", "anew.json"))
    assert first.digest == anew.digest
    assert refused(forgetting).endswith(ONE_USE)
    assert forgetting("apply", "--plan", "anew.json", "--auto-approve").code == 0


def test_manifests_are_not_for_one_use(armed: Extcal) -> None:
    """Runs that plan for themselves bring back what they state, however often."""
    armed.write(site(), connection(0))
    for _ in range(3):
        assert armed("apply", "manifests", "--auto-approve").code == 0
        take_away(armed, 0)


def test_another_machine_sees_what_was_taken_away_as_far_as_it_is_listed(listing: Extcal) -> None:
    """Without a memory of its use the list tells; the id is named."""
    planned(listing, connection(0))
    once(listing)
    take_away(listing, 0)
    listing.env["EXTCAL_STATE_DIR"] = str(listing.folder / "elsewhere")
    (gone,) = live(listing, 0)
    why = f"it was connected and disconnected again since it was planned ({gone}); plan again"
    assert refused(listing) == why


def test_another_machine_that_has_seen_the_result_remembers_it(forgetting: Extcal) -> None:
    """Where the service forgets, it is enough to have seen once that it stands."""
    planned(forgetting, connection(0))
    once(forgetting)
    forgetting.env["EXTCAL_STATE_DIR"] = str(forgetting.folder / "elsewhere")
    assert forgetting(*APPLY).out.endswith("this plan was applied before.\n")
    take_away(forgetting, 0)
    assert refused(forgetting).endswith(ONE_USE)


def test_what_was_taken_away_before_is_no_hindrance(listing: Extcal) -> None:
    """A connection that was DISCONNECTED when it was planned may stay listed, or be forgotten meanwhile."""
    old = replace(connected(0), id="old", status=Status.DISCONNECTED)
    for document in (connection(0), connection(0, more=BUSY)):
        listing.on(world(replace(harbor(), connections=(old,))))
        planned(listing, document)
        if document != connection(0):
            listing.on(world(harbor()))
        once(listing)
        assert len(standing(listing, 0)) == 1


def test_a_row_that_is_listed_late_is_taken_for_one_that_was_taken_away_since(listing: Extcal) -> None:
    """It can't be told when it went: the plan is refused, and planning again settles it."""
    planned(listing, connection(0))
    listing.on(world(replace(harbor(), connections=(replace(connected(0), status=Status.DISCONNECTED),))))
    assert "(live-0); plan again" in refused(listing)
    planned(listing, connection(0))
    once(listing)


def test_an_update_that_was_taken_back_is_not_made_again(armed: Extcal) -> None:
    """Its ground is what it was, and it was changed back on purpose."""
    planned(armed, connection(1, more=EXPORTING))
    once(armed)
    behind(armed, "PATCH", "/live-1/sync-config", {"syncConfig": {"syncToCalendar": {"enabled": False}}})
    assert refused(armed).endswith(ONE_USE)
    planned(armed, connection(1, more=EXPORTING))
    once(armed)


def test_a_replace_is_not_made_again(armed: Extcal) -> None:
    """The new account was taken away, and stays away."""
    other = connection(2).replace(f"id: {schedule_id(2)}", f"id: {schedule_id(1)}")
    armed.write(site(more="prune: true\nguards: {maxDisconnects: 100%}"), other)
    assert armed("plan", "manifests", "--out", "plan.json").code == 0
    once(armed)
    assert (len(standing(armed, 2)), standing(armed, 1)) == (1, [])
    assert armed(*APPLY).code == 0
    take_away(armed, 2)
    assert refused(armed).endswith(ONE_USE)


def test_a_reconnect_is_not_made_again(armed: Extcal) -> None:
    """The connection broke anew, in the same way, for a reason of its own."""
    broken = replace(connected(1), status=Status.ERROR, error_reason=ErrorReason.TOKEN_REVOKED)
    armed.on(world(replace(harbor(), connections=(broken,))))
    planned(armed, connection(1, more=BUSY))
    once(armed)
    armed.on(world(replace(harbor(), connections=(broken,))))
    assert refused(armed).endswith(ONE_USE)


def test_the_way_back_is_for_one_use_too(armed: Extcal) -> None:
    """An undo plan that was applied does nothing while its result stands, and nothing when that was taken away."""
    planned(armed, connection(1, more=TOMBSTONE))
    once(armed, "--undo-out", "undo.json")
    undo = ("apply", "--plan", "undo.json", "--auto-approve")
    assert armed(*undo).code == 0
    assert len(standing(armed, 1)) == 1
    armed.sandbox.requests.clear()
    assert (armed(*undo).code, armed.writes) == (0, [])
    take_away(armed, 1)
    assert refused(armed, plan="undo.json").endswith(ONE_USE)


def test_what_was_not_done_may_be_applied_again(armed: Extcal) -> None:
    """An action that failed is done the second time; the other one was done before, and is not done a third time."""
    planned(armed, connection(0), connection(2).replace("EXTCAL_APP_PASSWORD", "EXTCAL_OTHER"))
    wrong = armed(*APPLY, "--format", "json", env={"EXTCAL_OTHER": "not-the-right-one"})
    assert (wrong.code, [a["status"] for a in wrong.actions]) == (1, ["done", "failed"])
    right = {"EXTCAL_OTHER": PASSWORD_ENV["EXTCAL_APP_PASSWORD"]}
    assert armed(*APPLY, env=right).code == 0
    assert (len(standing(armed, 0)), len(standing(armed, 2))) == (1, 1)
    take_away(armed, 2)
    last = armed(*APPLY, "--format", "json", env=right)
    assert (last.code, [a["status"] for a in last.actions]) == (1, ["done", "skipped"])
    assert armed.writes == []


def test_a_connect_that_ended_with_its_process_was_made_by_the_plan(forgetting: Extcal) -> None:
    """Whichever run settles it: the plan is known to be used before the journal is closed."""
    planned(forgetting, connection(0))
    plan = planfile.load(forgetting.folder / "plan.json")
    place = folder_of(forgetting, endpoint=forgetting.env["EXTCAL_ENDPOINT"])
    journal(place).begin(replace(intent(0), plan_id=plan.sites[0].plan_id))
    forgetting.on(world(replace(harbor(), connections=(connected(0),))))
    forgetting.write(site(), connection(0))
    assert forgetting("apply", "manifests", "--auto-approve").code == 0
    take_away(forgetting, 0)
    assert refused(forgetting).endswith(ONE_USE)


def test_a_consent_that_was_taken_back_is_not_asked_for_again(forgetting: Extcal) -> None:
    """Once it was seen that the owner had agreed, the plan was used."""
    planned(forgetting, connection(0, provider="google", more=BUSY))
    asked = forgetting(*APPLY, "--consent", "link", "--format", "json")
    assert asked.code == 3
    form = {"decision": "allow", "account": email(0), "outcome": "connected"}
    assert httpx.post(str(asked.actions[0]["consent_url"]), data=form).status_code == 303
    (connection_id,) = standing(forgetting, 0)
    behind(
        forgetting,
        "PATCH",
        f"/{connection_id}/sync-config",
        {"syncConfig": {"listEventFromCalendars": {"enabled": False}}},
    )
    assert "came since it was planned; plan again" in refused(forgetting, "--consent", "link")
    take_away(forgetting, 0)
    assert refused(forgetting, "--consent", "link").endswith(ONE_USE)


def test_where_its_use_can_not_be_told_a_plan_is_refused(listing: Extcal) -> None:
    """A link in the place of what is remembered is not followed; the action fails and nothing is sent."""
    planned(listing, connection(0))
    plan = planfile.load(listing.folder / "plan.json")
    used = folder_of(listing).path / "plans"
    used.mkdir(parents=True)
    (used / plan.sites[0].plan_id).symlink_to(listing.folder / "elsewhere")
    listing.sandbox.requests.clear()
    ran = listing(*APPLY, "--format", "json")
    assert (ran.code, ran.actions[0]["status"], listing.writes) == (1, "failed", [])
    assert str(ran.actions[0]["error"]).endswith("so the uses of this plan can't be found; plan again")
    assert not (listing.folder / "elsewhere").exists()


def test_only_the_plans_that_were_used_last_are_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is remembered is bounded; a line that a crash cut off is passed over and spoils no other."""
    monkeypatch.setattr("reconciler.machine.used_plan.MOST_PLANS", 3)
    folder = tmp_path / "plans"

    def used(number: int) -> UsedPlan:
        return UsedPlan(folder, f"{number:032x}", lambda: None, lambda: 1_700_000_000.0)

    for number in range(5):
        used(number).add("harbor/staff-0")
    assert len(list(folder.iterdir())) == 3
    assert used(4).when("harbor/staff-0") == "2023-11-14 22:13 UTC"
    assert used(4).when("harbor/staff-1") is None
    with (folder / f"{4:032x}").open("ab") as file:
        file.write(b'\n{"address": "harbor/staff-')
    used(4).add("harbor/staff-1")
    assert [used(4).when(f"harbor/staff-{n}") is not None for n in range(3)] == [True, True, False]


def test_calendars_that_were_named_are_known_again_by_their_ids(listing: Extcal) -> None:
    """Where live sync configs carry ids alone, the plan's result stands all the same, and is seen to."""
    by_name = "syncConfig: {listEventFromCalendars: {enabled: true, calendars: [Home]}}"
    with stand_in(listing.sandbox.endpoint, lambda method, path: (method, path), shown=without_names) as endpoint:
        listing.env["EXTCAL_ENDPOINT"] = endpoint
        planned(listing, connection(0, more=by_name))
        assert once(listing).out.endswith("\nApplied: 1 done.\n")
        again = listing(*APPLY)
        assert (again.code, listing.writes) == (0, [])
        assert again.out.endswith("this plan was applied before.\n")
        (connection_id,) = standing(listing, 0)
        changed: Json = {"syncConfig": {"listEventFromCalendars": {"enabled": True, "primaryCalendar": {}}}}
        behind(listing, "PATCH", f"/{connection_id}/sync-config", changed)
        assert refused(listing).endswith(ONE_USE)
