"""`extcal pin`: ids beside names, what that costs and saves, and what is told of names that stay."""

import json
from dataclasses import replace

import pytest

from reconciler.model.desired import BOOKINGS_APP_ID
from reconciler.sandbox.contract import ErrorReason, Operation, Status
from reconciler.sandbox.faults import Answer, Fault, Faults
from reconciler.sandbox.sync_config import Import, SyncConfig
from reconciler.sandbox.world import Account, Calendar, ExistingConnection, Schedule
from tests.cli.counting import asked, working
from tests.support.cli.command import Extcal, Ran
from tests.support.cli.worlds import (
    BUSY,
    KEY,
    PASSWORD,
    QUAY,
    connected,
    connection,
    email,
    harbor,
    quay,
    schedule_id,
    site,
    world,
)
from tests.support.scenarios.worlds import HOURS_APP

_QUERY = "/calendar/v3/schedules/query"


_READ = {"ListProviders": 1, "ListConnections": 1}
_NAMED = _READ | {"QuerySchedules": 1}


@pytest.fixture
def pinning(asking: Extcal) -> Extcal:
    """The command, at a sandbox that tells names of calendars only where they are asked for."""
    asking.on(working(0, 1, 2))
    return asking


def on_calendars(number: int, *ids: str) -> ExistingConnection:
    """A healthy connection that imports from these calendars."""
    return replace(connected(number), sync_config=SyncConfig(imports=Import(enabled=True, calendars=ids)))


def importing(calendars: str) -> str:
    """A sync config that imports from calendars."""
    return f"syncConfig: {{listEventFromCalendars: {{enabled: true, calendars: {calendars}}}}}"


def named(number: int, calendars: str = "[Work]", schedule: str = "") -> str:
    """A Connection that gives its schedule, and its calendars, by name."""
    text = connection(number, more=importing(calendars))
    return text.replace(f"{{id: {schedule_id(number)}}}", schedule or f"{{name: Staff {number}}}")


def pin(command: Extcal, *args: str) -> Ran:
    """Pin the manifests."""
    return command("pin", "manifests", *args)


def manifests(command: Extcal, name: str = "all.yaml") -> str:
    """What a file of manifests holds."""
    return (command.folder / "manifests" / name).read_bytes().decode()


def test_a_plan_of_pinned_names_is_two_requests(pinning: Extcal) -> None:
    """The same plan as before, without asking what names mean; pinning again changes nothing."""
    pinning.write(site(), *map(named, range(3)))
    before = pinning("plan", "manifests", "--format", "json")
    assert asked(pinning) == _NAMED | {"ListCalendars": 3}
    ran = pin(pinning)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == "pinned     manifests/all.yaml: 3 schedules, 3 calendars\n"
    assert asked(pinning) == _NAMED | {"ListCalendars": 3}
    assert f"schedule: {{id: {schedule_id(1)}, name: Staff 1}}" in manifests(pinning)
    assert "calendars: [{id: work, name: Work}]" in manifests(pinning)
    after = pinning("plan", "manifests", "--format", "json")
    assert after.out == before.out
    assert asked(pinning) == _READ
    text = manifests(pinning)
    again = pin(pinning)
    assert (again.code, again.out, again.err) == (0, "", "Nothing to pin.\n")
    assert manifests(pinning) == text


@pytest.mark.parametrize(("count", "told"), [(19, False), (20, True)])
def test_a_plan_hints_at_pinning(pinning: Extcal, count: int, *, told: bool) -> None:
    """Where names cost it over 20 requests, on stderr; pinned, or remembered on this machine, they cost nothing."""
    numbers = range(count)
    live = tuple(on_calendars(number, "work") for number in numbers)
    pinning.on(world(replace(harbor(schedules=count), connections=live), accounts=count))
    pinning.write(site(), *map(named, numbers))
    hint = f"names in manifests took {count + 1} requests. extcal pin PATH writes ids beside those in connections.\n"
    ran = pinning("plan", "manifests")
    assert (ran.code, hint in ran.err, hint in ran.out) == (0, told, False)
    assert pinning("plan", "manifests", "--quiet").err == ""
    assert pin(pinning).code == 0
    assert "names in manifests" not in pinning("plan", "manifests").err


