"""Cutting a stream into components: what fits is found where it is, what doesn't is told and stepped over."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.sandbox.calendars.ics_lines import MAX_FAULTS, cut, line_name, line_value

if TYPE_CHECKING:
    from types import FrameType

A = "BEGIN:VEVENT\nUID:a\nEND:VEVENT\n"
B = "BEGIN:VEVENT\nUID:b\nEND:VEVENT\n"


def uids(content: str) -> list[str]:
    """The UIDs of the events that are found."""
    stream = cut(content.encode())
    return [
        (component.value("UID") or b"").decode()
        for calendar in stream.calendars
        for component in calendar.components
        if component.kind == "VEVENT"
    ]


@pytest.mark.parametrize(
    ("content", "expected", "fault"),
    [
        (f"BEGIN:VCALENDAR\n{A}{B}END:VCALENDAR\n", ["a", "b"], None),
        (f"begin:vcalendar\r\n\r\n{A}{B}end:vcalendar", ["a", "b"], None),
        (f"BEGIN:VCALENDAR\n{A}END:VCALENDAR\nBEGIN:VCALENDAR\n{B}END:VCALENDAR\n", ["a", "b"], None),
        (
            "BEGIN:VCALENDAR\n" + "BEGIN:X\n" * 30 + f"BEGIN:VCALENDAR\n{A}{B}END:VCALENDAR\n",
            ["a", "b"],
            "while another is open",
        ),
        (f"\ufeffBEGIN:VCALENDAR\n{A}END:VCALENDAR\n\ufeffBEGIN:VCALENDAR\n{B}END:VCALENDAR\n", ["a", "b"], None),
        (f"BEGIN:VCALENDAR\n\n\r\n\n{A}\n\n{B}END:VCALENDAR\n", ["a", "b"], None),
        (f"BEGIN:VCALENDAR\n{A}{B}", ["a", "b"], "ends within VCALENDAR"),
        (f"BEGIN:VCALENDAR\n{A}BEGIN:VCALENDAR\n{B}END:VCALENDAR\n", ["a", "b"], "while another is open"),
        (f"BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:lost\n{A}{B}END:VCALENDAR\n", ["a", "b"], "while VEVENT is open"),
        (f"BEGIN:VCALENDAR\nBEGIN:VTODO\nEND:VTOOD\n{A}END:VCALENDAR\n", ["a"], "ends nothing"),
        (f"BEGIN:VCALENDAR\n{A}END:VEVENT\n{B}END:VCALENDAR\n", ["a", "b"], "ends nothing"),
        (f"BEGIN:VCALENDAR\n{A}BEGIN:VEVENT\nUID:cut\nEND:VCALENDAR\n", ["a"], "while VEVENT is open"),
        (f"{A}{B}", ["a", "b"], "outside of BEGIN:VCALENDAR"),
        (f"hello\nBEGIN:VCALENDAR\n{A}END:VCALENDAR\n", ["a"], "outside of BEGIN:VCALENDAR"),
        ("END:VCALENDAR\n", [], "no BEGIN:VCALENDAR"),
        ("", [], "no BEGIN:VCALENDAR"),
    ],
)
def test_what_is_found_and_what_is_told(content: str, expected: list[str], fault: str | None) -> None:
    """Every event that is whole is found, and a stream that isn't well put together says so."""
    faults = cut(content.encode()).faults
    assert uids(content) == expected
    assert faults == () if fault is None else any(fault in each for each in faults)


def test_lines_within_components_are_theirs() -> None:
    """An alarm's lines are not its event's, however deep it lies; folds are undone, quotes hide colons."""
    deep = "BEGIN:X\n" * 30 + "UID:deep\n" + "END:X\n" * 30
    alarm = "BEGIN:VALARM\nUID:alarm\nEND:VALARM\n"
    content = f'BEGIN:VCALENDAR\nBEGIN:VEVENT\n{deep}{alarm}UI\r\n\tD;A=":;":a:b\nEND:VEVENT\nEND:VCALENDAR\n'
    assert uids(content) == ["a:b"]
    assert cut(content.encode()).faults == ()


def test_names_and_values() -> None:
    """A name is in upper case and ends at parameters; a line without a colon has an empty value."""
    assert line_name(b"dtstart;TZID=x:1") == "DTSTART"
    assert (line_name(b"x"), line_value(b"x")) == ("X", b"")
    assert line_value(b'X;A="b:c";D=e:f:g') == b"f:g"


def test_a_fault_shows_no_more_of_a_line_than_a_name_is_long() -> None:
    """What a line calls a component may be as long as a file."""
    assert all(
        len(fault) < 200 for fault in cut(b"BEGIN:VCALENDAR\nEND:" + b"x" * 9000 + b"\nBEGIN:" + b"y" * 9000).faults
    )


@pytest.mark.parametrize(
    "piece", [b"BEGIN:X\n", b"END:VCALENDAR\n", b"BEGIN:VEVENT\n", b"\n", b"\r\n ", b"BEGIN:X\nEND:Y\n"]
)
def test_a_stream_of_nonsense_takes_work_in_proportion(piece: bytes) -> None:
    """Twice as much of any line is cut with twice as many steps, not more, and its faults are few."""
    few, many = (steps(piece * (size // len(piece))) for size in (20_000, 40_000))
    assert many < 2.1 * few
    assert len(cut(b"BEGIN:VCALENDAR\n" + piece * 10_000).faults) <= MAX_FAULTS + 4


def steps(nonsense: bytes) -> int:
    """How many functions are called to cut a calendar of this."""
    calls = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        cut(b"BEGIN:VCALENDAR\n" + nonsense)
    finally:
        sys.setprofile(before)
    return calls


@given(st.binary(max_size=200) | st.text(alphabet="BEGINDVCAL:\r\n ;X", max_size=200).map(str.encode))
def test_components_are_where_they_are_said_to_be(content: bytes) -> None:
    """Their places lie in the stream, in order, and don't overlap."""
    end = 0
    for calendar in cut(content).calendars:
        for component in calendar.components:
            assert end <= component.start < component.end <= len(content)
            assert content[component.start : component.end].upper().startswith(b"BEGIN:")
            end = component.end
