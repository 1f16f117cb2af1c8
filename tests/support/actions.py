"""Actions that differ from others in a field, whichever part of the action holds it."""

from dataclasses import fields, replace
from typing import Any

from reconciler.model.account import Account
from reconciler.model.action import Action, ConnectSpec
from reconciler.model.key import ConnectionKey

_OF_KEY = {field.name for field in fields(ConnectionKey)}
_OF_CONNECT = {field.name for field in fields(ConnectSpec)}


def altered(action: Action, **changes: Any) -> Action:  # noqa: ANN401 - any field of the value or its parts
    """The action with other fields; those of its key and of how it connects are named as if they were its own."""
    key = {name: value for name, value in changes.items() if name in _OF_KEY}
    if isinstance(key.get("account"), str):
        key["account"] = Account(key["account"]) if key["account"] else None
    connect = {name: value for name, value in changes.items() if name in _OF_CONNECT}
    own = {name: value for name, value in changes.items() if name not in key and name not in connect}
    if key:
        own["key"] = replace(action.key, **key)
    if connect:
        own["connect"] = replace(action.connect or ConnectSpec(None), **connect)
    return replace(action, **own)
