"""Run by the witness's own Python: URL, login, authority, a word and what it is about; answers a JSON list."""

import json
import os
import sys

import caldav  # type: ignore[import-not-found]  # installed in the witness's environment alone


def main() -> list[str]:
    """Do what is asked."""
    url, login, authority, word, *about = sys.argv[1:]
    with caldav.DAVClient(
        url, username=login, password=os.environ["WITNESS_PASSWORD"], ssl_verify_cert=authority or True
    ) as client:
        principal = client.principal()
        if word == "make-calendar":
            principal.make_calendar(name=about[0], supported_calendar_component_set=["VEVENT"])
            return []
        calendars = {str(calendar.get_display_name()): calendar for calendar in principal.calendars()}
        if word == "calendars":
            return sorted(calendars)
        calendar = calendars[about[0]]
        if word == "events":
            return sorted(str(event.data) for event in calendar.events())
        if word == "add":
            calendar.save_event(about[1])
        elif word == "remove":
            calendar.event_by_uid(about[1]).delete()
        elif word == "remove-calendar":
            calendar.delete()
    return []


if __name__ == "__main__":
    json.dump(main(), sys.stdout)
