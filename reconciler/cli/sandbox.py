"""`extcal sandbox` runs the API itself, on this machine."""

import json
from pathlib import Path
from typing import cast

import click

from reconciler.cli.arguments import Command
from reconciler.cli.options import current_options, global_options
from reconciler.cli.sandbox_data import data_option, explained, opened
from reconciler.cli.sandbox_events import events, format_option
from reconciler.render.table import table
from reconciler.text import inert


@click.group
def sandbox() -> None:
    """Run the External Calendars API on this machine.

    Use it for development, demos and tests; it listens on loopback only. To run it for a single command, give that
    command --sandbox instead.
    """


@sandbox.command(
    cls=Command,
    examples=[
        "extcal sandbox serve --port 8080",
        "extcal sandbox serve --faults bad-day.yaml",
        "extcal sandbox serve --behaviour strict.yaml",
    ],
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    help="The port on loopback; 0 picks a free one.",
    show_default=True,
)
@data_option
@click.option("--faults", metavar="FILE", help="Fail as FILE describes, to rehearse bad days (YAML).")
@click.option("--behaviour", metavar="FILE", help="Play what is unknown about the hosted API as FILE has it (YAML).")
@click.option(
    "--json", "as_json", is_flag=True, help="When ready, print one line of JSON that says how to reach the API."
)
@global_options
def serve(port: int, data: Path, faults: str | None, behaviour: str | None, as_json: bool) -> None:  # noqa: FBT001 - click hands flags over as arguments
    """Serve the API until Ctrl-C.

    Use it for development, demos and tests; other commands reach it with --endpoint, and the lines it prints set that
    up. The data folder must be your own: without links, not tracked by git, and not writable by others.

    With --faults, requests fail as FILE describes: other statuses and bodies, delays, resets, cut off answers, stale
    reads, a rate limit. Each fault that fires is reported on stderr.

    With --behaviour, it plays another reading of what is unknown about the hosted API, until it is stopped: `update:
    replace`, say. The other keys are reconnect, healing, startsWith, directions, calendarNames, unknownFields, order,
    loopbackRedirects, permissions, withoutPrimary, partialFailure, unsaid, hidden, disconnected and updateAnswer. A
    value that a key can't have is refused, with those that it can.

    With --sandbox-config, a provider's accounts are on a CalDAV server: apple: {caldav: {url: https://…, hosts: […]}}.
    Their passwords are sent to the url's host and to those in `hosts`, and nowhere else.
    """
    from reconciler.sandbox import server  # noqa: PLC0415 - only this command needs the other tower
    from reconciler.sandbox.behaviour import Behaviour, read_behaviour  # noqa: PLC0415 - as above
    from reconciler.sandbox.faults import read_faults  # noqa: PLC0415 - as above

    console = current_options().console

    def ready(running: server.RunningSandbox) -> None:
        if injected is not None:
            console.note(f"Faults are on: {len(injected.entries)} of {faults}.")
        if behaviour is not None:
            console.note(f"Plays {behaviour}; otherwise than usual: {', '.join(played.differences()) or 'nothing'}.")
        if as_json:
            console.result(json.dumps(running.ready()))
            return
        mood = "" if injected is None else " with faults"
        where = f"on {running.endpoint}{mood}, its data in {data}"
        console.result(f"Serving the External Calendars API {where}. Ctrl-C ends it.")
        console.result(f"  export EXTCAL_ENDPOINT={running.endpoint} EXTCAL_API_KEY={running.api_key}")
        console.result("Its sites, each opened by that key:")
        for site in cast("list[dict[str, str]]", running.ready()["sites"]):
            console.result(f"  {site['site_id']}  {inert(site['name'])}")

    with explained():
        injected = None if faults is None else read_faults(Path(faults))
        played = Behaviour() if behaviour is None else read_behaviour(Path(behaviour))
        config = current_options().sandbox_config_file()
        server.serve(data, port=port, ready=ready, faults=injected, config=config, behaviour=played)


@sandbox.command(cls=Command, examples=["extcal sandbox reset"])
@data_option
@global_options
def reset(data: Path) -> None:
    """Delete the sandbox's data, so that the next start begins anew.

    Use it between demos and tests. All accounts and calendars in its folder are deleted, your own changes to them too;
    other files stay.
    """
    from reconciler.sandbox import reset as delete  # noqa: PLC0415 - only this command needs the other tower

    with explained():
        was_there = delete(data)
    gone, none = (
        f"The sandbox's data in {data} was deleted.",
        f"{data} holds no data of a sandbox. Nothing was deleted.",
    )
    current_options().console.note(gone if was_there else none)


@click.group
def schedules() -> None:
    """List the sandbox's schedules, and change their owners."""


@schedules.command(name="list", cls=Command, examples=["extcal sandbox schedules list"])
@format_option
@data_option
@global_options
def list_schedules(output: str, data: Path) -> None:
    """List the schedules of every sandbox site.

    Use it to find the NAME or ID that the other sandbox commands take. A name means a schedule of the bookings app;
    working hours, which another app keeps, go by the same name.
    """
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
                "appId": each.schedule.app_id,
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
            each.schedule.app_id,
        )
        for each in found
    ]
    headings = ("SITE", "SCHEDULE", "ID", "OWNER", "OWNER ID", "TIME ZONE", "APP ID")
    current_options().console.result(table(headings, cells))


@schedules.command(
    name="set-owner", cls=Command, examples=['extcal sandbox schedules set-owner "Dr. Lee" owner-2 --name Kim']
)
@click.argument("schedule", metavar="NAME|ID")
@click.argument("owner_id", metavar="OWNER_ID")
@click.option("--name", "owner_name", help="The owner's name.")
@data_option
@global_options
def set_owner(schedule: str, owner_id: str, owner_name: str | None, data: Path) -> None:
    """Give a schedule another owner.

    Use it to rehearse a change of staff: the service then disconnects the schedule's connections.
    """
    with opened(data) as sandbox:
        count = sandbox.set_owner(schedule, owner_id, owner_name)
    current_options().console.note(f"{schedule} has a new owner. Connections disconnected: {count}.")


sandbox.add_command(events)
sandbox.add_command(schedules)
