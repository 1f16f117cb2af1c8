"""Reads and writes an account's file, and the order of a provider's accounts.

The account's file holds its password and the order of its calendars.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.sandbox.calendars.errors import BadCredentialsError, UnreachableError, UnreadableError
from reconciler.sandbox.calendars.folder.files import read_file, replace_file, write_new

if TYPE_CHECKING:
    from pathlib import Path

ACCOUNT_FILE = "account.json"
ORDER_FILE = "order.json"
"""In a provider's folder: its accounts in the order in which they are offered."""

_MAX_ACCOUNT_FILE = 64 * 1024


@dataclass(frozen=True, slots=True)
class AccountFile:
    """What `account.json` says; `password` is None where the account opens by OAuth alone."""

    password: str | None
    calendars: tuple[str, ...]


def read_account(folder: Path) -> AccountFile:
    """What an account's file says.

    Raises `BadCredentialsError` without one, `UnreachableError` where it is damaged.
    """
    try:
        said = json.loads(read_file(folder / ACCOUNT_FILE, limit=_MAX_ACCOUNT_FILE))
    except FileNotFoundError:
        raise BadCredentialsError(f"{folder.name}: has no {ACCOUNT_FILE}") from None
    except (UnreadableError, ValueError, RecursionError) as error:
        raise UnreachableError(f"{folder.name}/{ACCOUNT_FILE}: can't be read as JSON") from error
    password = said.get("password") if isinstance(said, dict) else 0
    calendars = said.get("calendars", []) if isinstance(said, dict) else 0
    if not isinstance(password, str | None) or not isinstance(calendars, list):
        raise UnreachableError(
            f'{folder.name}/{ACCOUNT_FILE}: must be an object with "password", a text, and "calendars", a list'
        )
    return AccountFile(password, tuple(str(each) for each in calendars))


def read_order(folder: Path) -> list[str]:
    """The accounts of a provider in their order, as far as it is written down."""
    try:
        said = json.loads(read_file(folder / ORDER_FILE, limit=_MAX_ACCOUNT_FILE))
    except (FileNotFoundError, UnreadableError, ValueError, RecursionError):
        return []
    return [str(each) for each in said] if isinstance(said, list) else []


def write_order(folder: Path, accounts: list[str]) -> None:
    """Write the order of a provider's accounts down; raises `OSError`."""
    text = json.dumps(accounts, indent=2, ensure_ascii=False)
    replace_file(folder / ORDER_FILE, f"{text}\n".encode("utf-8", "replace"))


def write_account(folder: Path, account: AccountFile) -> None:
    """Write the file of a new account; raises `OSError`."""
    fields: dict[str, object] = {} if account.password is None else {"password": account.password}
    text = json.dumps({**fields, "calendars": account.calendars}, indent=2, ensure_ascii=False)
    write_new(folder / ACCOUNT_FILE, f"{text}\n".encode("utf-8", "replace"))
