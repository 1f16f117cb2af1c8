"""Accounts of manifests that may be taken for others (source: DESIGN, Manifests)."""

from collections.abc import Iterable, Iterator

from reconciler.model.account import lookalikes, shown
from reconciler.model.desired import DeclaredConnection
from reconciler.model.source import Fault


def account_warnings(declared: Iterable[DeclaredConnection]) -> Iterator[Fault]:
    """What is to be pointed out, where it is written; it keeps nothing from being planned."""
    for connection in declared:
        for remark in lookalikes(connection.account):
            message = f"the account {shown(connection.account)} may be mistaken: {remark}"
            yield Fault(connection.sources.at("account"), connection.address, message, "if not meant, type it anew")
