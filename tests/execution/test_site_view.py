"""What actions rest on is read once for all that begin within two seconds, and nothing is sent that rests on more."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import pytest

from reconciler.errors import ExtcalError, InvalidRequestError, ServiceError
from reconciler.execution.site_port import SitePort
from reconciler.execution.site_view import LOOK_SECONDS, SiteView
from reconciler.model.account import Account
from reconciler.model.consent import ConsentMode
from reconciler.model.desired import DeclaredConnection, ScheduleKey, ScheduleRef, State
from reconciler.model.live import ConnectionList, LiveConnection, Status
from reconciler.model.plan import Plan
from reconciler.model.result import Outcome, OutcomeStatus
from reconciler.model.sync import CalendarRef, SyncConfig
from tests.execution.runs import Run, plan_of
from tests.execution.scripted import (
    DOWN,
    LOST,
    After,
    MemoryJournal,
    MemoryUnfinished,
    ScriptedPort,
    Waits,
    refusal,
    scripted,
)
from tests.execution.scripted_owners import ScriptedPrompt
from tests.support.builders.plans import (
    DEDICATED,
    GOOGLE,
    OTHER_SCHEDULE,
    PASSWORD,
    PRIMARY,
    SCHEDULE,
    SITE,
    chosen,
    declared,
    live,
)
from tests.support.passing_time import passing

DONE, FAILED, SKIPPED = OutcomeStatus.DONE, OutcomeStatus.FAILED, OutcomeStatus.SKIPPED
CHANGED = "the live state that it rests on has changed since it was planned; plan again"
LATE = LOOK_SECONDS + 0.5
"""Seconds after which no write rests on a look any longer."""


def schedule(number: int) -> ScheduleRef:
    """One of many schedules."""
    return ScheduleRef(ScheduleKey.ID, f"3e47ec65-2975-447c-a7ed-{number:012}")


def people(count: int) -> list[DeclaredConnection]:
    """That many connections to make, on a schedule each."""
    return [declared(f"c{n:03}", account=f"c{n}@harbor.example", schedule=schedule(n)) for n in range(count)]


def standing(count: int) -> list[LiveConnection]:
    """Those connections, made."""
    return [live(f"l{n:03}", account=f"c{n}@harbor.example", schedule_id=schedule(n).value) for n in range(count)]


def ended(plan: Plan, port: ScriptedPort, **fields: object) -> dict[str, Outcome]:
    """How the actions of a plan of one site end, by name."""
    outcomes = passing(Run(plan, {"harbor": port}, **fields).outcomes())  # type: ignore[arg-type] # fields of the value, given by name
    return {outcome.action.address.partition("/")[2]: outcome for outcome in outcomes}


def update(count: int = 1) -> tuple[Plan, list[LiveConnection]]:
    """A plan that switches the export of that many connections on, and what it rests on."""
    stood = standing(count)
    return plan_of([replace(each, sync=SyncConfig(None, DEDICATED)) for each in people(count)], stood), stood


def test_actions_that_begin_together_look_once() -> None:
    """Thirty connects, updates or disconnects cost a request each, and one for all of them."""
    port = ScriptedPort()
    assert {o.status for o in ended(plan_of(people(30)), port).values()} == {DONE}
    assert (len(port.called("list_connections")), len(port.calls)) == (1, 31)
    plan, stood = update(30)
    port = ScriptedPort(stood)
    assert {o.status for o in ended(plan, port).values()} == {DONE}
    assert (len(port.called("list_connections")), len(port.calls)) == (1, 31)
    gone = plan_of([replace(each, state=State.ABSENT) for each in people(30)], standing(30))
    port = ScriptedPort(standing(30))
    assert {o.status for o in ended(gone, port).values()} == {DONE}
    assert (len(port.called("list_connections")), len(port.calls)) == (1, 31)


def test_a_look_is_for_a_hundred_schedules_and_no_more() -> None:
    """As many as one request may name: those that begin next."""
    port = ScriptedPort()
    assert {o.status for o in ended(plan_of(people(230)), port).values()} == {DONE}
    looks = port.called("list_connections")
    assert (len(looks), max(map(len, looks))) == (3, 100)
    assert {each for schedules in looks for each in schedules} == {schedule(n).value for n in range(230)}


def test_two_seconds_later_it_is_looked_again() -> None:
    """An action that begins when the look is older than that takes a new one."""
    port = ScriptedPort(pace=1.0)
    assert {o.status for o in ended(plan_of(people(16)), port).values()} == {DONE}
    # At 1 s the look is there; at 1, 2 and 3 s four actions begin, at 4 s four more, on a new one.
    assert len(port.called("list_connections")) == 2


def elsewhere(port: ScriptedPort, **fields: object) -> Callable[[], None]:
    """Somebody else changes the first connection."""

    def change() -> None:
        port.connections = [replace(port.connections[0], **fields), *port.connections[1:]]  # type: ignore[arg-type] # fields of the value, given by name

    return change


@pytest.mark.parametrize("absent", [False, True], ids=["update", "disconnect"])
def test_what_changes_while_a_write_waits_for_its_turn_is_seen(*, absent: bool) -> None:
    """The rate limit may hold a write back for a minute; it is not sent on what was there before that."""
    plan, stood = update()
    plan = plan_of([replace(people(1)[0], state=State.ABSENT)], stood) if absent else plan
    port = ScriptedPort(stood)
    method = "disconnect" if absent else "update_sync_config"
    port.script = scripted(**{method: Waits(50.0, elsewhere(port, account=Account("other@harbor.example")))})
    (outcome,) = ended(plan, port).values()
    assert (outcome.status, outcome.error) == (SKIPPED, CHANGED)
    # It was asked to be sent once, and refused before it was.
    assert (len(port.called(method)), len(port.called("list_connections"))) == (1, 2)
    assert port.connections[0].status == stood[0].status


def test_a_write_that_waited_too_long_goes_on_a_new_look() -> None:
    """Where nothing has changed, it is sent after all, and everybody who waited has looked together."""
    plan, stood = update(4)
    port = ScriptedPort(stood, scripted(update_sync_config=[Waits(LATE)] * 4))
    assert {o.status for o in ended(plan, port).values()} == {DONE}
    assert len(port.called("list_connections")) == 2


def test_a_write_within_two_seconds_rests_on_the_look() -> None:
    """The bound is what it says: a moment before it is over, the write is sent."""
    plan, stood = update()
    port = ScriptedPort(stood, scripted(update_sync_config=Waits(LOOK_SECONDS)))
    assert {o.status for o in ended(plan, port).values()} == {DONE}
    assert len(port.called("list_connections")) == 1


def test_a_connect_that_always_waits_too_long_is_skipped_and_leaves_nothing_open() -> None:
    """It gives up after a few looks: nothing was sent, so neither the journal nor what is unfinished holds it."""
    port = ScriptedPort([], scripted(connect_by_credentials=[Waits(LATE)] * 9))
    journal, unfinished = MemoryJournal(), MemoryUnfinished()
    (outcome,) = ended(plan_of([declared()]), port, journal=journal, unfinished=unfinished).values()
    assert outcome.status is SKIPPED
    assert outcome.error == "too late"
    assert (journal.pending(), unfinished.addresses, port.connections) == ((), set(), [])
    assert len(port.called("list_connections")) == len(port.called("connect_by_credentials")) == 5


def test_a_second_sending_that_waits_too_long_leaves_the_first_one_open() -> None:
    """Whether the first has taken effect is not known, and the journal goes on saying so."""
    port = ScriptedPort([], scripted(connect_by_credentials=[DOWN, Waits(LATE)]))
    journal = MemoryJournal()
    (outcome,) = ended(plan_of([declared()]), port, journal=journal).values()
    assert outcome.status is OutcomeStatus.UNKNOWN
    assert outcome.error == f"its answer was lost ({DOWN}), and it was not sent again: too late"
    assert {pending.intent.address for pending in journal.pending()} == {"harbor/lee"}


def test_those_that_wait_for_a_look_that_fails_are_all_told() -> None:
    """A service that is down is not asked once more by each of them."""
    plan, stood = update(4)
    port = ScriptedPort(stood, scripted(list_connections=LOST), pace=1.0)
    outcomes = ended(plan, port)
    assert {(o.status, o.error) for o in outcomes.values()} == {
        (SKIPPED, f"its precondition could not be checked: {LOST}")
    }
    assert len(port.called("list_connections")) == 1


@dataclass
class Picky(ScriptedPort):
    """A service that refuses a list for several schedules, if one of them is not its own."""

    unknown: str = schedule(2).value
    refuses: ExtcalError = field(default_factory=lambda: refusal(InvalidRequestError, 400))

    async def list_connections(self, schedule_ids: Sequence[str] = (), *, followers: int = 0) -> ConnectionList:
        """List them, unless one of the schedules is not known."""
        found = await super().list_connections(schedule_ids, followers=followers)
        if self.unknown in schedule_ids:
            raise self.refuses
        return found


@pytest.mark.parametrize("kind", [(InvalidRequestError, 400), (ServiceError, 500)], ids=lambda kind: str(kind[1]))
def test_one_schedule_that_is_refused_costs_the_others_nothing(kind: tuple[type[InvalidRequestError], int]) -> None:
    """Where a list for many is refused, each action looks at its own schedule, and only that one is skipped."""
    plan, stood = update(5)
    outcomes = ended(plan, Picky(stood, refuses=refusal(*kind)))
    assert [name for name, o in outcomes.items() if o.status is SKIPPED] == ["c002"]
    assert [name for name, o in outcomes.items() if o.status is DONE] == ["c000", "c001", "c003", "c004"]


@dataclass
class Brief(ScriptedPort):
    """A service that lists the connections of no more than three schedules, and does not say so."""

    async def list_connections(self, schedule_ids: Sequence[str] = (), *, followers: int = 0) -> ConnectionList:
        """List those of the first three."""
        return await super().list_connections(schedule_ids[:3], followers=followers)


@pytest.mark.parametrize("absent", [False, True], ids=["update", "disconnect"])
def test_what_a_list_for_many_does_not_show_may_stand_all_the_same(*, absent: bool) -> None:
    """It is looked for on its schedule alone before it counts as gone; from then on each action looks for itself."""
    plan, stood = update(12)
    plan = plan_of([replace(each, state=State.ABSENT) for each in people(12)], stood) if absent else plan
    port = Brief(stood)
    assert {(o.status, o.already) for o in ended(plan, port).values()} == {(DONE, False)}
    assert len(port.called("list_connections")) <= 2 + 12


def test_nothing_is_connected_twice_where_a_list_for_many_hides_it() -> None:
    """What is missing of others shows that the service lists in part, and what came since it was planned is seen."""
    *stood, come = standing(12)
    plan = plan_of([replace(each, sync=SyncConfig(None, DEDICATED)) for each in people(12)], stood)
    port = Brief([*stood, come])
    outcomes = ended(plan, port)
    assert outcomes["c011"].status is SKIPPED
    assert port.called("connect_by_credentials") == []


def test_what_others_have_taken_away_is_looked_for_once() -> None:
    """It is missing on its schedule alone, too: looks go on to be shared."""
    plan, stood = update(12)
    port = ScriptedPort(stood[:-2])
    outcomes = ended(plan, port)
    assert [name for name, o in outcomes.items() if o.status is not DONE] == ["c010", "c011"]
    assert len(port.called("list_connections")) == 2


@dataclass
class Narrow(ScriptedPort):
    """A service that refuses a list for more than `most` schedules."""

    most: int = 20

    async def list_connections(self, schedule_ids: Sequence[str] = (), *, followers: int = 0) -> ConnectionList:
        """List them, unless there are too many."""
        found = await super().list_connections(schedule_ids, followers=followers)
        if len(schedule_ids) > self.most:
            raise refusal(InvalidRequestError, 414)
        return found


def test_a_list_for_too_many_schedules_is_asked_for_fewer() -> None:
    """Half as many until the service takes it, and no more from then on."""
    plan, stood = update(100)
    port = Narrow(stood)
    assert {o.status for o in ended(plan, port).values()} == {DONE}
    sizes = [len(schedules) for schedules in port.called("list_connections")]
    assert sizes[:4] == [100, 50, 25, 12]
    assert max(sizes[3:]) == 12
    assert len(sizes) < 3 + 100 / 3


def test_a_write_in_doubt_ends_the_look() -> None:
    """What an update did whose answer was lost is not known: the next action looks again."""
    plan, stood = update(8)
    port = ScriptedPort(stood, scripted(update_sync_config=After()))
    assert {o.status for o in ended(plan, port).values()} == {DONE}
    assert len(port.called("list_connections")) == 2


def test_what_a_run_has_written_is_known_without_a_look() -> None:
    """A look that is still fresh shows what was disconnected, connected and updated since; nobody asks for that."""
    port = ScriptedPort([live("c1"), live("c2", account="kim@harbor.example")])
    view = SiteView(port)
    site = SitePort(port, view)

    async def story() -> dict[str, tuple[str, SyncConfig]]:
        await view.standing(SCHEDULE)
        await site.disconnect("c1")
        await site.connect_by_credentials("p-apple", SCHEDULE, "new@harbor.example", PASSWORD)
        await site.update_sync_config("c2", SyncConfig(None, DEDICATED))
        return {each.id: (each.status, each.sync) for each in (await view.standing(SCHEDULE)).connections}

    found = passing(story())
    assert len(port.called("list_connections")) == 1
    assert {id_: status for id_, (status, _) in found.items()} == {each.id: each.status for each in port.connections}
    assert found["c2"][1] == SyncConfig(None, DEDICATED)


def replacing() -> tuple[Plan, ScriptedPort, LiveConnection]:
    """A plan that replaces a connection by one of another account, and the port of its site."""
    former = live("old", account="old@harbor.example")
    plan = plan_of([declared(sync=SyncConfig(None, DEDICATED))], [former])
    return plan, ScriptedPort([former]), former


def test_what_is_replaced_is_looked_at_again_before_it_goes() -> None:
    """The new connection took its time; meanwhile the old one may have become another's, and stays then."""
    plan, port, former = replacing()
    assert [action.kind for action in plan.actions] == ["replace"]
    port.script = scripted(
        connect_by_credentials=lambda: port.connections.__setitem__(
            0, replace(former, account=Account("boss@harbor.example"))
        ),
        update_sync_config=Waits(LATE),
    )
    (outcome,) = ended(plan, port).values()
    assert port.called("disconnect") == []
    assert outcome.status is FAILED
    assert "old was not disconnected: it is another's since it was planned; plan again" in (outcome.error or "")


