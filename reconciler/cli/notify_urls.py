"""Finds the operator's URLs for alerts, in the environment or in a file among the secrets, and in no manifest."""

import os
from pathlib import Path

from reconciler.api.secrets import NOTIFY_FILE, Secrets
from reconciler.errors import SecretError, UsageError
from reconciler.safe_paths import IrregularFileError, read_regular
from reconciler.watching.channels import Channel, open_channels

VARIABLE = "EXTCAL_NOTIFY_URLS"
_LARGEST = 64 * 1024


def notify_channels(secrets: Secrets) -> tuple[Channel, ...]:
    """The receivers of alerts; raises UsageError where there is none, or one is wrong, and SecretError.

    `secrets` keeps the URLs from being shown.
    """
    return open_channels(_urls(), secrets.remember)


def _urls() -> list[str]:
    """The URLs, of the environment where it has any."""
    if urls := os.environ.get(VARIABLE, "").split():
        return urls
    folder = os.environ.get("EXTCAL_SECRETS_DIR")
    lines = _file(Path(folder) / NOTIFY_FILE) if folder else []
    urls = [line for line in map(str.strip, lines) if line and not line.startswith("#")]
    if not urls:
        raise UsageError(
            f"no URL for alerts. Set {VARIABLE} to Apprise URLs, or write one a line into {NOTIFY_FILE} in "
            "EXTCAL_SECRETS_DIR."
        )
    return urls


def _file(path: Path) -> list[str]:
    """The lines of a file that may be missing; raises SecretError."""
    try:
        raw = read_regular(path, _LARGEST + 1)
    except FileNotFoundError:
        return []
    except IrregularFileError as error:
        raise SecretError(f"{path} is {error}, not a file; put the file itself there") from None
    except OSError as error:
        raise SecretError(f"{path} can't be read: {error.strerror}") from None
    if len(raw) > _LARGEST:
        raise SecretError(f"{path} is larger than {_LARGEST // 1024} KiB; is it the right file?")
    try:
        return raw.decode().splitlines()
    except UnicodeDecodeError:
        # The cause would show the bytes.
        raise SecretError(f"{path} is not UTF-8 text") from None
