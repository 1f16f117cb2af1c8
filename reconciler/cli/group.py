"""Finds commands, and turns whatever they raise into a message and an exit code."""

import importlib
import itertools
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import click

from reconciler.cli.console import Console, attach, encode_stdout, settle
from reconciler.cli.options import DEFAULT_SANDBOX
from reconciler.cli.redaction import forget_secrets
from reconciler.cli.signals import Ending, signals_handled
from reconciler.errors import ExtcalError, ManifestError, UsageError
from reconciler.text import did_you_mean

FAILED = 1
USAGE = UsageError.exit_code

_MODULES = {
    "validate": "validate",
    "render": "render",
    "plan": "plan",
    "apply": "apply",
    "merge": "merge",
    "watch": "watch",
    "notify": "notify",
    "resolve": "resolve",
    "history": "history",
    "pull": "pull",
    "pin": "pin",
    "status": "status",
    "providers": "listings",
    "schedules": "listings",
    "connections": "listings",
    "calendars": "calendars",
    "events": "events",
    "sandbox": "sandbox",
    "schema": "schema",
    "consent-page": "consent_page",
}


class LateGroup(click.Group):
    """A group that imports a command's module only when the command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command, in the order of the everyday loop."""
        del ctx
        return list(_MODULES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command by its name."""
        del ctx
        if cmd_name not in _MODULES:
            return None
        module = importlib.import_module(f"reconciler.cli.{_MODULES[cmd_name]}")
        command = getattr(module, cmd_name.replace("-", "_"))
        return command if isinstance(command, click.Command) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the arguments begin with; raises UsageError where there is none."""
        name = args[0]
        if name not in _MODULES and not name.startswith("-"):
            hint = did_you_mean(name, _MODULES) or f"commands are {', '.join(_MODULES)}"
            raise UsageError(f"unknown command {name!r}; {hint}")
        return super().resolve_command(ctx, args)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments; a command's name right after `--sandbox` is the command, not the DIR."""
        for place, (option, value) in enumerate(itertools.pairwise(args)):
            if option == "--sandbox" and value in _MODULES:
                args = [*args[:place], f"--sandbox={DEFAULT_SANDBOX}", *args[place + 1 :]]
                break
            if option in _MODULES:
                break
        return super().parse_args(ctx, args)

    def main(self, args: Sequence[str] | None = None, *_args: Any, **kwargs: Any) -> NoReturn:  # noqa: ANN401 - click's own signature, narrowed: it always exits
        """Run, show what went wrong, and exit with the contract's code."""
        arguments = list(sys.argv[1:] if args is None else args)
        if not attach():
            Console(quiet=False).error("stdout is closed. To discard the result, redirect it to /dev/null.")
            sys.exit(FAILED)
        encode_stdout()
        forget_secrets()
        with signals_handled() as ending:
            try:
                code = self._run(arguments, kwargs | {"standalone_mode": False, "prog_name": "extcal"}, ending)
                settle()
            except KeyboardInterrupt:
                code = ending.exit_code
            except OSError:
                code = FAILED
            sys.exit(code)

    def _run(self, args: list[str], kwargs: dict[str, Any], ending: Ending) -> int:
        try:
            code = super().main(args, **kwargs)
        except click.Abort:
            return ending.exit_code
        except click.ClickException as error:
            return _show_usage(error, args)
        except ExtcalError as error:
            return _show_error(error, quiet="--quiet" in args)
        except OSError as error:
            # A disk that is full, a folder that is gone: nothing of ours.
            where = "" if error.filename is None else f"{error.filename}: "
            Console(quiet=False).error(f"{where}{error.strerror or error}")
            return FAILED
        except Exception as error:
            if "--verbose" in args:
                raise
            why = f"internal error: {type(error).__name__}. Run again with --verbose, and report what it prints."
            Console(quiet=False).error(why)
            return FAILED
        return code if isinstance(code, int) else 0


def _show_usage(error: click.ClickException, args: Sequence[str]) -> int:
    console = Console(quiet=False)
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        console.say(error.format_message())
        return USAGE
    # What a shell made of `*` may be among the arguments.
    where = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "extcal"
    message = error.format_message().rstrip(".")
    if isinstance(error, click.NoSuchOption):
        hint = did_you_mean(error.option_name, error.possibilities or ())
        message = f"unknown option {error.option_name}" + (f"; {hint}" if hint else "")
    end = "" if message.endswith("?") else "."
    console.error(f"{message[:1].lower()}{message[1:]}{end} See {where} --help.")
    if isinstance(error, click.MissingParameter) and "--sandbox" in args:
        console.note("The word after --sandbox is its DIR. Write --sandbox last, or --sandbox=DIR.")
    return USAGE if isinstance(error, click.UsageError) else error.exit_code


def _show_error(error: ExtcalError, *, quiet: bool) -> int:
    console = Console(quiet=quiet)
    if isinstance(error, ManifestError):
        for warning in error.warnings:
            console.warning(str(warning))
        for fault in error.faults:
            console.fault(fault)
    else:
        console.error(str(error))
    return error.exit_code
