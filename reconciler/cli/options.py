"""Defines the global options, which stand before or after any command's name."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import click

from reconciler.cli.console import Console
from reconciler.errors import UsageError

DEFAULT_SANDBOX = ".extcal"
_Command = TypeVar("_Command", bound=Callable[..., object])


@dataclass(slots=True)
class GlobalOptions:
    """The global options; None where one is not on the command line."""

    endpoint: str | None = None
    sandbox: str | None = None
    sandbox_config: str | None = None
    verbose: bool = False
    quiet: bool = False
    _console: Console | None = None

    @property
    def console(self) -> Console:
        """The console that obeys `--quiet`: one for a command, since it knows what the terminal shows last."""
        if self._console is None:
            self._console = Console(quiet=self.quiet)
        return self._console

    def sandbox_folder(self) -> Path | None:
        """The embedded API's data folder, or None where another endpoint is meant."""
        if self.sandbox is not None and self.endpoint is not None:
            raise UsageError("--sandbox and --endpoint exclude each other. Give one.")
        if self.sandbox == "":
            raise UsageError("--sandbox is empty. Leave DIR out for the default folder.")
        if self.sandbox is not None or self.endpoint is not None:
            return None if self.sandbox is None else Path(self.sandbox)
        from_environment = os.environ.get("EXTCAL_SANDBOX", "")
        if from_environment.lower() in {"", "0", "false", "no"}:
            return None
        if os.environ.get("EXTCAL_ENDPOINT"):
            raise UsageError("EXTCAL_SANDBOX and EXTCAL_ENDPOINT exclude each other. Unset one.")
        return Path(DEFAULT_SANDBOX if from_environment.lower() in {"1", "true", "yes"} else from_environment)

    def repeated(self) -> tuple[str, ...]:
        """The options by which another command reaches the same service."""
        given = {"--endpoint": self.endpoint, "--sandbox": self.sandbox, "--sandbox-config": self.sandbox_config}
        return tuple(word for option, value in given.items() if value is not None for word in (option, value))

    def sandbox_config_file(self) -> Path | None:
        """The file that says which servers hold the embedded API's calendars, where the operator names one."""
        if self.sandbox_config == "":
            raise UsageError(
                "--sandbox-config is empty. Give a file, or leave it out to keep all calendars in the data folder."
            )
        named = self.sandbox_config or os.environ.get("EXTCAL_SANDBOX_CONFIG")
        return Path(named) if named else None


def _keep(name: str) -> Callable[[click.Context, click.Parameter, object], None]:
    def callback(context: click.Context, _parameter: click.Parameter, value: object) -> None:
        options = context.ensure_object(GlobalOptions)
        if value not in (None, False):
            setattr(options, name, value)

    return callback


def global_options(function: _Command) -> _Command:
    """Give a command the global options."""
    for option in reversed(_options(online=True)):
        function = option(function)
    return function


def offline_options(function: _Command) -> _Command:
    """Give a command that asks no service the global options; its help shows those that mean something to it."""
    for option in reversed(_options(online=False)):
        function = option(function)
    return function


def _options(*, online: bool) -> list[Callable[[_Command], _Command]]:
    return [
        click.option(
            "--endpoint",
            metavar="URL",
            callback=_keep("endpoint"),
            expose_value=False,
            hidden=not online,
            help="The API's address: https, or http on loopback. One that is not public is refused, unless "
            "EXTCAL_PRIVATE_ENDPOINT=1. [env: EXTCAL_ENDPOINT; default: the hosted API]",
        ),
        click.option(
            "--sandbox",
            metavar="[DIR]",
            is_flag=False,
            flag_value=DEFAULT_SANDBOX,
            callback=_keep("sandbox"),
            expose_value=False,
            hidden=not online,
            help="Start an API on this machine for this command, with its data in DIR. [env: EXTCAL_SANDBOX; "
            "default DIR: .extcal]",
        ),
        click.option(
            "--sandbox-config",
            metavar="FILE",
            callback=_keep("sandbox_config"),
            expose_value=False,
            hidden=not online,
            help="With --sandbox, the CalDAV servers that hold its calendars (YAML). [env: EXTCAL_SANDBOX_CONFIG]",
        ),
        click.option(
            "--verbose",
            is_flag=True,
            callback=_keep("verbose"),
            expose_value=False,
            hidden=not online,
            help="Log every request to stderr.",
        ),
        click.option(
            "--quiet", is_flag=True, callback=_keep("quiet"), expose_value=False, help="Show only results and errors."
        ),
    ]


def current_options() -> GlobalOptions:
    """The global options of the command that runs."""
    return click.get_current_context().ensure_object(GlobalOptions)