def test_what_is_replaced_and_gone_already_is_not_disconnected_again() -> None:
    """Somebody else has disconnected it meanwhile: nothing is left to do."""
    plan, port, _ = replacing()
    port.script = scripted(connect_by_credentials=lambda: port.connections.pop(0), update_sync_config=Waits(LATE))
    (outcome,) = ended(plan, port).values()
    assert (outcome.status, port.called("disconnect")) == (DONE, [])


def test_what_is_replaced_stays_where_its_provider_is_out_of_reach() -> None:
    """That it is not listed then is no sign that it is gone."""
    plan, port, former = replacing()

    def out_of_reach() -> None:
        port.connections.remove(former)
        port.failed = (former.provider_id,)

    port.script = scripted(connect_by_credentials=out_of_reach, update_sync_config=Waits(LATE))
    (outcome,) = ended(plan, port).values()
    assert outcome.status is FAILED
    assert "old was not disconnected: the service can't reach its provider" in (outcome.error or "")


def test_what_is_replaced_stays_where_it_no_longer_shows_whose_it_is() -> None:
    """Connected again meanwhile, an account may not be shown yet: it need not be the one that was given up."""
    plan, port, former = replacing()
    port.script = scripted(
        connect_by_credentials=lambda: port.connections.__setitem__(0, replace(former, account=None)),
        update_sync_config=Waits(LATE),
    )
    (outcome,) = ended(plan, port).values()
    assert (outcome.status, port.called("disconnect")) == (FAILED, [])
    assert "old was not disconnected: it is another's since it was planned; plan again" in (outcome.error or "")


