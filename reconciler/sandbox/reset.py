"""Makes a data folder fresh again."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from reconciler.sandbox.calendars.directory import FOLDER
from reconciler.sandbox.calendars.folder.account_folders import remove_accounts
from reconciler.sandbox.config import CONFIG
from reconciler.sandbox.errors import SandboxError
from reconciler.sandbox.store import DATABASE, check_ours

if TYPE_CHECKING:
    from pathlib import Path

_SIDE_FILES = ("-wal", "-shm", "-journal")


def reset(data: Path) -> bool:
    """Remove the sandbox's database and calendars from the folder `data`, and nothing else.

    Returns whether there was anything: a folder that is absent or empty is fine. The config file is the operator's and
    stays.

    Raises `SandboxError` where the folder is not a sandbox's, a sandbox is running on it, or it can't be changed.
    """
    path = data / DATABASE
    try:
        if not path.is_file():
            if data.exists() and (not data.is_dir() or any(each.name != CONFIG for each in data.iterdir())):
                raise SandboxError(f"{data}: not a sandbox data folder. Nothing was removed.")
            return False
        _require_free(path)
        remove_accounts(data / FOLDER)
        for name in (*(f"{DATABASE}{suffix}" for suffix in _SIDE_FILES), DATABASE):
            (data / name).unlink(missing_ok=True)
    except OSError as error:
        raise SandboxError(f"{data}: can't be reset ({error.strerror})") from error
    return True


def _require_free(path: Path) -> None:
    """Refuse a database that is in use or another program's; a damaged one may go."""
    with closing(sqlite3.connect(path, timeout=0.2, isolation_level=None)) as database:
        try:
            check_ours(database, path)
            database.execute("PRAGMA journal_mode = DELETE")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise SandboxError(f"{path}: can't be reset ({error})") from error
            raise SandboxError(f"{path}: a sandbox is running on this data. Stop it first.") from error
        except sqlite3.DatabaseError:
            return
