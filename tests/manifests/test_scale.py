"""Fleets: ten thousand connections are loaded and checked in seconds, in one file or in as many."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.manifests import load
from reconciler.manifests.overlaps import find_overlaps
from tests.manifests.conftest import refusals
from tests.manifests.make import SITE, connection, documents, fleet

MANY = 10_000
SOME = 2_000
SECONDS = 30  # several times what a slow machine takes; anything quadratic takes far longer


def one_file(folder: Path) -> None:
    """The fleet as one file."""
    (folder / "fleet.yaml").write_text(fleet(MANY))


def many_files(folder: Path) -> None:
    """The fleet as a file for each document."""
    for number, text in enumerate(fleet(MANY).split("---\n")):
        (folder / f"{number}.yaml").write_text(text)


@pytest.mark.parametrize("write", [one_file, many_files])
def test_a_fleet_loads_in_seconds(folder: Path, write: Callable[[Path], None]) -> None:
    """Ten thousand connections take seconds, however they are spread over files."""
    write(folder)
    begin = time.monotonic()
    assert len(load([folder]).connections) == MANY
    assert time.monotonic() - begin < SECONDS


def test_one_account_on_very_many_schedules(folder: Path) -> None:
    """The search for meetings stays quick where everything shares one account."""
    off = {"enabled": False}
    texts = [
        connection(
            f"c{number}",
            syncConfig={"listEventFromCalendars": {"calendars": [f"Work {number}"]}, "syncToCalendar": off},
        )
        for number in range(SOME)
    ]
    (folder / "m.yaml").write_text(documents(SITE, *texts))
    connections = load([folder]).connections
    begin = time.monotonic()
    assert list(find_overlaps(connections)) == []
    assert time.monotonic() - begin < SECONDS / 10


def test_a_fleet_of_faults(folder: Path) -> None:
    """Thousands of connections that are all wrong, with each other too, are told in seconds."""
    for part in range(20):
        texts = [connection(f"c{number}", account="x@harbor-dental.example") for number in range(part, SOME, 20)]
        (folder / f"{part}.yaml").write_text(documents(*texts))
    (folder / "site.yaml").write_text(SITE)
    begin = time.monotonic()
    assert len(refusals(folder)) == SOME - 1
    assert time.monotonic() - begin < SECONDS
