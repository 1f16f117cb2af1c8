"""What a connect has made whose answer was lost: what stands there now and did not before."""

from collections.abc import Sequence
from dataclasses import replace

from reconciler.model.account import folded
from reconciler.model.intent import Intent
from reconciler.model.live import LiveConnection, Status
from reconciler.model.plan import Action
from reconciler.planning import providers


def intent_of(action: Action, intent_id: str, connections: Sequence[LiveConnection]) -> Intent:
    """The intent of a connect by credentials; `connections` are those of its schedule just before it is sent."""
    intent = Intent(
        id=intent_id,
        address=action.address,
        site=action.site,
        site_id=action.site_id,
        schedule_id=action.schedule_id,
        provider_id=action.provider_id,
        provider=action.provider,
        account=action.account or "",
        known=(),
    )
    return replace(intent, known=tuple(connection.id for connection in _possible(intent, connections)))


def appeared(intent: Intent, connections: Sequence[LiveConnection]) -> tuple[LiveConnection, ...]:
    """The connections that the intent may have made, ordered by id; one that was broken and is well again is new.

    A connection that does not show its account yet may be the one.
    """
    return tuple(connection for connection in _possible(intent, connections) if connection.id not in intent.known)


def _possible(intent: Intent, connections: Sequence[LiveConnection]) -> list[LiveConnection]:
    return sorted(
        (
            connection
            for connection in connections
            if connection.status not in {Status.DISCONNECTED, Status.ERROR}
            and connection.schedule_id.lower() == intent.schedule_id.lower()
            and (
                connection.provider_id == intent.provider_id
                or providers.word(connection.calendar_type) == intent.provider
            )
            and (not connection.account or folded(connection.account) == folded(intent.account))
        ),
        key=lambda connection: connection.id,
    )
