"""What people and programs call time zones (RFC 5545, 3.2.19), and which zones those are."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import available_timezones

import pytest

from reconciler.sandbox.calendars.icalendar.zones import UTC, known_zone

JANUARY = datetime(2026, 1, 15, 12)  # noqa: DTZ001 -- a wall clock
JULY = datetime(2026, 7, 15, 12)  # noqa: DTZ001 -- likewise


def offsets(name: str) -> tuple[float, float]:
    """The hours that a zone is ahead of UTC in January and in July."""
    zone = known_zone(name)
    assert zone is not None, name
    january, july = (UTC.moment(clock)[0] - zone.moment(clock)[0] for clock in (JANUARY, JULY))
    return january / 3600, july / 3600


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Europe/Berlin", (1, 2)),
        ("EUROPE/berlin", (1, 2)),
        (' "Europe/Berlin" ', (1, 2)),
        ("America/New York", (-5, -4)),
        ("Etc/GMT+5", (-5, -5)),
        ("EST5EDT", (-5, -4)),
        ("W. Europe Standard Time", (1, 2)),
        ("w. europe standard TIME", (1, 2)),
        ("Mid-Atlantic Standard Time", (-2, -2)),
        ("/freeassociation.sourceforge.net/Tzfile/Europe/Berlin", (1, 2)),
        ("freeassociation.sourceforge.net/Tzfile/Europe/Berlin", (1, 2)),
        ("/mozilla.org/20050126_1/America/New_York", (-5, -4)),
        ("/softwarestudio.org/Olson_20011030_5/America/Argentina/Buenos_Aires", (-3, -3)),
        ("/example.com/W. Europe Standard Time", (1, 2)),
        ("/example.com/UTC", (0, 0)),
        ("tzone://Microsoft/Utc", (0, 0)),
        ("GMT", (0, 0)),
        ("utc", (0, 0)),
        ("Z", (0, 0)),
        ("UTC+2", (2, 2)),
        ("GMT-0500", (-5, -5)),
        ("UTC+07:00", (7, 7)),
        ("gmt +0530", (5.5, 5.5)),
        ("(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna", (1, 2)),
        ("(GMT+01.00) Sarajevo/Warsaw/Zagreb", (1, 2)),
        ("(UTC+07:00) Bangkok, Hanoi, Jakarta", (7, 7)),
        ("(UTC+00:00) Dublin, Edinburgh, Lisbon, London", (0, 1)),
        ("(UTC) Dublin, Edinburgh, Lisbon, London", (0, 1)),
        ("(UTC+10:00) Canberra, Melbourne, Sydney", (11, 10)),
        ("(UTC-03:00) Brasilia", (-3, -3)),
        ("(UTC-03:00) Bras\N{LATIN SMALL LETTER I WITH ACUTE}lia", (-3, -3)),
        ("(GMT-05:00) Eastern Time (US & Canada)", (-5, -4)),
        ("(GMT-05:00) Eastern Time (US &amp; Canada)", (-5, -4)),
        ("Eastern Time (US & Canada)", (-5, -4)),
        ("(UTC-07:00) Arizona", (-7, -7)),
        ("(UTC) Coordinated Universal Time", (0, 0)),
        ("(UTC-11:00) Coordinated Universal Time-11", (-11, -11)),
        # A name from before Turkey stayed with its summer time in 2016 is still a name of Istanbul.
        ("(UTC+02:00) Istanbul", (3, 3)),
    ],
)
def test_a_name_that_means_a_zone(name: str, expected: tuple[float, float]) -> None:
    """IANA's and Windows' names, global ids, fixed offsets and what Windows shows people."""
    assert offsets(name) == expected


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/",
        "//",
        "Office",
        "Customized Time Zone",
        "tzone://Microsoft/Custom",
        "(UTC+05:00) Berlin",
        "(UTC+01:00) Office",
        "(UTC+01:99) Berlin",
        "UTC+99",
        "GMT+1:75",
        "localtime",
        "Factory",
        "../../etc/passwd",
        "../../Europe/Berlin",
        "/../../Europe/Berlin",
        "/etc/localtime",
        "Europe/Berlin\0",
        "Europe",
        "/example.com/",
        pytest.param("x" * 1_000_000, id="long"),
        "/" * 150 + "Europe/Berlin" * 10,
        "\N{ARABIC-INDIC DIGIT ONE}" * 3,
        "UTC+\N{ARABIC-INDIC DIGIT ONE}",
    ],
)
def test_a_name_that_means_none(name: str) -> None:
    """No name is an error, and none leads to a file outside of the database."""
    assert known_zone(name) is None


def test_every_zone_of_the_database_has_its_own_name() -> None:
    """Names in lower case tell them apart; those of UTC are all UTC."""
    names = available_timezones() - {"Factory", "localtime"}
    zones = {name: known_zone(name.lower()) for name in names}
    assert {name: zone.name for name, zone in zones.items() if zone is not None and zone is not UTC} == {
        name: name for name in names if zones[name] is not UTC
    }
    assert {"UTC", "Etc/UTC", "Zulu"} <= {name for name in names if zones[name] is UTC}
    assert not {"GMT", "Africa/Abidjan"} & {name for name in names if zones[name] is UTC}


def test_a_zone_is_kept() -> None:
    """Asking again costs nothing."""
    assert known_zone("Asia/Tokyo") is known_zone("Asia/Tokyo")
