"""Owners who consented with another account than the manifest says: found, told of, and not adopted."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reconciler.model.account import shown
from reconciler.model.plan import Action, ActionKind


@dataclass(frozen=True, slots=True)
class OtherAccount:
    """An undeclared account that is connected where a connect awaits the owner of another one."""

    awaited: Action
    account: str

    @property
    def why(self) -> str:
        """What is found."""
        return f"{shown(self.account)} is connected, but its manifest says {shown(self.awaited.account)}: not adopted"

    @property
    def way_out(self) -> str:
        """What to do about it."""
        return (
            f"declare account: {self.account} if that is right, else disconnect {shown(self.account)} "
            "(a manifest for it with state: absent, or the site's dashboard)"
        )

    def __str__(self) -> str:
        return f"{self.awaited.address}: {self.why}; {self.way_out}"


def other_accounts(planned: Sequence[Action]) -> Iterator[OtherAccount]:
    """One for each connect that awaits its owner while an undeclared account of its provider is connected there.

    A replace says itself which account gives way.
    """
    unmanaged: dict[tuple[str, str], list[str]] = defaultdict(list)
    for action in planned:
        if action.kind is ActionKind.UNMANAGED and action.account:
            unmanaged[_place(action)].append(action.account)
    for action in planned:
        if action.kind is ActionKind.CONNECT and action.needs_owner:
            yield from (OtherAccount(action, account) for account in unmanaged.get(_place(action), ()))


def _place(action: Action) -> tuple[str, str]:
    return action.schedule_id.lower(), action.provider
