"""Pulling into a folder without manifests: what is written, and what is left out and said to be."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.errors import ManifestError
from reconciler.manifests import load
from reconciler.model.desired import BOOKINGS_APP_ID, AppAuth, Scope, SecretKind, SecretRef
from reconciler.model.live import LiveConnection, Provider, Schedule
from reconciler.model.sync import Arm, CalendarRef, Direction, SyncConfig
from tests.pull.live import (
    APPLE,
    AS_DOCUMENTS,
    DEDICATED,
    GOOGLE,
    HOME,
    KIM,
    LEE,
    OFF,
    PATEL,
    PRIMARY,
    PROVIDERS,
    ROTA,
    SCHEDULES,
    WORK,
    actions,
    called,
    chosen,
    live,
    observed,
    pull,
    site,
)

CONNECTION = """\
apiVersion: extcal/v1
kind: Connection
metadata: {name: dr-lee-apple}
spec:
  site: harbor-dental
  schedule: {id: 3e47ec65-2975-447c-a7ed-75041e850d00, name: Dr. Lee}
  provider: apple
  account: lee@harbor-dental.example
  # Set this variable to the account's password; it is needed only to connect the account again.
  credentials: {password: {env: EXTCAL_DR_LEE_APPLE_PASSWORD}}
  syncConfig:
    listEventFromCalendars:
      enabled: true
      calendars:
        - {id: a68yu6, name: Work}
        - {id: b12, name: Home}
    syncToCalendar: {enabled: true, dedicatedCalendar: {}}
"""


def test_a_connection_reads_as_a_person_would_write_it(folder: Path) -> None:
    """A connection's document names everything in words, calendars with their ids, and the password by reference."""
    pull(folder, observed(live(sync=SyncConfig(chosen(WORK, HOME), DEDICATED))))
    assert (folder / "harbor-dental/schedules/dr-lee.yaml").read_text() == CONNECTION


def test_a_site_has_a_folder_and_each_schedule_a_file(folder: Path) -> None:
    """Everything of a site lies in one folder, the connections of a schedule in one file."""
    seen = observed(live(), live(LEE, GOOGLE), live(PATEL, GOOGLE), live(KIM, GOOGLE))
    done = pull(folder, seen, options=AS_DOCUMENTS)
    home = folder / "harbor-dental"
    files = {str(path.relative_to(home)) for path in folder.rglob("*.yaml")}
    schedules = {"schedules/dr-lee.yaml", "schedules/dr-patel.yaml", "schedules/hygienist-kim.yaml"}
    assert files == {"site.yaml", "policies.yaml", *schedules}
    assert sorted(done.saved.created) == sorted(f"harbor-dental/{name}" for name in files)
    assert (home / "schedules/dr-lee.yaml").read_text().count("kind: Connection") == 2


def test_what_is_pulled_plans_as_no_change(folder: Path) -> None:
    """Planning what was pulled finds every connection as declared."""
    seen = observed(live(), live(PATEL, GOOGLE, sync=SyncConfig(PRIMARY, DEDICATED)), live(KIM, ROTA))
    assert not pull(folder, seen).pull.failures
    assert set(actions(folder, seen).values()) == {"noop"}
    assert len(actions(folder, seen)) == 3


def test_repeated_sync_configs_become_policies_named_for_what_they_do(folder: Path) -> None:
    """Where two connections sync alike they share a policy; one that is alone says it itself."""
    both = SyncConfig(PRIMARY, DEDICATED)
    seen = observed(
        live(), live(LEE, GOOGLE), live(PATEL, sync=both), live(PATEL, GOOGLE, sync=both), live(KIM, sync=SyncConfig())
    )
    pull(folder, seen, options=AS_DOCUMENTS)
    text = (folder / "harbor-dental/policies.yaml").read_text()
    assert re.findall("name: (.*)}", text) == ["import-primary", "import-primary-export-dedicated"]
    assert (
        "syncPolicy: import-primary-export-dedicated" in (folder / "harbor-dental/schedules/dr-patel.yaml").read_text()
    )
    assert "syncPolicy" not in (folder / "harbor-dental/schedules/hygienist-kim.yaml").read_text()
    assert set(actions(folder, seen).values()) == {"noop"}