def made(port: ScriptedPort, **fields: object) -> Callable[[], None]:
    """Somebody else changes what was connected last."""

    def change() -> None:
        port.connections[-1] = replace(port.connections[-1], **fields)  # type: ignore[arg-type] # fields of the value, given by name

    return change


def connecting() -> Plan:
    """A plan that connects one account, and imports from its primary calendar."""
    return plan_of([declared(sync=SyncConfig(PRIMARY))])


@pytest.mark.parametrize(
    "fields",
    [{"account": Account("other@harbor.example")}, {"status": Status.DISCONNECTED.value}],
    ids=["another's", "gone"],
)
def test_a_new_connection_whose_config_must_wait_is_looked_at_again(fields: dict[str, object]) -> None:
    """What was made is no less somebody else's to change than what stood there: it may be another's, or gone."""
    port = ScriptedPort()
    port.script = scripted(update_sync_config=Waits(LATE, made(port, **fields)))
    (outcome,) = ended(connecting(), port).values()
    assert (outcome.status, len(port.called("update_sync_config"))) == (FAILED, 1)
    assert "it was disconnected since, or is another's" in (outcome.error or "")


def test_a_new_connection_whose_config_had_to_wait_keeps_what_its_owner_set() -> None:
    """The export, which no manifest manages, was switched on meanwhile, and is not switched off again."""
    port = ScriptedPort()
    port.script = scripted(update_sync_config=Waits(LATE, made(port, sync=SyncConfig(None, DEDICATED))))
    (outcome,) = ended(connecting(), port).values()
    assert (outcome.status, port.connections[-1].sync) == (DONE, SyncConfig(PRIMARY, DEDICATED))


