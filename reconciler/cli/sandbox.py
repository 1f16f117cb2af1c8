"""`extcal sandbox` runs the API itself, on this machine."""

import json
from pathlib import Path

import click

from reconciler.cli.options import current_options, global_options
from reconciler.cli.sandbox_data import data_option, explained, opened
from reconciler.cli.sandbox_events import events, format_option
from reconciler.render.table import table
from reconciler.text import inert


@click.group
def sandbox() -> None:
    """Run the External Calendars API for development, demos and tests; it listens on loopback only."""


@sandbox.command
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="The port; 0 is a free one.", show_default=True)
@data_option
@click.option("--faults", metavar="FILE", help="Let go wrong what FILE describes, to rehearse bad days (YAML).")
@click.option("--json", "as_json", is_flag=True, help="When ready, print one line of JSON that says how to reach it.")
@global_options
def serve(port: int, data: Path, faults: str | None, as_json: bool) -> None:  # noqa: FBT001 - click hands flags over as arguments
    """Serve until interrupted.

    With --faults some requests go wrong: other statuses and bodies, delays, resets, answers cut off, stale reads, a
    rate limit; by operation, count and probability, and the same way each time. Each fault that fires is told on
    stderr.

    With --sandbox-config a provider's accounts are on a CalDAV server: apple: {caldav: {url: https://…, hosts: […]}}.
    Their passwords go to the url's host and to those that `hosts` adds; no other file makes them leave this machine.
    """
    from reconciler.sandbox import server  # noqa: PLC0415 - only this command needs the other tower
    from reconciler.sandbox.faults import read_faults  # noqa: PLC0415 - as above

    console = current_options().console

    def ready(running: server.RunningSandbox) -> None:
        if injected is not None:
            console.note(f"Faults are on: {len(injected.entries)} of {faults}.")
        if as_json:
            console.result(json.dumps(running.ready()))
            return
        mood = "" if injected is None else " with faults"
        where = f"on {running.endpoint}{mood}, its data in {data}"
        console.result(f"Serving the External Calendars API {where}. Ctrl-C ends it.")
        console.result(f"  export EXTCAL_ENDPOINT={running.endpoint} EXTCAL_API_KEY={running.api_key}")

    with explained():
        injected = None if faults is None else read_faults(Path(faults))
        server.serve(data, port=port, ready=ready, faults=injected, config=current_options().sandbox_config_file())


@sandbox.command
@data_option
@global_options
def reset(data: Path) -> None:
    """Delete the sandbox's data, so that the next start seeds a fresh world."""
    from reconciler.sandbox import reset as delete  # noqa: PLC0415 - only this command needs the other tower

    with explained():
        was_there = delete(data)
    gone, none = f"The sandbox's data in {data} is gone.", f"{data} holds no sandbox's data: nothing is deleted."
    current_options().console.note(gone if was_there else none)


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
        current_options().console.result(json.dumps(rows, indent=2, ensure_ascii=False))
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
    current_options().console.result(table(headings, cells))


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
    current_options().console.note(f"{schedule} has another owner; connections disconnected: {count}.")


sandbox.add_command(events)
sandbox.add_command(schedules)
