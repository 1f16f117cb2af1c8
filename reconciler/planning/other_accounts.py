"""Owners who consented with another account than the manifest says: found, told of, and not adopted."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from reconciler.model.account import shown
from reconciler.model.plan import Action, ActionKind


def other_accounts(planned: Sequence[Action]) -> Iterator[str]:
    """A warning for each connect that awaits its owner while an undeclared account of its provider is connected there.

    A replace says itself which account gives way.
    """
    unmanaged: dict[tuple[str, str], list[Action]] = defaultdict(list)
    for action in planned:
        if action.kind is ActionKind.UNMANAGED and action.account:
            unmanaged[_place(action)].append(action)
    for action in planned:
        if action.kind is not ActionKind.CONNECT or not action.needs_owner:
            continue
        for other in unmanaged.get(_place(action), []):
            found, declared = shown(other.account), shown(action.account)
            yield (
                f"{action.address}: {found} is connected, but its manifest says {declared}: not adopted; "
                f"declare account: {other.account} if that is right, else disconnect {found} "
                "(a manifest for it with state: absent, or the site's dashboard)"
            )


def _place(action: Action) -> tuple[str, str]:
    return action.schedule_id.lower(), action.provider
