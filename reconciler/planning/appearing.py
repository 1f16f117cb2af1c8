"""What a connect has made whose answer was lost: what stands there now and did not before."""

from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.model.account import folded
from reconciler.model.intent import Intent
from reconciler.model.live import LiveConnection, Status
from reconciler.model.plan import Action
from reconciler.planning import providers


def intent_of(action: Action, intent_id: str, connections: Sequence[LiveConnection] | None) -> Intent:
    """The intent of a connect by credentials; `connections` are those of its schedule just before it is sent.

    They are None where nobody knows any more what stood there.
    """
    beside = [
        c for c in connections or () if _at_that_place(action.schedule_id, action.provider_id, action.provider, c)
    ]
    return Intent(
        id=intent_id,
        address=action.address,
        site=action.site,
        site_id=action.site_id,
        schedule_id=action.schedule_id,
        provider_id=action.provider_id,
        provider=action.provider,
        account=action.account or "",
        known=tuple(sorted(connection.id for connection in beside)),
        broken=tuple(sorted(connection.id for connection in beside if connection.status == Status.ERROR)),
        blind=connections is None,
    )


@dataclass(frozen=True, slots=True)
class Appeared:
    """The connections that an intent may have made, ordered by id.

    `own` show its account, `unshown` show none yet. `foreign` show another one: nobody knows whether that is another
    spelling of it, or what somebody else has connected meanwhile.
    """

    own: tuple[LiveConnection, ...] = ()
    unshown: tuple[LiveConnection, ...] = ()
    foreign: tuple[LiveConnection, ...] = ()


def appeared(intent: Intent, connections: Sequence[LiveConnection]) -> Appeared:
    """What has appeared since the intent was written down; what was broken and is well again is new."""
    new = [
        connection
        for connection in sorted(connections, key=lambda connection: connection.id)
        if _at_that_place(intent.schedule_id, intent.provider_id, intent.provider, connection)
        and _is_new(intent, connection)
    ]
    shown = [connection for connection in new if connection.account]
    own = tuple(c for c in shown if folded(c.account or "") == folded(intent.account))
    # Where nobody knows what stood there before, what shows another account says nothing.
    foreign = () if intent.blind else tuple(c for c in shown if c not in own)
    return Appeared(own, tuple(connection for connection in new if not connection.account), foreign)


def _is_new(intent: Intent, connection: LiveConnection) -> bool:
    if connection.id not in intent.known:
        return True
    return connection.id in intent.broken and connection.status != Status.ERROR


def _at_that_place(schedule_id: str, provider_id: str, provider: str, connection: LiveConnection) -> bool:
    """Whether a connection stands on that schedule, at that provider or another installation of it."""
    if connection.status == Status.DISCONNECTED or connection.schedule_id.lower() != schedule_id.lower():
        return False
    return connection.provider_id == provider_id or providers.word(connection.calendar_type) == provider
