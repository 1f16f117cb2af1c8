"""Defines the arguments and choices that several commands share."""

import functools
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import click

from reconciler.errors import UsageError
from reconciler.manifests.limits import DEFAULT, Limit, Limits, written
from reconciler.model.limits import MOST_SITES_AT_ONCE, SITES_AT_ONCE
from reconciler.text import did_you_mean

_Command = TypeVar("_Command", bound=Callable[..., object])

_OPTIONS = "Options"
_AMOUNT = re.compile(r"([1-9][0-9]{0,14})(KiB|MiB|GiB)?")
_UNITS = {None: 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}


class Command(click.Command):
    """A command whose help has examples, right after its text, and ends with what is hardly ever needed.

    One with many options shows those that `sections` names, by their parameters, under titles of their own.
    """

    def __init__(
        self,
        *args: Any,  # noqa: ANN401 - click's own
        examples: Sequence[str],
        sections: Mapping[str, Collection[str]] = MappingProxyType({}),
        **kwargs: Any,  # noqa: ANN401 - click's own
    ) -> None:
        super().__init__(*args, **kwargs)
        self.examples = tuple(examples)
        self.sections = sections
        self.params.sort(key=lambda each: each.name == "limits")

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the text, then the examples, as they are: a command that is wrapped can't be copied."""
        super().format_help_text(ctx, formatter)
        with formatter.section("Examples" if len(self.examples) > 1 else "Example"):
            for example in self.examples:
                formatter.write(f"  {example}\n".replace("\\\n", "\\\n      "))

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, section by section; click's own `--help` is the last."""
        title_of = {name: title for title, names in self.sections.items() for name in names}
        rows: dict[str, list[tuple[str, str]]] = {title: [] for title in (_OPTIONS, *self.sections)}
        for parameter in self.get_params(ctx):
            row = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
            if row is not None:
                title = title_of.get(parameter.name or "", _OPTIONS) if parameter in self.params else [*rows][-1]
                rows[title].append(row)
        for title, options in rows.items():
            with formatter.section(title):
                formatter.write_dl(options)


def paths_argument(function: _Command) -> _Command:
    """Give a command `PATH...` and the option that says how much may be read there, as `paths` and `limits`."""
    return click.argument("paths", metavar="PATH...", nargs=-1, required=True)(_limit_option(function))


def optional_paths_argument(function: _Command) -> _Command:
    """The same for a command that can do without."""
    return click.argument("paths", metavar="[PATH]...", nargs=-1)(_limit_option(function))


def _limit_option(function: _Command) -> _Command:
    defaults = ", ".join(f"{limit}={written(limit, DEFAULT.of(limit))}" for limit in Limit)
    return click.option(
        "--limit",
        "limits",
        metavar="WHAT=N",
        multiple=True,
        callback=lambda _context, _parameter, texts: parse_limits(texts),
        help="Raise a safety limit on what is read from PATH: bytes, files, documents, calendars (listed in sync "
        f"configs) or faults; may be repeated. Defaults: {defaults}.",
    )(function)


def parse_limits(texts: Sequence[str]) -> Limits:
    """Read `WHAT=N`s; raises UsageError for what is not bounded, and for what is no amount of it."""
    found: dict[str, int] = {}
    for text in texts:
        what, _, amount = text.partition("=")
        if what not in tuple(Limit):
            hint = did_you_mean(what, Limit) or f"limits are {', '.join(Limit)}"
            raise UsageError(f"--limit {text}: unknown limit {what!r}; {hint}")
        if what in found:
            raise UsageError(f"--limit {text}: {what} is limited twice. Give it once.")
        match = _AMOUNT.fullmatch(amount)
        if match is None or (match[2] and what != Limit.BYTES):
            example = written(Limit(what), 2 * DEFAULT.of(Limit(what)))
            raise UsageError(f"--limit {text}: not a whole number from 1 up. Write for example {what}={example}")
        found[what] = int(match[1]) * _UNITS[match[2]]
    return replace(DEFAULT, **found)


def manifest_paths(paths: Iterable[str]) -> list[Path]:
    """The paths of the command line, as paths."""
    return [Path(path) for path in paths]


def parallelism_option(function: _Command) -> _Command:
    """Give a command `--parallelism`."""
    return click.option(
        "--parallelism",
        metavar="N",
        type=click.IntRange(1, MOST_SITES_AT_ONCE),
        default=SITES_AT_ONCE,
        show_default=True,
        help="How many sites to read or write at once.",
    )(function)


