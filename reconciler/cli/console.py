"""What a person sees: results on stdout, everything else on stderr, no secret on either; and questions."""

import os
import shutil
import sys
from collections.abc import Callable
from typing import TypeVar

import click

from reconciler.cli.border import redact, redacted
from reconciler.cli.signals import asking
from reconciler.cli.streams import silence
from reconciler.errors import ExtcalError
from reconciler.model.source import Fault
from reconciler.render.emphasis import Emphasis, Paint, plain
from reconciler.text import cut_columns, inert

_STYLE: dict[Emphasis, dict[str, bool | str]] = {
    Emphasis.ADD: {"fg": "green"},
    Emphasis.CHANGE: {"fg": "yellow"},
    Emphasis.REMOVE: {"fg": "red", "bold": True},
    Emphasis.HEADING: {"bold": True},
    Emphasis.QUIET: {"dim": True},
}
_LINE_ANEW = "\r\x1b[K"
_Value = TypeVar("_Value")


class Console:
    """Prints; `quiet` leaves only results and errors."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._passing = False

    def result(self, text: str) -> None:
        """A result that is a text already, to stdout; it is inert already."""
        self.passed(redact(text))

    def show(self, rendered: Callable[[_Value], str], value: _Value) -> None:
        """A result, to stdout, made inert by its renderer, which gets the value without secrets."""
        self.passed(rendered(redacted(value)))

    def passed(self, text: str) -> None:
        """A result, to stdout, of a value that has passed the border before it was made a text."""
        self._settle()
        try:
            # CSV ends its last line itself.
            click.echo(text, nl=not text.endswith("\r\n"), color=False if _uncoloured() else None)
        except BrokenPipeError:
            raise
        except OSError as error:
            silence(sys.stdout)
            raise ExtcalError(f"the result can't be written to stdout: {error.strerror or error}") from error

    def note(self, text: str) -> None:
        """Advice, to stderr."""
        if not self._quiet:
            self.say(_line(text))

    def say(self, text: str) -> None:
        """What a person must see, to stderr; it is inert already."""
        self._settle()
        _tell(redact(text) + "\n")

    def progress(self, text: str) -> None:
        """How far a command has come, on one line of stderr that the next thing said takes; only on a terminal."""
        if not self._quiet and sys.stderr.isatty():
            width = shutil.get_terminal_size().columns - 1
            _tell(f"{_LINE_ANEW}{cut_columns(inert(redact(text)), width)}")
            self._passing = True

    def _settle(self) -> None:
        if self._passing:
            _tell(_LINE_ANEW)
            self._passing = False

    def warning(self, text: str) -> None:
        """A warning, to stderr."""
        if not self._quiet:
            self._marked("warning", "yellow", text)

    def error(self, text: str) -> None:
        """An error, to stderr."""
        self._marked("error", "red", text)

    def fault(self, fault: Fault) -> None:
        """A fault, to stderr: a line that begins with its place, as editors and CI read it, or an error without one."""
        if fault.source is None:
            self.error(str(fault))
        else:
            self.say(inert(redact(str(fault))))

    def _marked(self, mark: str, colour: str, text: str) -> None:
        self._settle()
        marked = click.style(f"{mark}:", fg=colour, bold=True)
        _tell(f"{marked} {_line(text)}\n")

    @property
    def paint(self) -> Paint:
        """Colours for stdout where it is a terminal that wants them."""
        if _uncoloured() or not sys.stdout.isatty():
            return plain
        return lambda emphasis, text: click.style(text, **_STYLE[emphasis])  # type: ignore[arg-type] # style's keywords differ in type


def _line(text: str) -> str:
    """The text on one line, inert and without secrets; what stood on two must not become one word."""
    return inert(" ".join(redact(text).splitlines()))


def _tell(text: str) -> None:
    """Write to stderr, colours only where they are wanted; one that is full or has no reader costs nothing but this."""
    try:
        click.echo(text, nl=False, err=True, color=False if _uncoloured() else None)
    except OSError:
        silence(sys.stderr)


def _uncoloured() -> bool:
    return bool(os.environ.get("NO_COLOR"))


DECLINED = 1


def agreed(question: str, console: Console) -> None:
    """Ask on the terminal; unless the answer is yes it is said that nothing was changed, and the command ends.

    Raises Exit with 1 where the answer is no, and Abort where there is none: Ctrl-C, or the end of input.
    """
    try:
        with asking():
            answer = click.confirm(question, err=True)
    except click.Abort:
        console.say("\nNothing was changed.")
        raise
    if not answer:
        console.say("Nothing was changed.")
        raise click.exceptions.Exit(DECLINED)