def test_calendars_that_take_long_to_list_are_listed_once() -> None:
    """The account of a new connection is asked for them before the connection is looked at again."""
    port = ScriptedPort([], scripted(list_calendars=Waits(LATE), update_sync_config=[Waits(0.1)] * 9))
    (outcome,) = ended(plan_of([declared(sync=SyncConfig(chosen(CalendarRef(None, "Work"))))]), port).values()
    assert (outcome.status, len(port.called("list_calendars"))) == (DONE, 1)


@pytest.mark.parametrize("same", [True, False], ids=["as listed", "another's"])
def test_looking_up_what_a_list_leaves_out_may_take_long(*, same: bool) -> None:
    """Where each answer takes longer than it is good for, an update rests on the last one, if it is as was listed."""
    plan, stood = update()
    port = ScriptedPort([replace(each, sync=SyncConfig(each.sync.imports)) for each in stood])
    found = {each.id: each if same else replace(each, account=Account("other@harbor.example")) for each in stood}

    async def look_up(connection_id: str) -> LiveConnection:
        await asyncio.sleep(LATE)
        return found[connection_id]

    port.get_connection = look_up  # type: ignore[method-assign] # a service that shows more there than in its lists
    port.script = scripted(update_sync_config=[Waits(0.1)] * 9)
    (outcome,) = ended(plan, port).values()
    assert outcome.status is (DONE if same else SKIPPED)


