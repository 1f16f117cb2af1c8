"""Defines the options about consent: `--consent` and what goes with it."""

import functools
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import click

from reconciler.cli.arguments import refuse_stdout
from reconciler.errors import UsageError
from reconciler.model.consent import ConsentMode, MailRules

_TIMEOUT = 600
_REMIND_AFTER = "3d"
_MOST_MAILS = 4
_MOST_EVER = 20
_SPAN = re.compile(r"([1-9][0-9]{0,3})([hd])")
_SHORTEST_SPAN, _LONGEST_SPAN = timedelta(hours=1), timedelta(days=90)
_LONGEST = 24 * 3600
_Command = TypeVar("_Command", bound=Callable[..., object])


@dataclass(frozen=True, slots=True)
class ConsentOptions:
    """What the command line says about consent; `timeout` is in seconds, `only` that nothing else is done.

    Messages to owners go into `mail_folder`, where one is given, in place of being sent.
    """

    mode: ConsentMode
    timeout: int
    open_browser: bool
    file: Path | None
    mail_rules: MailRules
    mail_folder: Path | None
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
        remind_after: str | None,
        most_mails: int | None,
        dry_mail: str | None,
        only_consents: bool,
        **others: object,
    ) -> object:
        refuse_stdout(consent_file=consent_file, dry_mail=dry_mail)
        mode = _mode(consent)
        _check_mail(mode, consent_file, remind_after=remind_after, most_mails=most_mails, dry_mail=dry_mail)
        _check(mode, consent_timeout, consent_file, open_browser=open_browser)
        if only_consents and mode in {ConsentMode.WAIT, ConsentMode.POLL}:
            raise UsageError("--only-consents waits for nobody. Add --consent mail, link or skip.")
        options = ConsentOptions(
            mode,
            consent_timeout or _TIMEOUT,
            open_browser,
            _path(consent_file),
            MailRules(_span(_REMIND_AFTER if remind_after is None else remind_after), most_mails or _MOST_MAILS),
            _path(dry_mail),
            only_consents,
        )
        return function(*args, consent=options, **others)

    options = [
        click.option(
            "--consent",
            type=click.Choice([mode.value for mode in ConsentMode]),
            help="For accounts that only their owner can approve: wait for them to do so in a browser on this machine "
            "(wait) or on any device (poll), mail them their links, list a link for each, or skip them. [default: wait "
            "on a terminal, else link]",
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
            "--remind-after",
            metavar="SPAN",
            help="With --consent mail, how long an owner has before they are mailed again, with a new link: 12h, 3d "
            f"(1h to 90d). [default: {_REMIND_AFTER}]",
        ),
        click.option(
            "--most-mails",
            metavar="N",
            type=click.IntRange(1, _MOST_EVER),
            help="With --consent mail, how many messages an owner gets about a connection in all. "
            f"[default: {_MOST_MAILS}]",
        ),
        click.option(
            "--dry-mail",
            metavar="DIR",
            help="With --consent mail, write the messages to this folder, as .eml files that only you can read, and "
            "send none.",
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


def _mode(consent: str | None) -> ConsentMode:
    if consent:
        return ConsentMode(consent)
    return ConsentMode.WAIT if _at_terminal() else ConsentMode.LINK


def _check(mode: ConsentMode, timeout: int | None, file: str | None, *, open_browser: bool) -> None:
    """Raise UsageError for options that are of no use with this mode."""
    if mode not in {ConsentMode.WAIT, ConsentMode.POLL} and (timeout is not None or open_browser):
        option = "--open-browser" if open_browser else "--consent-timeout"
        raise UsageError(f"{option} is for waiting for owners. Add --consent wait or poll.")
    if mode is ConsentMode.SKIP and file is not None:
        raise UsageError("--consent-file and --consent skip exclude each other: skip makes no links. Leave one out.")


def _check_mail(mode: ConsentMode, file: str | None, **options: object) -> None:
    """Raise UsageError for options that are of no use with this mode, or with mail."""
    given = next((name for name, value in options.items() if value is not None), None)
    if mode is not ConsentMode.MAIL and given is not None:
        raise UsageError(f"--{given.replace('_', '-')} is for mailing owners. Add --consent mail.")
    if mode is ConsentMode.MAIL and file is not None:
        raise UsageError(
            "--consent-file and --consent mail exclude each other: a link is for its owner alone. Leave one out; to "
            "look at the messages, add --dry-mail DIR."
        )


def _span(given: str) -> timedelta:
    """How long; raises UsageError where that is no time, or not between an hour and 90 days."""
    match = _SPAN.fullmatch(given)
    if match is not None:
        span = timedelta(hours=int(match[1]) * (24 if match[2] == "d" else 1))
        if _SHORTEST_SPAN <= span <= _LONGEST_SPAN:
            return span
    raise UsageError(f"--remind-after {given!r:.80}: not a time between 1h and 90d. Write for example 12h or 3d.")


def _path(given: str | None) -> Path | None:
    return None if given is None else Path(given)


def _at_terminal() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()
