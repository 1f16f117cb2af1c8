"""`extcal pull` as a person runs it, against a running sandbox."""

import re
from dataclasses import replace

import httpx
import pytest

from reconciler.manifests import load
from reconciler.sandbox.contract import ErrorReason, ExportTarget, Status
from reconciler.sandbox.server import RunningSandbox
from reconciler.sandbox.sync_config import Export, Import, SyncConfig
from reconciler.sandbox.world import ExistingConnection, Provider
from tests.support.cli import worlds
from tests.support.cli.command import Extcal
from tests.support.cli.worlds import APPLE, HARBOR, PROVIDERS, QUAY, connected, harbor, quay, schedule_id, world
from tests.support.servers.scripted import Reply, serving

ODD = "f8b9a061-f8b3-4eed-af9d-63801dcec2aa"
HERE = ("pull", "--site-id", HARBOR, "--name", "harbor", "--output", "manifests")


def _update(extcal: Extcal, connection_id: str, sync: dict[str, object]) -> None:
    """Change a sync config by hand, as somebody would in the dashboard."""
    answer = httpx.patch(
        f"{extcal.sandbox.endpoint}/bookings/v2/external-calendars/connections/{connection_id}/sync-config",
        headers={"Authorization": extcal.sandbox.api_key, "wix-site-id": HARBOR},
        json={"syncConfig": sync},
        trust_env=False,
    )
    assert answer.status_code == httpx.codes.OK, answer.text


def test_the_whole_loop(extcal: Extcal) -> None:
    """Pull, plan, change by hand, pull again: exit codes and what is said about each file."""
    extcal.on(world(harbor(0, 1)))
    first = extcal.process(*HERE)
    assert (first.code, first.err) == (0, "1 site: 1 pulled, 2 connections\n")
    assert first.out.splitlines() == [
        "created    manifests/harbor/policies.yaml",
        "created    manifests/harbor/schedules/staff-0.yaml",
        "created    manifests/harbor/schedules/staff-1.yaml",
        "created    manifests/harbor/site.yaml",
    ]
    assert extcal("plan", "manifests", "--detailed-exitcode").code == 0
    _update(extcal, "live-0", {"syncToCalendar": {"enabled": True, "dedicatedCalendar": {}}})
    assert extcal("plan", "manifests", "--detailed-exitcode").code == 2
    again = extcal("pull", "manifests", "--output", "manifests")
    assert (again.code, again.err) == (0, "1 site: 1 pulled, 2 connections\n")
    assert again.out.splitlines() == [
        "updated    manifests/harbor/schedules/staff-0.yaml",
        "unchanged  manifests/harbor/policies.yaml",
        "unchanged  manifests/harbor/schedules/staff-1.yaml",
        "unchanged  manifests/harbor/site.yaml",
    ]
    assert extcal("plan", "manifests", "--detailed-exitcode").code == 0
    assert extcal.writes == [] or all(request.method == "PATCH" for request in extcal.writes)


def test_what_a_list_leaves_out_is_not_taken_for_off(extcal: Extcal, terse: RunningSandbox) -> None:
    """A direction is asked for by itself; else the manifests would switch off what works."""
    exporting = SyncConfig(Import(enabled=True, primary=True), Export(enabled=True, target=ExportTarget.DEDICATED))
    terse.replace_world(world(replace(harbor(), connections=(replace(connected(0), sync_config=exporting),))))
    env = {"EXTCAL_ENDPOINT": terse.endpoint}
    assert extcal(*HERE, env=env).code == 0
    (declared,) = load([extcal.folder / "manifests"]).connections
    directions = (declared.sync.imports, declared.sync.exports)
    assert [direction is not None and direction.enabled for direction in directions] == [True, True]
    assert extcal("plan", "manifests", "--detailed-exitcode", env=env).code == 0


def test_nothing_is_written_of_a_site_where_what_is_left_out_can_not_be_read(extcal: Extcal) -> None:
    """What a list leaves out may be on."""
    row = {"id": "c1", "providerId": APPLE, "scheduleId": schedule_id(0), "externalAccountEmail": "kim@harbor.example"}
    providers = [{"id": APPLE, "name": "Apple", "calendarType": "I_CAL"}]
    with serving() as service:
        read = Reply({"providers": providers, "connections": [{**row, "status": "SYNCED"}]})
        service.script(read, read)
        service.otherwise = lambda: Reply({"message": "not allowed"}, 403)
        ran = extcal(*HERE, env={"EXTCAL_ENDPOINT": service.url})
    assert (ran.code, ran.out) == (1, "")
    assert "GetConnection: HTTP 403" in ran.err
    assert not (extcal.folder / "manifests").exists()


