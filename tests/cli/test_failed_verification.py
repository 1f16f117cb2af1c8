"""`extcal apply` where the look afterwards fails: what was done is reported, and what could not be checked is named."""

import json
import re
from collections.abc import Iterator
from typing import cast

import pytest

from tests.support.cli.command import Extcal, Json, Ran
from tests.support.cli.schema import valid
from tests.support.cli.worlds import APPLE, EXPORTING, PASSWORD_ENV, connection, harbor, site, world
from tests.support.servers.proxy import stand_in

_NAMED = "syncConfig: {listEventFromCalendars: {enabled: true, calendars: [Work]}}"
_HEADING = "\nNot checked after applying; plan again to see where it stands:\n"


class _Blind:
    """Passes on what comes, but for lists of connections once something was written: nothing is there then."""

    def __init__(self) -> None:
        self.wrote = False

    def __call__(self, method: str, path: str) -> tuple[str, str]:
        self.wrote = self.wrote or method == "PATCH"
        lists = method == "GET" and path.partition("?")[0].endswith("/connections")
        return (method, "/nowhere") if self.wrote and lists else (method, path)


@pytest.fixture
def drifting(extcal: Extcal) -> Iterator[Extcal]:
    """The command on a site where an update is due and which can't be listed any more once that was done."""
    extcal.env |= PASSWORD_ENV
    extcal.on(world(harbor(0)))
    extcal.write(site(), connection(0, more=EXPORTING))
    assert extcal("plan", "manifests", "--out", "plan.json").code == 0
    with stand_in(extcal.sandbox.endpoint, _Blind()) as endpoint:
        extcal.env["EXTCAL_ENDPOINT"] = endpoint
        yield extcal


@pytest.mark.parametrize("what", [("manifests",), ("--plan", "plan.json")])
def test_text_says_what_could_not_be_read_again(drifting: Extcal, what: tuple[str, ...]) -> None:
    """What was done is reported, the site that could not be read again is named with the error; the exit code is 1."""
    ran = drifting("apply", *what, "--auto-approve")
    assert ran.code == 1
    done, _, rest = ran.out.partition(_HEADING)
    assert done.endswith("\ndone            update harbor/staff-0\n")
    assert rest.startswith("  harbor: ListConnections: HTTP 404")
    assert rest.endswith("\n\nApplied: 1 done.\n")


@pytest.mark.parametrize("what", [("manifests",), ("--plan", "plan.json")])
def test_json_says_what_could_not_be_read_again(drifting: Extcal, what: tuple[str, ...]) -> None:
    """The document has the outcomes, and `unchecked` with the error; stderr says it too."""
    ran = drifting("apply", *what, "--auto-approve", "--format", "json")
    assert ran.code == 1
    (error,) = _unchecked(ran)
    assert error["address"] == "harbor"
    assert "ListConnections: HTTP 404" in str(error["message"])
    assert "ListConnections: HTTP 404" in ran.err
    assert [action["status"] for action in ran.actions] == ["done"]
    assert "errors" not in ran.document


@pytest.mark.parametrize("what", [("manifests",), ("--plan", "plan.json")])
def test_what_a_provider_hides_is_no_difference(extcal: Extcal, what: tuple[str, ...]) -> None:
    """What was done at a provider that the service can't reach any more is unchecked, and not said to differ."""
    extcal.on(world(harbor(0)))
    extcal.write(site(), connection(0, more=EXPORTING))
    assert extcal("plan", "manifests", "--out", "plan.json").code == 0
    service = _Clouding()
    with stand_in(extcal.sandbox.endpoint, service, shown=service.shown) as endpoint:
        ran = extcal("apply", *what, "--auto-approve", "--format", "json", "--endpoint", endpoint)
    assert ran.code == 1
    assert [error["address"] for error in _unchecked(ran)] == ["harbor/staff-0"]
    assert ran.document["remaining"] == []


def test_calendars_that_were_listed_while_connecting_are_not_listed_again(extcal: Extcal) -> None:
    """Where a saved plan names a calendar, its effect is checked by the list that its sync config was made with."""
    extcal.env |= PASSWORD_ENV
    extcal.write(site(), connection(0, more=_NAMED))
    assert extcal("plan", "manifests", "--out", "plan.json").code == 0
    service = _Unlisting()
    with stand_in(extcal.sandbox.endpoint, service, shown=service.shown) as endpoint:
        ran = extcal("apply", "--plan", "plan.json", "--auto-approve", "--format", "json", "--endpoint", endpoint)
    assert (ran.code, [action["status"] for action in ran.actions]) == (0, ["done"])
    assert ran.document["remaining"] == []
    assert "unchecked" not in ran.document


def test_no_undo_is_saved_of_what_can_not_be_read(drifting: Extcal) -> None:
    """Where the way back can't be read any more, the site is named, and the report is shown all the same."""
    ran = drifting("apply", "manifests", "--auto-approve", "--undo-out", "undo.json")
    assert ran.code == 1
    assert "error: the undo plan was not saved: harbor: ListConnections: HTTP 404" in ran.err
    assert "Applied: 1 done." in ran.out


def test_joined_results_say_what_was_not_checked(drifting: Extcal) -> None:
    """Merge keeps what the parts could not check."""
    ran = drifting("apply", "manifests", "--auto-approve", "--format", "json")
    (drifting.folder / "result.json").write_text(ran.out)
    assert _unchecked(drifting("merge", "result.json")) == _unchecked(ran)


class _Clouding(_Blind):
    """Passes everything on; once something was written its lists lack what Apple has."""

    def __call__(self, method: str, path: str) -> tuple[str, str]:
        super().__call__(method, path)
        return method, path

    def shown(self, content: bytes) -> bytes:
        """The content of an answer."""
        if not self.wrote or b'"connections"' not in content:
            return content
        return json.dumps({"connections": [], "failedProviderIds": [APPLE]}).encode()


class _Unlisting(_Blind):
    """Passes everything on, calendars in sync configs by their ids alone; once something was written, lists none."""

    def __call__(self, method: str, path: str) -> tuple[str, str]:
        super().__call__(method, path)
        return (method, "/nowhere") if self.wrote and path.endswith("/calendars") else (method, path)

    def shown(self, content: bytes) -> bytes:
        """The content of an answer."""
        return content if b'"syncConfig"' not in content else re.sub(rb',"name":"(Work|Home)"', b"", content)


def _unchecked(ran: Ran) -> list[Json]:
    return cast("list[Json]", valid(ran.document)["unchecked"])
