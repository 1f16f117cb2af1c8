"""`extcal plan`: what it shows, and how it ends."""

from dataclasses import replace

import pytest

from tests.support.cli.command import Extcal
from tests.support.cli.schema import valid
from tests.support.cli.worlds import (
    BUSY,
    EXPORTING,
    PASSWORD,
    QUAY,
    connection,
    email,
    harbor,
    quay,
    schedule_id,
    site,
    world,
)

_PLAN_KEYS = {"format_version", "digest", "summary", "actions"}
_ACTION_KEYS = {
    "action",
    "address",
    "site_id",
    "schedule_id",
    "provider",
    "account",
    "connection_id",
    "reason",
    "recovery",
    "changes",
}


def said_line(extcal: Extcal, error: str) -> str:
    """The line of the manifest at which an error says it lies."""
    file, line, _column, _message = error.split(":", 3)
    return (extcal.folder / file).read_text(encoding="utf-8").splitlines()[int(line) - 1]


def test_a_plan_shows_what_would_change_and_sends_no_write(extcal: Extcal) -> None:
    """The text names every change under its site and schedule, ends in a summary, and nothing is written."""
    extcal.on(world(harbor(1)))
    extcal.write(site(), connection(0, more=EXPORTING), connection(1, more=EXPORTING))
    ran = extcal("plan", "manifests")
    assert ran.code == 0
    assert ran.err == ""
    assert ran.out == (
        "harbor  (7a3f0c1e-5d2b-4f6a-9c8e-1b2d3e4f5a6b)\n"
        "  Staff 0\n"
        "    + connect staff-0  apple staff0@harbor-dental.example  (not connected yet)\n"
        "        with the password in env:EXTCAL_APP_PASSWORD\n"
        "        syncToCalendar.dedicatedCalendar: {}\n"
        "        syncToCalendar.enabled: true\n"
        "  Staff 1\n"
        "    ~ update staff-1  apple staff1@harbor-dental.example  (sync config differs)\n"
        "        syncToCalendar.dedicatedCalendar: none -> {}\n"
        "        syncToCalendar.enabled: false -> true\n"
        "\n"
        "Plan: 1 to connect, 1 to update; 0 as declared, 0 unmanaged.\n"
    )
    assert extcal.writes == []


def test_json_has_exactly_the_contracts_keys(extcal: Extcal) -> None:
    """The document is valid, and neither it nor an action or change has a key more or less than the contract says."""
    extcal.on(world(harbor(1, 2)))
    extcal.write(site(), connection(0, provider="google", more=BUSY), connection(1, more=EXPORTING))
    ran = extcal("plan", "manifests", "--format", "json")
    document = valid(ran.document)
    assert set(document) == _PLAN_KEYS | {"out_of_scope"}
    assert document["summary"] == {
        "connect": 1,
        "update": 1,
        "disconnect": 0,
        "reconnect": 0,
        "replace": 0,
        "noop": 0,
        "unmanaged": 0,
    }
    assert [set(action) for action in ran.actions] == [_ACTION_KEYS] * 2
    assert ran.actions[1] == {
        "action": "update",
        "address": "harbor/staff-1",
        "site_id": "7a3f0c1e-5d2b-4f6a-9c8e-1b2d3e4f5a6b",
        "schedule_id": schedule_id(1),
        "provider": "apple",
        "account": email(1),
        "connection_id": "live-1",
        "reason": "config-drift",
        "recovery": "automatic",
        "changes": [
            {"path": "syncConfig.syncToCalendar.dedicatedCalendar", "before": None, "after": {}},
            {"path": "syncConfig.syncToCalendar.enabled", "before": False, "after": True},
        ],
    }


def test_the_digest_follows_the_actions(extcal: Extcal) -> None:
    """The same plan has the same digest, another plan another."""
    extcal.write(site(), connection(0))
    first, again = (extcal("plan", "manifests", "--format", "json").document["digest"] for _ in range(2))
    extcal.write(site(), connection(0, more=BUSY))
    assert first == again != extcal("plan", "manifests", "--format", "json").document["digest"]