def test_the_embedded_sandbox_needs_no_id(extcal: Extcal) -> None:
    """With --sandbox all of its sites are pulled, called as it calls them."""
    env = {"EXTCAL_ENDPOINT": None, "EXTCAL_API_KEY": None}
    ran = extcal("pull", "--output", "manifests", "--sandbox", env=env)
    assert ran.code == 0
    assert ran.out.splitlines() == [
        "created    manifests/harbor-dental/site.yaml",
        "created    manifests/lakeside-physio/schedules/sam.yaml",
        "created    manifests/lakeside-physio/site.yaml",
    ]
    assert extcal("plan", "manifests", "--sandbox", "--detailed-exitcode", env=env).code == 0


def test_check_shows_what_differs_and_writes_nothing(extcal: Extcal) -> None:
    """--check ends with 1 and a diff while something differs, and with 0 and nothing when nothing does."""
    extcal.on(world(harbor(0)))
    before = extcal(*HERE, "--check")
    assert before.code == 1
    assert before.out.startswith("--- /dev/null\n+++ manifests/harbor/schedules/staff-0.yaml\n@@ -0,0 +1,")
    assert "+kind: Connection\n" in before.out
    assert before.err == "2 files differ from what is live. Pull without --check to write the changes.\n"
    assert not (extcal.folder / "manifests").exists()
    assert extcal(*HERE).code == 0
    clean = extcal(*HERE, "--check")
    assert (clean.code, clean.out, clean.err) == (0, "", "")
    _update(extcal, "live-0", {"listEventFromCalendars": {"enabled": False}})
    drifted = extcal(*HERE, "--check")
    assert drifted.code == 1
    path = "manifests/harbor/schedules/staff-0.yaml"
    assert drifted.out.startswith(f"--- {path}\n+++ {path}\n@@ -")
    assert "-    listEventFromCalendars: {enabled: true, primaryCalendar: {}}\n" in drifted.out
    assert "+    listEventFromCalendars: {enabled: false, primaryCalendar: {}}\n" in drifted.out


def test_two_requests_are_enough_where_all_is_declared(extcal: Extcal) -> None:
    """Only what is new costs more than the providers and the connections."""
    extcal.on(world(harbor(0, 1, 2)))
    assert extcal(*HERE).code == 0
    assert len(extcal.sandbox.requests) == 3
    extcal.sandbox.requests.clear()
    assert extcal(*HERE, "--check").code == 0
    assert len(extcal.sandbox.requests) == 2


def test_names_of_calendars_are_asked_for_only_where_they_are_missing(extcal: Extcal, nameless: RunningSandbox) -> None:
    """A sync config that tells ids alone costs a request for each account, once."""
    extcal = replace(extcal, served=nameless, env={**extcal.env, "EXTCAL_ENDPOINT": nameless.endpoint})
    chosen = replace(connected(0), sync_config=SyncConfig(Import(enabled=True, calendars=("work",)), Export()))
    extcal.on(world(replace(harbor(), connections=(chosen, connected(1)))))
    assert extcal(*HERE).code == 0
    assert [request.path for request in extcal.sandbox.requests if request.path.endswith("/calendars")] == [
        "/bookings/v2/external-calendars/connections/live-0/calendars"
    ]
    text = (extcal.folder / "manifests/harbor/schedules/staff-0.yaml").read_text()
    assert "- {id: work, name: Work}" in text
    extcal.sandbox.requests.clear()
    assert extcal(*HERE, "--check").code == 0
    assert len(extcal.sandbox.requests) == 2


def test_a_site_that_can_not_be_read_does_not_keep_the_others(extcal: Extcal) -> None:
    """The readable site is written, the other is an error, and the exit code is 1."""
    extcal.on(world(harbor(0), quay(key="another-key")))
    ran = extcal("pull", "--site-id", QUAY, "--site-id", HARBOR, "--output", "manifests")
    assert ran.code == 1
    # Providers and connections are asked for at once: either answer may come first.
    assert re.match("error: site-2c5d8f31: List(Providers|Connections): HTTP 403", ran.err)
    assert sorted(path.name for path in (extcal.folder / "manifests").iterdir()) == ["site-7a3f0c1e"]


