"""Lets the sandbox play each reading of what is unknown about the hosted API.

`Behaviour` says which; `read_behaviour` reads it from a file. Give it to `reconciler.sandbox.server.running`, or to
`RunningSandbox.behave` while it serves.
"""

from reconciler.sandbox.behaviour.model import (
    Behaviour,
    CalendarNames,
    Directions,
    Disconnected,
    Hidden,
    LoopbackRedirects,
    Order,
    PartialFailure,
    Permissions,
    Reconnect,
    StartsWith,
    Unsaid,
    Update,
    UpdateAnswer,
)
from reconciler.sandbox.behaviour.reader import read_behaviour

__all__ = [
    "Behaviour",
    "CalendarNames",
    "Directions",
    "Disconnected",
    "Hidden",
    "LoopbackRedirects",
    "Order",
    "PartialFailure",
    "Permissions",
    "Reconnect",
    "StartsWith",
    "Unsaid",
    "Update",
    "UpdateAnswer",
    "read_behaviour",
]
