"""Promise: what was restored of earlier runs is never trusted: hostile content is told, and leads to no write.

Somebody who can put a file into a cache can forge both: the journal of connects, and whose consent is awaited.
"""

import json
from dataclasses import replace

import pytest

from reconciler.model.intent import Fate, Intent
from reconciler.model.key import ConnectionKey
from tests.support.cli.command import Extcal
from tests.support.cli.journals import folder_of, intent, journal
from tests.support.cli.worlds import (
    BUSY,
    EXPORTING,
    PASSWORD_ENV,
    connected,
    connection,
    email,
    harbor,
    site,
    world,
)
from tests.support.hostile_texts import PAYLOADS, assert_inert

_APPLY = ("apply", "manifests", "--auto-approve", "--consent", "skip")
_FINISH = (*_APPLY, "--only-consents")
_WHEN = "2026-11-01T08:00:00Z"
_BROKEN = {
    "no JSON": b"{\n",
    "other JSON": b"[1, 2]\n",
    "not UTF-8": b"\xff\xfe\x00{\n",
    "a NUL": b"\x00" * 4096 + b"\n",
    "deep": b"[" * 200_000 + b"\n",
    "a huge number": b'{"format": ' + b"9" * 10_000 + b"}\n",
    "too large": b" " * (16 * 1024 * 1024 + 1),
    "another version": b'{"format": 99, "requests": []}\n',
}


@pytest.fixture
def machine(extcal: Extcal) -> Extcal:
    """The command on a machine; a connection by password and one by consent are declared, and one has drifted."""
    extcal.env |= PASSWORD_ENV
    folder_of(extcal).make()
    extcal.write(
        site(more="prune: true\nscope: site\nguards: {maxDisconnects: 100%}"),
        connection(0, more=BUSY),
        connection(1, provider="google", more=EXPORTING),
        connection(2, more=EXPORTING),
        connection(3, more="lifecycle: {ignoreChanges: [syncConfig.syncToCalendar]}\n" + EXPORTING),
    )
    extcal.on(world(replace(harbor(), connections=tuple(connected(number) for number in (2, 3, 5)))))
    return extcal


def made(extcal: Extcal) -> list[str]:
    """What was written, without the ids of what was new."""
    return sorted(f"{request.method} {request.path.rpartition('/')[2]}" for request in extcal.writes)


def expected(machine: Extcal) -> list[str]:
    """What an apply writes where nothing was restored; the service is as before afterwards."""
    elsewhere = {"EXTCAL_STATE_DIR": str(machine.folder / "elsewhere")}
    assert machine(*_APPLY, env=elsewhere).code == 3
    found = made(machine)
    machine.on(world(replace(harbor(), connections=tuple(connected(number) for number in (2, 3, 5)))))
    return found


def requests(*rows: object) -> bytes:
    """A file of consent requests."""
    return json.dumps({"format": 1, "requests": rows}).encode()


def request(**fields: object) -> dict[str, object]:
    """One of its rows."""
    given: dict[str, object] = {
        "address": "harbor/staff-1",
        "account": email(1),
        "awaited_since": _WHEN,
        "asked_at": [],
        "thread": None,
        "approved": "",
    }
    return given | fields


@pytest.mark.parametrize("content", _BROKEN.values(), ids=_BROKEN.keys())
def test_a_journal_that_is_none_stops_its_site_and_is_named(machine: Extcal, content: bytes) -> None:
    """Which connects are open can't be known: nothing is written there, and what to do is told."""
    path = folder_of(machine).path / "journal"
    path.write_bytes(content)
    ran = machine(*_APPLY)
    assert (ran.code, machine.writes) == (1, []), ran.err
    assert str(path) in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize("content", _BROKEN.values(), ids=_BROKEN.keys())
