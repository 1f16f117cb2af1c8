"""Connecting by credentials: what is written down, how often it is sent, and how each doubt ends."""

from collections.abc import Sequence

import pytest

from reconciler.errors import ExtcalError, SecretError
from reconciler.execution.connect import connect
from reconciler.execution.site_view import Standing
from reconciler.model.action import Action
from reconciler.model.intent import Fate
from reconciler.model.live import LiveConnection
from reconciler.model.result import Outcome, OutcomeStatus
from tests.execution.runs import reach_of
from tests.execution.scripted import BAD_PASSWORD, DOWN, LOST, After, Late, MemoryJournal, ScriptedPort, Step, scripted
from tests.support.actions import altered
from tests.support.builders.plans import OTHER_SCHEDULE, PASSWORD, SCHEDULE, declared, live, planned, the_action
from tests.support.passing_time import now, passing

SENT = ("p-apple", SCHEDULE, "lee@harbor.example", str(PASSWORD))
BEGUN = ("begin", "harbor/lee")


def action() -> Action:
    """A connect of lee@harbor.example at Apple."""
    return the_action(planned(declared()))


class Story:
    """A connect whose sendings come to `steps`, while `listing` is how the looks after a lost answer go."""

    def __init__(self, *steps: Step, listing: Sequence[Step] = (), standing: Sequence[LiveConnection] = ()) -> None:
        script = scripted(connect_by_credentials=list(steps), list_connections=list(listing))
        self.port = ScriptedPort(list(standing), script)
        self.journal = MemoryJournal()
        self.took = 0.0
        self._standing = standing

    def ended(self, given: Action | None = None) -> LiveConnection | Outcome:
        """How it ends."""

        async def work() -> LiveConnection | Outcome:
            reach = reach_of(self.port, self.journal)
            try:
                made = await connect(given or action(), reach, Standing(tuple(self._standing), (), now()))
                return made if isinstance(made, Outcome) else made.connection
            finally:
                self.took = now()

        return passing(work())

    def error(self) -> str:
        """What it says where nobody knows what became of it, which is left open in the journal."""
        outcome = self.ended()
        assert isinstance(outcome, Outcome)
        assert outcome.status is OutcomeStatus.UNKNOWN
        assert outcome.action == action()
        assert set(self.journal.lines) == {BEGUN}
        return outcome.error or ""

    @property
    def sent(self) -> list[tuple[str, ...]]:
        """What was sent to connect."""
        return self.port.called("connect_by_credentials")


def test_it_is_written_down_then_sent_once_then_closed() -> None:
    """The usual case: one intent, one sending with all that it takes, its end with the connection's id, no look."""
    story = Story()
    made = story.ended()
    assert isinstance(made, LiveConnection)
    assert made.id == "new-1"
    assert story.sent == [SENT]
    assert story.journal.lines == [BEGUN, ("end", "harbor/lee", Fate.DONE, "new-1")]
    assert story.port.called("list_connections") == []


def test_the_intent_says_what_stood_there_before_and_nothing_secret() -> None:
    """What it is told by later: the key, and the connections that it can't have made; no reference to a password."""
    standing = [live("b"), live("a"), live("kim", account="kim@harbor.example"), live("gone", status="DISCONNECTED")]
    story = Story(standing=standing)
    story.ended()
    (intent,) = story.journal.intents
    assert intent.known == ("a", "b", "kim")
    assert (intent.address, intent.site, intent.key.schedule_id) == ("harbor/lee", "harbor", SCHEDULE)
    assert (intent.provider_id, intent.key.provider, str(intent.key.account)) == (
        "p-apple",
        "apple",
        "lee@harbor.example",
    )
    assert PASSWORD.name not in repr(intent)
    again = Story()
    again.ended()
    assert intent.id
    assert again.journal.intents[0].id != intent.id


def test_nothing_is_sent_that_can_not_be_written_down() -> None:
    """Where the journal refuses, its error is the action's, and the service is not asked."""
    story = Story()
    story.journal.refuses = ExtcalError("no space left")
    with pytest.raises(ExtcalError, match="no space left"):
        story.ended()
    assert story.port.calls == []


@pytest.mark.parametrize("refusal", [BAD_PASSWORD, SecretError("env:EXTCAL_PASSWORD is not set")])
def test_what_is_refused_is_closed_and_not_sent_again(refusal: ExtcalError) -> None:
    """A clear no, of the service or before anything is sent, is the error itself; nothing stays open."""
    story = Story(refusal)
    with pytest.raises(type(refusal)) as caught:
        story.ended()
    assert caught.value is refusal
    assert len(story.sent) == 1
    assert story.journal.lines == [BEGUN, ("end", "harbor/lee", Fate.REFUSED, "")]
    assert story.port.called("list_connections") == []


def test_what_a_lost_answer_has_made_is_adopted() -> None:
    """It is sent once; what appeared beside those that stood there is the connection."""
    story = Story(After(), standing=[live("older")])
    made = story.ended()
    assert isinstance(made, LiveConnection)
    assert made.id == "new-1"
    assert len(story.sent) == 1
    assert story.journal.lines == [BEGUN, ("end", "harbor/lee", Fate.ADOPTED, "new-1")]


