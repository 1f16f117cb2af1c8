"""The kinds of faults as a file spells them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.sandbox.faults.model import Answer, Body, Cut, Delay, Effect, Later, Rate, Reset, Stale, When

if TYPE_CHECKING:
    from reconciler.sandbox.faults.model import Kind
    from reconciler.sandbox.faults.nodes import Node


def kind_of(name: str, node: Node) -> Kind:
    """The fault that stands under the key `name` of an entry; raises `WrongError`."""
    match name:
        case "answer":
            fields = node.fields("status", "body", "headers", "effect")
            body = fields["body"].choice(Body, f"must be one of {', '.join(Body)}", Body.JSON)
            headers, effect = fields["headers"].texts(), _effect(fields["effect"])
            return node.made(Answer, fields["status"].whole(), body, headers, effect)
        case "reset":
            return Reset(_effect(node.fields("effect")["effect"]))
        case "cut":
            return node.made(Cut, node.fields("bytes")["bytes"].whole())
        case "delay":
            fields = node.fields("seconds", "when")
            when = fields["when"].choice(When, f"must be one of {', '.join(When)}", When.BEFORE)
            return node.made(Delay, fields["seconds"].number(), when)
        case "stale":
            return node.made(Stale, node.fields("seconds")["seconds"].number())
        case _:
            return _rate(node)


def _rate(node: Node) -> Rate:
    fields = node.fields("requests", "seconds", "retryAfter")
    retry_after = fields["retryAfter"].text("") if fields["retryAfter"].given else None
    return node.made(Rate, fields["requests"].whole(), fields["seconds"].number(), retry_after)


def _effect(node: Node) -> Effect | Later:
    if not node.given:
        return Effect.NONE
    if isinstance(node.value, dict):
        return node.made(Later, node.fields("after")["after"].number())
    for effect in Effect:
        if effect.value == node.value:
            return effect
    raise node.wrong("must be none, done, or {after: SECONDS}")
