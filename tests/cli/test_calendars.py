"""`extcal calendars --connection`: one account's calendars, by the name that its manifest has or by its live id."""

from dataclasses import replace

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from reconciler.manifests import load
from reconciler.model.sync import CalendarRef
from reconciler.pull.yaml_emit import copied_item, is_declarable
from reconciler.sandbox.contract import ErrorReason, Status
from reconciler.sandbox.world import Calendar
from reconciler.text import inert
from tests.support.cli.command import Extcal
from tests.support.cli.worlds import HARBOR, QUAY, connected, connection, email, harbor, schedule_id, site, world

_SITE = ("--site-id", HARBOR)


def test_calendars_of_a_connection_by_its_name(extcal: Extcal) -> None:
    """--connection takes a name of the manifests, too: of the live connection that it matches."""
    extcal.on(world(harbor(0, 1)))
    extcal.write(site(), connection(0), connection(1))
    for name in ("staff-1", "harbor/staff-1", "live-1"):
        rows = extcal("calendars", "manifests", "--connection", name, "--format", "json").rows
        assert [(row["connectionId"], row["id"]) for row in rows] == [("live-1", "work"), ("live-1", "home")], name


@pytest.mark.parametrize(
    ("args", "hint"),
    [
        (("manifests", "--connection", "stafff-1"), "did you mean staff-1?"),
        (("manifests", "--connection", "harbor/lvie-1"), "no connection has this name, account or id; connected are"),
        ((*_SITE, "--connection", "staff-1"), "(for a manifest's name, give its PATH); connected are staff0@"),
        (
            (*_SITE, "--connection", "nobody@harbor-dental.example"),
            "connected are staff0@harbor-dental.example, staff1@",
        ),
        ((*_SITE, "--connection", "live1"), "did you mean live-1?"),
    ],
)
def test_calendars_of_an_unknown_connection_are_wrong_usage(extcal: Extcal, args: tuple[str, ...], hint: str) -> None:
    """A name that neither the manifests nor the site have is told as such, and nothing is shown."""
    extcal.on(world(harbor(0, 1)))
    extcal.write(site(), connection(0), connection(1))
    ran = extcal("calendars", *args)
    assert (ran.code, ran.out) == (64, "")
    assert f"error: --connection {args[-1]}: " in ran.err
    assert hint in ran.err


@pytest.mark.parametrize("name", ["staff-0", "live-0"])
def test_calendars_that_can_not_be_listed_say_why(extcal: Extcal, name: str) -> None:
    """A connection in error, or none yet, has no calendars to list: the reason is told, and the exit code is 1."""
    broken = replace(connected(0), status=Status.ERROR, error_reason=ErrorReason.TOKEN_REVOKED)
    extcal.on(world(replace(harbor(), connections=(broken, connected(1)))))
    extcal.write(site(), connection(0), connection(1), connection(2))
    ran = extcal("calendars", "manifests", "--connection", name)
    assert (ran.code, ran.out) == (1, "")
    assert "its status is ERROR, so its calendars can't be listed" in ran.err
    missing = extcal("calendars", "manifests", "--connection", "staff-2", "--connection", "staff-1")
    assert (missing.code, len(missing.out.splitlines())) == (1, 3)
    assert "error: harbor/staff-2: not connected" in missing.err


@pytest.mark.parametrize("word", ["live-1", f"{HARBOR}/id:live-1", email(1), email(1).upper()])
def test_calendars_by_what_is_live(extcal: Extcal, word: str) -> None:
    """Without manifests an id, its address or an account tells the connection."""
    extcal.on(world(harbor(0, 1)))
    rows = extcal("calendars", *_SITE, "--connection", word, "--format", "json").rows
    assert [row["connectionId"] for row in rows] == ["live-1", "live-1"]


def test_an_account_is_looked_for_among_what_works(extcal: Extcal) -> None:
    """What was disconnected does not count; two that work are named."""
    gone = replace(connected(0), id="gone", status=Status.DISCONNECTED)
    extcal.on(world(replace(harbor(), connections=(connected(0), gone))))
    rows = extcal("calendars", *_SITE, "--connection", email(0), "--format", "json").rows
    assert {row["connectionId"] for row in rows} == {"live-0"}
    twice = replace(connected(0), id="twice", schedule_id=schedule_id(1))
    extcal.on(world(replace(harbor(), connections=(connected(0), twice))))
    ran = extcal("calendars", *_SITE, "--connection", email(0))
    assert (ran.code, ran.out) == (64, "")
    assert f"2 connections fit it: {HARBOR} apple {email(0)} [live-0], " in ran.err


def test_only_the_sites_of_declared_connections_are_read(extcal: Extcal) -> None:
    """Where manifests tell the site, the key of another one is not even needed."""
    extcal.on(world(harbor(0, 1)))
    extcal.write(site(), site("quay", id_=QUAY, key="EXTCAL_NOBODY"), connection(0))
    ran = extcal("calendars", "manifests", "--connection", "staff-0")
    assert (ran.code, len(ran.out.splitlines())) == (0, 3), ran.err


_HOSTILE = ["a: b", "##[error]x", "::stop::", "x\u3164y", "a\u0301" * 12, "e\ufe0f1", "'\"\\", "no", "1.0", "\u202ex"]


def test_what_is_shown_can_be_pasted(extcal: Extcal) -> None:
    """Each item of WRITE IT AS means its calendar in a manifest, whatever it is called."""
    shown = world(harbor(0))
    there = tuple(Calendar(f"id {number} {name}", name) for number, name in enumerate(_HOSTILE))
    extcal.on(replace(shown, accounts=tuple(replace(each, calendars=there) for each in shown.accounts)))
    head, *lines = extcal("calendars", *_SITE).out.splitlines()
    items = [line[line.index("{id: ") :] for line in lines]
    assert "WRITE IT AS" in head
    calendars = f"{{listEventFromCalendars: {{enabled: true, calendars: [{', '.join(items)}]}}}}"
    extcal.write(site(), connection(0, more=f"syncConfig: {calendars}"))
    (declared,) = load([extcal.folder / "manifests"]).connections
    assert declared.sync.imports is not None
    found = {(each.id, each.name) for each in declared.sync.imports.calendars}
    assert found == {(each.id, each.name) for each in there}


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_copied_item_means_itself(id_: str, name: str) -> None:
    """It is inert as it stands, and read back it is the same; what no manifest can hold is not in it."""
    item = copied_item(CalendarRef(id=id_, name=name), 1000)
    assert inert(item) == item
    if not is_declarable(id_, 1024):
        assert item == ""
    else:
        wanted = {"id": id_} | ({"name": name} if is_declarable(name, 1024) else {})
        assert yaml.safe_load(f"[{item}]") == [wanted]


def test_an_item_that_is_too_long_goes_without_its_name() -> None:
    """A cell of a table is cut, and half an item means nothing."""
    assert copied_item(CalendarRef(id="work", name="x" * 1000), 1000) == "{id: work}"
    assert copied_item(CalendarRef(id="x" * 1000, name="Work"), 1000) == ""
