"""Fleets: what is done to load and check connections grows as their number does, in one file or in as many."""

from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.manifests import load
from reconciler.manifests.references import find_overlaps
from tests.manifests.conftest import refusals
from tests.support.builders.manifests import SITE, connection, documents, fleet
from tests.support.work import steps

FEW, SOME, MANY = 100, 400, 10_000
TIMES = SOME // FEW
SLACK = 1.2  # what grows with the square would be four times too much


def one_file(folder: Path, count: int) -> Path:
    """A fleet as one file."""
    path = folder / f"{count}.yaml"
    path.write_text(fleet(count))
    return path


def many_files(folder: Path, count: int) -> Path:
    """A fleet as a file for each document."""
    path = folder / str(count)
    path.mkdir()
    for number, text in enumerate(fleet(count).split("---\n")):
        (path / f"{number}.yaml").write_text(text)
    return path


def assert_in_proportion(work: Callable[[int], Callable[[], object]]) -> None:
    """Assert that four times as many are no more than four times the work; `work` prepares it for a number."""
    work(2)()  # what is imported or compiled but once
    few, some = (steps(work(count)) for count in (FEW, SOME))
    assert few > FEW
    assert some < few * TIMES * SLACK


@pytest.mark.parametrize("write", [one_file, many_files])
def test_loading_grows_with_the_fleet(folder: Path, write: Callable[[Path, int], Path]) -> None:
    """Four times as many connections are four times the work, however they are spread over files."""

    def loading(count: int) -> Callable[[], object]:
        path = write(folder, count)
        return lambda: load([path])

    assert_in_proportion(loading)


@pytest.mark.parametrize("write", [one_file, pytest.param(many_files, marks=pytest.mark.soak)])
@pytest.mark.parametrize("count", [1_000, pytest.param(MANY, marks=pytest.mark.soak)])
def test_a_fleet_loads(folder: Path, write: Callable[[Path, int], Path], count: int) -> None:
    """Thousands of connections are loaded, each of them."""
    assert len(load([write(folder, count)]).connections) == count


def test_one_account_on_very_many_schedules(folder: Path) -> None:
    """The search for meetings grows as the connections do where everything shares one account."""
    off = {"enabled": False}

    def searching(count: int) -> Callable[[], object]:
        texts = [
            connection(
                f"c{number}",
                syncConfig={"listEventFromCalendars": {"calendars": [f"Work {number}"]}, "syncToCalendar": off},
            )
            for number in range(count)
        ]
        (folder / "m.yaml").write_text(documents(SITE, *texts))
        connections = load([folder]).connections
        assert list(find_overlaps(connections)) == []
        return lambda: list(find_overlaps(connections))

    assert_in_proportion(searching)


def test_a_fleet_of_faults(folder: Path) -> None:
    """Connections that are all wrong, with each other too, take no more than their share; each is told."""

    def refusing(count: int) -> Callable[[], object]:
        place = folder / str(count)
        place.mkdir()
        for part in range(20):
            texts = [connection(f"c{n}", account="x@harbor-dental.example") for n in range(part, count, 20)]
            (place / f"{part}.yaml").write_text(documents(*texts))
        (place / "site.yaml").write_text(SITE)
        assert len(refusals(place)) == count - 1
        return lambda: refusals(place)

    assert_in_proportion(refusing)
