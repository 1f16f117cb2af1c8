"""`extcal calendars --connection`: one account's calendars, by the name that its manifest has or by its live id."""

from dataclasses import replace

import pytest

from reconciler.sandbox.contract import ErrorReason, Status
from tests.support.cli.command import Extcal
from tests.support.cli.worlds import HARBOR, connected, connection, harbor, site, world

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
