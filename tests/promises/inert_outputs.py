"""Every output that extcal has, and what makes it inert; a new command or format needs a row here."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import click

from reconciler.cli.main import main
from tests.support.hostile_texts import assert_inert
from tests.support.inert import Outline, assert_inert_markdown

Check = Callable[[bytes], None]
Name = tuple[str, str]

_ELEMENTS = (
    "html head meta title style body a header h1 h2 h3 p main section ul li footer script div table thead tbody tr th "
    "td small span form label input select option output svg rect b"
)
# The beginnings of a formula, the wide forms among them.
_FORMULA = re.compile("[=+\\-@\uff1d\uff0b\uff0d\uff20]")


def text_is_inert(out: bytes) -> None:
    """Plain text."""
    assert_inert(out.decode())


def json_is_inert(out: bytes) -> None:
    """JSON that any parser takes, inert as it stands, and so is every text in it."""
    assert_inert(out.decode())
    for text in _texts(json.loads(out, parse_constant=_refuse)):
        assert "\n" not in text
        assert_inert(text)


def _refuse(constant: str) -> object:
    raise AssertionError(constant)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from (name, *_texts(item))
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def csv_is_inert(out: bytes) -> None:
    """CSV as RFC 4180 has it, its rows all of one width, no cell that a spreadsheet would calculate."""
    text = out.decode()
    assert text.endswith("\r\n")
    assert not set(text.replace("\r\n", "")) & {"\r", "\n"}
    rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    assert len({len(row) for row in rows}) == 1
    assert len(rows) == text.count("\r\n")
    for cell in (cell for row in rows for cell in row):
        assert_inert(cell)
        # Whatever a program divides cells at, and whatever it takes off before it looks.
        assert not any(_FORMULA.match(part.strip(' "')) for part in re.split(r"[;,|]", cell)), cell


def markdown_is_inert(out: bytes) -> None:
    """Markdown that renders to the report's own shapes alone."""
    assert_inert(out.decode())
    assert_inert_markdown(out.decode())


def html_is_inert(out: bytes) -> None:
    """HTML of the report's own elements and attributes, that names no place but in itself."""
    assert_inert(out.decode())
    page = Outline(out.decode())
    assert {name for name, _ in page.elements} <= set(_ELEMENTS.split())
    assert not {name for name in page.attributes if name.startswith("on") or name in {"src", "srcset", "style"}}
    assert set(page.attributes["href"]) == {"#connections"}
    assert len([name for name, _ in page.elements if name == "script"]) <= 1


def annotations_are_inert(out: bytes) -> None:
    """Each line one `::error` of four properties at most."""
    for line in out.decode().removesuffix("\n").split("\n"):
        assert line.startswith("::error ")
        command, _, message = line.removeprefix("::error ").partition("::")
        assert {part.partition("=")[0] for part in command.split(",")} <= {"file", "line", "col", "title"}
        assert_inert(message)


CHECKS: dict[str, Check] = {
    "text": text_is_inert,
    "json": json_is_inert,
    "csv": csv_is_inert,
    "markdown": markdown_is_inert,
    "html": html_is_inert,
    "github": annotations_are_inert,
}


@dataclass(frozen=True)
class Output:
    """A way to call a command, and what must hold for its stdout; stderr is text always."""

    args: tuple[str, ...]
    check: Check


def _outputs(name: str, formats: str, *args: str) -> dict[Name, Output]:
    return {(name, each): Output((*name.split(), *args, "--format", each), CHECKS[each]) for each in formats.split()}


_TIMES = ("--from", "2027-03-01", "--to", "2027-03-08")
LOOKING = {
    **_outputs("providers", "text json csv", "manifests"),
    **_outputs("schedules", "text json csv", "manifests"),
    **_outputs("connections", "text json csv", "manifests"),
    **_outputs("calendars", "text json csv", "manifests"),
    **_outputs("events", "text json csv", "manifests", "--personal", *_TIMES),
}
PLANNING = {
    **_outputs("plan", "text json markdown html", "manifests"),
    **_outputs("status", "text json markdown csv html", "manifests"),
    ("pin", ""): Output(("pin", "manifests", "--check"), text_is_inert),
    ("pull", ""): Output(("pull", "manifests", "--output", "pulled", "--check"), text_is_inert),
}
APPLYING = _outputs("apply", "text json", "manifests", "--auto-approve")
RESOLVING = _outputs("resolve", "text json", "manifests")
HISTORY = _outputs("history", "text json csv markdown", "manifests")
MERGING = _outputs("merge", "text json markdown html", "plan.json")
WATCHING = {("watch", ""): Output(("watch", "manifests", "--listen", "127.0.0.1:0", "--verbose"), text_is_inert)}
VALIDATING = _outputs("validate", "text github", "hostile")
RENDERING = _outputs("render", "text json", "sets")
SANDBOX = {**_outputs("sandbox events list", "text json"), **_outputs("sandbox schedules list", "text json")}
OUTPUTS = {
    **LOOKING,
    **PLANNING,
    **APPLYING,
    **RESOLVING,
    **HISTORY,
    **MERGING,
    **WATCHING,
    **VALIDATING,
    **RENDERING,
    **SANDBOX,
}
OWN_WORDS: set[Name] = {
    ("notify", ""),
    ("schema", ""),
    ("consent-page", ""),
    ("sandbox serve", ""),
    ("sandbox reset", ""),
    ("sandbox events add", ""),
    ("sandbox events move", ""),
    ("sandbox events cancel", ""),
    ("sandbox schedules set-owner", ""),
}
"""What says nothing but extcal's own words and those of its own command line."""


def outputs_there_are() -> set[Name]:
    """Each command with each of its formats, as the command line has them; without a choice of formats, with ``."""
    return set(_leaves(main))


def _leaves(group: click.Group, *before: str) -> Iterator[Name]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from _leaves(command, *before, name)
        elif command is not None:
            types = [parameter.type for parameter in command.params if "--format" in parameter.opts]
            choices = [str(choice) for type_ in types if isinstance(type_, click.Choice) for choice in type_.choices]
            yield from ((" ".join((*before, name)), choice) for choice in choices or [""])
