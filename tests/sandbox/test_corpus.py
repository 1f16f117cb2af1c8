"""Calendars as Outlook, Exchange, Apple, Google and others write them come to what the RFC says, in `corpus/`."""

from __future__ import annotations

import json
import subprocess
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from reconciler.sandbox.calendars.icalendar.expander import Expander, ExpansionRequest
from reconciler.sandbox.calendars.icalendar.instances import TimeRange
from tests.sandbox.corpus_cases import NAMES, Case, case, shown
from tests.support.sandbox.api import APPLE_EMAIL
from tests.support.timeouts import TIMEOUT
from tests.support.tools import NODE, NODE_MODULES, ROOT, needs_ical_js

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.sandbox.api import Api

SCRIPT = ROOT / "tests" / "js" / "ical_expansion.mjs"
SERVED = [
    "outlook-series-since-2015",
    "google-export",
    "declined-by-the-owner",
    "one-instance-declined",
    "free-by-microsoft",
    "durations-over-the-change-in-spring",
    "all-day-that-ends-as-it-starts",
    "range-thisandfuture-in-lower-case",
    "folded-within-characters",
]
"""Those that are asked for over HTTP, too; their schedule is in New York and their owner is Dr. Lee."""


@pytest.fixture(scope="module")
def expander() -> Iterator[Expander]:
    """Workers of the tests' own."""
    found = Expander(TIMEOUT)
    yield found
    found.close()


@pytest.mark.parametrize("name", NAMES)
def test_a_calendar_comes_to_what_the_rfc_says(expander: Expander, name: str) -> None:
    """Its instances are those of the answer, what could not be read is reported, and nothing else is."""
    asked = case(name)
    answered = expander.expand(
        ExpansionRequest(
            asked.content, asked.zone, TimeRange(asked.start.timestamp(), asked.end.timestamp()), asked.owner
        )
    )
    found = sorted(shown(each.start, each.end, all_day=each.all_day, title=each.title) for each in answered.instances)
    assert found == asked.instances
    assert [part for part in asked.faults if not any(part in fault for fault in answered.faults)] == []
    assert [fault for fault in answered.faults if not any(part in fault for part in asked.faults)] == []


@pytest.mark.parametrize("name", SERVED)
def test_the_api_lists_what_the_rfc_says(api: Api, lee: Path, name: str) -> None:
    """The same calendars as files of an account."""
    asked = case(name)
    assert asked.owner in {"", APPLE_EMAIL}
    (lee / "k93wqe.ics").write_bytes(asked.content)
    api.connect()
    found = api.get("/events", {"from": _text(asked.start), "to": _text(asked.end), "fieldsets": "OWN_PI"}).json()
    assert (
        sorted(
            shown(_seconds(each["start"]), _seconds(each["end"]), all_day=each["allDay"], title=each["title"])
            for each in found["events"]
        )
        == asked.instances
    )


@needs_ical_js
def test_a_second_implementation_says_the_same() -> None:
    """ical.js comes to the same instances, but where an answer says why it does not."""
    cases = {name: case(name) for name in NAMES}
    done = subprocess.run(
        [str(NODE), str(SCRIPT), str(NODE_MODULES)],
        input=json.dumps({name: _question(asked) for name, asked in cases.items()}),
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    found = {
        name: answer
        if isinstance(answer, str)
        else sorted(shown(start, end, all_day=all_day, title=title) for start, end, all_day, title in answer)
        for name, answer in json.loads(done.stdout).items()
    }
    agreed = {name: found[name] == asked.instances for name, asked in cases.items()}
    assert agreed == {name: asked.ical_js is None for name, asked in cases.items()}, found


def _question(asked: Case) -> dict[str, object]:
    return {
        "content": asked.content.decode(errors="replace"),
        "zone": asked.zone,
        "start": asked.start.timestamp(),
        "end": asked.end.timestamp(),
        "owner": asked.owner,
    }


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
