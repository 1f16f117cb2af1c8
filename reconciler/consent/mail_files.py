"""Writes messages as files instead of sending them (`apply --dry-mail DIR`)."""

import os
import re
from contextlib import suppress
from pathlib import Path

from reconciler.consent.mail_message import ConsentMail
from reconciler.errors import ExtcalError, UsageError
from reconciler.safe_paths import MisplacedError, check_folder

OPTION = "--dry-mail"
_MOST_OF_ONE_OWNER = 1_000
_LONGEST_NAME = 100
_UNUSUAL = re.compile(r"[^a-z0-9@._+-]+")


def check_mail_folder(folder: Path) -> None:
    """Make the folder where it is not there; raises UsageError where no message can be written there."""
    try:
        check_folder(folder)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except MisplacedError as error:
        raise UsageError(f"{OPTION} {folder}: {error}") from error
    except FileExistsError as error:
        raise UsageError(f"{OPTION} {folder}: it is not a folder. Name one, or a new one.") from error
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "not a path"
        raise UsageError(f"{OPTION} {folder}: {why}") from error


def write_mail(mail: ConsentMail, folder: Path) -> Path:
    """Write a message as a new file that its user alone can read, named after its owner; the file's path.

    Nothing that is there already is written over, nor any link followed. Raises ExtcalError where it can't be written.
    """
    name = _UNUSUAL.sub("-", mail.owner.normal)[:_LONGEST_NAME].lstrip(".-") or "owner"
    for number in range(1, _MOST_OF_ONE_OWNER + 1):
        path = folder / (f"{name}.eml" if number == 1 else f"{name}-{number}.eml")
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except FileExistsError:
            continue
        except OSError as error:
            raise ExtcalError(f"{OPTION} {path}: {error.strerror}. The message was not written.") from error
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(mail.content)
        except OSError as error:
            # Half a message would look like a whole one.
            with suppress(OSError):
                path.unlink()
            raise ExtcalError(f"{OPTION} {path}: {error.strerror}. The message was not written.") from error
        return path
    raise ExtcalError(f"{OPTION} {folder}: it holds {_MOST_OF_ONE_OWNER:,} messages to one owner; name another folder")