def test_an_applys_plan_hints_too(pinning: Extcal) -> None:
    """Whoever applies alone hears of it as well."""
    numbers = range(20)
    live = tuple(on_calendars(number, "work") for number in numbers)
    pinning.on(world(replace(harbor(schedules=20), connections=live), accounts=20))
    pinning.write(site(), *map(named, numbers))
    ran = pinning("apply", "manifests", "--auto-approve")
    assert (ran.code, "names in manifests took 21 requests." in ran.err) == (0, True), ran.err


def test_what_the_sync_config_tells_is_not_asked_for(extcal: Extcal) -> None:
    """Where live configs carry names, the account's calendars are not listed."""
    extcal.on(working(0, 1, 2))
    extcal.write(site(), named(0))
    assert pin(extcal).code == 0
    assert asked(extcal) == _NAMED
    assert "[{id: work, name: Work}]" in manifests(extcal)


def test_a_pinned_calendar_that_is_not_live_is_asked_for(pinning: Extcal) -> None:
    """Its id must be there; a plan that would send an unknown one is a fault."""
    pinning.write(site(), named(0, "[{id: home, name: Home}]", f"{{id: {schedule_id(0)}}}"))
    assert [action["action"] for action in pinning("plan", "manifests", "--format", "json").actions] == ["update"]
    assert asked(pinning) == _READ | {"ListCalendars": 1}
    pinning.write(site(), named(0, "[{id: hone, name: Home}]", f"{{id: {schedule_id(0)}}}"))
    lost = pinning("plan", "manifests")
    assert lost.code == 1
    assert "no calendar Home [hone], at harbor/staff-0 (what is called Home now has the id home)" in lost.err


def test_check_writes_nothing(pinning: Extcal) -> None:
    """It shows what would be written as a diff, and fails as long as something could be pinned."""
    pinning.write(site(), *map(named, range(3)))
    text = manifests(pinning)
    ran = pin(pinning, "--check")
    assert (ran.code, manifests(pinning)) == (1, text)
    assert f"+  schedule: {{id: {schedule_id(0)}, name: Staff 0}}" in ran.out.splitlines()
    assert ran.err == "3 schedules, 3 calendars to write in 1 file. Pin without --check to do it.\n"
    assert pin(pinning).code == 0
    checked = pin(pinning, "--check")
    assert (checked.code, checked.out, checked.err) == (0, "", "Nothing to pin.\n")


def test_what_is_not_connected_yet_is_told(pinning: Extcal) -> None:
    """Its schedule is pinned; its calendars can be once there is a connection, so --check accepts them."""
    pinning.on(world(replace(harbor(), connections=(on_calendars(0, "work"),))))
    pinning.write(site(), named(0), named(3), named(4))
    ran = pin(pinning)
    assert ran.code == 0, ran.err
    assert ran.out == "pinned     manifests/all.yaml: 3 schedules, 1 calendar\n"
    told = "harbor: 2 connections are not connected, so their calendars stay names until they are: staff-3, staff-4\n"
    assert ran.err == told
    checked = pin(pinning, "--check")
    assert (checked.code, checked.out, checked.err) == (0, "", f"{told}Nothing to pin.\n")


@pytest.mark.parametrize("calendars", ["[Work]", "[{id: work, name: Work}]"])
def test_calendars_of_a_broken_connection_are_told(pinning: Extcal, calendars: str) -> None:
    """The account of a connection in error is not asked, and whoever pins hears so, also of what is pinned already."""
    broken = replace(on_calendars(4, "work"), status=Status.ERROR, error_reason=ErrorReason.TOKEN_REVOKED)
    pinning.on(world(replace(harbor(), connections=(broken,))))
    pinning.write(site(), named(4, calendars, f"{{id: {schedule_id(4)}}}"))
    ran = pin(pinning)
    told = "harbor: 1 connection is in error, so its calendars were not looked up: staff-4. "
    assert (ran.code, ran.out, ran.err) == (0, "", f"{told}extcal status says what to do\nNothing to pin.\n")


