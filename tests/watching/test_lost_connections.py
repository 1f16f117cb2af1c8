"""Connections that were disconnected by nobody here: a watch tells them from those that never were connected."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from reconciler.sandbox.contract import Status
from tests.support.cli.worlds import BUSY, KEY, connected, connection, email, harbor, site, world
from tests.watching.inside import Inside, agreeing

_CAUSES = "access may have been revoked, or the schedule's owner changed"
_DISCONNECTED = f"harbor/staff-0: missing: was disconnected; {_CAUSES}"
_FORGOTTEN = f"harbor/staff-0: missing: was connected and is no longer listed; {_CAUSES}"


@pytest.mark.parametrize("listed", [True, False])
def test_a_connection_that_is_lost_is_a_bad_line(inside: Inside, *, listed: bool) -> None:
    """Whether the service still lists it or not: it was seen standing; told once, and once when it is back."""
    agreeing(inside, 0)
    row = replace(connected(0), status=Status.DISCONNECTED)
    lost = world(replace(harbor(), connections=(row,) if listed else ()))
    back = world(replace(harbor(), connections=(replace(connected(0), id="another"),)))
    inside.run(lambda: inside.extcal.on(lost), lambda: None, lambda: inside.extcal.on(back))
    assert inside.reports.take() == (
        ["harbor/staff-0: healed, ok"],
        [_DISCONNECTED if listed else _FORGOTTEN],
    )


@pytest.mark.parametrize("listed", [True, False])
def test_what_is_lost_and_connected_again_in_one_round_is_told(inside: Inside, *, listed: bool) -> None:
    """With apply all is well at the end of the round, and somebody should know all the same; once."""
    agreeing(inside, 0)
    row = replace(connected(0), status=Status.DISCONNECTED)
    lost = world(replace(harbor(), connections=(row,) if listed else ()))
    inside.run(lambda: inside.extcal.on(lost), lambda: None, applies=True)
    assert inside.reports.take() == (
        ["done connect harbor/staff-0"],
        [f"{_DISCONNECTED if listed else _FORGOTTEN}; connected again".replace("missing: ", "")],
    )


def test_what_is_connected_for_the_first_time_was_not_lost(inside: Inside) -> None:
    """Applying it is no news to look at."""
    inside.extcal.write(site(), connection(0, more=BUSY))
    inside.run(applies=True)
    assert inside.reports.take() == (["done connect harbor/staff-0"], [])


def test_what_stays_lost_while_its_site_is_not_read_is_told_once(inside: Inside) -> None:
    """What was known before is known after."""
    agreeing(inside, 0)

    def readable() -> None:
        inside.environ["EXTCAL_API_KEY"] = KEY
        inside.watch.hurry()

    inside.run(
        lambda: inside.extcal.on(world(harbor())),
        lambda: inside.environ.update(EXTCAL_API_KEY="a-wrong-key"),
        readable,
    )
    lines, bad = inside.reports.take()
    assert lines == ["harbor: can be read again"]
    assert [line for line in bad if "staff-0" in line] == [_FORGOTTEN]


def test_what_was_never_there_is_not_called_lost(inside: Inside) -> None:
    """Neither another account of one name, nor what somebody meant to disconnect."""
    agreeing(inside, 0)

    def declare(*documents: str) -> Callable[[], None]:
        return lambda: inside.extcal.write(site(), *documents)

    other = connection(0, more=BUSY).replace(email(0), email(1))
    inside.run(
        declare(other),
        declare(connection(0, more="state: absent")),
        lambda: inside.extcal.on(world(harbor())),
        declare(connection(0, more=BUSY)),
    )
    lines, bad = inside.reports.take()
    assert [line for line in lines if "missing" in line] == ["harbor/staff-0: missing: not connected yet"] * 2
    assert bad == []
