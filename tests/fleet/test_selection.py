"""What is chosen narrows the reading, never the truth: the plan is what the whole site would have given."""

from dataclasses import replace
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.desired import DeclaredConnection, ScheduleKey, ScheduleRef, Scope, Site, State
from reconciler.model.live import LiveConnection, LiveSite, Schedule
from reconciler.planning.lookup import Schedules
from reconciler.planning.planner import plan_site
from reconciler.planning.select import narrowable, schedule_ids
from reconciler.sandbox.world import ExistingConnection
from tests.support.builders.plans import APPLE, GOOGLE, PROVIDERS, SITE, declared, live
from tests.support.cli.command import Extcal
from tests.support.cli.worlds import BUSY, EXPORTING, connected, harbor, schedule_id, site, world
from tests.support.cli.worlds import connection as manifest

CONNECTIONS = "/bookings/v2/external-calendars/connections"
TOMBSTONE = "state: absent"
SCHEDULES = [Schedule(f"3e47ec65-2975-447c-a7ed-75041e850d5{n}", f"Staff {n}", f"ext-{n}", "ACTIVE") for n in range(3)]
ACCOUNTS = ["ana@harbor.example", "ben@harbor.example", "cy@harbor.example"]


@st.composite
def manifests_of_a_site(draw: st.DrawFn) -> list[DeclaredConnection]:
    """Connections on three schedules, named in all three ways, some of them tombstones, some of them alike."""
    found = []
    for number in range(draw(st.integers(1, 5))):
        schedule = draw(st.sampled_from(SCHEDULES))
        ref = draw(
            st.sampled_from(
                [
                    ScheduleRef(ScheduleKey.ID, schedule.id),
                    ScheduleRef(ScheduleKey.NAME, schedule.name),
                    ScheduleRef(ScheduleKey.EXTERNAL_ID, schedule.external_id or ""),
                    ScheduleRef(ScheduleKey.NAME, "Nobody"),
                ]
            )
        )
        found.append(
            declared(
                f"c{number}",
                draw(st.sampled_from(["apple", "google"])),
                schedule=ref,
                account=draw(st.sampled_from(ACCOUNTS)),
                state=draw(st.sampled_from([State.PRESENT, State.ABSENT])),
            )
        )
    return found


@st.composite
def connections_of_a_site(draw: st.DrawFn) -> list[LiveConnection]:
    """Live connections on the three schedules; some show no account, some are in error or gone."""
    return [
        live(
            f"live-{number}",
            draw(st.sampled_from([APPLE, GOOGLE])),
            schedule_id=draw(st.sampled_from(SCHEDULES)).id,
            account=draw(st.sampled_from([*ACCOUNTS, None])),
            status=draw(st.sampled_from(["SYNCED", "SYNCED", "ERROR", "DISCONNECTED"])),
        )
        for number in range(draw(st.integers(0, 8)))
    ]


@given(
    manifests_of_a_site(),
    connections_of_a_site(),
    st.builds(
        lambda scope, prune, most: replace(SITE, scope=scope, prune=prune, max_disconnects=most),
        st.sampled_from(Scope),
        st.booleans(),
        st.sampled_from([25, 60]),
    ),
    st.sampled_from([(), (APPLE.id,), (GOOGLE.id,)]),
    st.data(),
)
def test_a_narrowed_reading_plans_the_same(
    stated: list[DeclaredConnection],
    there: list[LiveConnection],
    on: Site,
    failed: tuple[str, ...],
    data: st.DataObject,
) -> None:
    """Whatever is declared, live and chosen: actions, faults, guards and warnings are those of the whole site."""
    only = frozenset(data.draw(st.sets(st.sampled_from([each.address for each in stated]), min_size=1)))
    whole = LiveSite(PROVIDERS, tuple(there), failed, tuple(SCHEDULES))
    ids = schedule_ids(narrowable(on, stated, only), Schedules(whole.schedules))
    seen = replace(whole, connections=tuple(c for c in there if not ids or c.schedule_id in ids))
    assert plan_site(on, stated, seen, only=only) == plan_site(on, stated, whole, only=only)


@pytest.fixture
def staffed(extcal: Extcal) -> Extcal:
    """Harbor Dental with three connections; the schedule of the third is named by name."""
    extcal.on(world(harbor(0, 1, 2)))
    named = manifest(2, more=EXPORTING).replace(f"{{id: {schedule_id(2)}}}", "{name: Staff 2}")
    extcal.write(site(), manifest(0, more=BUSY), manifest(1, more=EXPORTING), named)
    return extcal


def asked(command: Extcal) -> list[list[str]]:
    """The schedules that each ListConnections was about."""
    found = [r.query for r in command.sandbox.requests if r.path == CONNECTIONS]
    return [sorted(parse_qs(query).get("scheduleIds", [])) for query in found]


def planned(command: Extcal, *words: str, of: str = "plan") -> list[str]:
    """The names of what was planned, or looked at, and counting requests from there."""
    command.sandbox.requests.clear()
    ran = command(of, "manifests", *words, "--format", "json")
    assert ran.code == 0, ran.err
    rows = ran.document["connections" if of == "status" else "actions"]
    assert isinstance(rows, list)
    return [str(row["address"]).partition("/")[2] for row in rows]