def test_chosen_calendars_are_no_policy(folder: Path) -> None:
    """Calendars are an account's own, so two accounts that name the same ids do not share a policy."""
    sync = SyncConfig(chosen(WORK), OFF)
    pull(folder, observed(live(sync=sync), live(PATEL, sync=sync)))
    assert not (folder / "harbor-dental/policies.yaml").exists()


def test_sites_have_policies_of_their_own(folder: Path) -> None:
    """Policies of several sites do not get into each other's way, though their names are one space."""
    other = site("quay", "2c5d8f31-9e64-4b7a-8d10-6f3e5a7c9b24")
    here = observed(live(), live(PATEL))
    there = observed(live(LEE, GOOGLE), live(PATEL, GOOGLE), of=other)
    pull(folder, here, there)
    assert "name: import-primary}" in (folder / "harbor-dental/policies.yaml").read_text()
    assert "name: quay-import-primary}" in (folder / "quay/policies.yaml").read_text()
    assert {*actions(folder, here).values(), *actions(folder, there).values()} == {"noop"}


def test_a_known_site_keeps_its_settings(folder: Path) -> None:
    """Where manifests elsewhere say how a site is worked on, the new ones say the same."""
    known = replace(
        site(),
        scope=Scope.SITE,
        prune=True,
        max_disconnects=10,
        redirect_url="https://harbor.example/?a=b",
        schedules_app_id="0a75f2e9-2e3a-4817-97a9-72ecbe4ebed5",
    )
    pull(folder, observed(live(), of=known))
    assert [replace(one, source=known.source) for one in load([folder]).sites] == [known]


def test_settings_by_default_are_comments(folder: Path) -> None:
    """A site of which nothing is known gets the defaults, each explained and ready to be changed."""
    pull(folder, observed(live()))
    lines = (folder / "harbor-dental/site.yaml").read_text().splitlines()
    settings = (
        "auth: {apiKey: {env: EXTCAL_API_KEY}}",
        "scope: schedules",
        "prune: false",
        "guards: {maxDisconnects: 25%}",
        "oauth: {redirectUrl: https://…}",
        f"schedules: {{appId: {BOOKINGS_APP_ID}}}",
    )
    assert [line for line in lines if line.startswith("  # ") and line[4:] in settings] == [
        f"  # {setting}" for setting in settings
    ]
    text = "\n".join(line.replace("# ", "") if line[4:] in settings else line for line in lines)
    (folder / "harbor-dental/site.yaml").write_text(text.replace("…", "harbor.example"))
    assert [replace(one, source=site().source) for one in load([folder]).sites] == [
        replace(site(), redirect_url="https://harbor.example")
    ]


@pytest.mark.parametrize("scope", list(Scope))
def test_a_known_site_does_not_prune_what_is_left_out(folder: Path, scope: Scope) -> None:
    """Settings that are carried over take nothing away: prune waits until all that is live is declared."""
    known = replace(site(), scope=scope, prune=True)
    hidden = live(LEE if scope is Scope.SCHEDULES else KIM, GOOGLE, account=None, id="hidden")
    seen = observed(live(), hidden, of=known)
    done = pull(folder, seen)
    assert actions(folder, seen).get("harbor-dental/id:hidden") == "unmanaged"
    assert (
        "harbor-dental: prune: true is not written: it would disconnect what is left out (hidden); "
        "once that is declared or disconnected, set prune: true"
    ) in done.pull.failures


def test_a_known_site_does_not_prune_what_could_not_be_read(folder: Path) -> None:
    """Connections that a provider failed to tell of are not declared, so the next reading must not prune them."""
    known = replace(site(), scope=Scope.SITE, prune=True)
    done = pull(folder, observed(live(), of=known, failed_provider_ids=(GOOGLE.id,)))
    assert "what is left out (connections of provider Google)" in done.pull.failures[1]
    assert "unmanaged" in actions(folder, observed(live(), live(PATEL, GOOGLE), of=known)).values()


