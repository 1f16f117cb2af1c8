"""Defines the options about consent: `--consent` and what goes with it."""

import functools
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import click

from reconciler.cli.arguments import refuse_stdout
from reconciler.errors import UsageError
from reconciler.model.consent import ConsentMode

_TIMEOUT = 600
_LONGEST = 24 * 3600
_Command = TypeVar("_Command", bound=Callable[..., object])


@dataclass(frozen=True, slots=True)
class ConsentOptions:
    """What the command line says about consent; `timeout` is in seconds, `only` that nothing else is done."""

    mode: ConsentMode
    timeout: int
    open_browser: bool
    file: Path | None
    only: bool = False


def consent_options(function: _Command) -> Callable[..., object]:
    """Give a command the options about consent; it gets them as one argument, `consent`."""

    @functools.wraps(function)
    def command(
        *args: object,
        consent: str | None,
        consent_timeout: int | None,
        open_browser: bool,
        consent_file: str | None,
        only_consents: bool,
        **others: object,
    ) -> object:
        refuse_stdout(consent_file=consent_file)
        options = _options(consent, consent_timeout, consent_file, open_browser=open_browser)
        if only_consents and options.mode in {ConsentMode.WAIT, ConsentMode.POLL}:
            raise UsageError("--only-consents waits for nobody. Add --consent link or skip.")
        return function(*args, consent=replace(options, only=only_consents), **others)

    options = [
        click.option(
            "--consent",
            type=click.Choice([mode.value for mode in ConsentMode]),
            help="For accounts that only their owner can approve: wait for them to do so in a browser on this machine "
            "(wait) or on any device (poll), list a link for each, or skip them. [default: wait on a terminal, else "
            "link]",
        ),
        click.option(
            "--consent-timeout",
            metavar="SECONDS",
            type=click.IntRange(1, _LONGEST),
            help=f"With --consent wait or poll, how long to wait for each owner. [default: {_TIMEOUT}]",
        ),
        click.option(
            "--open-browser", is_flag=True, help="With --consent wait or poll, open each link in a browser here."
        ),
        click.option(
            "--consent-file",
            metavar="FILE",
            help="Write the links to this new file, which only you can read, and show them nowhere else: one JSON "
            "object a line, or CSV for a mail merge where its name ends in .csv.",
        ),
        click.option(
            "--only-consents",
            is_flag=True,
            help="Finish what owners agreed to, ask those who have yet to, and nothing else: of the connections that "
            "an earlier apply on this machine found to await consent. Nothing is disconnected, or connected by "
            "password.",
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def _options(consent: str | None, timeout: int | None, file: str | None, *, open_browser: bool) -> ConsentOptions:
    mode = ConsentMode(consent) if consent else ConsentMode.WAIT if _at_terminal() else ConsentMode.LINK
    if mode not in {ConsentMode.WAIT, ConsentMode.POLL} and (timeout is not None or open_browser):
        option = "--open-browser" if open_browser else "--consent-timeout"
        raise UsageError(f"{option} is for waiting for owners. Add --consent wait or poll.")
    if mode is ConsentMode.SKIP and file is not None:
        raise UsageError("--consent-file and --consent skip exclude each other: skip makes no links. Leave one out.")
    return ConsentOptions(mode, timeout or _TIMEOUT, open_browser, None if file is None else Path(file))


def _at_terminal() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()
