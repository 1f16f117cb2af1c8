"""What a plan says where it can't be made: the place, what is wrong, whose it is, and what would be right."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from reconciler.model.action import ActionKind
from reconciler.model.desired import (
    DeclaredConnection,
    Lifecycle,
    ProviderKey,
    ProviderRef,
    ScheduleKey,
    ScheduleRef,
    State,
)
from reconciler.model.live import Calendar, LiveConnection, LiveSite, Provider, Schedule
from reconciler.model.plan import SitePlan
from reconciler.model.source import Fault, Source, SourceMap
from reconciler.model.sync import EXPORTS, CalendarRef, Direction, SyncConfig
from tests.support.builders.plans import (
    APPLE,
    DEDICATED,
    GOOGLE,
    MICROSOFT,
    OFF,
    PASSWORD,
    PRIMARY,
    PROVIDERS,
    PRUNING,
    SITE,
    TIDE,
    chosen,
    declared,
    live,
    planned,
    site_with,
)

FIELDS = (
    "schedule",
    "provider",
    "credentials",
    "syncConfig",
    "syncConfig.listEventFromCalendars",
    "syncConfig.listEventFromCalendars.calendars",
    "syncConfig.syncToCalendar",
    "syncConfig.syncToCalendar.primaryCalendar",
    "syncConfig.syncToCalendar.dedicatedCalendar",
)
KIM = "kim@harbor.example"
TIDE_REF = ProviderRef(ProviderKey.NAME, "Tide")


def stated(name: str = "lee", provider: str | ProviderRef = "apple", **fields: object) -> DeclaredConnection:
    """A declared connection each of whose fields has a line of its own, counted from 2 in the order of FIELDS."""
    places = tuple((path, below, 3) for below, path in enumerate(FIELDS, 1))
    return declared(name, provider, **{"sources": SourceMap(Source(f"{name}.yaml", 1, 1), places)} | fields)


def faults(*connections: DeclaredConnection, on: LiveSite | None = None) -> list[str]:
    """What is wrong."""
    return [str(fault) for fault in planned(*connections, on=on).faults]


def providing(*providers: Provider, standing: Sequence[LiveConnection] = ()) -> LiveSite:
    """A site that offers these providers."""
    return site_with(*standing, providers=providers)


@pytest.mark.parametrize(
    ("connection", "on", "place", "message", "hint"),
    [
        (
            stated(password=None),
            site_with(),
            "4:3",
            "provider Apple connects by credentials and the manifest gives none",
            "add credentials: {password: {env: EXTCAL_…}}",
        ),
        (
            stated(provider="google", password=PASSWORD),
            site_with(),
            "4:3",
            "provider Google does not connect by credentials",
            "remove credentials: its owner consents in a browser instead",
        ),
        (
            stated(password=None),
            providing(replace(APPLE, features=replace(APPLE.features, connect_methods=("PIGEON", "POST")))),
            "3:3",
            "provider Apple offers no way to connect that extcal knows",
            "it offers: PIGEON, POST",
        ),
        (
            stated(sync=SyncConfig(PRIMARY)),
            providing(replace(APPLE, features=replace(APPLE.features, imports="NOT_SUPPORTED"))),
            "6:3",
            "provider Apple can't import events",
            "set enabled: false or leave it out",
        ),
        (
            stated(provider="microsoft", sync=SyncConfig(chosen("Work"))),
            site_with(),
            "7:3",
            "provider Outlook or Office 365 can't import chosen calendars",
            "use primaryCalendar: {}",
        ),
        (
            stated(provider=TIDE_REF, password=PASSWORD, sync=SyncConfig(None, DEDICATED)),
            providing(replace(TIDE, features=replace(TIDE.features, update_sync_config=True))),
            "8:3",
            "provider Tide can't export events",
            "set enabled: false or leave it out",
        ),
        (
            stated(provider="microsoft", sync=SyncConfig(None, DEDICATED)),
            site_with(),
            "10:3",
            "provider Outlook or Office 365 can't export to a dedicated calendar",
            "use primaryCalendar: {}",
        ),
        (
            stated(sync=SyncConfig(None, PRIMARY)),
            site_with(),
            "9:3",
            "provider Apple can't export to the primary calendar",
            "use dedicatedCalendar: {}",
        ),
        (
            stated(provider=TIDE_REF, password=PASSWORD, sync=SyncConfig(PRIMARY)),
            site_with(),
            "5:3",
            "provider Tide can't change a sync config",
            "leave out syncConfig and syncPolicy for it",
        ),
        (
            stated(provider=TIDE_REF, password=PASSWORD, sync=SyncConfig(OFF)),
            site_with(live(provider=TIDE)),
            "5:3",
            "provider Tide can't change a sync config",
            "leave out syncConfig and syncPolicy for it",
        ),
        (
            stated(provider=ProviderRef(ProviderKey.NAME, "Tyde")),
            site_with(),
            "3:3",
            "the site has no provider Tyde",
            "did you mean Tide?",
        ),
        (
            stated(provider=ProviderRef(ProviderKey.NAME, "Nextcloud")),
            site_with(),
            "3:3",
            "the site has no provider Nextcloud",
            "the site offers: Apple, Google, Outlook or Office 365, Tide",
        ),
        (
            stated(),
            providing(),
            "3:3",
            "the site has no provider apple",
            "the site offers: none",
        ),
        (
            stated(provider=TIDE_REF),
            providing(TIDE, replace(TIDE, id="p-other")),
            "3:3",
            "provider Tide is ambiguous on this site",
            "name one of them by id: Tide [p-tide], Tide [p-other]",
        ),
        (
            stated(schedule=ScheduleRef(ScheduleKey.NAME, "Dr Lee")),
            site_with(schedules=(Schedule("s1", "Dr. Lee", "e1", "ACTIVE"),)),
            "2:3",
            "the site has no active schedule with the name Dr Lee",
            "did you mean Dr. Lee?",
        ),
        (
            stated(schedule=ScheduleRef(ScheduleKey.NAME, "Reception")),
            site_with(schedules=(Schedule("s1", "Dr. Lee", "e1", "ACTIVE"),)),
            "2:3",
            "the site has no active schedule with the name Reception",
            "extcal schedules lists them",
        ),
        (
            stated(schedule=ScheduleRef(ScheduleKey.EXTERNAL_ID, "e2")),
            site_with(schedules=(Schedule("s1", "e22", "e1", "ACTIVE"),)),
            "2:3",
            "the site has no active schedule with the externalId e2",
            "extcal schedules lists them",
        ),
        (
            stated(schedule=ScheduleRef(ScheduleKey.NAME, "Dr. Lee")),
            site_with(schedules=tuple(Schedule(f"s{n}", "Dr. Lee", None, "ACTIVE") for n in (2, 1))),
            "2:3",
            "2 schedules have the name Dr. Lee",
            "name one by id: s1 (app not shown, no externalId), s2 (app not shown, no externalId)",
        ),
        (
            stated(sync=SyncConfig(chosen("Nowhere"))),
            site_with(live(), calendars={"c1": (Calendar("w", "Work"), Calendar("b", "Birthdays"))}),
            "7:3",
            "the account has no calendar Nowhere",
            "it has: Birthdays, Work",
        ),
        (
            stated(sync=SyncConfig(chosen(CalendarRef("wrok")))),
            site_with(live(), calendars={"c1": (Calendar("w", "Work"), Calendar("b", ""))}),
            "7:3",
            "the account has no calendar wrok",
            "did you mean Work?",
        ),
        (
            stated(sync=SyncConfig(chosen("Work"))),
            site_with(live(), calendars={"c1": ()}),
            "7:3",
            "the account has no calendar Work",
            "it has: none",
        ),
        (
            stated(),
            site_with(live("c1"), live("c2", status="CONNECTED")),
            "1:1",
            "2 live connections fit this one: c1 (lee@harbor.example, SYNCED), c2 (lee@harbor.example, CONNECTED)",
            "say which one stays: extcal resolve PATH --keep harbor/lee=ID",
        ),
        (
            stated(),
            site_with(live("c1", account=None), live("c2", account="")),
            "1:1",
            "2 live connections fit this one: c1 (no account shown, SYNCED), c2 (no account shown, SYNCED)",
            "disconnect the ones that are not wanted in the site's dashboard, then plan again",
        ),
    ],
)
def test_a_fault_says_where_what_and_what_to_do(
    connection: DeclaredConnection, on: LiveSite, place: str, message: str, hint: str
) -> None:
    """Its line, what is wrong, the connection that is meant, and the remedy; once, though several steps stumble."""
    line, column = map(int, place.split(":"))
    fault = Fault(Source("lee.yaml", line, column), "harbor/lee", message, hint)
    assert planned(connection, on=on).faults == (fault,)


def test_several_shortcomings_are_told_at_once() -> None:
    """Every fault of a manifest is told, each at its field."""
    sync = SyncConfig(chosen("Work"), DEDICATED)
    said = faults(stated(provider="microsoft", password=PASSWORD, sync=sync))
    assert [text.split(": ")[0] for text in said] == ["lee.yaml:10:3", "lee.yaml:4:3", "lee.yaml:7:3"]


@pytest.mark.parametrize(
    "sync",
    [
        SyncConfig(),
        SyncConfig(OFF, OFF),
        SyncConfig(Direction(), Direction()),
        SyncConfig(Direction(enabled=True), Direction(enabled=True)),
        SyncConfig(PRIMARY, PRIMARY),
    ],
)
def test_what_a_provider_can_do_is_no_fault(sync: SyncConfig) -> None:
    """The primary calendars where a provider knows no others, and nothing at all."""
    assert faults(stated(provider="microsoft", sync=sync)) == []


@pytest.mark.parametrize("direction", [None, OFF, Direction()])
def test_what_is_not_asked_for_needs_no_provider_that_can_do_it(direction: Direction | None) -> None:
    """A direction that is off, or left out, asks nothing of a provider that has none."""
    nothing = replace(MICROSOFT.features, imports="NOT_SUPPORTED", exports="NOT_SUPPORTED")
    on = providing(replace(MICROSOFT, features=nothing))
    assert faults(stated(provider="microsoft", sync=SyncConfig(direction, direction)), on=on) == []


@pytest.mark.parametrize("ignored", ["syncConfig", EXPORTS])
def test_what_is_ignored_is_not_checked(ignored: str) -> None:
    """A live connection's direction that its manifest ignores asks nothing of the provider; a new one gets it whole."""
    exporting = stated(
        provider="microsoft", sync=SyncConfig(exports=DEDICATED), lifecycle=Lifecycle(ignore_changes=(ignored,))
    )
    assert faults(exporting, on=site_with(live(provider=MICROSOFT))) == []
    assert "can't export to a dedicated calendar" in faults(exporting)[0]


