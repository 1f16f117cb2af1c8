"""Opens and checks the data folder's SQLite database, and hands out transactions.

Several processes may serve one data folder at once: the database is in WAL mode and writers wait for each other.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.sandbox import schema
from reconciler.sandbox.errors import RefusedError, SandboxError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DATABASE = "sandbox.sqlite3"
BUSY_SECONDS = 10.0
_HEADER_BYTES = 100  # https://sqlite.org/fileformat2.html#the_database_header


class Store:
    """An open database.

    One connection stays open as long as the store does, so that the WAL outlives a request.

    Raises `SandboxError` where the folder can't be written, or the database is locked, damaged, foreign or newer.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / DATABASE
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.path.touch(mode=0o600)
        except OSError as error:
            raise SandboxError(
                f"{folder}: can't write the sandbox's data ({error.strerror}). Choose a writable folder."
            ) from error
        _require_header(self.path)
        with explained(self.path):
            self._anchor = _connect(self.path)
            try:
                _prepare(self._anchor, self.path)
            except BaseException:
                self._anchor.close()
                raise

    @contextmanager
    def transaction(self, *, write: bool) -> Iterator[sqlite3.Connection]:
        """One transaction on a connection of its own, rolled back where the block raises."""
        with closing(_connect(self.path)) as database, _transaction(database, write=write):
            yield database

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A connection for one request, which reads a snapshot and writes in transactions."""
        with closing(_connect(self.path)) as database:
            database.execute("BEGIN")
            try:
                yield Session(database)
            finally:
                database.execute("ROLLBACK")

    def close(self) -> None:
        """Let the database go; the last one to do so leaves a single file."""
        self._anchor.close()


@dataclass(frozen=True, slots=True)
class Session:
    """Reads `database` in one transaction.

    What is slow, the calendars above all, is asked between writes only.
    """

    database: sqlite3.Connection

    @contextmanager
    def writing(self) -> Iterator[None]:
        """A transaction that writes, all or nothing.

        From then on the session reads the data as they are then.
        """
        self.database.execute("ROLLBACK")
        try:
            with _transaction(self.database, write=True):
                yield
        finally:
            self.database.execute("BEGIN")


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn an error of SQLite about `path` into a `SandboxError` that says what to do."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if "locked" in str(error) or "busy" in str(error):
            raise SandboxError(
                f"{path}: another program is using the sandbox's database. Stop it, or choose another data folder."
            ) from error
        raise SandboxError(
            f"{path}: the sandbox's database can't be used ({error}). Check that it is writable."
        ) from error
    except sqlite3.DatabaseError as error:
        raise SandboxError(f"{path}: the sandbox's database is damaged ({error}). Reset the sandbox.") from error


def unusable(error: Exception) -> RefusedError | None:
    """The refusal (503) for a database that is locked, full, damaged or gone, else None.

    What else SQLite raises, a broken constraint say, is a fault of the sandbox and not of its file.
    """
    if isinstance(error, sqlite3.OperationalError):
        if "locked" in str(error) or "busy" in str(error):
            return RefusedError(503, "The sandbox's database is busy; try again")
    elif type(error) is not sqlite3.DatabaseError:
        return None
    return RefusedError(
        503,
        f"The sandbox's database can't be used ({error}); stop the sandbox and check its data folder, or reset it",
    )


def check_ours(database: sqlite3.Connection, path: Path) -> int:
    """The version of the tables in `database`, 0 where it is empty.

    A `SandboxError` where it is another program's.
    """
    # In this order: another process may make the tables, and the mark with them, between the two.
    tables = int(database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
    application = int(database.execute("PRAGMA application_id").fetchone()[0])
    if application == schema.APPLICATION_ID:
        return int(database.execute("PRAGMA user_version").fetchone()[0])
    if application or tables:
        raise SandboxError(f"{path}: not a sandbox database. Choose another data folder.")
    return 0


def _connect(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
    database.row_factory = sqlite3.Row
    try:
        database.execute("PRAGMA foreign_keys = ON")
        database.execute("PRAGMA synchronous = NORMAL")
    except BaseException:
        database.close()
        raise
    return database


@contextmanager
def _transaction(database: sqlite3.Connection, *, write: bool) -> Iterator[None]:
    database.execute("BEGIN IMMEDIATE" if write else "BEGIN")
    try:
        yield
    except BaseException:
        database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")


def _require_header(path: Path) -> None:
    """SQLite takes a file of a few bytes for an empty database, and would write over it."""
    if 0 < path.stat().st_size < _HEADER_BYTES and path.is_file():
        raise SandboxError(f"{path}: the sandbox's database is damaged (shorter than a header). Reset the sandbox.")


def _prepare(database: sqlite3.Connection, path: Path) -> None:
    # Before anything is changed, and again where no other process can interfere.
    _require_known(check_ours(database, path), path)
    _switch_to_wal(database)
    with _transaction(database, write=True):
        version = check_ours(database, path)
        _require_known(version, path)
        if version == 0:
            for statement in schema.TABLES:
                database.execute(statement)
            database.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
            database.execute(f"PRAGMA user_version = {schema.VERSION}")
    verdict = str(database.execute("PRAGMA quick_check(1)").fetchone()[0])
    if verdict != "ok":
        raise sqlite3.DatabaseError(verdict.splitlines()[-1])


def _require_known(version: int, path: Path) -> None:
    if 0 < version < schema.VERSION:
        raise SandboxError(
            f"{path}: made by an older version of the sandbox (tables {version}, known {schema.VERSION}). "
            "Reset the sandbox, or choose another data folder."
        )
    if version > schema.VERSION:
        raise SandboxError(
            f"{path}: made by a newer version of the sandbox (tables {version}, known {schema.VERSION}). "
            "Upgrade, or choose another data folder."
        )


def _switch_to_wal(database: sqlite3.Connection) -> None:
    """SQLite doesn't wait while another process makes the same switch, so wait here."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            database.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return
