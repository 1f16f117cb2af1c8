"""Every command's help: a summary that fits, when to use it, options that are explained, and examples that parse."""

import re
import shlex
from collections.abc import Iterator

import click
import pytest

from reconciler.cli.arguments import Command
from reconciler.cli.main import main
from tests.support.cli.command import Extcal

WIDTH = 80


def groups(group: click.Group = main, name: str = "") -> Iterator[tuple[str, click.Group]]:
    """Every group with its name behind `extcal`."""
    yield name, group
    for name_below, command in members(group, name):
        if isinstance(command, click.Group):
            yield from groups(command, name_below)


def members(group: click.Group, name: str) -> list[tuple[str, click.Command]]:
    """The commands of a group with their names behind `extcal`."""
    context = click.Context(group)
    found = [(each, group.get_command(context, each)) for each in group.list_commands(context)]
    return [(f"{name} {each}".strip(), command) for each, command in found if command is not None]


GROUPS = [name for name, _ in groups()]
LEAVES = {
    name: command
    for of, group in groups()
    for name, command in members(group, of)
    if not isinstance(command, click.Group)
}


@pytest.fixture(autouse=True)
def width(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal of 80 columns."""
    monkeypatch.setenv("COLUMNS", str(WIDTH))


@pytest.mark.parametrize("name", GROUPS)
def test_every_summary_fits(extcal: Extcal, name: str) -> None:
    """In the list of commands nothing is cut off."""
    shown = extcal(*name.split(), "--help").out
    listed = shown[shown.index("\nCommands:\n") :].splitlines()[2:]
    assert listed
    assert [line for line in listed if "..." in line or len(line) > WIDTH] == []


@pytest.mark.parametrize("name", LEAVES)
def test_every_help_says_when_to_use_the_command_and_explains_its_options(extcal: Extcal, name: str) -> None:
    """-h and --help are the same, on stdout; no line is too long but an address, and each option has a text."""
    short, long = extcal(*name.split(), "-h"), extcal(*name.split(), "--help")
    assert short == long
    assert (long.code, long.err) == (0, "")
    assert long.out.startswith(f"Usage: extcal {name} ")
    assert "\n  Use it " in long.out
    assert [line for line in long.out.splitlines() if len(line) > WIDTH and "7a3f0c1e-" not in line] == []
    options = [each for each in LEAVES[name].params if isinstance(each, click.Option)]
    assert [each.name for each in options if not each.help] == []


@pytest.mark.parametrize("name", ["validate", "schema", "merge"])
def test_a_command_that_asks_no_service_shows_no_option_for_it(extcal: Extcal, name: str) -> None:
    """It takes them all the same, since global options stand anywhere."""
    shown = extcal(name, "--help").out
    assert [option for option in ("--endpoint", "--sandbox", "--verbose") if option in shown] == []
    assert "--quiet" in shown
    extcal.write("", to="manifests/none.yaml")
    ran = extcal(
        name, "Site" if name == "schema" else "manifests", "--endpoint", "https://calendars.example", "--verbose"
    )
    assert "unknown option" not in ran.err


@pytest.mark.parametrize("name", ["validate", "plan", "providers"])
def test_safety_limits_come_last(extcal: Extcal, name: str) -> None:
    """What is hardly ever needed stands before --help alone, whose text is last."""
    options = re.findall(r"^  (?:-h, )?(--[a-z-]+)", extcal(name, "--help").out, flags=re.MULTILINE)
    assert options[-2:] == ["--limit", "--help"]


@pytest.mark.parametrize("name", LEAVES)
def test_every_example_parses(extcal: Extcal, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """The examples of a command call it with options that it has."""
    called: list[str] = []
    monkeypatch.setattr(Command, "invoke", lambda _command, context: called.append(context.command_path))
    shown = extcal(*name.split(), "--help").out
    section = re.search(r"^Examples?:\n(.*?)\n\n", shown, flags=re.DOTALL | re.MULTILINE)
    assert section
    examples = section[1].replace("\\\n", "").splitlines()
    for example in examples:
        program, *args = shlex.split(example)
        ran = extcal(*args)
        assert (program, ran.code, ran.err) == ("extcal", 0, ""), example
    assert called == [f"extcal {name}"] * len(examples)


def test_the_many_options_of_apply_stand_in_sections(extcal: Extcal) -> None:
    """Each option is in one section, those about consent together; what every command has comes last."""
    shown = extcal("apply", "--help").out
    found = re.split(
        r"^(Options|Which connections|Consent of owners|Where and how it runs):\n", shown, flags=re.MULTILINE
    )[1:]
    sections = {
        title: re.findall(r"^  (?:-h, )?(--[a-z-]+)", text, flags=re.MULTILINE)
        for title, text in zip(found[::2], found[1::2], strict=True)
    }
    assert list(sections) == ["Options", "Which connections", "Consent of owners", "Where and how it runs"]
    assert sections["Consent of owners"][0] == "--consent"
    assert {"--remind-after", "--most-mails", "--dry-mail", "--only-consents"} < set(sections["Consent of owners"])
    everywhere = extcal("providers", "--help").out
    assert set(re.findall(r"^  (?:-h, )?(--(?:endpoint|verbose|quiet|help))", everywhere, flags=re.MULTILINE)) < set(
        sections["Where and how it runs"]
    )
    options = [each.opts[-1] for each in LEAVES["apply"].params if isinstance(each, click.Option)]
    assert sorted([*options, "--help"]) == sorted(option for each in sections.values() for option in each)
