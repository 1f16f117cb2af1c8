"""What the oracle tells, and what it knows of a declared connection once its references are resolved."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.support.json_fields import Fields, text
from tests.support.oracle_sync import Changes

BOOKINGS = "13d21c63-b5ec-5912-8397-c3a5ddb27a97"
"""The bookings app's id."""

TYPES = {"google": ["GOOGLE"], "microsoft": ["MICROSOFT", "OUTLOOK", "OFFICE_365"], "apple": ["I_CAL"]}


def same(account: str) -> str:
    """An account as accounts are compared: no case, one form of Unicode, the domain in ASCII; empty for none."""
    local, _, domain = unicodedata.normalize("NFC", account.strip()).lower().rpartition("@")
    return f"{local}@{domain.encode('idna').decode()}" if local else ""


@dataclass(frozen=True)
class Due:
    """One action; `changes` are the paths of an update with what they shall be."""

    kind: str
    address: str
    row: str | None
    reason: str
    changes: Changes = frozenset()


@dataclass
class Verdict:
    """What the plan of one site must say; faults and unread are addresses, guards come with where they are broken."""

    due: set[Due] = field(default_factory=set)
    faults: set[str] = field(default_factory=set)
    unread: set[str] = field(default_factory=set)
    guards: set[tuple[str, str]] = field(default_factory=set)


@dataclass(frozen=True, eq=False)
class Placed:
    """A declared connection with its sync config, schedule and provider."""

    address: str
    spec: Fields
    sync: Mapping[str, Fields]
    schedule: str
    provider: Fields

    @property
    def present(self) -> bool:
        """Whether it shall exist."""
        return self.spec.get("state") != "absent"

    @property
    def account(self) -> str:
        """Its account, as it is compared."""
        return same(text(self.spec, "account"))

    def on(self, row: Fields) -> bool:
        """Whether a row is of its schedule and provider."""
        typed = row.get("calendarType") in TYPES.get(text(self.spec, "provider"), ())
        return row["scheduleId"] == self.schedule and (typed or row["providerId"] == self.provider["id"])


def account(row: Fields) -> str:
    """A row's account, as it is compared."""
    return same(text(row, "externalAccountEmail"))


def broken(row: Fields) -> bool:
    """Whether a row is in ERROR."""
    return row.get("status") == "ERROR"


def name(document: Fields) -> str:
    """What a manifest is called."""
    return text(document, "metadata", "name")
