"""`extcal sandbox events`: the site's own events, which connections that export put into external calendars."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.arguments import Command
from reconciler.cli.options import current_options, global_options
from reconciler.cli.sandbox_data import data_option, opened
from reconciler.errors import UsageError
from reconciler.render.table import table
from reconciler.text import inert

if TYPE_CHECKING:
    from reconciler.sandbox.exports.pending_events import PendingEvent
    from reconciler.sandbox.local import LocalEvent

format_option = click.option(
    "--format", "output", type=click.Choice(["text", "json"]), default="text", help="The format of the list on stdout."
)
_start = click.option(
    "--start", metavar="TIME", required=True, help="When the event starts, RFC 3339: 2027-01-31T09:00:00-05:00."
)
_end = click.option("--end", metavar="TIME", required=True, help="When it ends, RFC 3339.")


@click.group
def events() -> None:
    """Add, move, cancel and list the site's own events."""


@events.command(
    cls=Command,
    examples=[
        (
            'extcal sandbox events add --schedule "Dr. Lee" --title Checkup \\\n--start 2027-01-31T09:00 '
            "--end 2027-01-31T10:00"
        ),
    ],
)
@click.option("--schedule", metavar="NAME|ID", required=True, help="The event's schedule: its name, id or external id.")
@click.option("--title", required=True, help="The title of the event.")
@_start
@_end
@data_option
@global_options
def add(schedule: str, title: str, start: str, end: str, data: Path) -> None:
    """Add an event to a site's schedule and print its id.

    Use it to see a connection export: the event appears in the external calendar.
    """
    with opened(data) as sandbox:
        current_options().console.result(
            sandbox.add_event(schedule, title, _time("--start", start), _time("--end", end))
        )


@events.command(cls=Command, examples=["extcal sandbox events move ID --start 2027-01-31T11:00 --end 2027-01-31T12:00"])
@click.argument("event_id", metavar="ID")
@_start
@_end
@data_option
@global_options
def move(event_id: str, start: str, end: str, data: Path) -> None:
    """Move an event to other times.

    Use it to see an exported event follow.
    """
    with opened(data) as sandbox:
        sandbox.move_event(event_id, _time("--start", start), _time("--end", end))
    current_options().console.note(f"Moved the event {event_id}.")


@events.command(cls=Command, examples=["extcal sandbox events cancel ID"])
@click.argument("event_id", metavar="ID")
@data_option
@global_options
def cancel(event_id: str, data: Path) -> None:
    """Cancel an event: it stays listed, and leaves the external calendars.

    Use it to see an exported event disappear.
    """
    with opened(data) as sandbox:
        sandbox.cancel_event(event_id)
    current_options().console.note(f"Cancelled the event {event_id}.")


@events.command(name="list", cls=Command, examples=["extcal sandbox events list --format json"])
@format_option
@data_option
@global_options
def list_events(output: str, data: Path) -> None:
    """List the site's own events and where they were exported to.

    Use it to see which events still wait to be exported, and why; warnings name what can't be imported.
    """
    console = current_options().console
    with opened(data) as sandbox:
        found = sandbox.events()
        warnings = sandbox.warnings()
    rows = [
        {
            "id": each.event.id,
            "scheduleId": each.event.schedule_id,
            "schedule": inert(each.schedule_name),
            "title": inert(each.event.title),
            "start": _shown(each.event.start),
            "end": _shown(each.event.end),
            "status": "CANCELLED" if each.event.cancelled else "CONFIRMED",
            "exportedTo": [inert(place) for place in each.exported_to],
            "notExported": _pending_json(each, removal=False),
            "notTakenBack": _pending_json(each, removal=True),
        }
        for each in found
    ]
    if output == "json":
        console.result(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        headings = ("ID", "START", "END", "STATUS", "SCHEDULE", "TITLE", "EXPORTED TO")
        cells = [
            (
                each.event.id,
                _shown(each.event.start),
                _shown(each.event.end),
                "cancelled" if each.event.cancelled else "confirmed",
                each.schedule_name,
                each.event.title,
                ", ".join(each.exported_to),
            )
            for each in found
        ]
        console.result(table(headings, cells))
        for each in found:
            for pending in each.pending:
                console.result(_pending_text(each, pending))
    for warning in warnings:
        console.warning(warning)


def _pending_json(event: "LocalEvent", *, removal: bool) -> list[dict[str, str]]:
    return [
        {"calendar": inert(pending.calendar), "reason": inert(pending.reason)}
        for pending in event.pending
        if pending.removal == removal
    ]


def _pending_text(event: "LocalEvent", pending: "PendingEvent") -> str:
    what = "removed from" if pending.removal else "exported to"
    title = f"{event.event.id} {event.event.title}"
    return f"\n{inert(title)}\n  still to be {what} {inert(pending.calendar)}:\n  {inert(pending.reason)}"


def _time(option: str, text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise UsageError(f"{option} {text}: not a time. Write it as 2027-01-31T09:00:00Z.") from error


def _shown(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