def test_sites_of_manifests_are_reached_as_they_say(extcal: Extcal) -> None:
    """Each site is read with its own key, and --site leaves one."""
    extcal.on(world(harbor(0), quay(key="another-key")))
    extcal.write(worlds.site("harbor"), worlds.site("quay", id_=QUAY, key="EXTCAL_QUAY_KEY"), to="sites/all.yaml")
    env = {"EXTCAL_QUAY_KEY": "another-key"}
    only = extcal("pull", "sites", "--site", "quay", "--output", "out", env=env)
    assert only.out.splitlines() == ["created    out/quay/site.yaml"]
    both = extcal("pull", "sites", "--output", "out", env=env)
    assert both.out.splitlines() == [
        "created    out/harbor/schedules/staff-0.yaml",
        "created    out/harbor/site.yaml",
        "unchanged  out/quay/site.yaml",
    ]
    assert "auth: {apiKey: {env: EXTCAL_QUAY_KEY}}" in (extcal.folder / "out/quay/site.yaml").read_text()


def test_settings_of_a_site_go_with_it_to_a_new_folder(extcal: Extcal) -> None:
    """What manifests at PATH say of a site, its guards among it, holds in the folder that it is pulled to as well."""
    extcal.on(world(harbor(0)))
    extcal.write(worlds.site(more="scope: site\nprune: true\nguards: {maxDisconnects: 10%}"), to="sites/all.yaml")
    assert extcal("pull", "sites", "--output", "new/deep").code == 0
    before, after = (load([extcal.folder / name]).sites for name in ("sites", "new"))
    assert [replace(one, source=before[0].source) for one in after] == list(before)
    assert extcal("plan", "new", "--detailed-exitcode").code == 0


def test_what_is_known_of_connections_goes_with_them_to_a_new_folder(extcal: Extcal) -> None:
    """Names, password references and lifecycles hold in the new folder, so that nothing loses its protection."""
    extcal.on(world(harbor(0, 1, 2, 3)))
    guarded = "lifecycle: {preventDisconnect: true, ignoreChanges: [syncConfig.syncToCalendar]}"
    by_name = worlds.connection(1).replace(f"{{id: {schedule_id(1)}}}", "{name: Staff 1}")
    extcal.write(
        worlds.site(),
        worlds.connection(0, more=guarded).replace("name: staff-0}", "name: Our.Chief}"),
        by_name,
        worlds.connection(2, more="state: absent"),
        to="sites/all.yaml",
    )
    ran = extcal("pull", "sites", "--output", "new")
    assert ran.code == 1
    assert ran.err.endswith(
        "[live-2] is left out: harbor/staff-2 declares it absent; apply that, then pull again\n"
        "1 site: 1 pulled, 3 connections\n"
    )
    before, after = ({one.name: one for one in load([extcal.folder / name]).connections} for name in ("sites", "new"))
    assert sorted(after) == ["Our.Chief", "staff-1", "staff-3-apple"]
    for name in ("Our.Chief", "staff-1"):
        assert (after[name].password, after[name].lifecycle) == (before[name].password, before[name].lifecycle)
    assert str(after["staff-3-apple"].password) == "env:EXTCAL_STAFF_3_APPLE_PASSWORD"
    assert extcal("plan", "new", "--detailed-exitcode").code == 0
    assert extcal("pull", "sites", "--output", "new", "--check").out == ""


def test_what_can_not_be_matched_is_not_carried_over_and_said(extcal: Extcal) -> None:
    """A manifest at PATH that means nothing live lends its name to nothing."""
    extcal.on(world(harbor(0)))
    lost = worlds.connection(0).replace(f"{{id: {schedule_id(0)}}}", "{name: Staff Nought}")
    extcal.write(worlds.site(), lost, to="sites/all.yaml")
    ran = extcal("pull", "sites", "--output", "new")
    assert ran.code == 0
    assert re.match(
        r"warning: sites/all\.yaml:\d+:\d+: .*Staff Nought.*; its name, password reference and life", ran.err
    )
    assert [one.name for one in load([extcal.folder / "new"]).connections] == ["staff-0-apple"]


