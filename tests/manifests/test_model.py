"""From valid manifests to the desired model."""

import json
from collections.abc import Callable
from itertools import permutations
from pathlib import Path

import pytest

from reconciler.manifests import load
from reconciler.manifests.schema import schema_text
from reconciler.model.desired import (
    BOOKINGS_APP_ID,
    ApiKeyAuth,
    AppAuth,
    Desired,
    Lifecycle,
    ProviderKey,
    ProviderRef,
    ScheduleKey,
    ScheduleRef,
    Scope,
    SecretKind,
    SecretRef,
    State,
)
from reconciler.model.source import Source
from reconciler.model.sync import Arm, CalendarRef, Direction, SyncConfig
from tests.support.builders.manifests import (
    CONNECTION,
    POLICY,
    SCHEDULE_ID,
    SITE,
    SITE_ID,
    connection,
    documents,
    manifest,
)

Load = Callable[[str], Desired]

APP_ID = "0a75f2e9-2e3a-4817-97a9-72ecbe4ebed5"
WHOLE = f"""\
# yaml-language-server: $schema=schemas/site.schema.json
apiVersion: extcal/v1
kind: Site
metadata: {{name: harbor-dental}}
spec:
  siteId: {SITE_ID.upper()}
  auth: {{apiKey: {{env: EXTCAL_API_KEY}}}}
  scope: site
  prune: true
  guards: {{maxDisconnects: 5%}}
  oauth: {{redirectUrl: "https://harbor-dental.example/connected?from=extcal"}}
  schedules: {{appId: {APP_ID.upper()}}}
---
apiVersion: extcal/v1
kind: SyncPolicy
metadata: {{name: busy-times-only}}
spec:
  syncConfig:
    listEventFromCalendars: {{enabled: true, primaryCalendar: {{}}}}
    syncToCalendar: {{enabled: false}}
---
apiVersion: extcal/v1
kind: Connection
metadata: {{name: dr-lee-apple}}
spec:
  site: harbor-dental
  schedule: {{id: {SCHEDULE_ID}}}
  provider: apple
  account: lee@harbor-dental.example
  credentials: {{password: {{file: lee/apple}}}}
  state: present
  syncPolicy: busy-times-only
  syncConfig:
    listEventFromCalendars:
      calendars: [Work, {{id: a68yu6}}, {{id: b1, name: Home}}]
    syncToCalendar: {{enabled: true, dedicatedCalendar: {{}}}}
  lifecycle: {{preventDisconnect: true, ignoreChanges: [syncConfig.syncToCalendar]}}
"""


def test_every_field_reaches_the_model(loaded: Load) -> None:
    """Each field that the contract shows is read, with its policy merged in."""
    desired = loaded(WHOLE)
    (site,), (lee,) = desired.sites, desired.connections
    assert (site.name, site.site_id) == ("harbor-dental", SITE_ID)
    assert site.auth == ApiKeyAuth(SecretRef(SecretKind.ENV, "EXTCAL_API_KEY"))
    assert (site.scope, site.prune, site.max_disconnects) == (Scope.SITE, True, 5)
    assert site.redirect_url == "https://harbor-dental.example/connected?from=extcal"
    assert site.schedules_app_id == APP_ID
    assert site.source == Source("m.yaml", 2, 1)
    assert lee.address == "harbor-dental/dr-lee-apple"
    assert lee.schedule == ScheduleRef(ScheduleKey.ID, SCHEDULE_ID)
    assert lee.provider == ProviderRef(ProviderKey.TYPE, "apple")
    assert str(lee.account) == "lee@harbor-dental.example"
    assert lee.password == SecretRef(SecretKind.FILE, "lee/apple")
    assert lee.state is State.PRESENT
    calendars = (CalendarRef(name="Work"), CalendarRef(id="a68yu6"), CalendarRef(id="b1", name="Home"))
    assert lee.sync == SyncConfig(
        Direction(enabled=True, arm=Arm.CALENDARS, calendars=calendars), Direction(enabled=True, arm=Arm.DEDICATED)
    )
    assert lee.lifecycle == Lifecycle(prevent_disconnect=True, ignore_changes=("syncConfig.syncToCalendar",))


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("schedule", (27, 3)),
        ("provider", (28, 3)),
        ("account", (29, 3)),
        ("credentials.password", (30, 3)),
        ("state", (31, 3)),
        ("syncConfig.listEventFromCalendars", (34, 5)),
        ("syncConfig.listEventFromCalendars.enabled", (19, 30)),
        ("syncConfig.listEventFromCalendars.calendars", (35, 7)),
        ("syncConfig.syncToCalendar.dedicatedCalendar", (36, 37)),
        ("lifecycle.preventDisconnect", (37, 15)),
        ("lifecycle.ignoreChanges", (37, 40)),
        ("nothing", (22, 1)),
    ],
)
def test_places_are_kept(loaded: Load, path: str, place: tuple[int, int]) -> None:
    """A field's place is known; an inherited one's lies in the policy, an unknown one's where its document begins."""
    (lee,) = loaded(WHOLE).connections
    assert lee.sources.at(path) == Source("m.yaml", *place)