def test_an_app_stays_an_app(folder: Path) -> None:
    """A site that is reached as an app is declared so, its secret by reference."""
    auth = AppAuth("0a75f2e9-2e3a-4817-97a9-72ecbe4ebed5", SecretRef(SecretKind.FILE, "app/secret"), LEE)
    pull(folder, observed(live(), of=site(auth=auth)))
    (declared,) = load([folder]).sites
    assert declared.auth == auth


def test_two_connections_of_one_kind_get_names_of_their_own(folder: Path) -> None:
    """Accounts tell connections of one schedule and provider apart, in the manifests and in their variables."""
    seen = observed(live(), live(account="second@harbor-dental.example", id="second"))
    pull(folder, seen)
    first, second = load([folder]).connections
    assert (first.name, second.name) == ("dr-lee-apple", "dr-lee-apple-second")
    assert str(second.password) == "env:EXTCAL_DR_LEE_APPLE_SECOND_PASSWORD"


def test_variables_are_unique_across_sites(folder: Path) -> None:
    """Two sites with a schedule of one name do not share a password's variable."""
    other = site("quay", "2c5d8f31-9e64-4b7a-8d10-6f3e5a7c9b24")
    pull(folder, observed(live()), observed(live(account="lee@quay-optics.example"), of=other))
    assert [str(one.password) for one in load([folder]).connections] == [
        "env:EXTCAL_DR_LEE_APPLE_PASSWORD",
        "env:EXTCAL_QUAY_DR_LEE_APPLE_PASSWORD",
    ]


def test_schedules_of_one_name_get_files_of_their_own(folder: Path) -> None:
    """Schedules that are called alike are told apart by the beginnings of their ids."""
    first, second = "11111111-2975-447c-a7ed-75041e850d00", "22222222-2975-447c-a7ed-75041e850d00"
    twins = (Schedule(first, "Dr. Lee", None, "ACTIVE"), Schedule(second, "Dr. Lee", None, "ACTIVE"))
    connections = (live(schedule_id=first), live(PATEL, schedule_id=second))
    seen = observed()
    seen = replace(seen, live=replace(seen.live, connections=connections))
    done = pull(folder, called(seen, *twins))
    assert [path for path in done.changed if "schedules" in path] == [
        "harbor-dental/schedules/dr-lee-11111111.yaml",
        "harbor-dental/schedules/dr-lee-22222222.yaml",
    ]


@pytest.mark.parametrize("name", ["", "\u200b", "…"])
def test_a_schedule_without_letters_for_a_slug_is_named_by_its_account_and_id(folder: Path, name: str) -> None:
    """A name that has nothing to read aloud still gets a file and a connection name that tools can work with."""
    done = pull(folder, called(observed(live()), Schedule(LEE, name, None, "ACTIVE")))
    assert "harbor-dental/schedules/schedule-3e47ec65.yaml" in done.changed
    assert load([folder]).connections[0].name == "lee-apple"


def test_calendars_get_names_that_were_asked_for(folder: Path) -> None:
    """A name that the sync config does not tell is written where the account's list tells it."""
    seen = observed(live(sync=SyncConfig(chosen(CalendarRef("a68yu6"), CalendarRef("zz9")), OFF)))
    pull(folder, replace(seen, calendar_names={"live-lee-Apple": {"a68yu6": "Work"}}))
    text = (folder / "harbor-dental/schedules/dr-lee.yaml").read_text()
    assert "- {id: a68yu6, name: Work}" in text
    assert "- {id: zz9}" in text


def test_disconnected_connections_are_counted_and_left_out(folder: Path) -> None:
    """What is disconnected already is no connection; the Site's file tells how many there were."""
    seen = observed(live(), live(PATEL, status="DISCONNECTED"), live(KIM, status="DISCONNECTED"))
    pull(folder, seen)
    assert "already disconnected: 2." in (folder / "harbor-dental/site.yaml").read_text()
    assert list(actions(folder, seen)) == ["harbor-dental/dr-lee-apple"]


