"""`extcal sandbox`: the API itself, on this machine."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from reconciler.cli.options import DEFAULT_SANDBOX, global_options, said_globals
from reconciler.errors import ExtcalError

_data_option = click.option(
    "--data", metavar="DIR", default=DEFAULT_SANDBOX, show_default=True, help="The folder that holds its data."
)


@contextmanager
def _explained() -> Iterator[None]:
    from reconciler.sandbox.errors import SandboxError  # noqa: PLC0415 - only this command needs the other tower

    try:
        yield
    except SandboxError as error:
        raise ExtcalError(f"sandbox: {error}") from error


@click.group
def sandbox() -> None:
    """Run the External Calendars API for development, demos and tests; it listens on loopback only."""


@sandbox.command
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="The port; 0 is a free one.", show_default=True)
@_data_option
@click.option("--json", "as_json", is_flag=True, help="When ready, print one line of JSON that says how to reach it.")
@global_options
def serve(port: int, data: str, as_json: bool) -> None:  # noqa: FBT001 - click hands flags over as arguments
    """Serve until interrupted."""
    from reconciler.sandbox import server  # noqa: PLC0415 - only this command needs the other tower

    console = said_globals().console

    def ready(running: server.RunningSandbox) -> None:
        if as_json:
            console.result(json.dumps(running.ready()))
            return
        console.result(f"Serving the External Calendars API on {running.endpoint}, its data in {data}. Ctrl-C ends it.")
        console.result(f"  export EXTCAL_ENDPOINT={running.endpoint} EXTCAL_API_KEY={running.api_key}")

    with _explained():
        server.serve(Path(data), port=port, ready=ready)


@sandbox.command
@_data_option
@global_options
def reset(data: str) -> None:
    """Delete the sandbox's data, so that the next start seeds a fresh world."""
    from reconciler.sandbox import reset as delete  # noqa: PLC0415 - only this command needs the other tower

    with _explained():
        delete(Path(data))
    said_globals().console.note(f"The sandbox's data in {data} is gone.")