def test_a_policys_calendars_stay_names(pinning: Extcal) -> None:
    """What a SyncPolicy names is for several accounts, each of which has calendars of its own."""
    policy = f"---\napiVersion: extcal/v1\nkind: SyncPolicy\nmetadata: {{name: work}}\nspec:\n  {importing('[Work]')}\n"
    pinning.write(site(), policy, connection(0, more="syncPolicy: work"))
    text = manifests(pinning)
    ran = pin(pinning)
    assert (ran.code, manifests(pinning)) == (0, text)
    assert "the SyncPolicy work names calendars, which stay names there: accounts have their own" in ran.err
    assert asked(pinning) == _READ


def test_what_does_not_matter_is_left_alone(pinning: Extcal) -> None:
    """Calendars of an import that is off or ignored, or of a tombstone, cost a plan nothing."""
    off = importing("[Work]").replace("true", "false")
    ignored = f"{importing('[Work]')}\nlifecycle: {{ignoreChanges: [syncConfig]}}"
    gone = f"{importing('[Work]')}\nstate: absent"
    pinning.write(site(), *(connection(n, more=more) for n, more in enumerate((off, ignored, gone))))
    text = manifests(pinning)
    ran = pin(pinning)
    assert (ran.code, ran.err, manifests(pinning)) == (0, "Nothing to pin.\n", text)
    assert asked(pinning) == _READ


def test_names_that_mean_no_one_thing_are_faults(pinning: Extcal) -> None:
    """As a plan tells them, with place and candidates; all else is pinned."""
    twins = (Calendar("work", "Work"), Calendar("work2", "Work"), Calendar("home", "Home"))
    people = tuple(Account("apple", email(number), PASSWORD, twins) for number in range(8))
    pinning.on(replace(working(0, 1, 2), accounts=people))
    pinning.write(site(), named(0, "[Work, Home]"), named(1, "[Hoem]"), named(2, "[Home]", "{name: Staf 2}"))
    ran = pin(pinning)
    assert ran.code == 1
    ambiguous, unknown, nowhere = sorted(ran.err.splitlines())
    assert ambiguous == (
        "manifests/all.yaml:19:56: the account has 2 calendars named Work, at harbor/staff-0 (name one by id: "
        "{id: work}, {id: work2})"
    )
    assert unknown == (
        "manifests/all.yaml:30:56: the account has no calendar Hoem, at harbor/staff-1 (did you mean Home?)"
    )
    assert nowhere.startswith("manifests/all.yaml:37:3: the site has no active schedule with the name Staf 2, at ")
    plan = pinning("plan", "manifests")
    assert {line for line in ran.err.splitlines() if line not in plan.err} == set()
    assert "calendars: [Work, {id: home, name: Home}]" in manifests(pinning)
    assert ran.out == "pinned     manifests/all.yaml: 2 schedules, 1 calendar\n"


def test_what_was_renamed_gets_its_new_name(pinning: Extcal) -> None:
    """The id counts: --check accepts it with a note, and pinning brings the name up to date."""
    pinning.write(site(), named(0, '[{id: work, name: "Office"}]', f"{{id: {schedule_id(0)}, name: Dr. Lee}}"))
    checked = pin(pinning, "--check")
    told = [
        f"renamed: harbor/staff-0: schedule Dr. Lee is now Staff 0 [{schedule_id(0)}]",
        "renamed: harbor/staff-0: calendar Office is now Work [work]",
    ]
    assert (checked.code, checked.err.splitlines()[:2]) == (0, told)
    ran = pin(pinning)
    assert (ran.code, ran.err.splitlines()) == (0, told)
    assert ran.out == "pinned     manifests/all.yaml: 2 new names\n"
    assert 'calendars: [{id: work, name: "Work"}]' in manifests(pinning)
    assert f"schedule: {{id: {schedule_id(0)}, name: Staff 0}}" in manifests(pinning)
    assert pin(pinning).err == "Nothing to pin.\n"


