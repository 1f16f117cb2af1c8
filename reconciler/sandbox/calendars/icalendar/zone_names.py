"""Finds the zone of the IANA database that people and programs mean by a name.

Only names that the database lists are ever looked up in it, so that no name leads to a file elsewhere.

Steps: a name is tried as one of the database or of Windows; as a fixed offset (`UTC+2`); as a display name of Windows,
whose places must have the offset that it shows; as a list of cities that share a standard time; and last as a global
id, which ends in a name of the database.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from tzlocal.windows_tz import win_tz

MAX_NAME = 200
"""How many characters a name may have."""

_UTC = frozenset({"utc", "z", "zulu", "uct", "universal", "etc/utc", "etc/zulu", "etc/uct", "etc/universal"})
_MICROSOFT_UTC = "tzone://microsoft/utc"

_NO_PLACES = frozenset({"factory", "localtime", "posixrules"})
"""Entries of the database, or of a system's copy of it, that are no zones."""

_AREAS = ("Africa/", "America/", "Antarctica/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Indian/", "Pacific/")

_FIXED = re.compile(r"(?:UTC|GMT)? ?([+-])(\d{1,2})[:.]?(\d{2})?", re.IGNORECASE | re.ASCII)
_DISPLAYED = re.compile(r"\((?:UTC|GMT) ?(?:([+-])(\d{1,2})[:.](\d{2}))?\) *(.*)", re.IGNORECASE | re.ASCII)
_COUNTED = re.compile(r"(.* standard time) \d", re.ASCII)
"""Exchange counts its own copies of a zone."""

_BETWEEN_CITIES = re.compile(r"[,;:/]")

_SINCE = 2005
_UNTIL = 2037
"""The years whose standard times names are compared with: programs keep names that they gave years ago."""

_DISPLAY_NAMES = {
    "eastern time (us & canada)": "America/New_York",
    "central time (us & canada)": "America/Chicago",
    "mountain time (us & canada)": "America/Denver",
    "pacific time (us & canada)": "America/Los_Angeles",
    "atlantic time (canada)": "America/Halifax",
    "international date line west": "Etc/GMT+12",
    "alaska": "America/Anchorage",
    "hawaii": "Pacific/Honolulu",
    "aleutian islands": "America/Adak",
    "arizona": "America/Phoenix",
    "indiana (east)": "America/Indiana/Indianapolis",
    "newfoundland": "America/St_Johns",
    "saskatchewan": "America/Regina",
    "yukon": "America/Whitehorse",
    "baja california": "America/Tijuana",
    "chetumal": "America/Cancun",
    "central america": "America/Guatemala",
    "turks and caicos": "America/Grand_Turk",
    "haiti": "America/Port-au-Prince",
    "brasilia": "America/Sao_Paulo",
    "city of buenos aires": "America/Argentina/Buenos_Aires",
    "salvador": "America/Bahia",
    "saint pierre and miquelon": "America/Miquelon",
    "mid-atlantic": "Etc/GMT+2",
    "mid-atlantic - old": "Etc/GMT+2",
    "greenland": "America/Nuuk",
    "azores": "Atlantic/Azores",
    "cape verde is.": "Atlantic/Cape_Verde",
    "cabo verde is.": "Atlantic/Cape_Verde",
    "west central africa": "Africa/Lagos",
    "easter island": "Pacific/Easter",
    "marquesas islands": "Pacific/Marquesas",
    "chatham islands": "Pacific/Chatham",
    "norfolk island": "Pacific/Norfolk",
    "kiritimati island": "Pacific/Kiritimati",
    "lord howe island": "Australia/Lord_Howe",
    "solomon is.": "Pacific/Guadalcanal",
    "midway island": "Pacific/Midway",
    "samoa": "Pacific/Apia",
    "marshall is.": "Pacific/Majuro",
    "bougainville island": "Pacific/Bougainville",
    "nuku'alofa": "Pacific/Tongatapu",
    "port louis": "Indian/Mauritius",
    "astana": "Asia/Almaty",
    "yangon (rangoon)": "Asia/Yangon",
    "chokurdakh": "Asia/Srednekolymsk",
    "petropavlovsk-kamchatsky - old": "Asia/Kamchatka",
    "beijing": "Asia/Shanghai",
    "chennai": "Asia/Kolkata",
    "mumbai": "Asia/Kolkata",
    "new delhi": "Asia/Kolkata",
    "sri jayawardenepura": "Asia/Colombo",
    "islamabad": "Asia/Karachi",
    "abu dhabi": "Asia/Dubai",
    "hanoi": "Asia/Bangkok",
    "osaka": "Asia/Tokyo",
    "ekaterinburg": "Asia/Yekaterinburg",
    "e. europe": "Europe/Chisinau",
    "pretoria": "Africa/Johannesburg",
    "canberra": "Australia/Sydney",
    "wellington": "Pacific/Auckland",
}
"""What Windows shows people for zones and the database has no city for, in lower case."""