def test_a_file_of_requests_that_is_none_is_named_where_it_counts(machine: Extcal, content: bytes) -> None:
    """Where only consents are finished nothing is done; an apply goes on as without it."""
    writes = expected(machine)
    path = folder_of(machine).path / "consent-requests"
    path.write_bytes(content)
    ran = machine(*_FINISH)
    assert (ran.code, machine.writes) == (1, []), ran.err
    assert str(path) in ran.err
    assert (machine(*_APPLY).code, made(machine)) == (3, writes)


@pytest.mark.parametrize(
    "row",
    [
        "text",
        request(awaited_since="0001-01-01T00:00:00+23:59"),
        request(awaited_since="9999-12-31T23:59:59-23:59"),
        request(awaited_since="2026-11-01T08:00:00"),
        request(asked_at=["0001-01-01T00:00:00+23:59"]),
        request(asked_at=[7]),
        request(asked_at={"a": 1}),
        request(address=7),
        request(account=["a"]),
        {},
    ],
    ids=str,
)
def test_a_row_that_is_none_of_ours_is_no_crash(machine: Extcal, row: object) -> None:
    """Times that no calendar has, and fields of another kind, make the file one that extcal has not written."""
    path = folder_of(machine).path / "consent-requests"
    path.write_bytes(requests(row))
    ran = machine(*_FINISH)
    assert (ran.code, machine.writes) == (1, []), ran.err
    assert "not what extcal has written" in ran.err


@pytest.mark.parametrize("text", PAYLOADS.values(), ids=PAYLOADS.keys())
def test_forged_requests_have_nobody_asked(machine: Extcal, text: str) -> None:
    """Only what the manifests declare, of the account that they name, is awaited; whatever else is there is no one."""
    path = folder_of(machine).path / "consent-requests"
    forged = [
        request(account="stranger@evil.example"),
        request(address=text),
        request(address="harbor/staff-1", account=text),
        request(address="harbor/staff-0", account=email(0)),
        request(address="harbor/staff-9"),
    ]
    path.write_bytes(requests(*forged))
    ran = machine(*_FINISH[:-3], "--consent", "link", "--only-consents")
    assert (ran.code, machine.writes) == (0, []), ran.out + ran.err
    assert_inert(ran.out + ran.err)


def hostile_intents(text: str) -> list[Intent]:
    """Intents that name what is declared, what is not, and what is nothing at all."""
    plain = intent(0)
    return [
        replace(plain, id="a", address=text),
        replace(plain, id=text, key=replace(plain.key, schedule_id=text)),
        replace(plain, id="c", site=text, site_id=text, plan_id=text),
        replace(plain, id="d", provider_id=text, known=(text,), broken=(text,), answered=text),
        replace(intent(2), id="e", known=("live-2",)),
        replace(intent(5), id="f", blind=True),
        replace(intent(3), id="g", key=ConnectionKey(text, text, plain.key.account)),
    ]


@pytest.mark.parametrize("text", PAYLOADS.values(), ids=PAYLOADS.keys())
def test_forged_intents_lead_to_no_write_that_none_would(machine: Extcal, text: str) -> None:
    """They are looked for, and may hold something back; what is shown of them is text."""
    writes = expected(machine)
    place = folder_of(machine)
    for each in hostile_intents(text):
        try:
            journal(place).begin(each)
        except UnicodeEncodeError:
            pytest.skip("no file holds this text")
    ran = machine(*_APPLY)
    assert ran.code in {1, 3}, ran.err
    assert not [each for each in made(machine) if each not in writes]
    assert len(made(machine)) <= len(writes)
    assert_inert(ran.out + ran.err)
    assert "Traceback" not in ran.err


@pytest.mark.parametrize("ending", list(Fate))
def test_forged_endings_disconnect_nothing(machine: Extcal, ending: Fate) -> None:
    """That a live connection came of a connect of another account is no reason to disconnect it, nor to connect it."""
    writes = expected(machine)
    place = folder_of(machine)
    for number in (0, 2, 5):
        journal(place).begin(intent(number))
        journal(place).end(intent(number), ending, f"live-{number}", intent(7).key.account)
    machine(*_APPLY)
    assert not [each for each in made(machine) if each not in writes]
