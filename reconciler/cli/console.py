"""What a person sees: results on stdout, all else on stderr, progress, and questions; no secret on either stream."""

import io
import os
import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import ClassVar, TextIO, TypeVar

import click

from reconciler.cli.redaction import redact, redacted
from reconciler.cli.signals import question_interruptible
from reconciler.errors import ExtcalError
from reconciler.model.source import Fault
from reconciler.render.emphasis import Emphasis, Paint, plain
from reconciler.text import cut_columns, inert

_LAST = 2


def attach() -> bool:
    """Put nothing in the place of closed standard streams; whether stdout was open.

    Else the next file that is opened would get the number of a closed one, and with it whatever is written there.
    """
    while (number := os.open(os.devnull, os.O_RDWR)) <= _LAST:
        pass
    os.close(number)
    had_stdout = sys.stdout is not None
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - a descriptor, for good
    if not had_stdout:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - as above
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - as above
    return had_stdout


def encode_stdout() -> None:
    """Write UTF-8 where no terminal reads, whatever the locale, as JSON must be; a terminal gets what it can show."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding=None if sys.stdout.isatty() else "utf-8", errors="backslashreplace")


def silence(stream: TextIO) -> None:
    """Let what is left of a stream that can't be written go nowhere; Python would fail once more with it on exit."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def settle() -> None:
    """Write out what is left, and let what can't be written go nowhere; raises what kept stdout from being written."""
    Console.clear_progress()
    try:
        sys.stderr.flush()
    except (OSError, ValueError):
        silence(sys.stderr)
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        silence(sys.stdout)
        raise


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

    # The terminal is one, whichever console writes to it next.
    _passing: ClassVar[bool] = False

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet

    def result(self, text: str) -> None:
        """A result that is a text already, to stdout; it is inert already."""
        self.redacted_result(redact(text))

    def show(self, rendered: Callable[[_Value], str], value: _Value) -> None:
        """A result, to stdout, made inert by its renderer, which gets the value without secrets."""
        self.redacted_result(rendered(redacted(value)))

    def redacted_result(self, text: str) -> None:
        """A result, to stdout, of a value that was redacted before it was made a text."""
        self.clear_progress()
        try:
            # CSV ends its last line itself.
            click.echo(text, nl=not text.endswith("\r\n"), color=False if _uncoloured() else None)
        except BrokenPipeError:
            raise
        except OSError as error:
            silence(sys.stdout)
            raise ExtcalError(f"stdout can't be written: {error.strerror or error}") from error

    def note(self, text: str) -> None:
        """Advice, to stderr."""
        if not self._quiet:
            self.say(_line(text))

    def say(self, text: str) -> None:
        """What a person must see, to stderr; it is inert already."""
        self.clear_progress()
        _tell(redact(text) + "\n")

    def progress(self, text: str) -> None:
        """How far a command has come, on one line of stderr that the next message takes; only on a terminal."""
        if not self._quiet and sys.stderr.isatty():
            width = shutil.get_terminal_size().columns - 1
            _tell_live(f"{_LINE_ANEW}{cut_columns(inert(redact(text)), width)}")
            Console._passing = True

    @staticmethod
    def clear_progress() -> None:
        """Take away the line that shows how far a command has come."""
        if Console._passing:
            _tell_live(_LINE_ANEW)
            Console._passing = False

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
        self.clear_progress()
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
    _write(text, color=False if _uncoloured() else None)


def _tell_live(text: str) -> None:
    """Write to a terminal with what erases a line, which is no colour."""
    _write(text, color=None)


def _write(text: str, *, color: bool | None) -> None:
    try:
        click.echo(text, nl=False, err=True, color=color)
    except OSError:
        silence(sys.stderr)


def _uncoloured() -> bool:
    return bool(os.environ.get("NO_COLOR"))


DECLINED = 1


def confirm(question: str, console: Console) -> None:
    """Ask on the terminal; unless the answer is yes, say that nothing was changed, and end the command.

    Raises Exit with 1 where the answer is no, and Abort where there is none: Ctrl-C, or the end of input.
    """
    try:
        with question_interruptible():
            answer = click.confirm(question, err=True)
    except click.Abort:
        console.say("\nNothing was changed.")
        raise
    if not answer:
        console.say("Nothing was changed.")
        raise click.exceptions.Exit(DECLINED)
