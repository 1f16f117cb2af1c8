"""Whatever the runs, the clock and the mail server do: no owner is flooded, and nobody is forgotten."""

import shutil
from datetime import timedelta
from enum import Enum, auto
from itertools import pairwise

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.cli.command import Extcal
from tests.support.cli.mail import Mailing
from tests.support.cli.worlds import email
from tests.support.mail_server import mail_server
from tests.support.profiles import examples

_OWNERS = (1, 2)
_REMIND_AFTER = 24
_MOST_MAILS = 2
_RULES = ("--remind-after", f"{_REMIND_AFTER}h", "--most-mails", str(_MOST_MAILS))


class _Answer(Enum):
    """What the mail server does with a message."""

    TAKE = auto()
    PUT_OFF = auto()
    REFUSE_AT_THE_END = auto()
    TAKE_AND_DIE = auto()


_RUNS = st.lists(
    st.tuples(
        st.sampled_from((0, 1, _REMIND_AFTER - 1, _REMIND_AFTER, 60)),
        st.tuples(*(st.sampled_from(_Answer) for _ in _OWNERS)),
    ),
    min_size=1,
    max_size=7,
)


@given(runs=_RUNS)
@settings(examples(12), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nobody_is_mailed_too_often_or_too_soon(extcal: Extcal, runs: list[tuple[int, tuple[_Answer, ...]]]) -> None:
    """Each run comes some hours after the last; of the messages that went out, none is one too many or too early.

    And who is due is asked: a message that was put off or refused holds up nothing.
    """
    shutil.rmtree(extcal.folder / "state", ignore_errors=True)
    with mail_server() as server:
        mailing = Mailing(extcal, server)
        mailing.declare(*_OWNERS)
        clock = 0
        mailed: dict[int, list[int]] = {owner: [] for owner in _OWNERS}
        for hours, answers in runs:
            clock += hours
            mailing.pass_time(timedelta(hours=hours))
            chosen = dict(zip(_OWNERS, answers, strict=True))
            server.recipient_answers = {
                email(owner): "451 later" for owner, answer in chosen.items() if answer is _Answer.PUT_OFF
            }
            server.data_answers = {
                email(owner): "550 no" for owner, answer in chosen.items() if answer is _Answer.REFUSE_AT_THE_END
            }
            server.breaks_off = {email(owner) for owner, answer in chosen.items() if answer is _Answer.TAKE_AND_DIE}
            due = {owner for owner, times in mailed.items() if _is_due(times, clock)}
            server.tried.clear()
            before = {owner: len(server.to(email(owner))) for owner in _OWNERS}
            ran = mailing(*_RULES)
            assert {owner for owner in _OWNERS if email(owner) in server.tried} == due
            for owner in _OWNERS:
                mailed[owner] += [clock] * (len(server.to(email(owner))) - before[owner])
            assert ran.code == (3 if all(chosen[owner] is _Answer.TAKE for owner in due) else 1)
            assert mailing.asked == {f"harbor/staff-{owner}": len(times) for owner, times in mailed.items()}
    for times in mailed.values():
        assert len(times) <= _MOST_MAILS
        assert all(later - earlier >= _REMIND_AFTER for earlier, later in pairwise(times))


def _is_due(times: list[int], clock: int) -> bool:
    """Whether an owner who was mailed at these hours is to be mailed now."""
    return not times or (len(times) < _MOST_MAILS and clock - times[-1] >= _REMIND_AFTER)
