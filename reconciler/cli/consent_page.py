"""`extcal consent-page` writes the page that owners land on after consent."""

import os
from contextlib import suppress
from pathlib import Path

import click

from reconciler.cli.arguments import Command, refuse_empty
from reconciler.cli.options import current_options, offline_options
from reconciler.consent.redirect_page import redirect_page
from reconciler.errors import ExtcalError, UsageError
from reconciler.safe_paths import MisplacedError, check_file

_STDOUT = "-"
_FOR_EVERYBODY = 0o644


@click.command(cls=Command, examples=["extcal consent-page --output calendar-connected.html"])
@click.option("--output", metavar="FILE", required=True, help="Write the page to this new file, or to stdout with -.")
@offline_options
def consent_page(output: str) -> None:
    """Write the page where owners land after consent.

    Use it for the Site's oauth.redirectUrl, which apply --consent poll and link need: put the page on any static host,
    and its address into the Site. It says in plain words what came of an owner's answer and what to do next. It is one
    file, which loads and sends nothing, and shows nothing of the address that it was opened with.
    """
    refuse_empty(output=output)
    console = current_options().console
    if output == _STDOUT:
        console.result(redirect_page().rstrip("\n"))
        return
    _write(Path(output), redirect_page())
    console.note(f"{output} is written. Put it on a web host, and its https address into the Site: oauth.redirectUrl.")


def _write(file: Path, text: str) -> None:
    """Write a new file, whole or not at all; raises UsageError where it can't be made, and ExtcalError."""
    try:
        check_file(file)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _FOR_EVERYBODY)
    except FileExistsError as error:
        raise UsageError(f"--output {file}: the file exists already. Remove it, or name a new one.") from error
    except MisplacedError as error:
        raise UsageError(f"--output {file}: {error}") from error
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "not a path"
        raise UsageError(f"--output {file}: {why}") from error
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as error:
        with suppress(OSError):
            file.unlink()
        raise ExtcalError(f"--output {file}: {error.strerror or error}; the page was not written") from error