def test_what_is_left_out_has_its_default(loaded: Load) -> None:
    """The least that a manifest can say is enough; a connection without any sync config manages none."""
    desired = loaded(documents(SITE, CONNECTION))
    (site,), (lee,) = desired.sites, desired.connections
    assert (site.scope, site.prune, site.max_disconnects) == (Scope.SCHEDULES, False, 25)
    assert (site.redirect_url, site.schedules_app_id) == (None, BOOKINGS_APP_ID)
    assert lee.site == "harbor-dental"
    assert (lee.password, lee.state, lee.sync, lee.lifecycle) == (None, State.PRESENT, SyncConfig(), Lifecycle())


@pytest.mark.parametrize("ref", ["name: Dr. Lee", "externalId: lee"])
def test_a_schedule_is_of_the_app_that_its_site_names(loaded: Load, ref: str) -> None:
    """A name or external id is looked up there; by default among the bookings app's schedules."""
    named = CONNECTION.replace(f"id: {SCHEDULE_ID}", ref)
    assert ref in named
    by, value = ref.split(": ")
    for spec, app_id in (("", BOOKINGS_APP_ID), ("  schedules: {}\n", BOOKINGS_APP_ID), (_OF_APP, APP_ID)):
        (lee,) = loaded(documents(f"{SITE}{spec}", named)).connections
        assert lee.schedule == ScheduleRef(ScheduleKey(by), value, app_id)
    (by_id,) = loaded(documents(f"{SITE}{_OF_APP}", CONNECTION)).connections
    assert by_id.schedule == ScheduleRef(ScheduleKey.ID, SCHEDULE_ID)


_OF_APP = f"  schedules: {{appId: {APP_ID.upper()}}}\n"


def test_a_site_that_leaves_auth_out_uses_the_default_key(loaded: Load) -> None:
    """A Site without auth is the same as one that writes what the schema says is the default."""
    default = json.loads(schema_text("Site"))["properties"]["spec"]["properties"]["auth"]["default"]
    (left_out,) = loaded(manifest("Site", "s", {"siteId": SITE_ID})).sites
    (written,) = loaded(manifest("Site", "s", {"siteId": SITE_ID, "auth": default})).sites
    assert left_out == written
    assert left_out.auth == ApiKeyAuth(SecretRef(SecretKind.ENV, "EXTCAL_API_KEY"))


def test_an_app_authenticates(loaded: Load) -> None:
    """The other way to authenticate is read too."""
    app = {"appId": SITE_ID, "appSecret": {"env": "EXTCAL_APP"}, "instanceId": SCHEDULE_ID}
    (site,) = loaded(manifest("Site", "s", {"siteId": SITE_ID, "auth": {"app": app}})).sites
    assert site.auth == AppAuth(SITE_ID, SecretRef(SecretKind.ENV, "EXTCAL_APP"), SCHEDULE_ID)


@pytest.mark.parametrize(
    ("provider", "schedule", "expected"),
    [
        ({"name": "Zoho"}, {"name": "Dr. Lee"}, ("name Zoho", "name Dr. Lee")),
        ({"id": SITE_ID.upper()}, {"externalId": "Room-1"}, (f"id {SITE_ID}", "externalId Room-1")),
        ("google", {"id": SCHEDULE_ID.upper()}, ("type google", f"id {SCHEDULE_ID}")),
    ],
)
def test_each_way_to_name(loaded: Load, provider: object, schedule: object, expected: tuple[str, str]) -> None:
    """Schedules and providers are named in each way the contract has; GUIDs are written as the service does."""
    (one,) = loaded(documents(SITE, connection("one", provider=provider, schedule=schedule))).connections
    assert (f"{one.provider.by} {one.provider.value}", f"{one.schedule.by} {one.schedule.value}") == expected


