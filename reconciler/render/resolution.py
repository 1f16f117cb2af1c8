"""What became of connects that were left open: for people, with what to do about each that still is, and as JSON."""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reconciler.model.account import shown
from reconciler.model.encoding import Json
from reconciler.model.intent import Adopted, Fate, Nothing, Settled, Several, Unlisted
from reconciler.model.live import LiveConnection
from reconciler.render.inert import inert
from reconciler.render.json_text import json_text
from reconciler.render.words import who

_MARGIN = " " * 11


@dataclass(frozen=True, slots=True)
class Resolution:
    """One connect that was left open, what was found of it, and how it was closed (`ending` None: it was not).

    `kept` is the connection that stays and `gone` are those that were disconnected for it; `error` says why it could
    not be closed as it was meant to.
    """

    settled: Settled
    ending: Fate | None = None
    kept: str | None = None
    gone: tuple[str, ...] = ()
    error: str | None = None


def resolution_text(resolutions: Sequence[Resolution], command: Sequence[str]) -> str:
    """The resolutions as lines of text, the last one the summary; `command` is what is advised to be called again."""
    if not resolutions:
        return "No connect was left open."
    again = shlex.join(command)
    lines = [line for resolution in resolutions for line in _lines(resolution, again)]
    left = sum(resolution.ending is None for resolution in resolutions)
    settled = len(resolutions) - left
    after = "Until they are settled, nothing of their sites is applied." if left else "Apply goes on from here."
    return "\n".join([*lines, "", f"{settled} settled, {left} left open. {after}"])


def resolution_json(resolutions: Sequence[Resolution]) -> str:
    """The resolutions as a JSON array of objects."""
    return json_text([_as_json(resolution) for resolution in resolutions])


def _lines(resolution: Resolution, again: str) -> Iterator[str]:
    intent = resolution.settled.pending.intent
    mark = "LEFT OPEN" if resolution.ending is None else "settled"
    yield inert(f"{mark:9}  {intent.address}  {intent.provider} {shown(intent.account)}")
    if resolution.ending is not None:
        yield inert(_MARGIN + _ended(resolution))
        return
    if resolution.error is not None:
        yield inert(f"{_MARGIN}{resolution.error}")
    yield from _what_to_do(resolution, again)


def _ended(resolution: Resolution) -> str:
    match resolution.ending:
        case Fate.ADOPTED if resolution.gone:
            return f"{resolution.kept} stays; disconnected: {', '.join(resolution.gone)}"
        case Fate.ADOPTED:
            return f"it has made {resolution.kept}"
        case Fate.FORGOTTEN:
            return "forgotten: whatever it has made is planned as any other connection"
        case _:
            return "it has made nothing so far"


def _what_to_do(resolution: Resolution, again: str) -> Iterator[str]:
    address = resolution.settled.pending.intent.address
    match resolution.settled.finding:
        case Several(connections):
            yield f"{_MARGIN}{len(connections)} connections appeared where one was meant:"
            for connection in connections:
                yield f"{_MARGIN}  {inert(f'{connection.id} ({connection.status}')}, {who(connection.account)})"
            keep = f"{again} --keep {shlex.quote(f'{address}={connections[0].id}')}"
            yield f"{_MARGIN}to keep the first and disconnect the others: {inert(keep)}"
        case Unlisted(why):
            yield f"{_MARGIN}what it has made can't be seen: {inert(why)}"
            forget = f"{again} --forget {shlex.quote(address)}"
            yield f"{_MARGIN}try again later; or look in the site's dashboard, and close it: {inert(forget)}"
        case _:
            yield f"{_MARGIN}try again: {inert(again)}"


def _as_json(resolution: Resolution) -> dict[str, Json]:
    intent, finding = resolution.settled.pending.intent, resolution.settled.finding
    found: list[LiveConnection] = []
    match finding:
        case Adopted(connection):
            found, word = [connection], "adopted"
        case Several(connections):
            found, word = [*connections], "several"
        case Nothing():
            word = "nothing"
        case _:
            word = "unlisted"
    rows: list[Json] = [{"id": each.id, "status": each.status, "account": each.account} for each in found]
    gone: list[Json] = list(resolution.gone)
    return {
        "address": intent.address,
        "site_id": intent.site_id,
        "schedule_id": intent.schedule_id,
        "provider": intent.provider,
        "account": intent.account,
        "settled": resolution.ending is not None,
        "finding": word,
        "ending": None if resolution.ending is None else resolution.ending.value,
        "connections": rows,
        "kept": resolution.kept,
        "disconnected": gone,
        "error": resolution.error or (finding.why if isinstance(finding, Unlisted) else None),
    }
