"""Shows what `extcal resolve` found of open connects and duplicate connections, as text and JSON."""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reconciler.model.account import shown
from reconciler.model.encoding import Json, encoded
from reconciler.model.intent import Adopted, Fate, Intent, Nothing, Settled, Several, Unclear, Unlisted
from reconciler.model.live import LiveConnection
from reconciler.planning.duplicates import Duplicates
from reconciler.render.data_text import json_text
from reconciler.render.words import who
from reconciler.text import inert

_MARGIN = " " * 11


@dataclass(frozen=True, slots=True)
class Resolution:
    """One connect that was left open and what was found of it, or duplicates; how it was closed (`ending` None: not).

    `kept` is the connection that stays and `gone` are those that were disconnected for it; `error` says why it could
    not be closed as it was meant to.
    """

    about: Settled | Duplicates
    ending: Fate | None = None
    kept: str | None = None
    gone: tuple[str, ...] = ()
    error: str | None = None


def resolution_text(resolutions: Sequence[Resolution], command: Sequence[str]) -> str:
    """The resolutions as lines of text, the last one the summary; `command` is what is advised to be called again."""
    if not resolutions:
        return "No connect is open, and no connection exists twice."
    again = shlex.join(command)
    lines = [line for resolution in resolutions for line in _lines(resolution, again)]
    left = sum(resolution.ending is None for resolution in resolutions)
    settled = len(resolutions) - left
    coming = "Until they are settled, none of them is applied." if left else "Apply goes on from here."
    return "\n".join([*lines, "", f"{settled} settled, {left} left open. {coming}"])


def resolution_json(resolutions: Sequence[Resolution]) -> str:
    """The resolutions as a JSON array of objects."""
    return json_text([_as_json(resolution) for resolution in resolutions])


def _lines(resolution: Resolution, again: str) -> Iterator[str]:
    of = _whose(resolution)
    mark = "LEFT OPEN" if resolution.ending is None else "settled"
    yield inert(f"{mark:9}  {of.address}  {of.key.provider} {shown(of.key.account)}")
    if resolution.ending is not None:
        yield inert(_MARGIN + _ended(resolution))
        return
    if resolution.error is not None:
        yield inert(f"{_MARGIN}{resolution.error}")
    yield from _what_to_do(resolution, again)


def _whose(resolution: Resolution) -> Intent | Duplicates:
    """What has the address, the schedule, the provider and the account."""
    about = resolution.about
    return about if isinstance(about, Duplicates) else about.pending.intent


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
    address = _whose(resolution).address
    about = resolution.about
    if isinstance(about, Duplicates) and resolution.error is None:
        yield f"{_MARGIN}{len(about.connections)} connections exist where one is declared:"
        yield from _choices(address, about.connections, again)
        return
    match None if isinstance(about, Duplicates) else about.finding:
        case Several(connections):
            yield f"{_MARGIN}{len(connections)} connections appeared where one was meant:"
            yield from _choices(address, connections, again)
        case Unclear(connections):
            yield f"{_MARGIN}what appeared since may be another's:"
            yield from _listed(connections)
            yield f"{_MARGIN}apply again when the service shows its account; if one of them is it, say so:"
            keep = f"{again} --keep {shlex.quote(f'{address}={connections[0].id}')}"
            forget = f"{again} --forget {shlex.quote(address)}"
            yield f"{_MARGIN}  {inert(keep)}"
            yield f"{_MARGIN}else close it: {inert(forget)}"
        case Unlisted(why):
            yield f"{_MARGIN}what it has made can't be seen: {inert(why)}"
            forget = f"{again} --forget {shlex.quote(address)}"
            yield f"{_MARGIN}try again later, or with a key or app that sees all"
            yield f"{_MARGIN}or look in the site's dashboard, and close it: {inert(forget)}"
        case _:
            yield f"{_MARGIN}try again: {inert(again)}"


def _choices(address: str, connections: Sequence[LiveConnection], again: str) -> Iterator[str]:
    yield from _listed(connections)
    keep = f"{again} --keep {shlex.quote(f'{address}={connections[0].id}')}"
    others = "the others" if all(connection.account for connection in connections) else "those that show its account"
    yield f"{_MARGIN}to keep the first and disconnect {others}: {inert(keep)}"


def _listed(connections: Sequence[LiveConnection]) -> Iterator[str]:
    for connection in connections:
        yield f"{_MARGIN}  {inert(f'{connection.id} ({connection.shown_status}')}, {who(connection.account)})"


def _as_json(resolution: Resolution) -> dict[str, Json]:
    of, about = _whose(resolution), resolution.about
    found: Sequence[LiveConnection] = ()
    why: str | None = None
    match about.connections if isinstance(about, Duplicates) else about.finding:
        case Adopted(connection):
            found, word = [connection], "adopted"
        case Several(connections):
            found, word = connections, "several"
        case Unclear(connections):
            found, word = connections, "unclear"
        case Nothing():
            word = "nothing"
        case Unlisted(why):
            word = "unlisted"
        case standing:
            found, word = standing, "duplicates"
    rows: list[Json] = [{"id": each.id, "status": each.status, "account": encoded(each.account)} for each in found]
    gone: list[Json] = list(resolution.gone)
    return {
        "address": of.address,
        "site_id": of.site_id,
        "schedule_id": of.key.schedule_id,
        "provider": of.key.provider,
        "account": encoded(of.key.account),
        "settled": resolution.ending is not None,
        "finding": word,
        "ending": None if resolution.ending is None else resolution.ending.value,
        "connections": rows,
        "kept": resolution.kept,
        "disconnected": gone,
        "error": resolution.error or why,
    }