@pytest.mark.parametrize(("live", "code"), [((), 2), ((0,), 0)])
def test_detailed_exitcode_tells_pending_changes(extcal: Extcal, live: tuple[int, ...], code: int) -> None:
    """With --detailed-exitcode the exit code is 2 where changes are pending and 0 where none are; without it, 0."""
    extcal.on(world(harbor(*live)))
    extcal.write(site(), connection(0))
    assert extcal("plan", "manifests", "--detailed-exitcode").code == code
    assert extcal("plan", "manifests").code == 0


def test_detailed_exitcode_does_not_hide_a_failure(extcal: Extcal) -> None:
    """A plan that could not be made in full ends with 1, pending changes or not."""
    extcal.on(world(harbor(), quay(key="key-of-the-quay")))
    extcal.write(site(), site("quay", id_=QUAY), connection(0), connection(1, of="quay"))
    assert extcal("plan", "manifests", "--detailed-exitcode").code == 1


def test_nothing_to_do_is_said_in_one_line(extcal: Extcal) -> None:
    """Where all is as declared, the plan is its summary."""
    extcal.on(world(harbor(0, 1)))
    extcal.write(site(more="scope: site"), connection(0, more=BUSY))
    ran = extcal("plan", "manifests")
    assert ran.code == 0
    assert ran.out.splitlines()[-1] == "Nothing to do: 1 as declared, 1 unmanaged."


def test_one_site_and_one_connection_can_be_chosen(extcal: Extcal) -> None:
    """--site and --connection narrow the plan, by short name or by address."""
    extcal.on(world(harbor(), replace(quay(key="key-of-the-quay"))))
    extcal.write(site(), site("quay", id_=QUAY, key="EXTCAL_QUAY"), connection(0), connection(1), to="manifests/h.yaml")
    extcal.write(connection(2, of="quay"), to="manifests/q.yaml")
    extcal.env["EXTCAL_QUAY"] = "key-of-the-quay"

    def addresses(*args: str) -> list[object]:
        return [a["address"] for a in extcal("plan", "manifests", "--format", "json", *args).actions]

    assert addresses() == ["harbor/staff-0", "harbor/staff-1", "quay/staff-2"]
    assert addresses("--site", "quay") == ["quay/staff-2"]
    assert addresses("--connection", "staff-1", "--connection", "quay/staff-2") == ["harbor/staff-1", "quay/staff-2"]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--site", "harbour"), "--site harbour: no manifest declares it; did you mean harbor?"),
        (("--connection", "staf-0"), "--connection staf-0: no manifest declares it; did you mean staff-0?"),
        (("--connection", "lee"), "--connection lee: no manifest declares it; declared are staff-0"),
        (("--allow", "max-disconects:harbor"), "unknown guard 'max-disconects'; did you mean max-disconnects?"),
        (
            ("--allow", "max-disconnects:harbor/staff-0"),
            "max-disconnects guards a site, not a connection. Write max-disconnects:harbor.",
        ),
        (
            ("--allow", "consent-loss:harbor"),
            "consent-loss guards a connection, not a site. Write consent-loss:harbor/NAME.",
        ),
        (("--allow", "consent-loss:habor/staff-0"), "unknown site 'habor'; did you mean harbor?"),
        (
            ("--allow", "prevent-disconnect:harbor/staf-0"),
            "--allow prevent-disconnect:harbor/staf-0: no manifest declares it; did you mean harbor/staff-0?",
        ),
        (("--allow", "consent-loss"), "the address is missing. Write consent-loss:SITE/NAME."),
        (("--allow", "max-disconnects"), "the address is missing. Write max-disconnects:SITE."),
    ],
)
def test_a_name_that_is_not_there_is_wrong_usage_with_a_hint(extcal: Extcal, args: tuple[str, ...], said: str) -> None:
    """A choice that means nothing ends with 64 and says what was probably meant; only for live ids a site is read."""
    extcal.write(site(), connection(0))
    ran = extcal("plan", "manifests", *args)
    assert (ran.code, ran.out) == (64, "")
    assert said in ran.err
    assert len(extcal.sandbox.requests) == (2 if args[0] == "--connection" else 0)


