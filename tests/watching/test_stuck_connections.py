"""Connections whose sync does not end: a watch, which remembers since when, calls them stuck after 30 minutes."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from reconciler.model.status import Health
from reconciler.sandbox.contract import Status
from reconciler.sandbox.world import ExistingConnection
from tests.support.cli.worlds import BUSY, EXPORTING, KEY, connected, connection, harbor, site, world
from tests.watching.inside import MINUTE, Inside, Step

LIMIT = 30 * MINUTE
STUCK = "stuck: its sync has not ended in over 30 minutes"
IN_PROGRESS = replace(connected(0), status=Status.SYNC_IN_PROGRESS)


def live(inside: Inside, *connections: ExistingConnection) -> Step:
    """A step that makes these the live connections of the site."""
    return lambda: inside.extcal.on(world(replace(harbor(), connections=connections)))


def after(inside: Inside, seconds: float, *steps: Step) -> Step:
    """A step before which so many seconds pass, the minute between two rounds among them."""

    def step() -> None:
        inside.clock.seconds += seconds - MINUTE
        for each in steps:
            each()
        inside.watch.hurry()

    return step


def stuck(inside: Inside) -> int:
    """How many the figures count."""
    return inside.watch.figures.sites["harbor"].stuck


@pytest.fixture
def syncing(inside: Inside) -> Inside:
    """A watch of one connection whose sync is in progress."""
    inside.extcal.write(site(), connection(0, more=BUSY))
    live(inside, IN_PROGRESS)()
    return inside


def told(inside: Inside) -> list[str]:
    """What was told of the connection, in short; the first words alone of what should be looked at."""
    lines, bad = inside.reports.take()
    return [line.removeprefix("harbor/staff-0: ").split(" in over")[0] for line in (*lines, *bad)]


def test_a_sync_that_does_not_end_is_told_once_and_its_end_too(syncing: Inside) -> None:
    """It is a bad line with what to do; the figures count it meanwhile, and its health stays what one look says."""
    seen: list[tuple[list[str], list[str], int]] = []

    def look() -> None:
        seen.append((*syncing.reports.take(), stuck(syncing)))

    syncing.run(
        after(syncing, LIMIT, look),
        after(syncing, MINUTE, look),
        after(syncing, MINUTE, look),
        after(syncing, MINUTE, look, live(syncing, connected(0))),
        look,
    )
    first, at_the_limit, over_it, still, healed = seen
    assert first == at_the_limit == ([], [], 0)
    (line,) = over_it[1]
    assert line.startswith(
        f"harbor/staff-0: {STUCK}, and a first one takes 5 to 10. Look at it in the site's dashboard"
    )
    assert "the last resort is to disconnect it, which deletes the events that were exported" in line
    assert (over_it[0], over_it[2]) == ([], 1)
    assert still == ([], [], 1)
    assert healed == (["harbor/staff-0: no longer stuck, ok"], [], 0)
    assert syncing.figures.sites["harbor"].connections[Health.SYNCING] == 0


def test_it_is_reckoned_from_when_it_was_seen_first(syncing: Inside) -> None:
    """That a sync begins at last does not make it another one."""
    live(syncing, replace(IN_PROGRESS, status=Status.CONNECTED))()
    syncing.run(after(syncing, LIMIT / 2, live(syncing, IN_PROGRESS)), after(syncing, LIMIT / 2 + 1))
    assert told(syncing) == ["stuck: its sync has not ended"]


@pytest.mark.parametrize(
    "between",
    [
        connected(0),
        replace(connected(0), status=Status.ERROR, error_reason="ACCOUNT_SUSPENDED"),
        replace(connected(0), status="PAUSED"),
        replace(IN_PROGRESS, id="another"),
    ],
    ids=["synced", "error", "unheard of", "another connection"],
)
def test_what_was_otherwise_begins_anew(syncing: Inside, between: ExistingConnection) -> None:
    """Only what stays so is stuck."""
    syncing.run(
        after(syncing, LIMIT / 2, live(syncing, between)),
        after(syncing, LIMIT / 2, live(syncing, IN_PROGRESS)),
        after(syncing, LIMIT),
    )
    assert not [line for line in told(syncing) if "stuck" in line]
    assert syncing.figures.sites["harbor"].stuck == 0


def wrong_key(inside: Inside) -> tuple[Step, Step]:
    """The site can't be read."""
    return (lambda: inside.environ.update(EXTCAL_API_KEY="wrong-key")), lambda: inside.environ.update(
        EXTCAL_API_KEY=KEY
    )