def test_what_takes_effect_late_is_adopted() -> None:
    """Within the window nothing is sent again, however long the service takes."""
    story = Story(Late(10.0))
    made = story.ended()
    assert isinstance(made, LiveConnection)
    assert (made.id, len(story.sent), story.took) == ("new-1", 1, 15.0)
    assert story.journal.lines[-1] == ("end", "harbor/lee", Fate.ADOPTED, "new-1")


def test_what_did_not_come_about_is_tried_once_more() -> None:
    """After the whole window and nothing there, the second sending counts as the first would have."""
    story = Story(LOST)
    made = story.ended()
    assert isinstance(made, LiveConnection)
    # Once more the whole window passes, in which the first sending could still take effect.
    assert (made.id, story.sent, story.took) == ("new-1", [SENT, SENT], 30.0)
    assert story.journal.lines == [BEGUN, BEGUN, ("end", "harbor/lee", Fate.DONE, "new-1")]


def test_a_refusal_of_the_second_sending_is_the_end() -> None:
    """The first one has had its whole window; a clear no to the second closes it."""
    story = Story(LOST, BAD_PASSWORD)
    with pytest.raises(type(BAD_PASSWORD)):
        story.ended()
    assert story.journal.lines == [BEGUN, BEGUN, ("end", "harbor/lee", Fate.REFUSED, "")]


def test_it_is_not_sent_again_without_the_journal() -> None:
    """Where the second sending can't be written down, what became of the first one stays open, and is said to be."""
    story = Story(LOST)
    story.journal.refuses_after = 1
    assert story.error() == f"its answer was lost ({LOST}), and it was not sent again: the disk is full"
    assert len(story.sent) == 1


def test_an_answer_lost_twice_leaves_it_open() -> None:
    """No third sending; the message says how long it was looked for, why, and what happens next."""
    story = Story(LOST, DOWN)
    assert story.error() == (
        f"its answer was lost twice, and no connection was there 15 s later: {DOWN}; "
        "apply again, which first looks up what became of it"
    )
    assert (len(story.sent), story.took) == (2, 30.0)


def test_what_the_second_of_two_lost_sendings_made_is_adopted_at_the_end() -> None:
    """The first one might still take effect, so the second window is waited for to its end."""
    story = Story(LOST, After())
    made = story.ended()
    assert isinstance(made, LiveConnection)
    assert (made.id, story.took) == ("new-1", 30.0)
    assert story.journal.lines[-1] == ("end", "harbor/lee", Fate.ADOPTED, "new-1")


NAMED = "; say which one stays: extcal resolve PATH --keep harbor/lee=ID"


def test_the_first_sending_that_takes_effect_after_the_second_was_answered() -> None:
    """Both are there when it is looked after the second answer: named and left to a person, not adopted."""
    listing: list[Step] = [None] * 5
    story = Story(LOST, listing=[*listing, lambda: story.port.connections.append(live("late"))])
    assert story.error() == f"2 connections appeared where one was meant: late, new-1{NAMED}"


def test_the_first_sending_that_takes_effect_while_the_second_is_looked_for() -> None:
    """Two lost answers, two connections: both are named."""
    story = Story(Late(20.0), After())
    assert story.error() == f"2 connections appeared where one was meant: new-1, new-2{NAMED}"
    assert len(story.sent) == 2


def test_more_than_one_after_the_first_sending() -> None:
    """Somebody else connected the same account meanwhile: nobody can tell which is ours, and nothing is sent again."""
    story = Story(After())

    def rival() -> None:
        story.port.connections.append(live("rival"))

    story.port.script["list_connections"].append(rival)
    assert story.error() == f"2 connections appeared where one was meant: new-1, rival{NAMED}"
    assert len(story.sent) == 1


def test_what_can_not_be_looked_for_is_not_sent_again() -> None:
    """Without an answer to the look nothing is known; the message has both troubles and what to do."""
    story = Story(LOST, listing=[DOWN])
    assert story.error() == (
        f"its answer was lost ({LOST}), and it could not be looked for: {DOWN}; apply again to settle it"
    )
    assert (len(story.sent), story.took) == (1, 0.0)


def test_a_second_answer_is_believed_where_the_look_after_it_fails() -> None:
    """The connection is known by its answer; that the look afterwards is not answered takes nothing from it."""
    story = Story(LOST, listing=[None] * 5 + [DOWN])
    made = story.ended()
    assert isinstance(made, LiveConnection)
    assert story.journal.lines[-1] == ("end", "harbor/lee", Fate.DONE, "new-1")


@pytest.mark.parametrize("lacking", ["password", "account"])
def test_a_plan_without_credentials_connects_nothing(lacking: str) -> None:
    """Nothing is written down, nothing sent, and the message says what to do."""
    story = Story()
    given = altered(action(), **{lacking: None})
    outcome = Outcome(given, OutcomeStatus.FAILED, error="its plan holds no credentials; plan again")
    assert story.ended(given) == outcome
    assert (story.port.calls, story.journal.lines) == ([], [])


def test_only_its_own_schedule_is_looked_at() -> None:
    """The look after a lost answer asks for one schedule, and a connection elsewhere is none of it."""
    story = Story(LOST, LOST, standing=[live("elsewhere", schedule_id=OTHER_SCHEDULE)])
    story.error()
    assert set(story.port.called("list_connections")) == {(SCHEDULE,)}
