"""The matrix: kinds of work, readings of the contract, and what goes wrong at which step."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from random import Random

from tests.support.json_fields import Fields
from tests.support.referee import APPLE, GOOGLE, Fault, Reading, Row, Step, Wrong

SCHEDULE = "3e47ec65-2975-447c-a7ed-75041e850d5e"
_OTHER = "3e47ec65-2975-447c-a7ed-75041e850d5f"
LEE, KIM = "lee@me.example", "kim@me.example"

READINGS = (
    Reading("plain"),
    Reading("ids alone, nothing remembered", ids_alone=True, forgets=True),
    Reading("an alias", spelt={LEE: "lee@icloud.example"}),
    Reading("an alias, shown late", spelt={LEE: "lee@icloud.example"}, shown_after=3),
    Reading("another case", spelt={LEE: "LEE@me.example"}),
    Reading("accounts shown late", shown_after=3),
    Reading("accounts never shown", shown_after=None),
    Reading("broken at once, healed by a config", broken="EXTERNAL_CALENDAR_CREATION_FAILED"),
    Reading("broken at once, for good", broken="EXTERNAL_CALENDAR_DELETED", heals=False),
    Reading("another id on reconnect", new_id=True, forgets=True),
    Reading("another id on reconnect, the broken one stays", new_id=True, stays=True),
)
HOPELESS = {"an alias", "an alias, shown late", "broken at once, for good"}
"""Readings under which what is declared can't come about: to say so, and what to do, is all that can be done."""


@dataclass(frozen=True)
class Kind:
    """A kind of work: what is declared of the connection and of the site, what stands, and which steps it takes.

    With `beside`, a colleague's connection to the same schedule is declared too, all of it switched off.
    """

    name: str
    connection: Fields
    site: Fields = field(default_factory=dict)
    standing: tuple[Row, ...] = ()
    steps: tuple[Step, ...] = (Step.CONNECT, Step.CALENDARS, Step.CONFIG)
    beside: bool = False

    def __str__(self) -> str:
        return self.name


_CALENDARS = {"calendars": [{"id": "w1", "name": "Work"}]}
_OLD = Row("old", SCHEDULE, APPLE, LEE, config={"listEventFromCalendars": {"enabled": True, "calendars": _CALENDARS}})
_REVOKED = replace(_OLD, status="ERROR", reason="TOKEN_REVOKED")
_DELETED = replace(_OLD, status="ERROR", reason="EXTERNAL_CALENDAR_DELETED")
_ABSENT: Fields = {"state": "absent", "syncConfig": {}}
_BY_OWNER: Fields = {"provider": "google"}
KINDS = (
    Kind("connect", {}),
    Kind("two connects", {}, standing=(replace(_OLD, schedule=_OTHER, owner="desk@me.example"),), beside=True),
    Kind("update", {}, standing=(_OLD,), steps=(Step.CALENDARS, Step.CONFIG)),
    Kind("tombstone", _ABSENT, standing=(_OLD,), steps=(Step.DISCONNECT,)),
    Kind(
        "prune",
        {"account": KIM},
        {"prune": True},
        (replace(_OLD, schedule=_OTHER),),
        (*Kind("", {}).steps, Step.DISCONNECT),
    ),
    Kind("replace", {}, {"prune": True}, (replace(_OLD, owner=KIM),), (*Kind("", {}).steps, Step.DISCONNECT)),
    Kind("reconnect", {}, standing=(_REVOKED,)),
    Kind(
        "heal",
        {},
        standing=(_DELETED,),
        steps=(Step.CALENDARS, Step.CONFIG),
    ),
    Kind("consent", _BY_OWNER, steps=(Step.OAUTH, Step.CALENDARS, Step.CONFIG)),
    Kind(
        "consent anew",
        _BY_OWNER,
        standing=(replace(_REVOKED, provider=GOOGLE),),
        steps=(Step.OAUTH, Step.CALENDARS, Step.CONFIG),
    ),
)


@dataclass(frozen=True)
class Cell:
    """One place of the matrix."""

    kind: Kind
    reading: Reading
    fault: Fault | None

    def __str__(self) -> str:
        return f"{self.kind}; {self.reading}; {self.fault or 'nothing goes wrong'}"


def cells() -> Iterator[Cell]:
    """The whole matrix."""
    for kind, reading in itertools.product(KINDS, READINGS):
        yield Cell(kind, reading, None)
        for step, wrong, times in itertools.product((*kind.steps, Step.LIST), Wrong, (1, 2)):
            yield Cell(kind, reading, Fault(step, wrong, times))


_FOUND = {
    "replace; broken at once, for good; sync-config lost after it took effect, 1 times",
    "replace; broken at once, for good; sync-config 503 with effect, 2 times",
}
"""Cells in which the whole matrix has found something that its part had not."""


def some() -> list[Cell]:
    """A part of the matrix: every two of kind, reading and fault meet at least once, as chance has it."""
    chance = Random(12)  # noqa: S311 - the same choice each time, no secret
    whole = list(cells())
    met: set[tuple[str, str]] = set()
    chosen = [cell for cell in whole if str(cell) in _FOUND]
    for cell in chance.sample(whole, len(whole)):
        fault = f"{cell.fault and (cell.fault.step, cell.fault.wrong)}"
        pairs = {(str(cell.kind), str(cell.reading)), (str(cell.reading), fault), (str(cell.kind), fault)}
        if len(pairs - met) > 1:
            met |= pairs
            chosen.append(cell)
    return chosen
