"""Lets the sandbox play each reading of what is unknown about the hosted API.

`Behaviour` says which. Give it to `reconciler.sandbox.server.running`, or to `RunningSandbox.behave` while it serves.
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
]
