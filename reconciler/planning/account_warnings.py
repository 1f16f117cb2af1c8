"""Warns of accounts: look-alikes, one on two schedules, an owner who consented with another."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from reconciler.model.account import Account, lookalikes, shown
from reconciler.model.action import Action, ActionKind
from reconciler.model.desired import DeclaredConnection, State
from reconciler.model.live import LiveConnection
from reconciler.model.source import Fault
from reconciler.model.sync import Arm, Direction, SyncConfig
from reconciler.planning import providers
from reconciler.planning.preconditions import disconnecting
from reconciler.planning.resolve import ResolvedSite


def account_warnings(declared: Iterable[DeclaredConnection]) -> Iterator[Fault]:
    """What is to be pointed out, where it is written; it keeps nothing from being planned."""
    for connection in declared:
        for remark in lookalikes(connection.account):
            message = f"the account {shown(connection.account)} may be mistaken for another: {remark}"
            yield Fault(
                connection.sources.at("account"), connection.address, message, "if that is not meant, type it again"
            )


def connected_elsewhere(planned: Sequence[Action], resolved: ResolvedSite) -> Iterator[str]:
    """A warning for each live connection of a declared account to another schedule that the plan leaves as it is."""
    leaving = disconnecting(planned)
    staying: dict[Account, list[LiveConnection]] = defaultdict(list)
    for connection in resolved.matching.undeclared:
        if connection.account and connection.id not in leaving:
            staying[connection.account].append(connection)
    if not staying:
        return
    for item, _ in resolved.matching.pairs:
        declared = item.declared
        if declared.state is State.ABSENT:
            continue
        for other in staying.get(declared.account, ()):
            elsewhere = other.schedule_id != item.schedule.id
            if (
                elsewhere
                and providers.serves(declared.provider, item.provider, other)
                and _clash(declared.sync, other.sync)
            ):
                yield (
                    f"{declared.address}: {shown(declared.account)} is connected to schedule {other.schedule_id}, too, "
                    "and no manifest declares that: both may use the same calendars; to disconnect it there, declare "
                    "it under another name, with state: absent"
                )


def _clash(declared: SyncConfig, live: SyncConfig) -> bool:
    """Whether both may import from one calendar, or both export; what is not managed may do either."""
    imports = _used(declared.imports), _used(live.imports)
    exports = _used(declared.exports), _used(live.exports)
    return (all(imports) and not _disjoint(declared.imports, live.imports)) or all(exports)


def _used(direction: Direction | None) -> bool:
    return direction is None or direction.enabled is not False


def _disjoint(one: Direction | None, other: Direction | None) -> bool:
    """Whether both name calendars, and none of them twice; calendars are compared by id, so names alone don't tell."""
    if one is None or other is None or {one.arm, other.arm} != {Arm.CALENDARS}:
        return False
    ids = [{ref.id for ref in direction.calendars} for direction in (one, other)]
    return not any(None in found for found in ids) and ids[0].isdisjoint(ids[1])


@dataclass(frozen=True, slots=True)
class OtherAccount:
    """An undeclared account that is connected where a connect awaits the owner of another one."""

    awaited: Action
    account: Account

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
    unmanaged: dict[tuple[str, str], list[Account]] = defaultdict(list)
    for action in planned:
        if action.kind is ActionKind.UNMANAGED and action.account:
            unmanaged[_place(action)].append(action.account)
    for action in planned:
        if action.kind is ActionKind.CONNECT and action.needs_owner:
            yield from (OtherAccount(action, account) for account in unmanaged.get(_place(action), ()))


def _place(action: Action) -> tuple[str, str]:
    return action.schedule_id, action.provider