@pytest.mark.parametrize(("enabled", "wrong"), [(True, 1), (False, 0), (None, 0)])
def test_a_direction_whose_switch_is_ignored_is_checked_where_it_is_on(*, enabled: bool | None, wrong: int) -> None:
    """The manifest says off and leaves that to the service: what is on there must be possible."""
    ignoring = Lifecycle(ignore_changes=(f"{EXPORTS}.enabled",))
    off = stated(provider="microsoft", sync=SyncConfig(exports=replace(DEDICATED, enabled=False)), lifecycle=ignoring)
    standing = live(provider=MICROSOFT, sync=SyncConfig(exports=replace(PRIMARY, enabled=enabled)))
    assert len(faults(off, on=site_with(standing))) == wrong
    assert faults(off, on=site_with(live(provider=MICROSOFT, sync=SyncConfig()))) == []


def test_a_tombstone_asks_nothing_of_its_provider() -> None:
    """What shall be gone need not be possible."""
    buried = stated(provider="microsoft", password=PASSWORD, sync=SyncConfig(chosen("Work")), state=State.ABSENT)
    assert faults(buried) == []


def test_both_faults_of_one_manifests_references() -> None:
    """A schedule and a provider that are not there are told together, and what both would need is not looked at."""
    neither = stated(provider=ProviderRef(ProviderKey.NAME, "Nextcloud"), schedule=ScheduleRef(ScheduleKey.NAME, "Lee"))
    assert [text.split(": ")[0] for text in faults(neither)] == ["lee.yaml:2:3", "lee.yaml:3:3"]
    assert planned(neither).actions == ()
    assert len(faults(neither, stated("zoe", ProviderRef(ProviderKey.NAME, "Nextcloud")))) == 3


