"""Run by the witness's own Python: answers questions, one JSON object a line, with a JSON list a line.

A question says where (`url`, `login`, `password`, and `authority` for TLS), what (`word`), and what it is `about`.
"""

import json
import sys

import caldav  # type: ignore[import-not-found]  # installed in the witness's environment alone


def answer(question: dict[str, str], about: list[str]) -> list[str]:
    """Do what is asked, as a client that has just signed in."""
    with caldav.DAVClient(
        question["url"],
        username=question["login"],
        password=question["password"],
        ssl_verify_cert=question["authority"] or True,
    ) as client:
        principal = client.principal()
        word = question["word"]
        if word == "make-calendar":
            principal.make_calendar(name=about[0], supported_calendar_component_set=["VEVENT"])
            return []
        if word == "clear":
            for each in principal.calendars():
                if str(each.get_display_name()) not in about:
                    each.delete()
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
    for line in sys.stdin:
        asked = json.loads(line)
        sys.stdout.write(json.dumps(answer(asked, asked.pop("about"))) + "\n")
        sys.stdout.flush()