_FORMER_WINDOWS_NAMES = {
    "Kamchatka Standard Time": "Asia/Kamchatka",
    "Mexico Standard Time": "America/Mexico_City",
    "Mexico Standard Time 2": "America/Mazatlan",
    "Mid-Atlantic Standard Time": "Etc/GMT+2",
}


def meant(name: str) -> str | int | None:
    """The IANA zone that a name means, or the seconds of a fixed offset.

    None for a name that nobody knows.
    """
    name = name.strip().strip('"').strip()
    folded = name.lower()
    if folded == _MICROSOFT_UTC:
        return 0
    known = _listed(_COUNTED.sub(r"\1", folded))
    if known is not None:
        return known
    fixed = _FIXED.fullmatch(name)
    if fixed is not None:
        return _offset(fixed[1], fixed[2], fixed[3])
    displayed = _DISPLAYED.fullmatch(name)
    if displayed is not None:
        offset = _offset(displayed[1], displayed[2], displayed[3])
        return None if offset is None else _displayed(displayed[4].strip(), offset)
    if folded in _DISPLAY_NAMES and "(" in folded:
        return _DISPLAY_NAMES[folded]
    return _of_cities(folded) if "," in folded else _global(folded)


@cache
def _zones() -> dict[str, str]:
    """The zones by lower-case names, the database's own before those of Windows."""
    windows = {**_FORMER_WINDOWS_NAMES, **win_tz}
    names = {name.lower(): name for name in available_timezones() if name.lower() not in _NO_PLACES}
    return {name.lower(): zone for name, zone in windows.items() if zone.lower() in names} | names


def _listed(folded: str) -> str | int | None:
    if folded in _UTC:
        return 0
    zones = _zones()
    return zones.get(folded) or zones.get(folded.replace(" ", "_"))


def _global(folded: str) -> str | int | None:
    """What a globally unique id (RFC 5545, 3.2.19) ends in: `/example.com/2026a/Europe/Berlin`."""
    parts = folded.split("/")
    if "://" in folded or any(part in {".", ".."} for part in parts):
        return None
    for count in (3, 2, 1):
        if len(parts) > count and (parts[0] == "" or len(parts) > count + 1):
            zone = _listed("/".join(parts[-count:]))
            if zone is not None:
                return zone
    return None


def _offset(sign: str | None, hours: str | None, minutes: str | None) -> int | None:
    total = int(hours or 0) * 3600 + int(minutes or 0) * 60
    if total > 15 * 3600 or int(minutes or 0) >= 60:  # noqa: PLR2004 -- minutes of an hour; no zone is further away
        return None
    return -total if sign == "-" else total


def _displayed(text: str, offset: int) -> str | int | None:
    """The zone of a Windows display name: of its first place with this standard time."""
    decomposed = unicodedata.normalize("NFKD", text)
    folded = "".join(char for char in decomposed if not unicodedata.combining(char)).lower().replace("&amp;", "&")
    folded = folded.replace("us and canada", "us & canada")
    if not folded or folded.startswith("coordinated universal time"):
        return offset
    places = [folded, *(part.strip() for part in _BETWEEN_CITIES.split(folded))]
    zones = [zone for place in places for zone in _at(place)]
    for year in range(_UNTIL, _SINCE - 1, -1):
        for zone in zones:
            if _standard(zone, year) == offset:
                return zone
    return None


def _of_cities(folded: str) -> str | None:
    """The zone of a list of cities that all have the same standard time."""
    zones = [zone for place in folded.split(",") for zone in _at(place.strip())[:1]]
    return zones[0] if len(zones) > 1 and len({_standard(zone, _UNTIL) for zone in zones}) == 1 else None


def _at(place: str) -> tuple[str, ...]:
    named = _DISPLAY_NAMES.get(place)
    return _cities().get(place, ()) if named is None else (named,)


@cache
def _cities() -> dict[str, tuple[str, ...]]:
    """The zones by the cities that they are named after, in lower case."""
    cities: dict[str, tuple[str, ...]] = {}
    for name in sorted(set(_zones().values())):
        if name.startswith(_AREAS):
            city = name.rpartition("/")[2].replace("_", " ").lower()
            cities[city] = (*cities.get(city, ()), name)
    return cities


@cache
def _standard(zone: str, year: int) -> int:
    """The standard offset of a zone: the lesser one of January and July."""
    data = ZoneInfo(zone)
    noons = (datetime(year, month, 1, 12, tzinfo=UTC) for month in (1, 7))
    return min(int((noon.astimezone(data).replace(tzinfo=UTC) - noon).total_seconds()) for noon in noons)