def test_faults_are_in_order_of_their_addresses_then_their_text() -> None:
    """However the files are named, and each once."""
    first, second = stated("a", "microsoft", password=PASSWORD), stated("b", account=KIM, password=None)
    second = replace(second, sources=SourceMap(Source("0.yaml", 1, 1)))
    wanting = replace(first, sync=SyncConfig(None, DEDICATED))
    found = planned(wanting, second, on=site_with(live(provider=MICROSOFT)), site=SITE).faults
    assert [(fault.where, str(fault.source)) for fault in found] == [
        ("harbor/a", "a.yaml:10:3"),
        ("harbor/a", "a.yaml:4:3"),
        ("harbor/b", "0.yaml:1:1"),
    ]


def test_two_manifests_of_one_connection() -> None:
    """What turns out to be one once references are resolved: the first by address stands, the other is a fault."""
    schedule = Schedule(declared().schedule.value, "Dr. Lee", None, "ACTIVE")
    by_name = stated("zoe", schedule=ScheduleRef(ScheduleKey.NAME, "Dr. Lee"), account="LEE@harbor.example")
    plan = planned(by_name, stated(), on=site_with(schedules=(schedule,)))
    assert [str(fault) for fault in plan.faults] == [
        (
            "zoe.yaml:1:1: declares the same connection as harbor/lee (lee.yaml:1:1): same schedule, provider and "
            "account, at harbor/zoe (keep one of the two manifests)"
        )
    ]
    assert [action.address for action in plan.actions] == ["harbor/lee"]


