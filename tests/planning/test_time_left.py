"""The time that is left, as it is told all along a run, is the time that the run then takes."""

import pytest

from reconciler.planning.time_left import TimeLeft
from tests.planning.simulated_run import Simulation

NEW, UPDATE, NAMED = 2, 1, 3
WINDOW = 60.0


def sites(count: int, *actions: int) -> dict[str, list[int]]:
    """So many sites with these actions each."""
    return {f"site-{number}": [*actions] for number in range(count)}


def told(simulation: Simulation) -> tuple[float, list[tuple[float, float, float]]]:
    """How long a run takes, and at each moment since its beginning what was told to be left, and what was."""
    end = simulation.run()
    began = simulation.estimates[0][0]
    return end - began, [(moment - began, left, end - moment) for moment, left in simulation.estimates]


def _is_wrong(left: float, truly: float, latency: float) -> bool:
    return abs(left - truly) > max(5, 3 * latency, truly / 6)


@pytest.mark.parametrize(
    ("simulation", "known_after"),
    [
        pytest.param(Simulation(sites(1, *[NEW] * 300)), 0, id="300 new"),
        pytest.param(Simulation(sites(1, *[NAMED] * 300)), 0, id="300 new with a calendar by name"),
        pytest.param(Simulation(sites(1, *[UPDATE] * 300)), 0, id="300 updates"),
        pytest.param(Simulation(sites(10, *[NEW] * 100)), 0, id="10 sites with 100 new"),
        pytest.param(Simulation(sites(40, *[NEW] * 150)), 0, id="more sites than work at once"),
        pytest.param(
            Simulation({"a": [NEW, UPDATE, UPDATE, NAMED] * 60, "b": [UPDATE] * 50, "c": [NEW] * 20}), 0, id="a mix"
        ),
        pytest.param(Simulation(sites(1, *[NEW] * 300), sent_before=190), 0, id="after a run that used the window"),
        pytest.param(Simulation(sites(1, *[NEW] * 300), latency=1.0), 4, id="slow: 300 new"),
        pytest.param(Simulation(sites(1, *[UPDATE] * 300), latency=1.0), 4, id="slow: 300 updates"),
        pytest.param(Simulation(sites(1, *[UPDATE] * 100), latency=1.0), 4, id="slow: 100 updates"),
        pytest.param(Simulation(sites(1, *[NEW] * 300), latency=4.0), 60, id="so slow that no limit matters"),
        pytest.param(Simulation(sites(1, *[NEW] * 300), latency=0.001, own=0.003), 0, id="fast: 300 new"),
        pytest.param(Simulation(sites(10, *[NEW] * 90), latency=0.001, own=0.003), 2, id="fast: nobody waits"),
        pytest.param(
            Simulation(sites(1, *[NEW] * 300), refused=lambda number: 30.0 * (number == 100)), 0, id="one rest"
        ),
        pytest.param(
            Simulation(sites(1, *[NEW] * 300), refused=lambda number: 10.0 * (number % 60 == 0)), 0, id="short rests"
        ),
    ],
)
def test_it_is_right_all_along(simulation: Simulation, known_after: float) -> None:
    """From its first seconds to its end, within a sixth or a few seconds; slowness shows with the first answers."""
    _, moments = told(simulation)
    wrong = [each for each in moments if each[0] >= known_after and _is_wrong(*each[1:], simulation.latency)]
    assert wrong == []


@pytest.mark.parametrize(
    "simulation",
    [
        pytest.param(Simulation(sites(1, *[NEW] * 300)), id="300 new"),
        pytest.param(Simulation(sites(10, *[NEW] * 100)), id="10 sites with 100 new"),
        pytest.param(Simulation(sites(40, *[NEW] * 150)), id="more sites than work at once"),
    ],
)
def test_the_end_that_it_foresees_stays(simulation: Simulation) -> None:
    """Neither a wait for the limit nor the burst after it moves the end by much."""
    took, moments = told(simulation)
    ends = [moment + left for moment, left, _ in moments]
    assert max(ends) - min(ends) < took / 15


def test_three_minutes_are_told_before_anything_has_happened() -> None:
    """What 300 new connections take at 190 requests a minute is known from the beginning."""
    took, moments = told(Simulation(sites(1, *[NEW] * 300)))
    assert moments[0][1] == pytest.approx(took, abs=3)
    assert moments[0][1] == pytest.approx(3 * WINDOW, abs=5)


def test_rests_that_recur_are_reckoned_with() -> None:
    """A service that asks for one long rest after the other is slower than its limit, which shows after the second."""
    took, moments = told(Simulation(sites(1, *[NEW] * 300), refused=lambda number: 40.0 * (number % 95 == 0)))
    assert took > 4 * WINDOW
    late = [each for each in moments if each[0] > took / 2]
    assert all(abs(left - truly) < 45 for _, left, truly in late)


def test_what_is_done_elsewhere_counts_down_by_itself() -> None:
    """Where nobody tells what was sent, as of a worker's site, it is taken to be under way since the beginning."""
    now = 100.0
    left = TimeLeft({"harbor": 601, "pier": 0}, 16, lambda: now)
    assert left.seconds() == pytest.approx(3 * WINDOW, abs=5)
    now += WINDOW
    assert left.seconds() == pytest.approx(2 * WINDOW, abs=5)
    left.ended("harbor", 600)
    assert left.seconds() == 0


def test_an_action_that_costs_nothing_changes_nothing() -> None:
    """What is held back, and ends at once, is no sign that the others go faster."""
    left = TimeLeft({"harbor": 601}, 16, lambda: 0.0)
    before = left.seconds()
    left.ended("harbor", 0)
    assert left.seconds() == before