@pytest.mark.parametrize("command", ["plan", "status"])
@pytest.mark.parametrize(
    ("words", "names", "schedules", "requests"),
    [
        (("--schedule", schedule_id(0).upper()), ["staff-0"], [schedule_id(0)], 3),
        (("--schedule", "Staff 2"), ["staff-2"], [schedule_id(2)], 3),
        (("--schedule", schedule_id(1), "--schedule", "Staff 2"), ["staff-1", "staff-2"], [1, 2], 3),
        (("--connection", "staff-1"), ["staff-1"], [schedule_id(1)], 3),
        (("--connection", "staff-1", "--connection", "staff-2", "--schedule", "Staff 2"), ["staff-2"], [2], 3),
        ((), ["staff-0", "staff-1", "staff-2"], [], 3),
    ],
)
def test_only_the_chosen_schedules_are_read(
    staffed: Extcal, command: str, words: tuple[str, ...], names: list[str], schedules: list[str | int], requests: int
) -> None:
    """ListConnections is about the schedules of what was chosen, and no request is sent that was not before."""
    assert planned(staffed, *words, of=command) == names
    assert asked(staffed) == [[schedule_id(s) if isinstance(s, int) else s for s in schedules]]
    assert len(staffed.sandbox.requests) == requests


def test_apply_reads_and_verifies_what_was_chosen(staffed: Extcal) -> None:
    """Only the chosen connection is written to, and no other schedule is read, before, at or after that."""
    ran = staffed("apply", "manifests", "--schedule", schedule_id(1), "--auto-approve")
    assert (ran.code, ran.out.splitlines()[-1]) == (0, "Applied: 1 done.")
    assert asked(staffed) == [[schedule_id(1)]] * 3
    assert len(staffed.writes) == 1


def test_calendars_are_asked_for_what_was_chosen_alone(extcal: Extcal) -> None:
    """A calendar that another connection names is not looked up."""
    extcal.on(world(harbor(0, 1)))
    named = "syncConfig: {listEventFromCalendars: {enabled: true, calendars: [Work]}}"
    extcal.write(site(), manifest(0, more=named), manifest(1, more=named).replace(schedule_id(1), schedule_id(0)))
    planned(extcal, "--connection", "staff-1")
    assert not [r for r in extcal.sandbox.requests if r.path.endswith("/calendars")]
    planned(extcal, "--connection", "staff-0")
    assert len([r for r in extcal.sandbox.requests if r.path.endswith("/calendars")]) == 1


@pytest.mark.parametrize(
    ("more", "of_site", "whole"),
    [((BUSY, BUSY), "", False), ((TOMBSTONE, BUSY), "", True), ((TOMBSTONE, TOMBSTONE), "", True),
     ((BUSY, BUSY), "prune: true", True)],
)  # fmt: skip
def test_a_share_is_counted_over_the_whole_site(
    extcal: Extcal, more: tuple[str, str], of_site: str, *, whole: bool
) -> None:
    """Where more than one connection may go, or all that fit a tombstone, everything is read: a share counts."""
    extcal.on(world(harbor(*range(8))))
    extcal.write(site(more=of_site), *(manifest(n, more=more[n] if n < 2 else BUSY) for n in range(8)))
    planned(extcal, "--connection", "staff-0", "--connection", "staff-1")
    assert asked(extcal) == [[] if whole else [schedule_id(0), schedule_id(1)]]


def test_pruning_never_comes_of_a_part(extcal: Extcal) -> None:
    """With prune on, what is chosen is planned and nothing beside it, be it seen or not."""
    stray = ExistingConnection(**{f: getattr(connected(3), f) for f in ("provider_id", "account", "sync_config")},
                               schedule_id=schedule_id(0), id="stray")  # fmt: skip
    live_site = harbor(0, 1)
    extcal.on(world(replace(live_site, connections=(*live_site.connections, stray))))
    extcal.write(site(more="prune: true\nscope: site"), manifest(0, more=EXPORTING))
    assert planned(extcal, "--schedule", schedule_id(0)) == ["staff-0"]
    assert asked(extcal) == [[schedule_id(0)]]


def test_against_a_base_a_site_is_read_whole(staffed: Extcal) -> None:
    """The base may have what is chosen on another schedule; what is not chosen is not called abandoned."""
    staffed.write(site(), *(manifest(n, more=BUSY) for n in range(3)), to="before/all.yaml")
    staffed.sandbox.requests.clear()
    ran = staffed("plan", "manifests", "--base-dir", "before", "--schedule", schedule_id(1))
    assert (ran.code, ran.err) == (0, "")
    assert "[this change]" in ran.out
    assert asked(staffed) == [[]]


def test_very_many_schedules_are_read_in_one_request(extcal: Extcal) -> None:
    """ListConnections takes 100 at a time: for more, everything is the cheaper question."""
    extcal.on(world(harbor(0, schedules=101), accounts=101))
    extcal.write(site(), *(manifest(n) for n in range(101)))
    for count, about in ((100, 100), (101, 0)):
        words = [word for n in range(count) for word in ("--connection", f"staff-{n}")]
        assert len(planned(extcal, *words)) == count
        (schedules,) = asked(extcal)
        assert len(schedules) == about
        assert len(extcal.sandbox.requests) == 2


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--schedule", "Staf 2"), "--schedule Staf 2: no manifest names it; did you mean Staff 2?"),
        (("--schedule", ""), "no manifest names it; named are 3e47ec65-2975-447c-a7ed-000000000000, "),
        (("--schedule", "Staff 2", "--connection", "staff-1"), "no connection fits both --connection and --schedule"),
    ],
)
def test_a_schedule_that_chooses_nothing_is_wrong_usage(staffed: Extcal, words: tuple[str, ...], why: str) -> None:
    """A name that nobody has, and choices that exclude each other, are told before anything is read for a plan."""
    ran = staffed("plan", "manifests", *words)
    assert (ran.code, ran.out) == (64, "")
    assert why in ran.err
    assert {request.path for request in staffed.sandbox.requests} <= {"/calendar/v3/schedules/query"}