def test_a_broken_connection_is_declared_and_said_to_be_broken(folder: Path) -> None:
    """One in ERROR is written with the reason above it; planning it asks for what mends it."""
    seen = observed(live(status="ERROR", error_reason="TOKEN_REVOKED"))
    pull(folder, seen)
    text = (folder / "harbor-dental/schedules/dr-lee.yaml").read_text()
    assert text.startswith("# Broken when it was pulled (TOKEN_REVOKED): run plan to see what it needs.\n")
    assert actions(folder, seen) == {"harbor-dental/dr-lee-apple": "reconnect"}


@pytest.mark.parametrize("account", [None, "lee", "lee @harbor.example", "@harbor.example", "a\x01@b.example"])
def test_an_account_that_no_manifest_can_hold_is_left_out(folder: Path, account: str | None) -> None:
    """A connection without an email address is left out and named, and planning shows it as unmanaged."""
    seen = observed(live(account=account), live(LEE, GOOGLE))
    done = pull(folder, seen)
    assert len(done.pull.failures) == 1
    assert "[live-lee-Apple] is left out: " in done.pull.failures[0]
    assert actions(folder, seen)["harbor-dental/id:live-lee-Apple"] == "unmanaged"


def test_a_schedule_without_an_id_is_left_out(folder: Path) -> None:
    """A connection whose schedule the service does not tell can't be declared."""
    done = pull(folder, observed(live(schedule_id="")))
    assert "its schedule has no id that a manifest can hold" in done.pull.failures[0]


_TWINS = (
    (live(id="a"), live(id="b")),
    (live(id="a", status="ERROR"), live(id="b")),
    (live(id="a", status="ERROR"), live(id="b", status="ERROR")),
    (live(id="a", account="LEE@harbor-dental.example", status="SYNCED"), live(id="b"), live(id="c", status="ERROR")),
)


@pytest.mark.parametrize("twins", _TWINS)
def test_a_connection_that_is_there_twice_is_left_out(folder: Path, twins: tuple[LiveConnection, ...]) -> None:
    """A manifest of duplicates would not plan or would take one: each is named with a way out, the rest written."""
    seen = observed(*twins, live(PATEL))
    done = pull(folder, seen)
    left = {f"harbor-dental/id:{one.id}": "unmanaged" for one in twins}
    scoped = {
        address: kind for address, kind in actions(folder, seen).items() if not address.startswith("harbor-dental/id:")
    }
    assert scoped == {"harbor-dental/dr-patel-apple": "noop"}
    (folder / "harbor-dental/site.yaml").write_text(
        (folder / "harbor-dental/site.yaml").read_text().replace("# scope: schedules", "scope: site")
    )
    assert actions(folder, seen) == {"harbor-dental/dr-patel-apple": "noop", **left}
    kept = min(twins, key=lambda one: (one.status == "ERROR", one.id)).id
    ids = ", ".join(one.id for one in twins)
    why = (
        f"{len(twins)} connections have the same schedule, provider and account ({ids}); declare one by hand, "
        f"run extcal resolve PATH --keep harbor-dental/NAME={kept}, then pull again"
    )
    accounts = [one.account for one in twins]
    assert list(done.pull.failures) == [
        f"harbor-dental: {account} (apple) on Dr. Lee [{one.id}] is left out: {why}"
        for one, account in zip(twins, accounts, strict=True)
    ]


@pytest.mark.parametrize("reason", ["TOKEN_REVOKED", None])
def test_a_broken_connection_that_can_not_be_connected_again_is_left_out(folder: Path, reason: str | None) -> None:
    """Where no manifest of it could be planned it is named, with what to do, and does not hold the site back."""
    closed = replace(ROTA, features=replace(ROTA.features, connect_methods=("PIGEON",)))
    broken = live(LEE, ROTA, status="ERROR", error_reason=reason)
    seen = observed(broken, live(), providers=(APPLE, closed))
    done = pull(folder, seen)
    assert actions(folder, seen) == {
        "harbor-dental/dr-lee-apple": "noop",
        f"harbor-dental/id:{broken.id}": "unmanaged",
    }
    assert done.pull.failures == (
        (
            f"harbor-dental: {broken.account} (Tidewater Rota) on Dr. Lee [{broken.id}] is left out: it is broken "
            f"({reason or 'no reason given'}), and provider Tidewater Rota offers no way to connect that extcal knows; "
            "connect it again or disconnect it in the site's dashboard, then pull again"
        ),
    )


