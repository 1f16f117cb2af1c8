"""The status of a fleet for people at a terminal: site by site, the worst first, a summary last."""

from collections.abc import Iterator, Sequence

from reconciler.model.status import ConnectionStatus, FleetStatus, Health, SiteStatus
from reconciler.render import status_words, words
from reconciler.render.plan_text import shortened
from reconciler.render.tone import Emphasis, Paint, plain
from reconciler.text import inert

_TONE = {
    Health.ERROR: Emphasis.REMOVE,
    Health.MISSING: Emphasis.REMOVE,
    Health.UNKNOWN: Emphasis.REMOVE,
    Health.AWAITING_CONSENT: Emphasis.CHANGE,
    Health.DRIFTED: Emphasis.CHANGE,
    Health.SYNCING: Emphasis.CHANGE,
    Health.OK: Emphasis.ADD,
    Health.ABSENT: Emphasis.QUIET,
    Health.UNMANAGED: Emphasis.QUIET,
}
_WORST_FIRST = {health: place for place, health in enumerate(Health)}
_WIDTH = max(map(len, status_words.WORD.values()))


def status_text(fleet: FleetStatus, paint: Paint = plain) -> str:
    """The status as lines of text; the last line is the summary."""
    lines: list[str] = []
    for site in fleet.sites:
        if site.connections or site.unread:
            lines += [*_site(site, paint), ""]
    lines.append(status_words.summary_line(fleet))
    return "\n".join(lines)


def worst_first(connections: Sequence[ConnectionStatus]) -> list[ConnectionStatus]:
    """The connections by health, then by address."""
    return sorted(connections, key=lambda status: (_WORST_FIRST[status.health], status.address))


def _site(site: SiteStatus, paint: Paint) -> Iterator[str]:
    yield paint(Emphasis.HEADING, f"{inert(site.site.name)}  ({inert(site.site.site_id)})")
    if site.unread is not None:
        yield f"  {paint(Emphasis.REMOVE, 'could not be read:')} {inert(site.unread.message)}"
    width = max((len(_name(status)) for status in site.connections), default=0)
    for status in worst_first(site.connections):
        yield from _connection(status, paint, width, site_unread=site.unread is not None)


def _name(status: ConnectionStatus) -> str:
    return inert(shortened(status.address.partition("/")[2]))


def _connection(status: ConnectionStatus, paint: Paint, width: int, *, site_unread: bool) -> Iterator[str]:
    word = paint(_TONE[status.health], f"{status_words.WORD[status.health]:{_WIDTH}}")
    where = inert(status.schedule or status.schedule_id or "schedule not known")
    who = f"{inert(status.provider)} {words.who(status.account)}"
    yield f"  {word}  {_name(status):{width}}  {who}  on {where}"
    if status.health is Health.UNMANAGED or site_unread:
        return
    indent = " " * (_WIDTH + 4)
    for line in (status_words.reason(status), status_words.remedy(status)):
        if line is not None:
            yield f"{indent}{line}"
