"""Reads faults from a file of YAML."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.sandbox.contract import READS, WRITES, Operation
from reconciler.sandbox.faults.model import (
    Answer,
    Body,
    Cut,
    Delay,
    Effect,
    Fault,
    Faults,
    Later,
    Rate,
    Reset,
    Stale,
    When,
)
from reconciler.sandbox.yaml_file import read_file

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from reconciler.sandbox.faults.model import Kind
    from reconciler.sandbox.yaml_file import Node

_KINDS = ("answer", "reset", "cut", "delay", "stale", "rate")
_SHAPE = "Write it as `faults: [{on: writes, times: 1, answer: {status: 503}}, …]`"
_GROUPS = {"reads": READS, "writes": WRITES}
_SEED = re.compile(r"-?[0-9]{1,18}")


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


def read_faults(path: Path) -> Faults:
    """The faults that the file at `path` describes.

    Raises `SandboxError` that says what is wrong, where, and what would be right.
    """
    return read_file(path, "faults", _SHAPE, _faults)


def _faults(whole: Node) -> Faults:
    fields = whole.fields("seed", "faults")
    seed = fields["seed"].text("0")
    if not _SEED.fullmatch(seed):
        raise fields["seed"].wrong("must be a whole number of at most 18 digits")
    return Faults(tuple(_fault(entry) for entry in fields["faults"].items(f"must be a list. {_SHAPE}")), int(seed))


def _fault(entry: Node) -> Fault:
    fields = entry.fields("on", "skip", "times", "probability", *_KINDS)
    chosen = [name for name in _KINDS if fields[name].given]
    if len(chosen) != 1:
        raise entry.wrong(f"must have exactly one of {', '.join(_KINDS)}")
    return entry.made(
        Fault,
        kind_of(chosen[0], fields[chosen[0]]),
        _operations(fields["on"]),
        fields["skip"].whole(0),
        fields["times"].whole(0) if fields["times"].given else None,
        fields["probability"].number(1.0),
    )


def _operations(on: Node) -> Collection[Operation]:
    if not on.given:
        return frozenset(Operation)
    if isinstance(on.value, str) and on.value in _GROUPS:
        return _GROUPS[on.value]
    right = f"must be reads, writes, or a list of some of {', '.join(Operation)}"
    return frozenset(name.choice(Operation, right) for name in on.items(right))