@pytest.mark.parametrize("awaited", [False, True], ids=["link", "wait"])
def test_no_link_is_asked_for_on_an_old_look(*, awaited: bool) -> None:
    """An account that somebody has connected meanwhile needs no link."""
    asked = declared(provider="google")
    port = ScriptedPort()

    def come() -> None:
        port.connections.append(live("theirs", GOOGLE))

    port.script = scripted(connect_by_oauth=Waits(LATE, come))
    prompt = ScriptedPrompt({}) if awaited else None
    mode = ConsentMode.WAIT if awaited else ConsentMode.LINK
    (outcome,) = passing(Run(plan_of([asked], site=SITE), {"harbor": port}, mode, prompt).outcomes())
    assert (outcome.status, outcome.consent_url, len(port.called("connect_by_oauth"))) == (DONE, None, 1)
    assert prompt is None or prompt.shown == []


def test_owners_are_asked_on_one_look() -> None:
    """Links for many owners of a site rest on one look, too."""
    asked = [
        declared(f"g{n}", provider="google", account=f"g{n}@harbor.example", schedule=schedule(n)) for n in range(20)
    ]
    port = ScriptedPort()
    run = Run(plan_of(asked, site=SITE), {"harbor": port}, ConsentMode.LINK)
    assert {o.status for o in passing(run.outcomes())} == {OutcomeStatus.AWAITING_CONSENT}
    assert (len(port.called("list_connections")), len(port.called("connect_by_oauth"))) == (1, 20)
    assert OTHER_SCHEDULE not in port.called("list_connections")[0]
