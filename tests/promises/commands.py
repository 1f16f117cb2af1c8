"""Every command of extcal, and the ways to call it that write something somewhere; a new command needs a row here."""

from collections.abc import Iterator

import click

from reconciler.cli.main import main
from tests.support.cli.worlds import HARBOR

Row = tuple[str, ...]

_APPLY = ("apply", "manifests", "--auto-approve")
_FILES = ("--undo-out", "undo.json", "--consent-file", "links.jsonl", "--record", "record.jsonl")

REACHING: dict[str, tuple[Row, ...]] = {
    "plan": (
        ("plan", "manifests"),
        ("plan", "manifests", "--format", "json", "--impact"),
        ("plan", "manifests", "--format", "markdown", "--base-dir", "before"),
        ("plan", "manifests", "--format", "html", "--out", "plan.json"),
    ),
    "apply": (
        (*_APPLY, "--consent", "link"),
        (*_APPLY, "--format", "json", *_FILES),
        ("apply", "--plan", "saved.json", "--auto-approve", "--consent", "skip"),
        (*_APPLY, "--consent", "mail", "--dry-mail", "mails"),
    ),
    "resolve": (("resolve", "manifests"), ("resolve", "manifests", "--format", "json", "--auto-approve")),
    "pull": (("pull", "manifests", "--output", "pulled"), ("pull", "manifests", "--output", "pulled", "--check")),
    "pin": (("pin", "manifests", "--check"), ("pin", "manifests")),
    "status": tuple(("status", "manifests", "--format", name) for name in ("text", "json", "html")),
    "providers": (("providers", "--site-id", HARBOR), ("providers", "manifests", "--format", "json")),
    "schedules": (("schedules", "--site-id", HARBOR), ("schedules", "manifests", "--format", "json")),
    "connections": (("connections", "--site-id", HARBOR), ("connections", "manifests", "--format", "json")),
    "calendars": (("calendars", "--site-id", HARBOR), ("calendars", "manifests", "--format", "json")),
    "events": (("events", "--site-id", HARBOR), ("events", "manifests", "--personal", "--format", "json")),
}
"""Commands that talk to the service."""

_TIMES = ("--start", "2027-01-31T09:00:00Z", "--end", "2027-01-31T10:00:00Z")

STAYING: dict[str, tuple[Row, ...]] = {
    "validate": (("validate", "manifests"), ("validate", "manifests", "--format", "github")),
    "render": (("render", "manifests"), ("render", "manifests", "--format", "json")),
    "history": (("history",), ("history", "manifests", "--format", "json")),
    "notify": (("notify",),),
    "schema": (("schema", "Site"), ("schema", "nonsense")),
    "consent-page": (("consent-page", "--output", "page.html"), ("consent-page", "--output", "-")),
    "merge": (("merge", "nowhere.json"), ("merge", "manifests/all.yaml", "--out", "joined.json")),
    "sandbox reset": (("sandbox", "reset", "--data", "manifests"), ("sandbox", "reset", "--data", "nowhere")),
    "sandbox events add": (("sandbox", "events", "add", "--schedule", "Staff 0", "--title", "Recall", *_TIMES),),
    "sandbox events move": (("sandbox", "events", "move", "nothing", *_TIMES),),
    "sandbox events cancel": (("sandbox", "events", "cancel", "nothing"),),
    "sandbox events list": (("sandbox", "events", "list"), ("sandbox", "events", "list", "--format", "json")),
    "sandbox schedules list": (("sandbox", "schedules", "list"),),
    "sandbox schedules set-owner": (("sandbox", "schedules", "set-owner", "Staff 0", "nobody"),),
}
"""Commands that talk to nobody."""

LASTING: dict[str, tuple[Row, ...]] = {
    "watch": (("watch", "manifests", "--apply", "--auto-approve", "--listen", "127.0.0.1:0", "--interval", "1h"),),
    "sandbox serve": (("sandbox", "serve", "--data", "served"),),
}
"""Commands that run until they are told to stop."""


def commands() -> set[str]:
    """The names of all commands, with their groups' names."""
    return set(_leaves(main, click.Context(main)))


def _leaves(group: click.Group, context: click.Context, *before: str) -> Iterator[str]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from _leaves(command, context, *before, name)
        else:
            yield " ".join((*before, name))