@pytest.mark.parametrize("beside", [{"name": "Dr. Lee"}, {"externalId": "lee"}])
def test_a_pinned_schedule_is_its_id(loaded: Load, beside: dict[str, str]) -> None:
    """What stands beside an id is kept for people, and makes no difference."""
    site, ((by, value),) = f"{SITE}{_OF_APP}", beside.items()
    pinned, bare = (
        loaded(documents(site, connection("one", schedule={"id": SCHEDULE_ID.upper()} | more))).connections[0].schedule
        for more in (beside, {})
    )
    assert pinned == bare == ScheduleRef(ScheduleKey.ID, SCHEDULE_ID)
    assert (pinned.label, bare.label) == (ScheduleRef(ScheduleKey(by), value), None)
    assert str(pinned) == f"{value} [{SCHEDULE_ID}]"


PRIMARY_IN = {"enabled": True, "primaryCalendar": {}}
LIST_IN = {"enabled": True, "calendars": ["Work"]}
WORK = (CalendarRef(name="Work"),)


@pytest.mark.parametrize(
    ("policy", "own", "expected"),
    [
        (PRIMARY_IN, {"calendars": ["Work"]}, Direction(enabled=True, arm=Arm.CALENDARS, calendars=WORK)),
        (LIST_IN, {"primaryCalendar": {}}, Direction(enabled=True, arm=Arm.PRIMARY)),
        (LIST_IN, {"enabled": False}, Direction(enabled=False, arm=Arm.CALENDARS, calendars=WORK)),
        (LIST_IN, {}, Direction(enabled=True, arm=Arm.CALENDARS, calendars=WORK)),
        (LIST_IN, None, Direction(enabled=True, arm=Arm.CALENDARS, calendars=WORK)),
        (None, {"enabled": True}, Direction(enabled=True)),
        ({}, {}, None),
    ],
)
def test_a_policy_is_merged_by_field(loaded: Load, policy: object, own: object, expected: Direction | None) -> None:
    """What the connection says holds, what it leaves out is the policy's; an alternative replaces the other."""
    shared = manifest("SyncPolicy", "p", {"syncConfig": {} if policy is None else {"listEventFromCalendars": policy}})
    config = {} if own is None else {"listEventFromCalendars": own}
    desired = loaded(documents(SITE, shared, connection("one", syncPolicy="p", syncConfig=config)))
    assert desired.connections[0].sync == SyncConfig(imports=expected)


def test_an_inherited_alternative_that_is_replaced_leaves_no_place(loaded: Load) -> None:
    """The place of an alternative that no longer holds is not that of the policy."""
    shared = manifest("SyncPolicy", "p", {"syncConfig": {"listEventFromCalendars": {"calendars": ["A", "B"]}}})
    own = {"listEventFromCalendars": {"calendars": ["C"]}}
    (one,) = loaded(documents(SITE, shared, connection("one", syncPolicy="p", syncConfig=own))).connections
    assert {line for path, source in one.sources.fields for line in [source.line] if "calendars" in path} == {10}


def test_order_changes_nothing(folder: Path) -> None:
    """Sites and connections come by name whatever the order of paths, and a file named twice is read once."""
    two = {"schedule": {"name": "b"}, "account": "b@harbor-dental.example"}
    texts = {"b.yml": connection("b", **two), "a.yaml": CONNECTION, "deep/s.yaml": documents(SITE, POLICY)}
    for name, text in texts.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    paths = [Path("deep"), Path("a.yaml"), Path("b.yml"), Path(), Path("a.yaml")]
    results = {repr(load(order)) for order in permutations(paths)}
    assert len(results) == 1
    assert [one.name for one in load(paths).connections] == ["b", "dr-lee-apple"]


def test_an_absent_connection_may_keep_its_credentials(loaded: Load) -> None:
    """A tombstone needs nothing taken out of the manifest but its state."""
    tombstone = connection("one", state="absent", credentials={"password": {"env": "EXTCAL_P"}})
    assert loaded(documents(SITE, tombstone)).connections[0].state is State.ABSENT


def test_no_documents_are_no_fault(loaded: Load) -> None:
    """Empty documents say nothing and are no mistake."""
    assert loaded("# nothing\n---\n---\n~\n...\n") == Desired()


def test_anchors_may_be_used_within_a_document(loaded: Load) -> None:
    """An alias stands for its anchor's value, and has its own place."""
    text = """\
apiVersion: extcal/v1
kind: Connection
metadata: {name: &name one}
spec:
  schedule: {name: *name}
  provider: apple
  account: lee@harbor-dental.example
"""
    (one,) = loaded(documents(SITE, text)).connections
    assert (one.name, one.schedule.value) == ("one", "one")