OLD = Provider("p-old", "Old", "OUTLOOK", MICROSOFT.features)


def test_two_manifests_of_one_live_connection() -> None:
    """By type and by id of an older installation, both mean what stands there: the second one is a fault."""
    by_id = stated("old", ProviderRef(ProviderKey.ID, "p-old"))
    plan = planned(by_id, stated(provider="microsoft"), on=site_with(live(provider=OLD), providers=(*PROVIDERS, OLD)))
    assert [str(fault) for fault in plan.faults] == [
        "old.yaml:1:1: harbor/lee declares the same live connection, at harbor/old (keep one of the two manifests)"
    ]
    assert [(action.address, action.kind) for action in plan.actions] == [("harbor/lee", ActionKind.NOOP)]


def test_a_connection_that_could_be_one_of_three() -> None:
    """Each of them is told the others."""
    people = [stated(name, account=f"{name}@harbor.example") for name in ("kim", "lee", "pat")]
    plan = planned(*people, on=site_with(live(account=None)))
    hint = "(wait until the service shows its account, or declare only one of them for now)"
    said = "live connection c1 shows no account, so it may be this one or"
    assert [str(fault) for fault in plan.faults] == [
        f"{one}.yaml:1:1: {said} {others}, at harbor/{one} {hint}"
        for one, others in [
            ("kim", "harbor/lee, harbor/pat"),
            ("lee", "harbor/kim, harbor/pat"),
            ("pat", "harbor/kim, harbor/lee"),
        ]
    ]
    assert plan.actions == ()


def unread(plan: SitePlan) -> list[str]:
    """What could not be planned."""
    return [str(fault) for fault in plan.unread]


def test_what_could_not_be_read_says_why_and_that_it_was_not_planned() -> None:
    """A provider's failure by its name, an account's calendars with the service's words; the rest is planned."""
    google, apple = stated("google", "google"), stated(sync=SyncConfig(chosen("Work")))
    on = site_with(live(), failed_provider_ids=("p-google",), unlisted={"c1": "ListCalendars: HTTP 503"})
    plan = planned(google, apple, stated("zoe", account=KIM), on=on)
    assert unread(plan) == [
        (
            "google.yaml:1:1: the service could not read the connections of provider Google: not planned, at "
            "harbor/google (plan again later)"
        ),
        (
            "lee.yaml:1:1: its account's calendars could not be listed: ListCalendars: HTTP 503: not planned, "
            "at harbor/lee (plan again later, or name its calendars by id)"
        ),
    ]
    assert [action.address for action in plan.actions] == ["harbor/zoe"]
    assert unread(planned(google, apple, on=on, only=frozenset({"harbor/lee"}))) == unread(plan)[1:]


def test_a_connection_of_a_provider_that_failed_is_not_compared() -> None:
    """Though it is listed: what the service says of it may be old."""
    plan = planned(stated(sync=SyncConfig(OFF)), on=site_with(live(), failed_provider_ids=("p-apple",)))
    (said,) = unread(plan)
    assert said.startswith("lee.yaml:1:1: the service could not read the connections of provider ")
    assert said.endswith(": not planned, at harbor/lee (plan again later)")
    assert plan.actions == ()


def test_the_first_site_of_a_plan_is_the_one_that_was_asked_for() -> None:
    """A plan is of its site, and each of its actions too."""
    bay = replace(PRUNING, name="bay", site_id="bay-id")
    plan = planned(replace(stated(), site="bay"), on=site_with(live("x", GOOGLE)), site=bay)
    assert plan.site == bay
    assert {(action.site, action.site_id) for action in plan.actions} == {("bay", "bay-id")}