def test_a_broken_connection_that_its_config_mends_is_declared(folder: Path) -> None:
    """What needs no connecting can be planned at a provider that offers no way to connect, too."""
    closed = replace(APPLE, features=replace(APPLE.features, connect_methods=("PIGEON",)))
    broken = live(status="ERROR", error_reason="EXTERNAL_CALENDAR_DELETED", sync=SyncConfig(PRIMARY, DEDICATED))
    seen = observed(broken, providers=(closed,))
    assert pull(folder, seen).pull.failures == ()
    assert actions(folder, seen) == {"harbor-dental/dr-lee-apple": "reconnect"}


def test_an_account_on_two_schedules_is_declared_on_one(folder: Path) -> None:
    """What can't be declared beside another, since both use one calendar, is left out and said to be."""
    account = "lee@harbor-dental.example"
    seen = observed(live(), live(PATEL, account=account))
    done = pull(folder, seen)
    assert len(done.pull.failures) == 1
    assert "[live-patel-Apple] is left out: its account is also connected to another schedule" in done.pull.failures[0]
    assert list(actions(folder, seen)) == ["harbor-dental/dr-lee-apple"]


def test_an_account_whose_calendars_are_shared_out_is_declared_on_both(folder: Path) -> None:
    """One account may serve two schedules that import from calendars of their own."""
    account = "lee@harbor-dental.example"
    first, second = (SyncConfig(chosen(calendar), OFF) for calendar in (WORK, HOME))
    seen = observed(live(sync=first), live(PATEL, account=account, sync=second))
    assert not pull(folder, seen).pull.failures
    assert list(actions(folder, seen).values()) == ["noop", "noop"]


def test_a_fixed_sync_config_is_not_stated(folder: Path) -> None:
    """Where nobody can change the sync config the manifest says none, so that it can be connected anew."""
    pull(folder, observed(live(LEE, ROTA)))
    text = (folder / "harbor-dental/schedules/dr-lee.yaml").read_text()
    assert text.startswith("# No sync config is written: Tidewater Rota does not allow changing it.\n")
    assert "provider: {name: Tidewater Rota}" in text
    assert "syncConfig" not in text


def test_what_a_provider_does_not_offer_is_not_stated(folder: Path) -> None:
    """A live sync config that the provider's features contradict would be a fault to declare, so it is left out."""
    poor = replace(APPLE, features=replace(APPLE.features, exports="NOT_SUPPORTED"))
    seen = observed(live(sync=SyncConfig(PRIMARY, DEDICATED)))
    seen = replace(seen, live=replace(seen.live, providers=(poor,)))
    pull(folder, seen)
    assert "No sync config is written" in (folder / "harbor-dental/schedules/dr-lee.yaml").read_text()
    assert actions(folder, seen) == {"harbor-dental/dr-lee-apple": "noop"}


@pytest.mark.parametrize(
    "calendars", [(), (CalendarRef("a\x00b"),), tuple(CalendarRef(str(number)) for number in range(1001))]
)
def test_calendars_that_no_manifest_can_list_are_not_stated(folder: Path, calendars: tuple[CalendarRef, ...]) -> None:
    """None at all, too many, or one whose id can't be written: then the import is stated, and its calendars are not."""
    seen = observed(live(sync=SyncConfig(chosen(*calendars), OFF)))
    pull(folder, seen)
    text = (folder / "harbor-dental/schedules/dr-lee.yaml").read_text()
    assert text.startswith("# No calendar to import from is written: ")
    assert "listEventFromCalendars: {enabled: true}" in text
    assert actions(folder, seen) == {"harbor-dental/dr-lee-apple": "noop"}