def test_a_change_that_makes_manifests_conflict_is_told_by_their_files(extcal: Extcal) -> None:
    """One click in the dashboard holds back the manifests that it makes conflict, and no others."""
    imports = [SyncConfig(Import(enabled=True, calendars=(name,)), Export()) for name in ("work", "home")]
    lives = [
        replace(connected(0), sync_config=imports[0]),
        replace(connected(0), id="live-1", schedule_id=schedule_id(1), sync_config=imports[1]),
        connected(2),
    ]
    extcal.on(world(replace(harbor(), connections=tuple(lives))))
    assert extcal(*HERE).code == 0
    _update(extcal, "live-0", {"listEventFromCalendars": {"enabled": True, "primaryCalendar": {}}})
    _update(extcal, "live-2", {"listEventFromCalendars": {"enabled": False}})
    ran = extcal(*HERE)
    assert (ran.code, ran.out.splitlines()[0]) == (1, "updated    manifests/harbor/schedules/staff-2.yaml")
    assert re.fullmatch(
        r"error: harbor/staff-0-apple: not updated, since the live state conflicts: "
        r"manifests/harbor/schedules/staff-1\.yaml:8:3: the account 'staff0@harbor-dental\.example' is declared for "
        r"another schedule by harbor/staff-0-apple, and both may import from the same calendar, .*the other is at "
        r"manifests/harbor/schedules/staff-0\.yaml:1:1\); change one of the two in the site's dashboard, "
        r"then pull again\n1 site: 1 pulled, 3 connections\n",
        ran.err,
    )


def test_a_site_given_by_its_id_has_the_defaults(extcal: Extcal) -> None:
    """Of a site that no manifest declares nothing is known, and nothing is made up."""
    extcal.on(world(harbor(0)))
    assert extcal(*HERE).code == 0
    (made,) = load([extcal.folder / "manifests"]).sites
    assert (made.scope, made.prune, made.max_disconnects, made.redirect_url) == ("schedules", False, 25, None)


def test_nothing_readable_at_all_writes_nothing(extcal: Extcal) -> None:
    """Where no site can be read the command fails and leaves no folder behind."""
    ran = extcal(*HERE, env={"EXTCAL_API_KEY": "wrong-one"})
    assert ran.code == 1
    assert "HTTP 401" in ran.err
    assert not (extcal.folder / "manifests").exists()


def test_a_provider_that_is_down_is_an_error_and_the_rest_is_written(extcal: Extcal) -> None:
    """What could not be read is named, and the exit code says that the pull is not whole."""
    extcal.on(world(harbor(0)))
    extcal.sandbox.set_provider_down(worlds.GOOGLE, down=True)
    ran = extcal(*HERE)
    assert ran.code == 1
    assert ran.err == (
        "error: harbor: the service could not read provider Google; its connections are left out\n"
        "1 site: 1 pulled, 1 connection\n"
    )
    assert "created    manifests/harbor/schedules/staff-0.yaml" in ran.out


def test_what_is_left_out_is_an_error(extcal: Extcal) -> None:
    """A connection that no manifest can declare is named on stderr, the rest is written, and the exit code is 1."""
    hidden = replace(connected(0), email_shown=False)
    extcal.on(world(replace(harbor(1), connections=(hidden, connected(1)))))
    ran = extcal(*HERE)
    assert ran.code == 1
    assert ran.err.startswith("error: harbor: an account that is not shown (apple) on Staff 0 [live-0] is left out: ")
    assert "created    manifests/harbor/schedules/staff-1.yaml" in ran.out
    assert extcal("plan", "manifests", "--detailed-exitcode").code == 0
    again = extcal(*HERE, "--check")
    assert (again.code, again.out, f"{again.err}1 site: 1 pulled, 1 connection\n") == (1, "", ran.err)


