"""`extcal sandbox schedules`: whose the schedules are."""

import json
from pathlib import Path

import click

from reconciler.cli.options import global_options, said_globals
from reconciler.cli.sandbox_data import data_option, opened
from reconciler.cli.sandbox_events import format_option
from reconciler.render.table import table
from reconciler.text import inert


@click.group
def schedules() -> None:
    """The sandbox's schedules and their owners."""


@schedules.command(name="list")
@format_option
@data_option
@global_options
def list_schedules(output: str, data: Path) -> None:
    """List the schedules of every site."""
    with opened(data) as sandbox:
        found = sandbox.schedules()
    if output == "json":
        rows = [
            {
                "siteId": each.site_id,
                "id": each.schedule.id,
                "name": inert(each.schedule.name),
                "ownerId": each.schedule.owner_id,
                "ownerName": inert(each.schedule.owner_name or ""),
                "timeZone": each.schedule.time_zone,
            }
            for each in found
        ]
        said_globals().console.result(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    cells = [
        (
            each.site_name,
            each.schedule.name,
            each.schedule.id,
            each.schedule.owner_name or "",
            each.schedule.owner_id or "",
            each.schedule.time_zone,
        )
        for each in found
    ]
    headings = ("SITE", "SCHEDULE", "ID", "OWNER", "OWNER ID", "TIME ZONE")
    said_globals().console.result(table(headings, cells))


@schedules.command(name="set-owner")
@click.argument("schedule", metavar="NAME|ID")
@click.argument("owner_id", metavar="OWNER_ID")
@click.option("--name", "owner_name", help="The owner's name.")
@data_option
@global_options
def set_owner(schedule: str, owner_id: str, owner_name: str | None, data: Path) -> None:
    """Give a schedule another owner; the service then disconnects the schedule's connections."""
    with opened(data) as sandbox:
        count = sandbox.set_owner(schedule, owner_id, owner_name)
    said_globals().console.note(f"{schedule} has another owner; connections disconnected: {count}.")