def test_two_installations_of_one_provider_are_told_apart(folder: Path) -> None:
    """Where the word for a provider would mean two connections, each names its provider itself."""
    old = Provider("f8b9a061-f8b3-4eed-af9d-63801dcec277", "Office 365", "OFFICE_365", GOOGLE.features)
    new = Provider("f8b9a061-f8b3-4eed-af9d-63801dcec278", "Outlook", "MICROSOFT", GOOGLE.features)
    seen = observed(live(LEE, old), live(LEE, new))
    seen = replace(seen, live=replace(seen.live, providers=(old, new)))
    assert not pull(folder, seen).pull.failures
    assert [str(one.provider) for one in load([folder]).connections] == ["Office 365", "Outlook"]
    assert list(actions(folder, seen).values()) == ["noop", "noop"]


def test_a_provider_whose_name_is_not_its_own_is_named_by_id(folder: Path) -> None:
    """A name that two providers have names neither."""
    twin = replace(ROTA, id="f8b9a061-f8b3-4eed-af9d-63801dcec279")
    seen = observed(live(LEE, ROTA))
    seen = replace(seen, live=replace(seen.live, providers=(*PROVIDERS, twin)))
    pull(folder, seen)
    assert load([folder]).connections[0].provider.value == ROTA.id


def test_a_provider_that_is_gone_leaves_its_connections_out(folder: Path) -> None:
    """A connection of a provider that the site offers no more can't be declared."""
    gone = replace(ROTA, id="f8b9a061-f8b3-4eed-af9d-63801dcec279")
    done = pull(folder, observed(live(), live(PATEL, gone)))
    assert "no reference to its provider would match it alone" in done.pull.failures[0]


def test_a_provider_that_could_not_be_read_is_left_out_and_said_to_be(folder: Path) -> None:
    """What a provider failed to tell is not taken for what there is."""
    seen = observed(live(), live(PATEL, GOOGLE), failed_provider_ids=(GOOGLE.id,))
    done = pull(folder, seen)
    assert done.pull.failures == (
        "harbor-dental: the service could not read provider Google; its connections are left out",
    )
    assert [one.name for one in load([folder]).connections] == ["dr-lee-apple"]


def test_a_direction_the_service_does_not_tell_of_is_off(folder: Path) -> None:
    """What the live sync config leaves out counts as off, in a manifest as in planning."""
    seen = observed(live(sync=SyncConfig()), live(PATEL, sync=SyncConfig(Direction(arm=Arm.PRIMARY), None)))
    pull(folder, seen)
    assert "metadata: {name: no-sync}" in (folder / "harbor-dental/policies.yaml").read_text()
    assert set(actions(folder, seen).values()) == {"noop"}


def test_a_site_without_connections_is_declared_all_the_same(folder: Path) -> None:
    """An empty site has its Site manifest, so that connections can be added."""
    done = pull(folder, observed())
    assert done.changed == ["harbor-dental/site.yaml"]
    assert load([folder]).connections == ()


def test_manifests_that_do_not_load_are_not_pulled_into(folder: Path) -> None:
    """Faults of what is there are told, and nothing is written."""
    folder.mkdir()
    (folder / "mine.yaml").write_text("kind: Nonsense\n")
    with pytest.raises(ManifestError):
        pull(folder, observed(live()))
    assert [path.name for path in folder.iterdir()] == ["mine.yaml"]


def test_what_was_left_out_before_does_not_move_names(folder: Path) -> None:
    """The names that a pull gives depend on what it sees alone, not on its order."""
    seen = observed(live(), live(account="second@harbor-dental.example", id="second"), live(PATEL))
    turned = replace(seen, live=replace(seen.live, connections=tuple(reversed(seen.live.connections))))
    pull(folder, seen)
    pull(Path("turned"), turned)
    texts = [
        {str(p.relative_to(root)): p.read_text() for p in root.rglob("*.yaml")} for root in (folder, Path("turned"))
    ]
    assert texts[0] == texts[1]


def test_schedules_whose_names_are_unknown_are_named_by_accounts(folder: Path) -> None:
    """Where schedules can't be read, ids and accounts do."""
    seen = observed(live())
    pull(folder, replace(seen, schedule_names={}))
    text = (folder / "harbor-dental/schedules/schedule-3e47ec65.yaml").read_text()
    assert f"schedule: {{id: {LEE}}}\n" in text
    assert SCHEDULES[0].name not in text