@dataclass(frozen=True, slots=True)
class NamesOptions:
    """How schedules are shown to people.

    `ask` says that the service may be asked for names that the manifests don't have, `wide` that ids stand beside
    names.
    """

    ask: bool = True
    wide: bool = False


def names_options(function: _Command) -> Callable[..., object]:
    """Give a command `--no-names` and `--wide`; it gets them as one argument, `names`."""

    @functools.wraps(function)
    def command(*args: object, no_names: bool, wide: bool, **others: object) -> object:
        return function(*args, names=NamesOptions(ask=not no_names, wide=wide), **others)

    ids = click.option("--wide", is_flag=True, help="Show the ids of schedules beside their names.")
    names = click.option(
        "--no-names",
        is_flag=True,
        help="Don't ask for the names of schedules, which takes one request for each site that has something to show. "
        "Names in the manifests are shown all the same.",
    )
    return names(ids(command))


@dataclass(frozen=True, slots=True)
class BaseOptions:
    """What a plan is compared with: a commit, or a folder of manifests."""

    ref: str | None
    folder: str | None


def refuse_empty(**options: str | None) -> None:
    """Raise UsageError where an option's value is empty: it comes from a variable that was never set."""
    for name, value in options.items():
        if value is not None and not value:
            raise UsageError(f"--{name.replace('_', '-')} is empty. Give it a value.")


def refuse_stdout(**options: str | None) -> None:
    """Raise UsageError where an option that says where to write is empty, or `-`: stdout is for the report alone."""
    refuse_empty(**options)
    for name, value in options.items():
        if value == "-":
            raise UsageError(
                f"--{name.replace('_', '-')} -: stdout is for the report. Give a path; ./- is one that is called so."
            )


def base_options(function: _Command) -> Callable[..., object]:
    """Give a command `--base` and `--base-dir`; it gets them as one argument, `base`, None where neither is given."""

    @functools.wraps(function)
    def command(*args: object, base: str | None, base_dir: str | None, **others: object) -> object:
        refuse_empty(base=base, base_dir=base_dir)
        if base is not None and base_dir is not None:
            raise UsageError("--base and --base-dir exclude each other. Give one.")
        chosen = None if base is None and base_dir is None else BaseOptions(base, base_dir)
        return function(*args, base=chosen, **others)

    folder = click.option("--base-dir", metavar="DIR", help="Like --base, with the earlier manifests in a folder.")
    commit = click.option(
        "--base",
        metavar="REF",
        help="Compare with the manifests at this commit, to tell what the change does from what drifts already. The "
        "exit code is then about the change alone, and connections that the commit protects stay protected.",
    )
    return commit(folder(command))


@dataclass(frozen=True, slots=True)
class ReviewedPlan:
    """A saved plan that is to be checked, and the digest that it must have where one is given."""

    file: Path
    digest: str | None


def reviewed_options(function: _Command) -> Callable[..., object]:
    """Give a command `--reviewed` and `--digest`; it gets them as one argument, `reviewed`, None without the former."""

    @functools.wraps(function)
    def command(*args: object, reviewed: str | None, digest: str | None, **others: object) -> object:
        refuse_empty(reviewed=reviewed)
        if reviewed is None and digest is not None:
            raise UsageError("--digest checks a saved plan. Add --reviewed FILE.")
        return function(*args, reviewed=None if reviewed is None else ReviewedPlan(Path(reviewed), digest), **others)

    file = click.option(
        "--reviewed",
        metavar="FILE",
        help="Check a plan that --out saved: exit with 1 if the manifests no longer yield one of its actions.",
    )
    return file(digest_option(command))


def digest_option(function: _Command) -> _Command:
    """Give a command `--digest`; it gets None where it is not given."""
    return click.option(
        "--digest",
        metavar="sha256:…",
        callback=_digest,
        help="Refuse the saved plan unless it has this digest: the one that was reviewed.",
    )(function)


def _digest(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    # What a script hands on may be empty where it found none, and that must not pass for no wish.
    if value is not None and not re.fullmatch(r"sha256:[0-9a-f]{64}", value):
        raise UsageError(
            f"--digest {value!r:.80}: not a digest. Copy it from the plan: sha256: and 64 hexadecimal digits."
        )
    return value
