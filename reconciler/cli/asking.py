"""Asking a person whether to go on."""

import click

from reconciler.cli.console import Console
from reconciler.cli.signals import asking

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