def test_a_site_that_fails_does_not_hide_the_other(extcal: Extcal) -> None:
    """The site that can be read is planned, the other's error is told, and JSON holds both."""
    extcal.on(world(harbor(), quay(key="key-of-the-quay")))
    extcal.write(site(), site("quay", id_=QUAY), connection(0), connection(1, of="quay"))
    text, ran = extcal("plan", "manifests"), extcal("plan", "manifests", "--format", "json")
    assert text.code == ran.code == 1
    assert "+ connect staff-0" in text.out
    assert "quay: the changes of this site can't be applied; see the errors" in text.out
    assert [action["address"] for action in ran.actions] == ["harbor/staff-0"]
    errors = valid(ran.document)["errors"]
    assert isinstance(errors, list)
    assert [error["address"] for error in errors] == ["quay"]
    assert "HTTP 403" in text.err
    assert text.err.startswith("manifests/all.yaml:10:1: ")


def test_what_a_provider_cannot_do_is_told_at_its_line(extcal: Extcal) -> None:
    """A fault that only the service's answer shows names file, line and column; applying leaves that one alone."""
    extcal.write(site(), connection(0), connection(1, provider="{name: Tidewater Rota}", more=EXPORTING))
    ran = extcal("plan", "manifests")
    assert ran.code == 1
    assert "provider Tidewater Rota can't export events" in ran.err
    assert said_line(extcal, ran.err) == f"  {EXPORTING}"
    applied = extcal("apply", "manifests", "--auto-approve", env={"EXTCAL_APP_PASSWORD": PASSWORD})
    assert applied.code == 1
    assert applied.out.count("done            connect harbor/staff-0") == 1
    assert [request.path.rpartition("/")[2] for request in extcal.writes] == ["connections:connectByCredentials"]


@pytest.mark.parametrize(
    ("calendars", "said"),
    [
        ("[Wrok]", "Wrok"),
        ("[Personal]", "Personal"),
    ],
)
def test_a_calendar_that_is_unknown_or_not_the_only_one_of_its_name(extcal: Extcal, calendars: str, said: str) -> None:
    """A calendar's name that means none or several fails the plan at its line, and names the candidates."""
    shown = world(harbor(0))
    accounts = tuple(
        replace(a, calendars=(*a.calendars, *(replace(a.calendars[0], id=i, name="Personal") for i in ("p1", "p2"))))
        for a in shown.accounts
    )
    extcal.on(replace(shown, accounts=accounts))
    config = f"syncConfig: {{listEventFromCalendars: {{enabled: true, calendars: {calendars}}}}}"
    extcal.write(site(), connection(0, more=config))
    ran = extcal("plan", "manifests")
    assert ran.code == 1
    assert said_line(extcal, ran.err) == f"  {config}"
    assert said in ran.err
    assert ("p1" in ran.err and "p2" in ran.err) if said == "Personal" else ("Work" in ran.err)


@pytest.mark.parametrize(
    ("named", "said"),
    [("Twin", schedule_id(90)), ("Staf 3", "did you mean Staff 3?")],
)
def test_a_schedule_that_is_ambiguous_or_unknown(extcal: Extcal, named: str, said: str) -> None:
    """A schedule's name that means several or none fails at its line, and names the candidates."""
    shown = harbor()
    twins = tuple(replace(shown.schedules[0], id=schedule_id(90 + n), name="Twin") for n in range(2))
    extcal.on(world(replace(shown, schedules=(*shown.schedules, *twins))))
    extcal.write(site(), connection(0).replace(f"{{id: {schedule_id(0)}}}", f"{{name: {named}}}"))
    ran = extcal("plan", "manifests")
    assert ran.code == 1
    assert said_line(extcal, ran.err) == f"  schedule: {{name: {named}}}"
    assert said in ran.err