def provider_down(inside: Inside) -> tuple[Step, Step]:
    """The site can be read, but for the connections of the provider."""
    down = replace(harbor().providers[0], down=True), *harbor().providers[1:]
    other = replace(connected(1), provider_id=harbor().providers[2].id)
    there = replace(harbor(), connections=(IN_PROGRESS, other))
    return (lambda: inside.extcal.on(world(replace(there, providers=down)))), lambda: inside.extcal.on(world(there))


def nothing_said(inside: Inside) -> tuple[Step, Step]:
    """The service says UNDEFINED of the connection."""
    return live(inside, replace(IN_PROGRESS, status=Status.UNDEFINED)), live(inside, IN_PROGRESS)


def impossible(inside: Inside) -> tuple[Step, Step]:
    """The manifest asks for what the provider can't do, so that nothing is planned."""
    wrong = connection(0, more=BUSY).replace("provider: apple", "provider: {name: Nobody}")
    return (
        lambda: inside.extcal.write(site(), wrong),
        lambda: inside.extcal.write(site(), connection(0, more=BUSY)),
    )


@pytest.mark.parametrize("gap", [wrong_key, provider_down, nothing_said, impossible])
def test_what_could_not_be_seen_for_a_while_goes_on(
    syncing: Inside, gap: Callable[[Inside], tuple[Step, Step]]
) -> None:
    """A look that sees nothing proves nothing: neither that it has ended nor that it is stuck."""
    begin, end = gap(syncing)
    seen: list[int] = []
    syncing.run(
        after(syncing, LIMIT / 2, begin),
        after(syncing, LIMIT / 2, lambda: seen.append(stuck(syncing)), end),
        lambda: seen.append(stuck(syncing)),
        after(syncing, LIMIT, begin),
        lambda: seen.append(stuck(syncing)),
    )
    assert seen[0] == 0
    assert seen[-1] == 1
    assert [line for line in told(syncing) if "stuck" in line] == ["stuck: its sync has not ended"]


def test_another_name_is_no_other_connection(syncing: Inside) -> None:
    """It is known by its id: what a manifest calls it may change while it is syncing."""
    renamed = connection(0, more=BUSY).replace("staff-0", "front-desk")
    syncing.run(after(syncing, LIMIT / 2, lambda: syncing.extcal.write(site(), renamed)), after(syncing, LIMIT / 2 + 1))
    assert told(syncing) == ["harbor/front-desk: stuck: its sync has not ended"]


def test_what_breaks_or_goes_is_told_as_that(syncing: Inside) -> None:
    """A stuck connection that is in error, or gone, has not healed."""
    broken = replace(connected(0), status=Status.ERROR, error_reason="TOKEN_REVOKED")
    ends = ((live(syncing, broken), "in error: access was revoked"), (live(syncing), "missing: was connected"))
    for end, line in ends:
        live(syncing, IN_PROGRESS)()
        syncing.run(after(syncing, LIMIT + 1), end)
        first, second = sorted(told(syncing), reverse=True)
        assert first == "stuck: its sync has not ended"
        assert second.startswith(line)
        assert syncing.figures.sites["harbor"].stuck == 0


def test_one_that_differs_is_stuck_all_the_same(syncing: Inside) -> None:
    """Drift and a sync that does not end are told apart, and end apart."""
    syncing.extcal.write(site(), connection(0, more=EXPORTING))
    syncing.run(after(syncing, LIMIT + 1), live(syncing, connected(0)))
    lines = told(syncing)
    assert [line for line in lines if "stuck" in line] == [
        "no longer stuck, drifted",
        "stuck: its sync has not ended",
    ]
    assert [line for line in lines if line.startswith("drifted")] == [lines[0]]


def test_what_nobody_declares_is_not_watched(syncing: Inside) -> None:
    """Neither told nor counted."""
    stray = replace(connected(1), status=Status.SYNC_IN_PROGRESS)
    syncing.extcal.write(site(more="scope: site"), connection(0, more=BUSY))
    live(syncing, connected(0), stray)()
    syncing.run(after(syncing, LIMIT + 1))
    assert not [line for line in told(syncing) if "stuck" in line]
    assert syncing.figures.sites["harbor"].stuck == 0


def test_a_site_that_is_gone_is_forgotten(syncing: Inside) -> None:
    """A connection that is declared again after its whole site was not is watched anew."""
    both = (site(), connection(0, more=BUSY))
    other = site("quay", id_=harbor().id)
    syncing.run(
        after(syncing, LIMIT / 2, lambda: syncing.extcal.write(other)),
        after(syncing, LIMIT / 2, lambda: syncing.extcal.write(*both)),
        after(syncing, LIMIT),
    )
    assert not [line for line in told(syncing) if "stuck" in line]
