"""`extcal notify --test`: sends a sample to all who get alerts."""

import asyncio

import click

from reconciler.api.secrets import Secrets
from reconciler.cli.arguments import Command
from reconciler.cli.notify_urls import notify_channels
from reconciler.cli.options import current_options, offline_options
from reconciler.cli.redaction import keep_secret, redact_diagnostics
from reconciler.cli.signals import run
from reconciler.errors import UsageError
from reconciler.watching.alert_digest import SAMPLE
from reconciler.watching.channels import Channel

_TIMEOUT = 30.0


@click.command(cls=Command, examples=["extcal notify --test"])
@click.option("--test", is_flag=True, help="Send a sample to each URL, and say which arrived.")
@offline_options
def notify(test: bool) -> int:  # noqa: FBT001 - click hands flags over as arguments
    """Try the URLs that get the alerts of watch.

    Use it before extcal watch --notify. The URLs are Apprise's, for mail, chats, push and webhooks: in
    EXTCAL_NOTIFY_URLS, separated by white space, or one a line in the file notify-urls in EXTCAL_SECRETS_DIR. They are
    secrets, and shown by their position and scheme alone. The service is not asked.

    Exit code 1 if one of them did not arrive.
    """
    if not test:
        raise UsageError("alerts are sent by extcal watch --notify. To send a sample, add --test.")
    console, secrets = current_options().console, Secrets({}, None)
    keep_secret(secrets)
    redact_diagnostics()
    channels = notify_channels(secrets)
    failures = run(_try(channels))
    for channel, why in zip(channels, failures, strict=True):
        console.result(f"{channel}: {why or 'sent'}")
    return int(any(failures))


async def _try(channels: tuple[Channel, ...]) -> list[str | None]:
    return await asyncio.gather(*(channel.send(SAMPLE, _TIMEOUT) for channel in channels))
