"""Asking a person whether to go on."""

import click

from reconciler.cli.console import Console
from reconciler.cli.signals import asking


def agreed(question: str, console: Console) -> None:
    """Ask on the terminal; raises Abort, and says that nothing was changed, unless the answer is yes."""
    try:
        with asking():
            answer = click.confirm(question, err=True)
    except click.Abort:
        console.say("\nNothing was changed.")
        raise
    if not answer:
        console.say("Nothing was changed.")
        raise click.Abort