def test_duplicates_and_broken_connections_do_not_hold_the_others_back(extcal: Extcal) -> None:
    """What would keep the site from being planned is left out, in whatever order it is listed."""
    odd = Provider(ODD, "rota", "Odd", connect_methods=("PIGEON",), update_sync_config=False)
    broken = ExistingConnection(
        ODD, schedule_id(2), worlds.email(2), Status.ERROR, ErrorReason.TOKEN_REVOKED, id="live-2"
    )
    lives = (connected(0), replace(connected(0), id="twin"), connected(1), broken)
    for number, order in enumerate((lives, lives[::-1])):
        extcal.on(world(replace(harbor(), providers=(*PROVIDERS, odd), connections=order)))
        output = f"new-{number}"
        ran = extcal("pull", "--site-id", HARBOR, "--name", "harbor", "--output", output)
        assert (ran.code, ran.err.count("is left out: ")) == (1, 3)
        plan = extcal("plan", output, "--format", "json", "--detailed-exitcode")
        assert plan.code == 0
        assert [action["address"] for action in plan.actions] == ["harbor/staff-1-apple"]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((), "missing option '--output'"),
        (("--output", "m"), "no site is given"),
        (("--output", "m", "--site-id", "x"), "--site-id x: not a site's id"),
        (("--output", "m", "--site-id", HARBOR, "p"), "PATH and --site-id exclude each other"),
        (("--output", "m", "--site-id", HARBOR, "--site", "p"), "--site selects a site of manifests"),
        (("--output", "m", "--site-id", HARBOR, "--name", "a", "--name", "b"), "2 --name for 1 --site-id"),
        (
            ("--output", "m", "--site-id", HARBOR, "--name", "a b"),
            "--name a b: not a name. Use at most 128 letters, digits",
        ),
    ],
)
def test_wrong_usage_is_told(extcal: Extcal, args: tuple[str, ...], message: str) -> None:
    """What can't be meant ends with 64 and says what to do."""
    ran = extcal("pull", *args)
    assert ran.code == 64
    assert message in ran.err
    assert not (extcal.folder / "m").exists()


def test_a_name_that_is_taken_is_told(extcal: Extcal) -> None:
    """A site keeps the name that the folder gives it, and no other gets it."""
    assert extcal(*HERE).code == 0
    other = extcal("pull", "--site-id", QUAY, "--name", "harbor", "--output", "manifests")
    assert (other.code, "the folder can't use this name" in other.err) == (64, True)
    renamed = extcal("pull", "--site-id", HARBOR, "--name", "haven", "--output", "manifests")
    assert (renamed.code, f"{HARBOR} is called harbor there" in renamed.err) == (64, True)
    assert extcal("pull", "--site-id", HARBOR.upper(), "--output", "manifests").code == 0


def test_a_file_as_output_is_told(extcal: Extcal) -> None:
    """An output that is a file is refused before anything is asked of the service."""
    (extcal.folder / "manifests").write_text("mine")
    ran = extcal(*HERE)
    assert (ran.code, ran.err) == (1, "error: can't write into 'manifests': it is a file; name a folder\n")
    assert len(extcal.sandbox.requests) == 0


def test_names_that_can_not_be_read_are_done_without(extcal: Extcal) -> None:
    """Without the permissions to read schedules and calendars a pull goes on, by ids, and says so."""
    imports = {"enabled": True, "calendars": {"calendars": [{"id": "work"}]}}
    live = {
        "id": "live-0",
        "providerId": APPLE,
        "calendarType": "I_CAL",
        "scheduleId": worlds.schedule_id(0),
        "externalAccountEmail": worlds.email(0),
        "status": "SYNCED",
        "syncConfig": {"listEventFromCalendars": imports, "syncToCalendar": {"enabled": False}},
    }
    features = {"connectMethods": ["CREDENTIALS"], "updateSyncConfig": True}
    apple = {"id": APPLE, "name": "Apple", "calendarType": "I_CAL", "features": features}
    with serving() as service:
        read = Reply({"providers": [apple], "connections": [live]})
        service.script(read, read)
        service.otherwise = lambda: Reply({"message": "not allowed"}, 403)
        ran = extcal(*HERE, env={"EXTCAL_ENDPOINT": service.url})
    assert ran.code == 0
    assert ran.err.startswith("warning: harbor: schedules can't be read, so they are named by their ids: Query")
    text = (extcal.folder / "manifests/harbor/schedules/schedule-3e47ec65.yaml").read_text()
    assert "  schedule: {id: 3e47ec65-2975-447c-a7ed-000000000000}\n" in text
    assert "        - {id: work}\n" in text


def test_a_file_that_can_not_be_written_is_an_error(extcal: Extcal) -> None:
    """What the disk refuses is told, and the exit code says that the pull is not done."""
    (extcal.folder / "manifests").mkdir()
    (extcal.folder / "manifests/harbor").write_text("mine")
    ran = extcal(*HERE)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("error: can't write manifests/harbor/site.yaml: ")
