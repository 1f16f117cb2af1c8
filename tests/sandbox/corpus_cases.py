"""The corpus of calendars: what stands in each file, and what it comes to by the RFC.

A case is `corpus/NAME.ics` and the answer beside it, `NAME.yaml`, reckoned by hand:

- `why` names the section that decides;
- `zone` is the schedule's (New York by default), `from` and `to` are asked about (2026), `owner` is the account's;
- `instances` are `start end title`, in UTC, or two days where the event is all-day (the end exclusive);
- `faults` are parts of the reports, one each; without any nothing is reported;
- `ical_js` says why ical.js does not come to the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml

CORPUS = Path(__file__).parent / "corpus"
NAMES = sorted(path.stem for path in CORPUS.glob("*.ics"))


@dataclass(frozen=True, slots=True)
class Case:
    """A calendar, a question about it and the right answer."""

    content: bytes
    zone: str
    start: datetime
    end: datetime
    owner: str
    instances: list[str]
    faults: list[str]
    ical_js: str | None


def case(name: str) -> Case:
    """The case of that name."""
    said = yaml.safe_load((CORPUS / f"{name}.yaml").read_text())
    if unknown := said.keys() - {"why", "zone", "from", "to", "owner", "instances", "faults", "ical_js"}:
        raise ValueError(f"{name}.yaml says what nobody reads: {', '.join(unknown)}")
    return Case(
        content=(CORPUS / f"{name}.ics").read_bytes(),
        zone=said.get("zone", "America/New_York"),
        start=said.get("from", datetime(2026, 1, 1, tzinfo=UTC)),
        end=said.get("to", datetime(2027, 1, 1, tzinfo=UTC)),
        owner=said.get("owner", ""),
        instances=sorted(said["instances"]),
        faults=said.get("faults", []),
        ical_js=said.get("ical_js"),
    )


def shown(start: float, end: float, *, all_day: bool, title: str) -> str:
    """An instance as answers write it."""
    if all_day:
        return f"{_moment(start):%Y-%m-%d} {_moment(end):%Y-%m-%d} {title}"
    return f"{_minute(start)} {_minute(end)} {title}"


def _moment(seconds: float) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)


def _minute(seconds: float) -> str:
    moment = _moment(seconds)
    return f"{moment:%Y-%m-%dT%H:%M:%S}Z" if moment.second else f"{moment:%Y-%m-%dT%H:%M}Z"