def test_a_sync_configs_name_is_no_proof_of_a_new_one(extcal: Extcal) -> None:
    """It may be older than the manifest's: a plan points at it, and pinning asks the account before it renames."""
    extcal.on(working(0, 1))
    extcal.write(
        site(),
        named(0, "[{id: work, name: Office}]", f"{{id: {schedule_id(0)}}}"),
        named(1, "[{id: work, name: Work}]", f"{{id: {schedule_id(1)}}}"),
    )
    plan = extcal("plan", "manifests", "--detailed-exitcode")
    told = "warning: harbor/staff-0: the manifest calls its calendar Office, and the service Work [work]; its id counts"
    assert (plan.code, told in plan.err, asked(extcal)) == (0, True, _READ)
    ran = pin(extcal)
    assert (ran.code, ran.err) == (0, "renamed: harbor/staff-0: calendar Office is now Work [work]\n")
    assert asked(extcal) == _READ | {"ListCalendars": 1}
    assert extcal("plan", "manifests").err == ""


def test_what_is_gone_is_a_fault(pinning: Extcal) -> None:
    """A pinned id that the service does not have any more is told with its place, whether or not there is more."""
    lost = "00000000-2975-447c-a7ed-000000000000"
    pinning.write(site(), named(0, "[{id: wrok, name: Work}, Home]", f"{{id: {lost}, name: Staff 0}}"), named(1))
    for check in ((), ("--check",)):
        ran = pin(pinning, *check)
        assert ran.code == 1
        hint = f"(what is called Staff 0 now has the id {schedule_id(0)})"
        assert f"no active schedule Staff 0 [{lost}], at harbor/staff-0 {hint}" in ran.err
    assert f"{{id: {schedule_id(1)}, name: Staff 1}}" in manifests(pinning)
    pinning.write(site(), named(0, "[{id: wrok, name: Work}, Home]"))
    ran = pin(pinning)
    assert (ran.code, "[{id: wrok, name: Work}, {id: home, name: Home}]" in manifests(pinning)) == (1, True)
    assert "all.yaml:19:56: the account has no calendar Work [wrok], at harbor/staff-0" in ran.err


def test_a_secret_in_an_answer_is_not_written(pinning: Extcal) -> None:
    """Where the service repeats the key in a name, the manifest keeps the old one, and the key is not shown."""
    people = (Account("apple", email(0), PASSWORD, (Calendar("work", f"is {KEY}"),)),)
    pinning.on(replace(working(0), accounts=people))
    pinning.write(site(), named(0, "[{id: work, name: Work}]", f"{{id: {schedule_id(0)}}}"))
    text = manifests(pinning)
    ran = pin(pinning)
    assert (ran.code, ran.out, manifests(pinning)) == (0, "", text)
    assert "renamed: harbor/staff-0: calendar Work is now is [secret] [work]" in ran.err
    assert KEY not in ran.err


def test_a_label_is_compared_though_the_same_schedule_has_none_elsewhere(pinning: Extcal) -> None:
    """Two connections to a schedule of another app, of which one has a name beside its id: it is there."""
    other = Schedule(id=schedule_id(9), name="Rooms", app_id=HOURS_APP)
    schedules = tuple(replace(each, app_id=BOOKINGS_APP_ID) for each in harbor().schedules)
    pinning.on(world(replace(harbor(), schedules=(*schedules, other))))
    refs = [f"{{id: {other.id}}}", f"{{id: {other.id}, name: Rooms}}", f"{{id: {other.id}, name: Room}}"]
    texts = (connection(n).replace(f"{{id: {schedule_id(n)}}}", ref) for n, ref in enumerate(refs))
    pinning.write(site(), *texts)
    ran = pin(pinning)
    assert (ran.code, ran.out) == (0, "pinned     manifests/all.yaml: 1 new name\n"), ran.err
    assert asked(pinning) == _READ | {"QuerySchedules": 2}


def test_an_external_id_is_a_name_too(pinning: Extcal) -> None:
    """It stays beside the id, as the member of staff's resource."""
    schedules = tuple(replace(each, external_id=f"r{n}") for n, each in enumerate(harbor().schedules))
    pinning.on(world(replace(harbor(), schedules=schedules)))
    pinning.write(site(), connection(1, more=BUSY).replace(f"{{id: {schedule_id(1)}}}", "{externalId: r1}"))
    assert pin(pinning).code == 0
    assert f"schedule: {{id: {schedule_id(1)}, externalId: r1}}" in manifests(pinning)
    assert pin(pinning, "--check").code == 0


def test_sites_are_selected_and_one_that_fails_is_told(pinning: Extcal) -> None:
    """--site leaves the others' manifests alone; a site that can't be read keeps none from being pinned."""
    pinning.on(world(working(0, 1, 2).sites[0], replace(quay(key="quay-key-8d10"), connections=())))
    other = connection(1, of="quay").replace(f"{{id: {schedule_id(1)}}}", "{name: Staff 1}")
    pinning.write(site(), named(0), to="manifests/harbor.yaml")
    pinning.write(site("quay", id_=QUAY, key="EXTCAL_QUAY_KEY"), other, to="manifests/quay.yaml")
    missing = pin(pinning)
    assert (missing.code, missing.out) == (1, "pinned     manifests/harbor.yaml: 1 schedule, 1 calendar\n")
    assert "error: quay: " in missing.err
    pinning.env["EXTCAL_QUAY_KEY"] = "quay-key-8d10"
    assert pin(pinning, "--site", "harbor").err == "Nothing to pin.\n"
    assert pin(pinning, "--site", "quay").out == "pinned     manifests/quay.yaml: 1 schedule\n"
    assert pin(pinning, "--site", "quai").code == 64


def test_calendars_that_can_not_be_listed_are_a_fault(pinning: Extcal) -> None:
    """A healthy connection whose account can't be asked is not pinned, and says why."""
    pinning.write(site(), named(0), named(1))
    pinning.sandbox.inject(Faults((Fault(Answer(403), on={Operation.LIST_CALENDARS}),)))
    try:
        ran = pin(pinning)
    finally:
        pinning.sandbox.inject(None)
    assert (ran.code, ran.out) == (1, "pinned     manifests/all.yaml: 2 schedules\n")
    assert "its account's calendars could not be listed: " in ran.err


def test_json_stays_json(pinning: Extcal) -> None:
    """In a manifest that is JSON what is written is, too."""
    spec = {"schedule": {"name": "Staff 1"}, "provider": "apple", "account": email(1)}
    sync = {"listEventFromCalendars": {"enabled": True, "calendars": ["Work", {"name": "Home"}]}}
    document = {
        "apiVersion": "extcal/v1",
        "kind": "Connection",
        "metadata": {"name": "staff-1"},
        "spec": spec | {"syncConfig": sync},
    }
    pinning.write(site(), to="manifests/site.yaml")
    for indent in (None, 2, 4):
        pinning.write(json.dumps(document, indent=indent), to="manifests/one.json")
        assert pin(pinning).code == 0
        written = json.loads(manifests(pinning, "one.json"))
        assert written["spec"]["schedule"] == {"id": schedule_id(1), "name": "Staff 1"}
        calendars = written["spec"]["syncConfig"]["listEventFromCalendars"]["calendars"]
        assert calendars == [{"id": "work", "name": "Work"}, {"id": "home", "name": "Home"}]
